/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - networks such as 10.0.0.0/8 and fd00::/8: is an address in one of them? */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/ip.h"

struct network {
    struct ip first; /* its other bits are 0 */
    uint8_t bits;    /* how many from the front all its addresses share: 0 to 128 */
};

struct networks {
    const struct network *network; /* the owner's, in any order */
    size_t n;                      /* at most NETWORKS_MAX: each look goes through all */
};

enum { NETWORKS_MAX = 256 };

/*
 * Reads an address, or an address, "/" and the number of bits that count (RFC 4632 3.1,
 * RFC 4291 2.3). The others must be 0, for "10.1.2.3/8" may have been meant to be smaller than it
 * is. ::/0 has IPv4 in it (base/ip.h).
 */
ERN_MUST_USE bool network_parse(struct ern_slice text, struct network *ret);

/*
 * Is it an address that is not everybody's: of this host, of its link, of a private network, of
 * several hosts, or of no host (the registries of RFC 6890)? One that only carries such an IPv4
 * address in it (RFC 6052, RFC 3056, RFC 4380) is one, too.
 */
bool ip_is_private(const struct ip *ip);

/* Is the address in the network; in one of them? */
bool network_has(const struct network *network, const struct ip *ip);
bool networks_have(const struct networks *networks, const struct ip *ip);

#endif
