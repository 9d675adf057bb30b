/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_serve.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "serve/carrier.h"

char bench_folder[] = "/tmp/bench_serve.XXXXXX";
struct worker *bench_worker;
struct conf *bench_conf;
static const struct listener listener = {.fd = -1};
struct conn bench_conn = {.listener = &listener};
static struct site_table *sites;
static struct logins *logins;
static struct pool *pool;

void
bench_make_folder(void)
{
    bench_must(mkdtemp(bench_folder) != NULL, "a folder is made");
}

void
bench_make_file(const char *name, size_t bytes)
{
    char path[64];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", bench_folder, name);
    f = fopen(path, "w");
    bench_must(f != NULL, "a file is made");
    for (size_t i = 0; i < bytes; i++)
        (void)putc('x', f);
    bench_must(fclose(f) == 0, "a file is written");
}

void
bench_serve(void)
{
    struct worker_options options = {.key = {1, 2}};
    struct ern_slice path;

    bench_must(site_table_new(bench_conf, NULL, NULL, &sites, &path) == 0, "sites are made of it");
    bench_must(logins_open(bench_conf, &logins) == 0, "users are made of it");
    bench_must(pool_open(1, 16, &pool) == 0, "a pool is opened");
    options.sites = sites;
    options.limits = &bench_conf->limits;
    options.pool = pool;
    options.logins = logins;
    options.gateways = &bench_conf->gateways;
    bench_must(worker_new(&options, &bench_worker) == 0, "a worker is made");
}

static int
remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

void
bench_end(void)
{
    logins_stop(logins);
    pool_close(pool);
    worker_free(bench_worker);
    logins_free(logins);
    site_table_free(sites);
    conf_free(bench_conf);
    (void)nftw(bench_folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static struct exchange *
read_request(struct ern_slice bytes)
{
    struct exchange *x = exchange_take(bench_worker, &bench_conn, &h1_carrier);

    bench_must(x != NULL, "an exchange is there");
    h1_head_init(&x->h1.head, bench_worker->limits);
    bench_must(h1_head_feed(&x->h1.head, bytes, &x->request) == PARSE_DONE, "the head is read");
    return x;
}

/* Asks until nothing has to be waited for: the password was hashed, the file looked at. */
static void
warm(struct ern_slice bytes)
{
    for (bool waits = true; waits;) {
        struct exchange *x = read_request(bytes);
        struct pollfd mail = {.fd = bench_worker->mailbox.fd, .events = POLLIN};
        uint64_t count;

        waits = !exchange_answer(x);
        if (waits) {
            x->conn = NULL; /* it went away: the exchange ends when the pool is done */
            bench_must(poll(&mail, 1, 5000) == 1, "the pool is done");
            bench_must(read(mail.fd, &count, sizeof count) == sizeof count, "and says so once");
            mailbox_run(&bench_worker->mailbox);
        } else {
            exchange_done(x);
        }
        bench_worker->out.len = 0;
    }
}

void
bench_answer(struct ern_slice bytes, unsigned status, size_t times)
{
    warm(bytes);
    for (size_t i = 0; i < times; i++) {
        struct exchange *x = read_request(bytes);

        bench_must(exchange_answer(x), "the answer needs no wait");
        bench_must(x->status == status, "the status");
        bench_use(bench_worker->out_bytes);
        bench_worker->out.len = 0;
        exchange_done(x);
    }
}
