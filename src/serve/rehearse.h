/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse.h - what would a configuration answer? The same code as in a server, in this process: no
 * socket is opened, no content is taken, nothing is done. Files are looked at where they are, what
 * is remembered of writable folders in a copy. What would only be known by doing is taken to go
 * well.
 */
#ifndef SERVE_REHEARSE_H
#define SERVE_REHEARSE_H

#include "base/out.h"
#include "conf/conf.h"
#include "earnest/decide.h"
#include "serve/trace.h"

struct exchange;
struct rehearsal;

/* Says on standard error what is wrong, and returns NULL, if something is. */
struct rehearsal *rehearsal_open(const struct conf *conf);
void rehearsal_close(struct rehearsal *rehearsal); /* NULL is fine */

struct rehearsal_request {
    struct ern_slice head; /* of HTTP/1.1, with its empty line */
    bool secure;           /* it comes over TLS */
    uint16_t port;         /* that it comes to: of the listeners with it the first is meant, */
    union address client;  /* and from here */
};

/*
 * Decides a request.
 *   answer     written: the head of the answer, and its content if that says what is wrong
 *   ret_trace  the decision; it refers to the rehearsal
 * Returns false if there is no answer: what is wrong was said.
 */
bool rehearse(struct rehearsal *rehearsal, const struct rehearsal_request *request,
              struct out *answer, struct trace *ret_trace);

/* The decision of an exchange that is rehearsed, in the place of ern_decide(). */
const struct ern_rule *rehearse_decide(struct exchange *exchange);

#endif
