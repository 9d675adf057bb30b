/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c - sends WebSocket messages back: what stands behind a proxy in the load "proxy-ws". One
 * thread, epoll edge-triggered.
 *
 *   echo PORT
 *
 * It looks for the end of a request, and answers 101 whatever it was. Messages are those that the
 * generator sends, all of one length.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 256, FDS = 20000, END = 4, BACKLOG = 4096 };

struct peer {
    bool is_open;
    size_t n; /* bytes that came and are not done with */
    char part[PART];
};

static struct peer *peers[FDS];

/* RFC 6455 1.3, of the key that the generator sends. */
static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static bool
send_whole(int fd, const char *bytes, size_t n)
{
    return n == 0 || send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Sends back the messages that are whole. */
static bool
send_back(int fd, struct peer *p)
{
    char out[PART];
    size_t out_n = 0, at = 0;

    for (; p->n - at >= WS_ASKED; at += WS_ASKED) {
        const char *mask = p->part + at + 2, *payload = mask + WS_MASK;

        out[out_n++] = p->part[at];
        out[out_n++] = WS_CONTENT;
        for (size_t i = 0; i < WS_CONTENT; i++)
            out[out_n++] = (char)(payload[i] ^ mask[i % WS_MASK]);
    }
    p->n -= at;
    memmove(p->part, p->part + at, p->n);
    return send_whole(fd, out, out_n);
}

static bool
take(int fd, struct peer *p)
{
    const char *end;

    if (p->is_open)
        return send_back(fd, p);
    end = memmem(p->part, p->n, "\r\n\r\n", END);
    if (!end)
        return p->n < PART;
    p->is_open = true;
    p->n = 0; /* the generator waits for the answer */
    return send_whole(fd, accepted, sizeof accepted - 1);
}

/* Returns false if the connection is over. */
static bool
serve(int fd, struct peer *p)
{
    for (;;) {
        ssize_t n = recv(fd, p->part + p->n, PART - p->n, MSG_DONTWAIT);

        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        p->n += (size_t)n;
        if (!take(fd, p))
            return false;
        if (p->n + (size_t)n < PART) /* a short read: the socket is empty */
            return true;
    }
}

static void
accept_all(int listener, int loop)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        peers[fd] = fd < FDS ? calloc(1, sizeof *peers[fd]) : NULL;
        if (!peers[fd])
            errx(1, "too many connections");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = fd;
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    }
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN | EPOLLET};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct rlimit files = {FDS, FDS};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    int loop = epoll_create1(EPOLL_CLOEXEC);

    if (argc < 2)
        errx(2, "usage: echo PORT");
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, BACKLOG))
        err(1, "port %s", argv[1]);
    event.data.fd = listener;
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(loop, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                accept_all(listener, loop);
            } else if (!serve(fd, peers[fd])) {
                free(peers[fd]);
                close(fd);
            }
        }
    }
}
