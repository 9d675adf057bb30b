/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - a client that keeps many connections busy, and counts exactly. One thread.
 *
 *   load PORT FILE CONNECTIONS DEPTH STATUS [WIRE]
 *
 * WIRE is "tls", "resumed" (TLS, and each connection resumes the session of one before it), "h2c",
 * "h2" (over TLS), or "ws"; else plain HTTP/1.1. FILE has requests, one after another, without
 * content; they are sent in turn, DEPTH at a time on each connection. Over HTTP/2 the first of them
 * is sent again and again, so that DEPTH are always under way. With "ws" the request asks for
 * WebSocket, and the answers are messages that come back; STATUS is 101. Every answer is read to
 * its end and must have the STATUS. A request that says "Connection: close" gets a new connection
 * each time, from one of many local addresses so that ports never run out. Once each connection has
 * asked once (with many requests: until each was asked), it says "ready". Then each line on
 * standard input is a number of milliseconds: it asks for so long, waits for what is still owed,
 * and prints
 *
 *   ANSWERS ERRORS SECONDS
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 256, SOURCES = 200, PER_SOURCE = 64, FIRST = 64, END = 4 };

unsigned status;
bool heads, closes;
uint64_t errors;
char in[IN + 1];

static unsigned port, depth;
static bool tls, h2, ws;
static char *requests;          /* all of them, and */
static size_t *offsets;         /* where each begins; one more for the end */
static size_t requests_n, next; /* the next to be sent */
static uint64_t answers;
static uint64_t want; /* answers to end with; 0: by time */
static double end_s;
static uint64_t owed;    /* answers to come on all connections */
static unsigned endings; /* connections that got their answer, and wait for the end */
static int loop;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads the file; repeats its requests until there are DEPTH. */
static void
read_requests(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(in, 1, IN, file) : 0, at = 0, copies, bytes;
    const char *found;

    if (n == 0 || n == IN)
        err(1, "%s", path);
    fclose(file);
    heads = !strncmp(in, "HEAD ", 5);
    in[n] = '\0';
    closes = strstr(in, "Connection: close") != NULL;
    for (; (found = strstr(in + at, "\r\n\r\n")); at = (size_t)(found - in) + END)
        requests_n++;
    copies = requests_n < depth ? depth : 1;
    requests = malloc(copies * n);
    offsets = calloc(copies * requests_n + 1, sizeof *offsets);
    if (!requests || !offsets)
        err(1, "memory");
    bytes = copies * n;
    for (size_t i = 0; i < copies; i++)
        memcpy(requests + i * n, in, n);
    requests_n *= copies;
    for (size_t i = 0; i < requests_n; i++) {
        found = memmem(requests + offsets[i], bytes - offsets[i], "\r\n\r\n", END);
        offsets[i + 1] = (size_t)(found - requests) + END;
    }
}

static bool
is_over(void)
{
    return want ? answers + owed >= want : now() >= end_s;
}

void
check_status(unsigned found)
{
    if (found != status && errors++ == 0)
        fprintf(stderr, "answer %u, not %u\n", found, status);
}

void
send_all(struct conn *c, const void *bytes, size_t n)
{
    ssize_t sent = c->tls ? SSL_write(c->tls, bytes, (int)n)
                          : send(c->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent != (ssize_t)n)
        err(1, "a request does not go out");
}

static bool
is_ready(const struct conn *c)
{
    return !c->shakes && (!(h2 || ws) || c->greeted);
}

/* Sends what the connection owes us answers to. */
static void
send_requests(struct conn *c)
{
    if (h2) {
        if (c->owed > c->most) {
            owed -= c->owed - c->most;
            c->owed = c->most;
        }
        h2_ask(c, c->owed);
        return;
    }
    if (ws) {
        ws_ask(c, c->owed);
        return;
    }
    if (next + depth > requests_n)
        next = 0;
    send_all(c, requests + offsets[next], offsets[next + depth] - offsets[next]);
    next += depth;
}

/* Goes on with the handshake. Is it finished? */
static bool
shake(struct conn *c)
{
    if (!tls_shake(c))
        return false;
    if (h2)
        h2_begin(c);
    return true;
}

static void
ask(struct conn *c)
{
    c->owed = depth;
    owed += depth;
    if (c->shakes)
        (void)shake(c);
    if (is_ready(c))
        send_requests(c);
}

static void
join(struct conn *c)
{
    static unsigned made;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + made++ / PER_SOURCE % SOURCES);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->state = HEAD;
    c->part_n = 0;
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, sizeof from) ||
        connect(c->fd, (struct sockaddr *)&to, sizeof to))
        err(1, "port %u", port);
    if (tls)
        tls_begin(c);
    else if (h2)
        h2_begin(c);
    else if (ws)
        ws_begin(c, requests, offsets[1]);
    epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event);
}

void
answered(struct conn *c)
{
    answers++;
    owed--;
    c->state = HEAD;
    if (h2) { /* receive() asks for as much as was answered */
        c->owed--;
        return;
    }
    if (--c->owed)
        return;
    if (closes)
        endings++;
    else if (!is_over())
        ask(c);
}

void
refused(struct conn *c)
{
    owed--;
    c->owed--;
}

