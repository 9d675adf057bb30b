/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dav_load.c - clients that write: each has a connection and a thread, and asks for the same steps
 * again and again.
 *
 *   dav_load PORT FILE CLIENTS
 *
 * FILE has the steps, one after another. A step is a line "BYTES STATUS STATUS" and a request of so
 * many bytes, content and all; the answer is read to its end and must have one of the two statuses.
 * In a request '@' stands for the digit of the client (0 to 9), and '$' for the lock token that it
 * was told last. Once each client went through all steps, "ready" is said. Then each line on
 * standard input is a number of milliseconds: for so long they begin anew, each ends what it began,
 * and it prints
 *
 *   ROUNDS ERRORS SECONDS
 *
 * A round is all steps, once, of one client.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 10, STEPS_MAX = 16, FILE_BYTES = 1 << 16, IN = 1 << 16, TOKEN = 128, END = 4 };

struct step {
    const char *request;
    size_t bytes;
    unsigned status[2];
};

struct client {
    pthread_t thread;
    unsigned number;
    int fd;
    uint64_t rounds, errors;
    char token[TOKEN];
    size_t at, have; /* of in: what was received and not taken yet */
    char in[IN];
};

static unsigned port, clients_n, steps_n;
static struct step steps[STEPS_MAX];
static char file[FILE_BYTES];
static double end_s; /* 0: one round */
static pthread_barrier_t begins, ends;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
read_steps(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(file, 1, FILE_BYTES, f) : 0;
    char *at = file;

    if (n == 0 || n == FILE_BYTES)
        err(1, "%s", path);
    fclose(f);
    for (; at < file + n && steps_n < STEPS_MAX; steps_n++) {
        struct step *s = &steps[steps_n];

        s->bytes = strtoul(at, &at, 10);
        s->status[0] = (unsigned)strtoul(at, &at, 10);
        s->status[1] = (unsigned)strtoul(at, &at, 10);
        s->request = ++at;
        at += s->bytes;
    }
    if (at != file + n)
        errx(1, "%s: not as it says", path);
}

static void
join(struct client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to))
        err(1, "port %u", port);
}

static void
ask(const struct client *c, const struct step *s)
{
    static _Thread_local char out[FILE_BYTES + STEPS_MAX * TOKEN];
    size_t n = 0;

    for (size_t i = 0; i < s->bytes; i++) {
        if (s->request[i] == '@')
            out[n++] = (char)('0' + c->number);
        else if (s->request[i] == '$')
            n += (size_t)sprintf(out + n, "%s", c->token);
        else
            out[n++] = s->request[i];
    }
    if (send(c->fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
        err(1, "a request does not go out");
}

/* Receives more, after what is there. */
static void
receive(struct client *c)
{
    ssize_t n;

    if (c->at == c->have)
        c->at = c->have = 0;
    memmove(c->in, c->in + c->at, c->have - c->at);
    c->have -= c->at;
    c->at = 0;
    n = c->have < IN ? recv(c->fd, c->in + c->have, IN - c->have, 0) : 0;
    if (n <= 0)
        errx(1, "an answer ends early, or has no end");
    c->have += (size_t)n;
}

/* Takes all up to the end, which is followed by other things. Returns it, with a NUL for the end.
 */
static char *
take_until(struct client *c, const char *end)
{
    size_t n = strlen(end);
    char *found, *begin;

    while (!(found = memmem(c->in + c->at, c->have - c->at, end, n)))
        receive(c);
    *found = '\0';
    begin = c->in + c->at;
    c->at = (size_t)(found - c->in) + n;
    return begin;
}

/* Passes over n bytes of content. */
static void
skip(struct client *c, uint64_t n)
{
    while (n > c->have - c->at) {
        n -= c->have - c->at;
        c->at = c->have;
        receive(c);
    }
    c->at += n;
}

/* The value of a field of the head; NULL without it. */
static const char *
field(const char *head, const char *name)
{
    size_t n = strlen(name);

    for (; (head = strchr(head, '\n')); head++)
        if (strncasecmp(head + 1, name, n) == 0)
            return head + 1 + n + strspn(head + 1 + n, " \t");
    return NULL;
}

static void
skip_content(struct client *c, unsigned code, const char *head)
{
    const char *length = field(head, "content-length:");
    uint64_t n;

    if (code == 204)
        return;
    if (length) {
        skip(c, strtoull(length, NULL, 10));
        return;
    }
    if (!field(head, "transfer-encoding:"))
        errx(1, "an answer without a length");
    while ((n = strtoull(take_until(c, "\r\n"), NULL, 16)) > 0)
        skip(c, n + 2);
    while (take_until(c, "\r\n")[0])
        continue;
}

/* Reads an answer to its end. */
static void
hear(struct client *c, const struct step *s)
{
    const char *head, *token;
    unsigned code;

    do {
        head = take_until(c, "\r\n\r\n");
        code = (unsigned)strtoul(head + 9, NULL, 10);
    } while (code < 200);
    token = field(head, "lock-token: <");
    if (token)
        sscanf(token, "%127[^>]", c->token);
    if (code != s->status[0] && code != s->status[1] && c->errors++ == 0)
        fprintf(stderr, "answer %u, not %u: %.60s\n", code, s->status[0], s->request);
    skip_content(c, code, head);
}

static void *
run(void *client)
{
    struct client *c = client;

    join(c);
    for (;;) {
        pthread_barrier_wait(&begins);
        c->rounds = c->errors = 0;
        do {
            for (unsigned i = 0; i < steps_n; i++) {
                ask(c, &steps[i]);
                hear(c, &steps[i]);
            }
            c->rounds++;
        } while (now() < end_s);
        pthread_barrier_wait(&ends);
    }
    return NULL;
}

/* Lets all clients run. Returns when each has ended its round. */
static void
run_all(void)
{
    pthread_barrier_wait(&begins);
    pthread_barrier_wait(&ends);
}

int
main(int argc, char **argv)
{
    static struct client clients[CLIENTS_MAX];
    char line[64];

    if (argc != 4)
        errx(2, "usage: dav_load PORT FILE CLIENTS");
    port = (unsigned)strtoul(argv[1], NULL, 10);
    clients_n = (unsigned)strtoul(argv[3], NULL, 10);
    read_steps(argv[2]);
    if (clients_n == 0 || clients_n > CLIENTS_MAX)
        errx(2, "1 to %d clients", CLIENTS_MAX);
    pthread_barrier_init(&begins, NULL, clients_n + 1);
    pthread_barrier_init(&ends, NULL, clients_n + 1);
    for (unsigned i = 0; i < clients_n; i++) {
        clients[i].number = i;
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]))
            errx(1, "no thread");
    }
    run_all();
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double begin_s = now();
        uint64_t rounds = 0, errors = 0;

        end_s = begin_s + strtod(line, NULL) / 1000;
        run_all();
        for (unsigned i = 0; i < clients_n; i++) {
            rounds += clients[i].rounds;
            errors += clients[i].errors;
        }
        printf("%llu %llu %.6f\n", (unsigned long long)rounds, (unsigned long long)errors,
               now() - begin_s);
        fflush(stdout);
    }
    return 0; /* ends the clients, which wait for nothing else */
}
