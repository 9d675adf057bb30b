/* SPDX-License-Identifier: Apache-2.0 */
/* All that happens between the bytes of a request and those of its answer, without the sockets. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "bench.h"
#include "conf/conf.h"
#include "requests.h"
#include "serve/carrier.h"
#include "serve/conn.h"

static char folder[] = "/tmp/bench_request.XXXXXX";
static struct worker *worker;
static struct site_table *sites;
static struct pool *pool;
static struct conf *conf;
static const struct listener listener = {.fd = -1};
static struct conn conn = {.listener = &listener};

static void
write_file(const char *name, size_t bytes)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    bench_must(f != NULL, "a file is made");
    for (size_t i = 0; i < bytes; i++)
        putc('x', f);
    bench_must(fclose(f) == 0, "a file is written");
}

static void
prepare(void)
{
    struct conf_flags flags = {.directory = folder, .log = "off"};
    struct conf_errors *errors = calloc(1, sizeof *errors);
    struct ern_slice path;
    struct worker_options options = {.key = {1, 2}};

    bench_must(errors && mkdtemp(folder), "a folder is made");
    write_file("1k.txt", 1024);
    write_file("64k.txt", 65536);
    bench_must(conf_from_flags(&flags, &conf, errors) == 0, "a configuration is made");
    free(errors);
    bench_must(site_table_new(conf, NULL, &sites, &path) == 0, "sites are made of it");
    bench_must(pool_open(1, 16, &pool) == 0, "a pool is opened");
    options.sites = sites;
    options.limits = &conf->limits;
    options.pool = pool;
    options.gateways = &conf->gateways;
    bench_must(worker_new(&options, &worker) == 0, "a worker is made");
}

static void
clean_up(void)
{
    char path[64];

    pool_close(pool);
    worker_free(worker);
    site_table_free(sites);
    conf_free(conf);
    snprintf(path, sizeof path, "%s/1k.txt", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/64k.txt", folder);
    unlink(path);
    rmdir(folder);
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

/* The first time the file may have to be looked at by the pool; then it is remembered. */
static void
warm(struct ern_slice bytes)
{
    struct exchange *x = read_request(bytes);
    struct pollfd mail = {.fd = worker->mailbox.fd, .events = POLLIN};
    uint64_t count;

    if (exchange_answer(x)) {
        exchange_done(x);
    } else {
        x->conn = NULL; /* it went away: the exchange ends when the pool is done */
        bench_must(poll(&mail, 1, 5000) == 1, "the pool is done");
        bench_must(read(mail.fd, &count, sizeof count) == sizeof count, "and says so once");
        mailbox_run(&worker->mailbox);
    }
    worker->out.len = 0;
}

/* Reads, decides and composes; the head of the answer is then in worker->out. */
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
answer_200(size_t times)
{
    answer(ERN_SLICE(SHORT_REQUEST), 200, times);
}

/* Who may see decisions is told where: the same answer, and what it costs to keep why. */
static void
answer_200_told(size_t times)
{
    struct traces *traces = traces_new(1, &conf->limits, &conf->live_networks);

    bench_must(traces != NULL, "decisions are kept");
    worker->trace = trace_ring(traces, 0);
    conn.onlooker = ONLOOKER_HERE;
    answer(ERN_SLICE("GET /1k.txt HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"), 200, times);
    conn.onlooker = ONLOOKER_NONE;
    worker->trace = NULL;
    traces_free(traces);
}

static void
answer_206(size_t times)
{
    answer(ERN_SLICE("GET /64k.txt HTTP/1.1\r\nHost: be.example.org\r\n"
                     "Range: bytes=0-1023\r\n\r\n"),
           206, times);
}

static void
answer_304(size_t times)
{
    answer(ERN_SLICE("GET /1k.txt HTTP/1.1\r\nHost: be.example.org\r\nIf-None-Match: *\r\n\r\n"),
           304, times);
}

static void
answer_404(size_t times)
{
    answer(ERN_SLICE(BROWSER_REQUEST), 404, times);
}

static const struct bench benches[] = {
    {"answer_200", answer_200}, {"answer_200_told", answer_200_told}, {"answer_206", answer_206},
    {"answer_304", answer_304}, {"answer_404_browser", answer_404},
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
