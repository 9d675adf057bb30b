/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - a peer to try clients against: what there is, is in peer.def. The field Earnest-Status
 * says of each answer whether its status was earned or asked for.
 */
#ifndef RES_PEER_H
#define RES_PEER_H

#include <stdatomic.h>

#include "io/nonces.h"
#include "res/res.h"

enum { PEER_TURNS = 1024 };

struct peer_route {
    struct res_route any;
    _Atomic uint64_t *turns;  /* PEER_TURNS of them: how often a client asked for a sequence */
    _Atomic int64_t *waiting; /* requests whose answers wait for a time */
    struct nonces *nonces;    /* of Digest */
};

extern struct ern_resource peer_resource;

/* What an answer says of itself, unless its status was asked for: res_request.fields. */
#define PEER_EARNED "Earnest-Status: earned\r\n"

/* Takes what a route needs; close it in every case. Returns 0 or -ENOMEM. */
ERN_MUST_USE int peer_route_open(struct peer_route *route);
void peer_route_close(struct peer_route *route);

/* The limit on the content that it takes of a request. */
const int64_t *peer_content_max(const struct ern_request *request, const struct limits *limits);

#endif
