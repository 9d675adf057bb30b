/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrier.h - what carries an exchange: all in which HTTP/1.1 and HTTP/2 differ for one request and
 * its answer. Nothing above it asks for the version.
 */
#ifndef SERVE_CARRIER_H
#define SERVE_CARRIER_H

#include "serve/exchange.h"

struct carrier {
    /* Begins the head of the answer, whose status is known. Returns where its field lines go. */
    struct out *(*begin_head)(struct exchange *exchange);
    /* All of them are in out, from where begin_head() left it: sends the head, or gathers it. */
    void (*end_head)(struct exchange *exchange, struct out *out);
    /* An interim answer with these field lines. */
    void (*interim)(struct exchange *exchange, uint16_t status, struct ern_slice fields);
    /* Content is wanted: from now on it is received as fast as it is taken. ret_has_begun: some of
     * it is there. Returns false without memory. */
    bool (*want)(struct exchange *exchange, bool *ret_has_begun);
    /* Takes the next piece, at most max bytes, of what was received of the content. PARSE_MORE and
     * an empty piece: no more is there now. PARSE_BAD: exchange->finding says why. */
    enum parse (*take)(struct exchange *exchange, size_t max, struct ern_slice *ret_piece);
    /* From now on all that is received is content. Returns false without memory. */
    bool (*tunnel)(struct exchange *exchange);
    /* What it waited for is there. */
    void (*resume)(struct exchange *exchange);
};

extern const struct carrier h1_carrier, h2_carrier;

#endif
