/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs that a route asks who asks: the same request, whose credentials are remembered, to
 * an open route and to one with auth; and one that is turned away. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "bench.h"
#include "conf/conf.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/login.h"

/* The user is ann, the password secret, its hash as cheap as hashes get: it is made once. */
#define BASIC "Authorization: Basic YW5uOnNlY3JldA==\r\n"
#define OPEN "GET /open/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n" BASIC "\r\n"
#define KNOWN "GET /team/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n" BASIC "\r\n"
#define STRANGER "GET /team/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n\r\n"

static char folder[] = "/tmp/bench_login.XXXXXX";
static struct worker *worker;
static struct site_table *sites;
static struct logins *logins;
static struct pool *pool;
static struct conf *conf;
static const struct listener listener = {.fd = -1};
static struct conn conn = {.listener = &listener};

static void
write_file(void)
{
    char path[64];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/1k.txt", folder);
    f = fopen(path, "w");
    bench_must(f != NULL, "a file is made");
    for (size_t i = 0; i < 1024; i++)
        (void)putc('x', f);
    bench_must(fclose(f) == 0, "a file is written");
}

static void
prepare(void)
{
    struct conf_errors *errors = calloc(1, sizeof *errors);
    struct worker_options options = {.key = {1, 2}};
    struct ern_slice path;
    char text[512];

    bench_must(errors && mkdtemp(folder), "a folder is made");
    write_file();
    (void)snprintf(text, sizeof text,
                   "user \"ann\" { password = "
                   "\"$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4\" }\n"
                   "route \"/open/\" { files = \"%s\" }\n"
                   "route \"/team/\" { files = \"%s\" auth = basic }\n"
                   "limits { login_valid_ms = 3600000 cache_valid_ms = 3600000 }\n",
                   folder, folder);
    bench_must(conf_parse(slice_text(text), "bench", &conf, errors) == 0,
               "a configuration is made");
    free(errors);
    bench_must(site_table_new(conf, NULL, &sites, &path) == 0, "sites are made of it");
    bench_must(logins_open(conf, &logins) == 0, "users are made of it");
    bench_must(pool_open(1, 16, &pool) == 0, "a pool is opened");
    options.sites = sites;
    options.limits = &conf->limits;
    options.pool = pool;
    options.logins = logins;
    options.gateways = &conf->gateways;
    bench_must(worker_new(&options, &worker) == 0, "a worker is made");
}

static void
clean_up(void)
{
    char path[64];

    logins_stop(logins);
    pool_close(pool);
    worker_free(worker);
    logins_free(logins);
    site_table_free(sites);
    conf_free(conf);
    (void)snprintf(path, sizeof path, "%s/1k.txt", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static struct exchange *
read_request(struct ern_slice bytes)
{
    struct exchange *x = exchange_take(worker, &conn, &h1_carrier);

    bench_must(x != NULL, "an exchange is there");
    h1_head_init(&x->h1.head, worker->limits);
    bench_must(h1_head_feed(&x->h1.head, bytes, &x->request) == PARSE_DONE, "the head is read");
    return x;
}

/* Asks until nothing has to be waited for: the password was hashed, the file looked at. */
static void
warm(struct ern_slice bytes)
{
    for (bool waits = true; waits;) {
        struct exchange *x = read_request(bytes);
        struct pollfd mail = {.fd = worker->mailbox.fd, .events = POLLIN};
        uint64_t count;

        waits = !exchange_answer(x);
        if (waits) {
            x->conn = NULL; /* it went away: the exchange ends when the pool is done */
            bench_must(poll(&mail, 1, 5000) == 1, "the pool is done");
            bench_must(read(mail.fd, &count, sizeof count) == sizeof count, "and says so once");
            mailbox_run(&worker->mailbox);
        } else {
            exchange_done(x);
        }
        worker->out.len = 0;
    }
}

static void
answer(struct ern_slice bytes, unsigned status, size_t times)
{
    warm(bytes);
    for (size_t i = 0; i < times; i++) {
        struct exchange *x = read_request(bytes);

        bench_must(exchange_answer(x), "the answer needs no wait");
        bench_must(x->status == status, "the status");
        bench_use(worker->out_bytes);
        worker->out.len = 0;
        exchange_done(x);
    }
}

static void
answer_open(size_t times)
{
    answer(ERN_SLICE(OPEN), 200, times);
}

static void
answer_basic(size_t times)
{
    answer(ERN_SLICE(KNOWN), 200, times);
}

static void
answer_401(size_t times)
{
    answer(ERN_SLICE(STRANGER), 401, times);
}

static const struct bench benches[] = {
    {"answer_200_open", answer_open},
    {"answer_200_basic", answer_basic},
    {"answer_401", answer_401},
};

int
main(int argc, char **argv)
{
    int code;

    prepare();
    code = bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
    clean_up();
    return code;
}
