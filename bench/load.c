/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - a client that keeps many connections busy, and counts exactly. One thread.
 *
 *   load PORT FILE CONNECTIONS DEPTH STATUS
 *
 * FILE has requests, one after another, without content; they are sent in turn, DEPTH at a time on
 * each connection. Every answer is read to its end and must have the STATUS. A request that says
 * "Connection: close" gets a new connection each time, from one of many local addresses so that
 * ports never run out. Once each connection has asked once (with many requests: until each was
 * asked), it says "ready". Then each line on standard input is a number of milliseconds: it
 * asks for so long, waits for what is still owed, and prints
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
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, PART = 4096, IN = 1 << 20, SOURCES = 200, PER_SOURCE = 64, END = 4 };

enum state { HEAD, LENGTH, CHUNK_SIZE, CHUNK, LAST_LINE, TO_THE_END };

struct conn {
    int fd;
    enum state state;
    unsigned owed;   /* answers to come on this connection */
    uint64_t left;   /* bytes of content, or of the chunk and its line end */
    bool line_empty; /* the line that ends the trailer section: nothing on it so far */
    size_t part_n;   /* bytes of a head that is not whole */
    char part[PART];
};

static unsigned port, depth, status;
static char *requests;          /* all of them, and */
static size_t *offsets;         /* where each begins; one more for the end */
static size_t requests_n, next; /* the next to be sent */
static bool heads, closes;      /* what the first one asks for */
static uint64_t answers, errors;
static uint64_t want; /* answers to end with; 0: by time */
static double end_s;
static unsigned busy;    /* connections that are owed something */
static unsigned endings; /* connections that got their answer, and wait for the end */
static int loop;
static char in[IN + 1];

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
    return want ? answers + busy * depth >= want : now() >= end_s;
}

static void
ask(struct conn *c)
{
    size_t n;

    if (next + depth > requests_n)
        next = 0;
    n = offsets[next + depth] - offsets[next];
    if (send(c->fd, requests + offsets[next], n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
        err(1, "a request does not go out");
    next += depth;
    c->owed = depth;
    busy++;
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
    epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event);
}

/* An answer was read to its end. */
static void
answered(struct conn *c)
{
    answers++;
    c->state = HEAD;
    if (--c->owed)
        return;
    busy--;
    if (closes)
        endings++;
    else if (!is_over())
        ask(c);
}

/* Does a field line begin at text, with this name? Gives its value. */
static const char *
value_of(const char *line, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(line, name, n) == 0 ? line + n + strspn(line + n, " \t") : NULL;
}

/* Reads a whole head, which ends with a NUL. */
static void
read_head(struct conn *c, const char *head)
{
    unsigned code = (unsigned)strtoul(head + 9, NULL, 10);
    const char *line = head, *value;

    if (code != status && errors++ == 0)
        fprintf(stderr, "answer %u, not %u\n", code, status);
    c->state = TO_THE_END;
    for (; (line = strchr(line, '\n'));) {
        line++;
        if ((value = value_of(line, "content-length:"))) {
            c->state = LENGTH;
            c->left = strtoull(value, NULL, 10);
        } else if ((value = value_of(line, "transfer-encoding:"))) {
            c->state = CHUNK_SIZE;
            c->left = 0;
        }
    }
    if (heads || code < 200 || code == 204 || code == 304) {
        c->state = LENGTH;
        c->left = 0;
    }
}

/* Takes a byte of the line with the size of a chunk, or of the trailer section. */
static void
read_line_byte(struct conn *c, char byte)
{
    if (c->state == CHUNK_SIZE && byte == '\n') {
        c->line_empty = true;
        c->state = c->left ? CHUNK : LAST_LINE;
        c->left += 2; /* the line end of the chunk */
    } else if (c->state == CHUNK_SIZE && byte != '\r') {
        unsigned digit = byte <= '9' ? (unsigned)byte - '0' : ((unsigned)byte | 32u) - 'a' + 10;

        c->left = c->left * 16 + digit;
    } else if (c->state == LAST_LINE && byte == '\n') {
        if (c->line_empty)
            answered(c);
        c->line_empty = true;
    } else if (byte != '\r') {
        c->line_empty = false;
    }
}

/* Takes bytes of content. Returns how many. */
static size_t
take_content(struct conn *c, size_t n)
{
    size_t taken = c->left < n ? (size_t)c->left : n;

    c->left -= taken;
    if (c->left == 0 && c->state == LENGTH)
        answered(c);
    else if (c->left == 0)
        c->state = CHUNK_SIZE;
    return taken;
}

/* Takes the n bytes of in. */
static void
take(struct conn *c, size_t n)
{
    char *at = in, *end = in + n, *found;

    c->part_n = 0;
    while (at < end) {
        switch (c->state) {
        case HEAD:
            found = memmem(at, (size_t)(end - at), "\r\n\r\n", END);
            if (!found) {
                c->part_n = (size_t)(end - at);
                if (c->part_n > PART)
                    errx(1, "a head of more than %d bytes", PART);
                memcpy(c->part, at, c->part_n);
                return;
            }
            found[END - 1] = '\0';
            read_head(c, at);
            at = found + END;
            if (c->state == LENGTH && c->left == 0)
                answered(c);
            break;
        case LENGTH:
        case CHUNK:
            at += take_content(c, (size_t)(end - at));
            break;
        case CHUNK_SIZE:
        case LAST_LINE:
            read_line_byte(c, *at++);
            break;
        case TO_THE_END:
            at = end;
            break;
        }
    }
}

/* The server ended the connection. */
static void
ended(struct conn *c)
{
    close(c->fd);
    if (c->owed && c->state == TO_THE_END)
        answered(c);
    if (c->owed) {
        errors += c->owed;
        c->owed = 0;
        busy--;
    } else if (closes) {
        endings--;
    }
    join(c);
    if (!is_over())
        ask(c);
}

static void
receive(struct conn *c)
{
    ssize_t n;

    do {
        bool skip = c->state == LENGTH && c->left > 0;
        size_t room = skip && c->left < IN ? (size_t)c->left : IN - c->part_n;

        memcpy(in, c->part, c->part_n);
        n = recv(c->fd, in + c->part_n, room, MSG_DONTWAIT | (skip ? MSG_TRUNC : 0));
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            ended(c);
            return;
        }
        if (skip)
            take_content(c, (size_t)n);
        else
            take(c, c->part_n + (size_t)n);
    } while (c->owed || closes);
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
    while (busy || endings) {
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

    if (argc != 6)
        errx(2, "usage: load PORT FILE CONNECTIONS DEPTH STATUS");
    port = (unsigned)strtoul(argv[1], NULL, 10);
    n = (unsigned)strtoul(argv[3], NULL, 10);
    depth = (unsigned)strtoul(argv[4], NULL, 10);
    status = (unsigned)strtoul(argv[5], NULL, 10);
    read_requests(argv[2]);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    loop = epoll_create1(EPOLL_CLOEXEC);
    conns = calloc(n, sizeof *conns);
    if (!conns || !n || !depth)
        errx(1, "no connections");
    for (unsigned i = 0; i < n; i++)
        join(&conns[i]);
    want = n * (uint64_t)depth > requests_n ? n * (uint64_t)depth : requests_n;
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
