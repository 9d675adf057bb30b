/* SPDX-License-Identifier: Apache-2.0 */
/* https.h - what stands for every path of a listener that sends its clients on to https. */
#ifndef RES_HTTPS_H
#define RES_HTTPS_H

#include "res/res.h"

struct https_route {
    struct res_route any;
    uint16_t port; /* where https is spoken */
    bool hsts;     /* it says there that no other is: the redirect is for good (RFC 6797 7.2) */
};

extern struct ern_resource https_resource;

#endif
