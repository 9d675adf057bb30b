/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h - the stream of decisions: a resource that is spoken to over WebSocket only. Here is who
 * may listen, and whether the handshake is right; what is said then is serve/live.h.
 *
 * Who listens learns what others ask for: it is for onlookers (onlooker.h).
 */
#ifndef RES_LIVE_H
#define RES_LIVE_H

#include "msg/websocket.h"
#include "res/onlooker.h"
#include "res/res.h"

#define LIVE_PATH "/.earnest/live"

extern struct ern_resource live_resource;

/* What a handshake that was taken agrees about compression. Returns false if there is none. */
bool live_deflate(const struct ern_request *request, struct websocket_deflate *ret_agreed);

#endif
