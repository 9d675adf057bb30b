/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/out.h"

/* An address and port: 4 or 6 says which of the two is meant. */
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/*
 * Reads "127.0.0.1:8080", "[::1]:8080", ":8080" or "8080" (both: every address, by IPv6 if the
 * host has it). Port 0 lets the system choose. Returns false if it is none of these.
 */
bool address_parse(struct ern_slice text, union address *ret_address);

/* The same address in the other form. IPv4 is one in IPv6 in both. */
struct ip address_ip(const union address *address);
union address address_from_ip(const struct ip_port *from);

/* The address with its port; IPv4 in IPv6 as IPv4. */
void address_write(struct out *o, const union address *address);

/* The same without the port and without brackets: for logs. */
void address_write_host(struct out *o, const union address *address);

/* The address without its port, in its one form. */
struct ip address_ip(const union address *address);

/*
 * Opens a listening socket that shares its address with others (SO_REUSEPORT).
 *   address  its port is filled in if it was 0
 *   queue    connections that may wait
 *   is_first nobody else may have the address yet, as another server of the same user would: each
 *            of the two would get a part of the connections
 * Returns the descriptor (not blocking, closed on exec), or a negative errno.
 */
ERN_MUST_USE int listen_open(union address *address, int queue, bool is_first);

/* Accepts one connection (not blocking, no delay). Returns the descriptor, or a negative errno. */
ERN_MUST_USE int listen_accept(int fd, union address *ret_peer);

#endif
