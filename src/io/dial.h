/* SPDX-License-Identifier: Apache-2.0 */
/* dial.h - connections that we open. */
#ifndef IO_DIAL_H
#define IO_DIAL_H

#include "base/ip.h"
#include "earnest/slice.h"

enum { DIAL_ADDRESSES = 8, DIAL_HOST_BYTES = 256 };

/*
 * The addresses of a host, in the order in which to try them. May wait for the network: for a
 * thread of the pool. Returns how many, at most DIAL_ADDRESSES, or 0: there are none, or nobody
 * could say.
 */
unsigned dial_resolve(const char *host, uint16_t port, struct ip_port *ret);

/* Begins to connect, without waiting. Returns the descriptor, or a negative errno. */
ERN_MUST_USE int dial(const struct ip_port *to);

/* Likewise to a Unix socket, by its path. -EAGAIN: its queue is full. */
ERN_MUST_USE int dial_path(struct ern_slice path);

/* It can be written, or has failed: 0, or the negative errno that says why. */
ERN_MUST_USE int dial_result(int fd);

#endif
