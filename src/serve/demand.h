/* SPDX-License-Identifier: Apache-2.0 */
/* demand.h - does a legal demand stand in the way of a request (451)? The asks of that policy. */
#ifndef SERVE_DEMAND_H
#define SERVE_DEMAND_H

#include "earnest/decide.h"
#include "io/digest.h"

struct exchange;

struct demand_content { /* of one request: the content that it asks for */
    bool is_known;      /* its digest, or */
    int error;          /* why not: a negative errno, or 0 */
    uint8_t digest[DIGEST_BYTES];
};

/* Is there a demand about what is asked for, by whom? Then the answer says so. */
bool demand_stands(struct exchange *exchange);

/* Answers whether there is none about the very content. Waits where a file is to be read. */
enum ern_answer demand_ask_content(struct ern_decision *d);

#endif
