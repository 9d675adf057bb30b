/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_answer.h - HTTP/1.1 responses (RFC 9112), as a client reads them: bytes in, an answer out. No
 * I/O, no clock.
 *
 * As strict as h1.h is: whoever answers in a way that two readers could take for two answers has
 * not answered.
 */
#ifndef WIRE_H1_ANSWER_H
#define WIRE_H1_ANSWER_H

#include "wire/h1.h"

/* Where the content of an answer ends (RFC 9112 6.3). */
enum h1_end {
    H1_END_NONE,   /* there is none */
    H1_END_SAID,   /* where its length or its last chunk says */
    H1_END_CLOSE,  /* with the connection */
    H1_END_TUNNEL, /* likewise; but what follows the head is another protocol's */
};

struct h1_answer {
    struct h1_head head;        /* how far it was read, and what is wrong with it */
    struct ern_request message; /* what an answer has as a request has it: version, fields, and
                                   framing. Its content_length is set where there is no content,
                                   too: of what GET would have brought (RFC 9110 8.6) */
    uint16_t status;            /* 100 to 599, and not 306 */
    enum h1_end end;
    bool is_last; /* the connection ends after it (RFC 9112 9.3), or is better not used again */
};

/* The limits of answers in the place of those of requests: what h1_answer_init() wants. */
struct limits h1_answer_limits(const struct limits *limits);

/* Begins. fields: memory for cap fields, kept as long as the answer. */
void h1_answer_init(struct h1_answer *answer, const struct limits *limits, struct ern_field *fields,
                    uint16_t cap);

/*
 * Reads on, as h1_head_feed() does.
 *   method  of the request that it answers: what follows the head of an answer depends on it
 */
enum parse h1_answer_feed(struct h1_answer *answer, struct ern_slice bytes, enum ern_method method);

/* Begins its content. What ends with the connection never says PARSE_DONE. */
void h1_answer_content(const struct h1_answer *answer, const struct limits *limits,
                       struct h1_content *content);

#endif
