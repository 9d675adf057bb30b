/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.h - resources that live elsewhere, or no more, by configuration. */
#ifndef RES_REDIRECT_H
#define RES_REDIRECT_H

#include "res/res.h"

enum redirect_kind {
    REDIRECT_MOVED,     /* 301, 302, 307, 308, by the two questions below */
    REDIRECT_SEE_OTHER, /* 303 */
    REDIRECT_USE_PROXY, /* 305 */
};

struct redirect_route {
    struct res_route any;
    enum redirect_kind kind;
    bool for_good;       /* of REDIRECT_MOVED */
    bool keeps_method;   /* of REDIRECT_MOVED */
    bool whole_tree;     /* the route ends with a slash: what stands below it is appended */
    struct ern_slice to; /* a URI reference */
};

extern struct ern_resource redirect_resource;

/* What is gone for good; its configuration is a struct res_route. */
extern struct ern_resource gone_resource;

/* The resource of every path that no route has; without configuration. */
extern struct ern_resource none_resource;

/* The server as a whole: the target "*" of OPTIONS (RFC 9110 9.3.7); without configuration. */
extern struct ern_resource server_resource;

#endif
