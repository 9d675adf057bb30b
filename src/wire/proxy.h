/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - the PROXY protocol, versions 1 and 2: what a gateway that only passes bytes on says,
 * before the first of them, about the connection they come from. No I/O, no clock.
 *
 * The specification is doc/proxy-protocol.txt of HAProxy, cited as in "PROXY protocol 2.1". It is
 * read only where that was agreed on, and then it must be there: whoever could choose whether to
 * send it could choose an address, too (PROXY protocol 2).
 */
#ifndef WIRE_PROXY_H
#define WIRE_PROXY_H

#include "base/ip.h"
#include "code/finding.h"
#include "code/limits.h"
#include "msg/parse.h"

struct proxy_header {
    size_t bytes; /* its length; after it the connection begins */
    /*
     * Are source and destination the client's? Otherwise the addresses of the socket count: the
     * gateway speaks for itself (LOCAL), or for a connection without IP addresses or TCP.
     */
    bool is_relayed;
    struct ip_port source, destination;
    bool is_tls;                /* the client speaks TLS to the gateway (2.2.6) */
    struct ern_slice authority; /* UTF-8, the server name it asked for (2.2.2); or absent */
    struct ern_slice alpn;      /* the protocol it agreed on (2.2.1); or absent */
    enum finding finding;       /* on PARSE_BAD, and */
    size_t finding_at;          /* the offset of the first byte of what shows it */
};

/*
 * Reads the header at the front of a connection.
 *   bytes   all that has come, from the first byte on; ret points into it
 *   ret     written each time; on PARSE_DONE all but the finding is set
 * It keeps no state, and is called again with all bytes after PARSE_MORE. After PARSE_BAD the
 * connection must end.
 */
enum parse proxy_header_parse(struct ern_slice bytes, const struct limits *limits,
                              struct proxy_header *ret);

#endif
