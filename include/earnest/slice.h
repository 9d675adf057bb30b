/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERN_SLICE_H
#define ERN_SLICE_H

#include <stddef.h>

/* Bytes someone else owns; not NUL-terminated. {NULL, 0} is "absent", {ptr, 0} is "empty". */
struct ern_slice {
    const char *ptr;
    size_t len;
};

#define ERN_SLICE(literal) ((struct ern_slice){"" literal, sizeof(literal) - 1})
#define ERN_ABSENT ((struct ern_slice){NULL, 0})

/* A result that must not be dropped. */
#define ERN_MUST_USE __attribute__((warn_unused_result))

#endif
