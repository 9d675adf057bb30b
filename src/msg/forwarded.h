/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarded.h - what gateways say about the client of a request: Forwarded (RFC 7239), and
 * X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host (RFC 7239 7.4).
 *
 * Anyone can write these fields. Each gateway adds to the right of what it got, so they are
 * believed from the right, for as long as the writer is trusted: the last element was written by
 * the peer, the one before it by the node that the last one is about, and so on. What stands to the
 * left of the first node that is not trusted is hearsay (RFC 7239 8.1).
 */
#ifndef MSG_FORWARDED_H
#define MSG_FORWARDED_H

#include "base/network.h"
#include "base/out.h"
#include "code/finding.h"
#include "earnest/message.h"

/* What the gateways speak. A field of the other form came through them from a client: it is not
 * looked at, or the client could say by it who it is. */
enum forwarded_form {
    FORWARDED_BY_X_FIELDS, /* X-Forwarded-For and its like */
    FORWARDED_BY_FORWARDED,
};

enum forwarded_kind {
    FORWARDED_NOT_SAID,
    FORWARDED_UNKNOWN,    /* RFC 7239 6.2 */
    FORWARDED_OBFUSCATED, /* RFC 7239 6.3: a name that means something to the gateway only */
    FORWARDED_ADDRESS,    /* RFC 7239 6.1 */
};

struct forwarded_node {
    enum forwarded_kind kind;
    struct ern_slice text;  /* as it is written there, with its port */
    struct ip_port address; /* of FORWARDED_ADDRESS; port 0: not said, or obfuscated */
};

struct forwarded {
    struct forwarded_node client; /* the first node from the right that is not trusted, or the last
                                     there is */
    struct ern_slice proto;       /* the URI scheme by which it asked the gateway; or absent */
    struct ern_slice host;        /* the Host that it sent; or absent */
    enum finding finding;         /* why nothing is set: for the log, no fact of the request */
};

/*
 * Reads the fields of a request that came from peer; nothing is set unless peer is trusted. A field
 * that is malformed anywhere counts as not there, and so do the others of its form: a part of it
 * could be what somebody wanted us to read.
 *   o   where text goes that was escaped; as much room as the fields have bytes is always enough.
 *       If it was full, nothing is set
 */
struct forwarded forwarded_read(const struct ern_request *request, const struct ip *peer,
                                const struct networks *trusted, enum forwarded_form form,
                                struct out *o);

#endif
