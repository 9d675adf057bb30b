/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/num.h"

/* The host part as an address of the family; false if it is none. */
static bool
host_parse(int family, struct ern_slice host, void *ret_address)
{
    char text[INET6_ADDRSTRLEN];

    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(family, text, ret_address) == 1;
}

bool
address_parse(struct ern_slice text, union address *ret_address)
{
    union address a = {.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT}};
    size_t colon = text.len;
    struct ern_slice host;
    uint64_t port;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (!u64_parse(slice_skip(text, colon), 65535, &port))
        return false;
    host = slice_first(text, colon ? colon - 1 : 0);
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        if (!host_parse(AF_INET6, slice_from(host.ptr + 1, host.len - 2), &a.v6.sin6_addr))
            return false;
    } else if (host.len) {
        a.v4.sin_family = AF_INET;
        if (!host_parse(AF_INET, host, &a.v4.sin_addr))
            return false;
    }
    if (a.any.sa_family == AF_INET)
        a.v4.sin_port = htons((uint16_t)port);
    else
        a.v6.sin6_port = htons((uint16_t)port);
    *ret_address = a;
    return true;
}

struct ip
address_ip(const union address *a)
{
    struct ip ip;

    if (a->any.sa_family == AF_INET)
        return ip_from_v4((const uint8_t *)&a->v4.sin_addr);
    memcpy(ip.byte, &a->v6.sin6_addr, sizeof ip.byte);
    return ip;
}

union address
address_from_ip(const struct ip_port *from)
{
    union address a = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(from->port)}};

    memcpy(&a.v6.sin6_addr, from->ip.byte, sizeof from->ip.byte);
    return a;
}

void
address_write_host(struct out *o, const union address *a)
{
    const unsigned char *v4 = (const unsigned char *)&a->v4.sin_addr;
    char text[INET6_ADDRSTRLEN];

    if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        v4 = a->v6.sin6_addr.s6_addr + 12;
    else if (a->any.sa_family == AF_INET6) {
        if (inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof text))
            out_text(o, text);
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i)
            out_char(o, '.');
        out_u64(o, v4[i]);
    }
}

void
address_write(struct out *o, const union address *a)
{
    bool brackets = a->any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);

    if (brackets)
        out_char(o, '[');
    address_write_host(o, a);
    if (brackets)
        out_char(o, ']');
    out_char(o, ':');
    out_u64(o, ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port));
}

static socklen_t
address_len(const union address *a)
{
    return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

static int
bind_and_listen(int fd, union address *a, int queue, bool is_first)
{
    const int on = 1, off = 0, shares = !is_first;
    socklen_t len = sizeof *a;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shares, sizeof shares) < 0)
        return -errno;
    if (a->any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    /* Accepted sockets inherit it: one call less a connection. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        bind(fd, &a->any, address_len(a)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 || listen(fd, queue) < 0 ||
        getsockname(fd, &a->any, &len) < 0)
        return -errno;
    return 0;
}

int
listen_open(union address *a, int queue, bool is_first)
{
    const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(a->any.sa_family, kind, 0);
    int error;

    if (fd < 0 && errno == EAFNOSUPPORT && a->any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)) {
        /* A host without IPv6: every address is every IPv4 address. */
        in_port_t port = a->v6.sin6_port;

        *a = (union address){.v4 = {.sin_family = AF_INET, .sin_port = port}};
        fd = socket(AF_INET, kind, 0);
    }
    if (fd < 0)
        return -errno;
    error = bind_and_listen(fd, a, queue, is_first);
    if (error) {
        (void)close(fd);
        return error;
    }
    return fd;
}

int
listen_accept(int fd, union address *ret_peer)
{
    socklen_t len = sizeof *ret_peer;
    int accepted = accept4(fd, &ret_peer->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    return accepted < 0 ? -errno : accepted;
}
