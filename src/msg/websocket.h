/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket.h - the opening handshake of WebSocket, the server's side: over HTTP/1.1 with Upgrade
 * (RFC 6455 4.2), over HTTP/2 with an extended CONNECT (RFC 8441 5), which has no Upgrade and no
 * key. Each question is a function of its own, so that each can be a fact of the decision.
 */
#ifndef MSG_WEBSOCKET_H
#define MSG_WEBSOCKET_H

#include "base/out.h"
#include "earnest/message.h"

/* Does a request of HTTP/1.1 ask for WebSocket: GET, Upgrade: websocket, Connection: Upgrade? */
bool websocket_is_asked(const struct ern_request *request);

/* Is Sec-WebSocket-Version 13? If not, that field, with 13, tells the client (RFC 6455 4.4). */
bool websocket_version_is_ours(const struct ern_request *request);
#define WEBSOCKET_VERSION "13"

/* Is there a Sec-WebSocket-Key, of 16 bytes in base64? */
bool websocket_key_is_right(const struct ern_request *request);

/* Writes the value of Sec-WebSocket-Accept that answers a key that is right. */
void websocket_write_accept(struct out *o, struct ern_slice key);

/*
 * The first subprotocol that the client names, in its order of preference, that is one of ours.
 * Absent: the answer has no Sec-WebSocket-Protocol.
 */
struct ern_slice websocket_protocol(const struct ern_request *request, const struct ern_slice *ours,
                                    size_t ours_n);

/* The parameters of permessage-deflate (RFC 7692 7.1). */
struct websocket_deflate {
    bool server_no_context_takeover, client_no_context_takeover;
    uint8_t server_max_window_bits; /* 8 to 15; 0: not said, which stands for 15 */
    uint8_t client_max_window_bits;
};

enum websocket_extensions {
    WEBSOCKET_PLAIN,     /* none that is ours: the answer has no Sec-WebSocket-Extensions */
    WEBSOCKET_DEFLATE,   /* permessage-deflate */
    WEBSOCKET_MALFORMED, /* the handshake has to fail (RFC 6455 9.1) */
};

/* The smallest window that we compress with: zlib makes none of 8 bits without its own header. */
enum { WEBSOCKET_WINDOW_MIN = 9 };

/*
 * Reads Sec-WebSocket-Extensions, and takes the first offer of permessage-deflate that we can meet.
 *   ours         what we would have: smaller windows, no contexts; {0} for all that there is
 *   ret_agreed   written for WEBSOCKET_DEFLATE: what holds for both sides from now on
 */
enum websocket_extensions websocket_extensions(const struct ern_request *request,
                                               const struct websocket_deflate *ours,
                                               struct websocket_deflate *ret_agreed);

/* Writes the value of Sec-WebSocket-Extensions that accepts what is agreed. */
void websocket_write_extensions(struct out *o, const struct websocket_deflate *agreed);

#endif
