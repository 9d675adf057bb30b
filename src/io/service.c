/* SPDX-License-Identifier: Apache-2.0 */
#include "io/service.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"

enum { FIRST = 3, SOCKETS_MAX = 1024, US_IN_MS = 1000, DAY_MS = 86400000 };

/* The number that a variable has, and that it has no more; 0 if it has none up to max. */
static uint64_t
take_number(const char *name, uint64_t max)
{
    struct ern_slice text = slice_text(getenv(name));
    uint64_t n = 0;

    if (!slice_is_there(text) || !u64_parse(text, max, &n))
        n = 0;
    (void)unsetenv(name);
    return n;
}

/* A path, or a name without one, which is written with @. */
static void
take_manager(struct service *s)
{
    struct ern_slice text = slice_text(getenv("NOTIFY_SOCKET"));

    s->manager.sun_family = AF_UNIX;
    if (text.len > 1 && text.len < sizeof s->manager.sun_path &&
        (text.ptr[0] == '/' || text.ptr[0] == '@')) {
        memcpy(s->manager.sun_path, text.ptr, text.len);
        if (text.ptr[0] == '@')
            s->manager.sun_path[0] = '\0';
        s->manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text.len);
    }
    (void)unsetenv("NOTIFY_SOCKET");
}

void
service_begin(struct service *s)
{
    uint64_t me = (uint64_t)getpid();
    uint64_t sockets_for = take_number("LISTEN_PID", INT32_MAX);
    uint64_t sockets_n = take_number("LISTEN_FDS", SOCKETS_MAX);
    const char *whose = getenv("WATCHDOG_PID");
    uint64_t watched = whose ? take_number("WATCHDOG_PID", INT32_MAX) : me;
    uint64_t silence = take_number("WATCHDOG_USEC", (uint64_t)DAY_MS * US_IN_MS);

    *s = (struct service){0};
    take_manager(s);
    (void)unsetenv("LISTEN_FDNAMES");
    if (watched == me)
        s->watchdog_ms = (int64_t)(silence / US_IN_MS);
    if (sockets_for != me)
        return;
    s->sockets_n = (unsigned)sockets_n;
    for (unsigned i = 0; i < s->sockets_n; i++)
        (void)fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC);
}

/* Does it listen on this address? */
static bool
listens_on(int fd, const union address *a)
{
    union address its = {.any = {0}};
    socklen_t len = sizeof its;
    int listening = 0;
    socklen_t int_len = sizeof listening;
    struct ip ip, other;

    if (getsockname(fd, &its.any, &len) < 0 || its.any.sa_family != a->any.sa_family ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &int_len) < 0 || !listening)
        return false;
    ip = address_ip(&its);
    other = address_ip(a);
    if (memcmp(ip.byte, other.byte, sizeof ip.byte) != 0)
        return false;
    return a->any.sa_family == AF_INET ? its.v4.sin_port == a->v4.sin_port
                                       : its.v6.sin6_port == a->v6.sin6_port;
}

int
service_socket(const struct service *s, const union address *address)
{
    const int on = 1;

    for (int given = FIRST; given < FIRST + (int)s->sockets_n; given++) {
        int fd, flags;

        if (!listens_on(given, address))
            continue;
        fd = fcntl(given, F_DUPFD_CLOEXEC, FIRST);
        if (fd < 0)
            return -errno;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) {
            int error = -errno;

            (void)close(fd);
            return error;
        }
        return fd;
    }
    return -ENOENT;
}

bool
service_idle(const struct service *s, const union address *addresses, size_t n, unsigned *i,
             struct out *ret_name)
{
    while (*i < s->sockets_n) {
        int fd = FIRST + (int)(*i)++;
        union address its = {.any = {0}};
        socklen_t len = sizeof its;
        size_t used = 0;

        while (used < n && !listens_on(fd, &addresses[used]))
            used++;
        if (used < n)
            continue;
        if (getsockname(fd, &its.any, &len) == 0 &&
            (its.any.sa_family == AF_INET || its.any.sa_family == AF_INET6))
            address_write(ret_name, &its);
        else
            out_literal(ret_name, "no address of TCP");
        return true;
    }
    return false;
}

void
service_say(const struct service *s, struct ern_slice state)
{
    int fd;

    if (!s->manager_len)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state.ptr, state.len, MSG_NOSIGNAL, (const struct sockaddr *)&s->manager,
                  s->manager_len);
    (void)close(fd);
}
