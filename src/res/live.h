/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - the stream of decisions: a resource that is spoken to over WebSocket only. Here is who
 * may listen, and whether the handshake is right; what is said then is serve/live.h.
 *
 * Who listens learns what others ask for. So it is for clients on this host, unless a network is
 * allowed by name. And because a web page of anybody runs on this host, too, the names are looked
 * at: Origin has to be ours (RFC 6455 10.2), and the authority a name that nobody else can give us.
 */
#ifndef RES_LIVE_H
#define RES_LIVE_H

#include "base/network.h"
#include "msg/websocket.h"
#include "res/res.h"

#define LIVE_PATH "/.earnest/live"

struct live_route {
    struct res_route any;
    struct networks allow;
    const struct ern_slice *names; /* hosts of the site, names_n of them */
    unsigned names_n;
};

extern struct ern_resource live_resource;

/* What a handshake that was taken agrees about compression. Returns false if there is none. */
bool live_deflate(const struct ern_request *request, struct websocket_deflate *ret_agreed);

#endif
