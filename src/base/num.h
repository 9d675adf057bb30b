/* SPDX-License-Identifier: Apache-2.0 */
/* num.h - numbers that strangers wrote. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Reads 1*DIGIT, all of text: no sign, no space, nothing after it.
 *   max      the largest value taken
 *   ret      the value; written on success only
 * Returns false if text is empty, has another byte, or is past max.
 */
ERN_MUST_USE bool u64_parse(struct ern_slice text, uint64_t max, uint64_t *ret);

/* The same, written as a number is: without zeros in front. */
ERN_MUST_USE bool u64_parse_plain(struct ern_slice text, uint64_t max, uint64_t *ret);

/* The value of a hexadecimal digit, or -1. */
int hex_value(char c);

#endif
