/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_CACHE_CONTROL_H
#define MSG_CACHE_CONTROL_H

#include "earnest/message.h"

/* The directives of Cache-Control that are read (RFC 9111 5.2, RFC 5861), of requests and answers.
 * The first ones take seconds, and the next two names of fields. */
enum cache_directive {
    CACHE_MAX_AGE,
    CACHE_S_MAXAGE,
    CACHE_MAX_STALE,
    CACHE_MIN_FRESH,
    CACHE_STALE_WHILE_REVALIDATE,
    CACHE_STALE_IF_ERROR,
    CACHE_NO_CACHE,
    CACHE_PRIVATE,
    CACHE_NO_STORE,
    CACHE_ONLY_IF_CACHED,
    CACHE_MUST_REVALIDATE,
    CACHE_PROXY_REVALIDATE,
    CACHE_MUST_UNDERSTAND,
    CACHE_PUBLIC,
    CACHE_DIRECTIVES
};

enum {
    CACHE_TIMES = CACHE_NO_CACHE,                  /* directives that take seconds, */
    CACHE_NAMED = CACHE_NO_STORE - CACHE_NO_CACHE, /* and names of fields */
    CACHE_SECONDS_MAX = INT32_MAX, /* what is more counts as so much: for ever (RFC 9111 1.2.2) */
};

struct cache_control {
    uint32_t said;                       /* one bit an enum cache_directive */
    int64_t seconds[CACHE_TIMES];        /* 0 to CACHE_SECONDS_MAX; 0 if they are no number */
    struct ern_slice names[CACHE_NAMED]; /* of fields that it is about; absent: it is about all */
};

/*
 * Reads Cache-Control. Of a directive that is repeated the first counts (RFC 9111 4.2.1); one about
 * all fields outweighs one about some. What is no number of seconds is none: so what says how long
 * it is fresh in a way that is not understood is stale. max-stale without a value is any time.
 */
struct cache_control cache_control_read(const struct ern_request *message);

static inline bool
cache_control_says(const struct cache_control *control, enum cache_directive directive)
{
    return (control->said >> directive & 1) != 0;
}

/* Is the directive said, and about all of the answer? */
bool cache_control_says_all(const struct cache_control *control, enum cache_directive directive);

/* Is this field one that the directive, of those with names, is about? */
bool cache_control_names(const struct cache_control *control, enum cache_directive directive,
                         struct ern_slice field);

/* Reads delta-seconds, at most CACHE_SECONDS_MAX (RFC 9111 1.2.2). Returns false if it is none. */
ERN_MUST_USE bool delta_seconds_parse(struct ern_slice text, int64_t *ret_s);

#endif
