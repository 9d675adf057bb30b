/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.h - reads the vectors of test/codes (test/codes/README.md has the format) as far as the
 * engine alone needs them. What only the server can show is checked for its form and passed over.
 */
#ifndef TEST_LIB_VECTOR_H
#define TEST_LIB_VECTOR_H

#include "code/limits.h"
#include "earnest/decide.h"

enum {
    VECTOR_EXCHANGES_MAX = 16,
    VECTOR_STATUSES_MAX = 8,
    VECTOR_NOW_S = 1767225600, /* what time it is in every vector: Thu, 01 Jan 2026 00:00:00 GMT */
};

enum vector_answer {
    VECTOR_UNASKED, /* the resource has no opinion */
    VECTOR_NO,
    VECTOR_YES,
    VECTOR_FAIL,
};

/* What the resource of a vector answers, and the evidence it has. */
struct vector_resource {
    uint8_t answer[ERN_FACTS]; /* an enum vector_answer each */
    bool later[ERN_FACTS];     /* it says ERN_WAIT first */
    struct ern_slice etag;     /* absent: none */
    int64_t modified_s;        /* -1: none */
    int64_t content_bytes;     /* -1: none */
    uint16_t relayed;
};

struct vector_facts {
    bool said; /* there was such a line */
    unsigned n;
    uint8_t fact[ERN_FACTS]; /* an enum ern_fact each */
};

struct vector_exchange {
    unsigned line; /* where its request begins */
    struct ern_slice request;
    struct vector_resource resource;
    unsigned statuses_n;
    uint16_t status[VECTOR_STATUSES_MAX]; /* interim ones first, the final one last */
    struct ern_slice rule;
    struct vector_facts asks;  /* all that the resource is asked, in order; if said */
    struct vector_facts never; /* must not be asked */
};

struct vector { /* owns its memory; vector_free() */
    char *text, *requests;
    struct ern_slice about; /* the first comment */
    bool engine_only;
    struct limits limits;
    unsigned exchanges_n;
    struct vector_exchange exchange[VECTOR_EXCHANGES_MAX];
    unsigned error_line; /* where it is not a vector, and why */
    const char *error;
};

/* Reads the file. Returns 0, or -1 with vector->error set; vector_free() it in both cases. */
ERN_MUST_USE int vector_read(struct vector *vector, const char *path);
void vector_free(struct vector *vector);

#endif