/* The server ended the connection. */
static void
ended(struct conn *c)
{
    if (c->tls)
        tls_end(c);
    close(c->fd);
    if (c->owed && c->state == TO_THE_END)
        answered(c);
    if (c->owed) {
        if (errors == 0)
            fprintf(stderr, "an answer is missing\n");
        errors += c->owed;
        owed -= c->owed;
        c->owed = 0;
    } else if (closes) {
        endings--;
    }
    join(c);
    if (!is_over())
        ask(c);
}

/* Returns as recv(). */
static ssize_t
receive_some(struct conn *c, char *to, size_t room, bool drop)
{
    if (c->tls)
        return tls_receive(c, to, room);
    return recv(c->fd, to, room, MSG_DONTWAIT | (drop ? MSG_TRUNC : 0));
}

static void
receive_h1(struct conn *c)
{
    ssize_t n;

    do {
        bool skip = c->state == LENGTH && c->left > 0;
        size_t room = skip && c->left < IN ? (size_t)c->left : IN - c->part_n;

        memcpy(in, c->part, c->part_n);
        n = receive_some(c, in + c->part_n, room, skip);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            ended(c);
            return;
        }
        if (skip)
            h1_take_content(c, (size_t)n);
        else
            h1_take(c, c->part_n + (size_t)n);
    } while (c->owed || closes);
}

static void
receive_ws(struct conn *c)
{
    bool was_ready = is_ready(c);
    ssize_t n;

    do {
        memcpy(in, c->part, c->part_n);
        n = receive_some(c, in + c->part_n, IN - c->part_n, false);
        if (n > 0)
            ws_take(c, c->part_n + (size_t)n);
    } while (n > 0 && !is_ready(c));
    if (n == 0)
        errx(1, "the server ended a connection");
    if (!was_ready && is_ready(c) && c->owed)
        send_requests(c);
}

static void
receive_h2(struct conn *c)
{
    unsigned before = c->owed, more = 0;
    bool was_ready = is_ready(c);
    ssize_t n;

    while ((n = receive_some(c, in, IN, false)) > 0)
        h2_take(c, (size_t)n);
    if (n == 0)
        errx(1, "the server ended a connection");
    if (!was_ready && is_ready(c))
        send_requests(c);
    for (; c->owed + more < before && !is_over(); more++)
        owed++;
    c->owed += more;
    if (more)
        h2_ask(c, more);
}

static void
receive(struct conn *c)
{
    bool was_ready = is_ready(c);

    if (c->shakes && !shake(c))
        return;
    if (!was_ready && is_ready(c))
        send_requests(c);
    if (h2)
        receive_h2(c);
    else if (ws)
        receive_ws(c);
    else
        receive_h1(c);
}

/* Asks until it is over, and until nothing is owed. */
static void
run(struct conn *conns, unsigned n)
{
    struct epoll_event events[EVENTS];
    int events_n;

    answers = errors = 0;
    for (unsigned i = 0; i < n && !is_over(); i++)
        ask(&conns[i]);
    while (owed || endings) {
        events_n = epoll_wait(loop, events, EVENTS, 5000);
        if (events_n == 0)
            errx(1, "no answer for 5 seconds");
        for (int i = 0; i < events_n; i++)
            receive(events[i].data.ptr);
    }
}

int
main(int argc, char **argv)
{
    unsigned n;
    struct conn *conns;
    struct rlimit files;
    char line[64];

    if (argc < 6)
        errx(2, "usage: load PORT FILE CONNECTIONS DEPTH STATUS [tls|resumed|h2c|h2|ws]");
    port = (unsigned)strtoul(argv[1], NULL, 10);
    n = (unsigned)strtoul(argv[3], NULL, 10);
    depth = (unsigned)strtoul(argv[4], NULL, 10);
    status = (unsigned)strtoul(argv[5], NULL, 10);
    ws = argc > 6 && strcmp(argv[6], "ws") == 0;
    tls = argc > 6 && !ws && strcmp(argv[6], "h2c") != 0;
    h2 = argc > 6 && strncmp(argv[6], "h2", 2) == 0;
    read_requests(argv[2]);
    if (h2)
        h2_prepare(requests, tls);
    if (tls)
        tls_prepare(h2, strcmp(argv[6], "resumed") == 0);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    loop = epoll_create1(EPOLL_CLOEXEC);
    conns = calloc(n, sizeof *conns);
    if (!conns || !n || !depth)
        errx(1, "no connections");
    for (unsigned i = 0, some; i < n; i += some) { /* as clients come, not all at once */
        some = n - i < FIRST ? n - i : FIRST;
        for (unsigned j = i; j < i + some; j++)
            join(&conns[j]);
        want = (uint64_t)depth * some;
        run(conns + i, some);
    }
    want = requests_n;
    run(conns, n);
    puts("ready");
    fflush(stdout);
    for (want = 0; fgets(line, sizeof line, stdin);) {
        double begin_s = now();

        end_s = begin_s + strtod(line, NULL) / 1000;
        run(conns, n);
        printf("%llu %llu %.6f\n", (unsigned long long)answers, (unsigned long long)errors,
               now() - begin_s);
        fflush(stdout);
    }
    return 0;
}
