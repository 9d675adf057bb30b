/* SPDX-License-Identifier: Apache-2.0 */
/* ip.h - IP addresses as bytes, without sockets. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * In network order. IPv4 is held as IPv6, ::ffff:a.b.c.d (RFC 4291 2.5.5.2), as a socket for both
 * has it: an address has one form, whichever way it came.
 */
struct ip {
    uint8_t byte[16];
};

struct ip_port {
    struct ip ip;
    uint16_t port;
};

/* The address of four bytes in network order. */
struct ip ip_from_v4(const uint8_t *four);

/* Is it an address by which a host names itself: of 127.0.0.0/8, or ::1? */
bool ip_is_loopback(const struct ip *ip);
/* The bytes that stand for one client, within *ip: the four of IPv4; of IPv6 the /64, for whoever
 * has one of its addresses has them all. */
struct ern_slice ip_client(const struct ip *ip);

/*
 * Reads IPv4address, IPv6address (RFC 3986 3.2.2), all of text: no brackets, no zone, no port, no
 * zeros in front of a number of the first. Writes *ret only on success.
 */
ERN_MUST_USE bool ip4_parse(struct ern_slice text, struct ip *ret);
ERN_MUST_USE bool ip6_parse(struct ern_slice text, struct ip *ret);

#endif
