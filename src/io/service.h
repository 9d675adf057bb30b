/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - the service manager that started us, if one did: the sockets that it opened for us
 * (sd_listen_fds(3)), what we tell it (sd_notify(3)), and how often it wants to hear that we live
 * (sd_watchdog_enabled(3)). The protocols are three variables of the environment.
 */
#ifndef IO_SERVICE_H
#define IO_SERVICE_H

#include <sys/un.h>

#include "io/listen.h"

struct service {
    struct sockaddr_un manager; /* where it listens */
    socklen_t manager_len;      /* 0: nobody wants to hear */
    unsigned sockets_n;         /* descriptors from 3 on, which it opened and which stay open */
    int64_t watchdog_ms;        /* silence that it bears; 0: for ever */
};

/* Reads the environment, and takes its variables away: they are for no child of ours. */
void service_begin(struct service *ret_service);

/*
 * A descriptor of its own for the socket that was opened for this address.
 *   address  as in listen_open(); IPv4 is not looked for in a socket of IPv6
 * Returns it (not blocking, closed on exec), -ENOENT if there is none, or another negative errno.
 */
ERN_MUST_USE int service_socket(const struct service *service, const union address *address);

/*
 * Finds a socket of the manager's that is of none of these addresses.
 *   i         from which to look, 0 at first; afterwards the next
 *   ret_name  written: its address, or what it is instead
 * Returns false if there are no more.
 */
bool service_idle(const struct service *service, const union address *addresses, size_t n,
                  unsigned *i, struct out *ret_name);

/* Tells the manager: lines as in "READY=1". Nothing is said if it is not there. */
void service_say(const struct service *service, struct ern_slice state);

#endif
