/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pot_resource.h - a pot as a resource (RFC 2324), and one that makes tea (RFC 7168).
 * doc/resource.md walks through pot_resource.c as an example of how a kind of resource is written.
 */
#ifndef RES_POT_RESOURCE_H
#define RES_POT_RESOURCE_H

#include "res/pot.h"
#include "res/res.h"

enum { POT_TEAS_MAX = 16, POT_ADDITIONS_MAX = 32 /* bits of an order */ };

struct pot_route {
    struct res_route any;
    struct pot *pot;
    struct pot_settings settings;
    bool teapot;                       /* it makes tea, and no coffee */
    const struct ern_slice *teas;      /* each below the path of the route */
    const struct ern_slice *additions; /* that it has, as in RFC 2324 2.2.2.1 */
    unsigned teas_n, additions_n;
};

extern struct ern_resource pot_resource;

/* The limit on the content that it takes of a request. */
const int64_t *pot_content_max(const struct ern_request *request, const struct limits *limits);

/* ---- pot_text.c: what a pot says; all is in the arena, and false or absent says that it is full.
 */

/* The state of the pot as the representation: JSON. */
ERN_MUST_USE bool pot_represent(struct res_request *request, const struct pot_view *view,
                                bool served);

/* The properties of the pot, and of its teas as its members, as the representation: a multistatus
 * (RFC 4918 14.16). */
ERN_MUST_USE bool pot_describe(struct res_request *request, bool with_members);

/* Alternates with the teas (RFC 7168 2.1.1), as a field line. */
struct ern_slice pot_alternates(struct res_request *request);

/* The sentences that say what there is to choose from. */
struct ern_slice pot_tell_teas(const struct ern_decision *decision);
struct ern_slice pot_tell_additions(const struct ern_decision *decision);

#endif
