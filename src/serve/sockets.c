/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { IN_USE_MS = 2000, IN_USE_LOOK_MS = 10 };

static struct listener *
at(const struct sockets *s, unsigned thread, unsigned listen)
{
    return &s->listeners[(size_t)thread * s->listens_n + listen];
}

/* The place of a name in the set; listens_n if it has none, or for another number of threads. */
static unsigned
find(const struct sockets *s, struct ern_slice name, unsigned threads_n)
{
    unsigned i = 0;

    if (!s || s->threads_n != threads_n)
        return s ? s->listens_n : 0;
    while (i < s->listens_n && !slice_eq(s->names[i], name))
        i++;
    return i;
}

static struct sockets *
sockets_new(unsigned listens_n, unsigned threads_n)
{
    struct sockets *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->listens_n = listens_n;
    s->threads_n = threads_n;
    s->listeners = calloc((size_t)listens_n * threads_n, sizeof *s->listeners);
    s->addresses = calloc(listens_n, sizeof *s->addresses);
    s->names = calloc(listens_n, sizeof *s->names);
    if (!s->listeners || !s->addresses || !s->names) {
        s->listens_n = 0;
        sockets_close(s, NULL);
        return NULL;
    }
    for (size_t i = 0; i < (size_t)listens_n * threads_n; i++)
        s->listeners[i].fd = -1;
    return s;
}

static in_port_t
port_of(const union address *a)
{
    return a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port;
}

/* Has none of those before it the same port? Such a one may be for all addresses. */
static bool
is_first_on_port(const struct sockets *s, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (port_of(&s->addresses[j]) == port_of(&s->addresses[i]))
            return false;
    return true;
}

/* The first socket of a port, for which nobody else may have it. A server that was killed just now
 * may have its own for a moment more, until the system has put it away. */
static int
open_first(union address *address, int queue)
{
    const struct timespec pause = {.tv_nsec = IN_USE_LOOK_MS * 1000000L};
    int fd = listen_open(address, queue, true);

    for (int ms = 0; fd == -EADDRINUSE && ms < IN_USE_MS; ms += IN_USE_LOOK_MS) {
        (void)nanosleep(&pause, NULL);
        fd = listen_open(address, queue, true);
    }
    return fd;
}

static int
open_one(struct sockets *s, unsigned i, const struct conf_listen *listen,
         const struct service *service, int queue, bool starts)
{
    char *name = malloc(listen->name.len + 1);

    if (!name)
        return -ENOMEM;
    memcpy(name, listen->name.ptr, listen->name.len);
    s->names[i] = slice_from(name, listen->name.len);
    if (!address_parse(listen->name, &s->addresses[i]))
        return -EINVAL;
    starts = starts && is_first_on_port(s, i);
    for (unsigned t = 0; t < s->threads_n; t++) {
        struct listener *l = at(s, t, i);

        l->fd = service_socket(service, &s->addresses[i]);
        if (l->fd == -ENOENT)
            l->fd = starts && t == 0 ? open_first(&s->addresses[i], queue)
                                     : listen_open(&s->addresses[i], queue, false);
        if (l->fd < 0)
            return l->fd;
    }
    return 0;
}

static int
share_one(struct sockets *s, unsigned i, const struct sockets *before, unsigned from)
{
    char *name = malloc(before->names[from].len + 1);

    if (!name)
        return -ENOMEM;
    memcpy(name, before->names[from].ptr, before->names[from].len);
    s->names[i] = slice_from(name, before->names[from].len);
    s->addresses[i] = before->addresses[from];
    for (unsigned t = 0; t < s->threads_n; t++)
        at(s, t, i)->fd = at(before, t, from)->fd;
    return 0;
}

int
sockets_open(const struct conf *conf, unsigned threads_n, const struct service *service,
             const struct sockets *before, struct sockets **ret_sockets, struct ern_slice *ret_name)
{
    struct sockets *s = sockets_new((unsigned)conf->listens_n, threads_n);
    int error = s ? 0 : -ENOMEM;

    *ret_name = ERN_ABSENT;
    for (unsigned i = 0; !error && i < s->listens_n; i++) {
        const struct conf_listen *listen = &conf->listens[i];
        unsigned from = find(before, listen->name, threads_n);

        *ret_name = listen->name;
        if (before && from < before->listens_n)
            error = share_one(s, i, before, from);
        else
            error = open_one(s, i, listen, service, (int)conf->limits.accept_queue, !before);
    }
    if (error) {
        sockets_close(s, before);
        return error;
    }
    *ret_sockets = s;
    return 0;
}

static bool
shares(const struct sockets *s, int fd)
{
    for (size_t i = 0; s && i < (size_t)s->listens_n * s->threads_n; i++)
        if (s->listeners[i].fd == fd)
            return true;
    return false;
}

void
sockets_close(struct sockets *s, const struct sockets *keep)
{
    if (!s)
        return;
    for (size_t i = 0; i < (size_t)s->listens_n * s->threads_n; i++)
        if (s->listeners[i].fd >= 0 && !shares(keep, s->listeners[i].fd))
            (void)close(s->listeners[i].fd);
    for (unsigned i = 0; i < s->listens_n; i++)
        free((void *)(uintptr_t)s->names[i].ptr);
    free(s->listeners);
    free(s->addresses);
    free(s->names);
    free(s);
}
