/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - the columns of status.def in words. */
#ifndef MAIN_WORDS_H
#define MAIN_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "code/language.h"
#include "earnest/status.h"

struct ern_slice words_kind(enum ern_status_kind kind, enum language language);
struct ern_slice words_content(const struct ern_status *status, enum language language);

/* May a cache store it (for people), and the name of that column (for programs)? */
struct ern_slice words_cacheable(enum ern_cacheable cacheable, enum language language);
struct ern_slice words_cacheable_name(enum ern_cacheable cacheable);

/*
 * "www_authenticate" as the field name "WWW-Authenticate".
 *   buffer, cap  the caller's memory, where the name is written, as much of it as fits
 */
struct ern_slice words_field(const char *carry, char *buffer, size_t cap);

/* Up to the first full stop, English or Bengali, that a space or the end follows. */
struct ern_slice words_first_sentence(struct ern_slice text);

/* The language that LC_ALL, LC_MESSAGES or LANG ask for. */
enum language words_language(void);

/* The language with this tag. Returns false if there is none. */
bool words_language_find(struct ern_slice tag, enum language *ret_language);

#endif
