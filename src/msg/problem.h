/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_PROBLEM_H
#define MSG_PROBLEM_H

#include "base/out.h"

/* A problem details object (RFC 9457 3) with Earnest's extension members; absent ones are left out.
 */
struct problem {
    uint16_t status;
    struct ern_slice type;     /* a URI reference; absent: about:blank */
    struct ern_slice title;    /* the status phrase */
    struct ern_slice detail;   /* one sentence on this occurrence */
    struct ern_slice instance; /* an incident id */
    struct ern_slice rule;     /* the rule that decided */
    struct ern_slice source;   /* the section the rule carries out */
    struct ern_slice fact;     /* the fact that decided, and */
    struct ern_slice question; /* what it asks */
    bool answer;               /* what it is; written with fact */
    int64_t offset;            /* of the offending byte in the message; -1: none */
    struct ern_slice link;     /* where a person can mend it: a URL */
    int64_t price;             /* what it costs, in credits, 0: nothing; and */
    int64_t balance;           /* what there is; written with price */
    struct ern_slice limit;    /* the limit that was passed, and */
    int64_t limit_value;       /* its value; written with limit */
};

/*
 * Writes it as application/problem+json, one line, UTF-8.
 *   more   writes further members, each with a comma before it; NULL: there are none
 *   self   what more() is given
 */
void problem_write(struct out *o, const struct problem *problem,
                   void (*more)(struct out *o, const void *self), const void *self);

#endif
