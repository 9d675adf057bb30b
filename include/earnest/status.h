/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - the registered response status codes: what each one is, and what must come with it.
 */
#ifndef ERN_STATUS_H
#define ERN_STATUS_H

#include <stdint.h>

#include "earnest/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ERN_404_NOT_FOUND and so on: the number and the name, so that either can be searched for. */
enum ern_status_code {
#define STATUS(code, id, phrase, kind, content, carry, cacheable, source) ERN_##code##_##id = code,
#include "status.def"
#undef STATUS
};

enum ern_status_kind {
    ERN_FINAL,
    ERN_INTERIM,  /* 1xx: another answer follows */
    ERN_RESERVED, /* registered, never sent */
};

enum ern_cacheable {
    ERN_HEURISTIC, /* may be stored without explicit freshness (RFC 9110 15.1) */
    ERN_EXPLICIT,  /* may be stored only with it */
    ERN_NEVER,     /* must not be stored */
};

/* A row of status.def. */
struct ern_status {
    uint16_t code; /* 100 to 599 */
    enum ern_status_kind kind;
    enum ern_cacheable cacheable;
    int has_content;         /* 0: an answer with this status never has content */
    struct ern_slice phrase; /* as the IANA registry has it */
    const char *carry;       /* the field it must carry, in lower case with _ for -; NULL if none */
    const char *source;      /* the section that defines it */
};

/* The row of a code; NULL if the registry has none. */
const struct ern_status *ern_status_find(unsigned code);

/* The i-th row in order of the codes, from 0; NULL past the last. */
const struct ern_status *ern_status_at(unsigned i);

#ifdef __cplusplus
}
#endif

#endif
