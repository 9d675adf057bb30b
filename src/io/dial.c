/* SPDX-License-Identifier: Apache-2.0 */
#include "io/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/listen.h"

unsigned
dial_resolve(const char *host, uint16_t port, struct ip_port *ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    unsigned n = 0;

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return 0;
    for (const struct addrinfo *i = found; i && n < DIAL_ADDRESSES; i = i->ai_next) {
        if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
            continue;
        ret[n++] = (struct ip_port){address_ip((const void *)i->ai_addr), port};
    }
    freeaddrinfo(found);
    return n;
}

/* IPv4 by a socket of its own, for a host may have no IPv6. */
static socklen_t
address_of(const struct ip_port *to, union address *ret)
{
    *ret = address_from_ip(to);
    if (!IN6_IS_ADDR_V4MAPPED(&ret->v6.sin6_addr))
        return sizeof ret->v6;
    *ret = (union address){.v4 = {.sin_family = AF_INET, .sin_port = htons(to->port)}};
    memcpy(&ret->v4.sin_addr, to->ip.byte + 12, 4);
    return sizeof ret->v4;
}

int
dial(const struct ip_port *to)
{
    const int on = 1;
    union address a;
    socklen_t len = address_of(to, &a);
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, &a.any, len) == 0 || errno == EINPROGRESS)
        return fd;
    error = -errno;
    (void)close(fd);
    return error;
}

int
dial_path(struct ern_slice path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, error;

    if (path.len >= sizeof a.sun_path)
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(a.sun_path, path.ptr, path.len);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    error = -errno;
    (void)close(fd);
    return error;
}

int
dial_result(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}
