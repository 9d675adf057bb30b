/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - how often a client may ask (RFC 6585 4): a bucket of tokens for each, shared by all
 * threads without a lock, in a fixed size of memory whatever addresses come.
 *
 * A bucket is one time stamp: when it will be full again (the generic cell rate algorithm). A
 * request moves it on by the interval of a token; one that would move it further from now than a
 * whole bucket takes to fill is one too many, and moves nothing. The time is that of the loop's
 * turn, in milliseconds.
 */
#ifndef SERVE_RATE_H
#define SERVE_RATE_H

#include "base/hash.h"
#include "base/out.h"

struct conf_limit;

enum rate_by { RATE_BY_ADDRESS, RATE_BY_ROUTE, RATE_BY_USER, RATE_BY_KEY }; /* as enum conf_by */

struct rate_limit {
    const void *scope; /* whose buckets these are: the configuration of the limit, or of a route */
    int64_t interval_ns; /* between two tokens; 0: there is no limit */
    int64_t burst_ns;    /* in which an empty bucket fills: a multiple of interval_ns */
    enum rate_by by;     /* whom a bucket is for */
};

struct rate {                       /* of one request */
    const struct rate_limit *limit; /* NULL: none */
    int64_t lead_ns;                /* from now until its bucket is full */
};

struct rates;

/* Returns NULL without memory. */
struct rates *rates_new(int64_t buckets_max, struct hash_key key);
void rates_free(struct rates *rates);

/*
 * What the configuration says; no limit if it says nothing.
 *   route  the configuration of the route: the scope of a limit by route
 */
struct rate_limit rate_limit_of(const struct conf_limit *conf, const void *route);

/*
 * Takes a token of somebody's bucket.
 *   who       names them; empty: it is everybody's
 *   ret_rate  what is left; it keeps limit
 * Returns false, having taken nothing, if there is none.
 */
ERN_MUST_USE bool rate_take(struct rates *rates, const struct rate_limit *limit,
                            struct ern_slice who, int64_t now_ms, struct rate *ret_rate);

/* Seconds, rounded up, until there is one token more. */
int64_t rate_next_s(const struct rate *rate);

/* Writes the fields RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). */
void rate_write(struct out *o, const struct rate *rate);

#endif
