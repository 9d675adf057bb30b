/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freshness.h - may an answer be kept, how long is it fresh, and what may be done with it then (RFC
 * 9111, RFC 5861)? By a shared cache: one that answers several users. All times are seconds of Unix
 * time.
 */
#ifndef MSG_FRESHNESS_H
#define MSG_FRESHNESS_H

#include "msg/cache_control.h"

struct freshness { /* of an answer, as it was received */
    struct cache_control control;
    uint16_t status;
    int64_t received_s;
    int64_t date_s;        /* when it was made, as it says; else received_s */
    int64_t modified_s;    /* Last-Modified; -1: there is none */
    int64_t initial_age_s; /* when it was received (RFC 9111 4.2.3) */
    int64_t lifetime_s;    /* RFC 9111 4.2.1; 0: it was never fresh */
    bool is_explicit;      /* it says that itself; else it is guessed (RFC 9111 4.2.2) */
    bool has_validator;    /* ETag or Last-Modified */
};

struct freshness_times {
    int64_t asked_s, received_s; /* when its request went out, and its head came */
    int64_t heuristic_s_max;     /* the longest lifetime that is guessed; 0: none is */
};

/* Reads what an answer, whose fields are those of message, says of itself. */
struct freshness freshness_read(const struct ern_request *message, uint16_t status,
                                const struct freshness_times *times);

/* Its age (RFC 9111 4.2.3), and for how long it stays fresh, which is negative once it is stale. */
int64_t freshness_age_s(const struct freshness *freshness, int64_t now_s);
int64_t freshness_left_s(const struct freshness *freshness, int64_t now_s);

/* What forbids, or allows, a shared cache to keep an answer to GET. */
enum storable {
    STORABLE,
    STORABLE_NOT,      /* it says so, or does not say that it may be */
    STORABLE_NOT_HERE, /* this one may not, but another request may get one that may: it is about
                          the request, or is a part */
};

/*
 * May it be kept (RFC 9111 3, 3.5)? Beyond the letter of that: who sets a cookie has to say that
 * the answer is for all, by public or s-maxage; and the use of what can be of none is none.
 *   request  with its directives
 *   message  the fields of the answer
 */
enum storable freshness_storable(const struct ern_request *request,
                                 const struct cache_control *wants,
                                 const struct ern_request *message,
                                 const struct freshness *freshness);

enum reuse {
    REUSE_FRESH,
    REUSE_STALE,           /* the client allows it: max-stale */
    REUSE_STALE_MEANWHILE, /* its origin allows it, while it is validated (RFC 5861 3) */
    REUSE_NOT_ASKED,       /* it is fresh, but the client wants it validated */
    REUSE_NOT_FRESH,       /* it has to be validated */
};

/* May a stored answer be used without asking its origin (RFC 9111 4, 5.2.1)? */
enum reuse freshness_reuse(const struct cache_control *wants, const struct freshness *freshness,
                           int64_t now_s);

/*
 * May it be used though it is stale, because there is no better one?
 *   is_cut_off  its origin can not be reached (RFC 9111 4.2.4); else it has failed (RFC 5861 4)
 *   cut_off_s_max  how long after it became stale, in the first case
 */
bool freshness_outlives(const struct cache_control *wants, const struct freshness *freshness,
                        int64_t now_s, bool is_cut_off, int64_t cut_off_s_max);

#endif
