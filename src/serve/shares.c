/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/shares.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "conf/conf.h"
#include "dav/dav.h"
#include "dav/upload.h"
#include "dav/work.h"
#include "serve/complain.h"
#include "serve/site.h"

enum { BUSY_MS = 5000, BOOT_BYTES = 256 };

struct shares {
    struct store *store;
    struct share **shares;
    unsigned shares_n;
    struct upload_route uploads;
    struct work_route works;
    struct work_runner *runner;
};

/* Adds what a small file of the kernel says; nothing if it is not there. */
static size_t
read_small(const char *path, char *text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, cap);

    if (fd >= 0)
        (void)close(fd);
    return n > 0 ? (size_t)n : 0;
}

/* Names the clock that CLOCK_BOOTTIME is: of this boot of the machine, and of this time namespace
 * by its distance from the machine's. */
static uint64_t
boot_name(void)
{
    char text[BOOT_BYTES];
    size_t n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof text);

    n += read_small("/proc/self/timens_offsets", text + n, sizeof text - n);
    return n ? hash_bytes((struct hash_key){0, 0}, slice_from(text, n)) : 0;
}

static const struct conf_route *
route_of(const struct conf_site *site, struct ern_slice path)
{
    for (size_t i = 0; i < site->routes_n; i++)
        if (slice_eq(site->routes[i].path, path))
            return &site->routes[i];
    return NULL;
}

static int
open_share(struct shares *s, const struct conf *conf, const struct conf_route *from,
           struct share *share)
{
    const struct share_settings settings = {
        .prefix = slice_first(from->path, from->path.len - slice_ends(from->path, ERN_SLICE("/"))),
        .quota_bytes = from->quota ? from->quota : -1,
        .tombstone_s = from->tombstones / 1000,
        .processing_ms = from->processing_after,
        .conditional = from->require_conditional,
        .infinite = from->infinite,
        .durable = from->durable,
        .limits = &conf->limits,
    };
    char *name = realpath(from->files.ptr, NULL);
    int error = name ? 0 : -errno;

    if (!error)
        error = share_open(share, &settings, name, s->store, s->store ? 0 : -EIO);
    free(name);
    if (error)
        return complain(from->files.ptr, error);
    s->shares[s->shares_n++] = share;
    return 0;
}

/* That of the writable folder that may be asked least often: uploads and jobs are no way around it.
 */
static struct rate_limit
tightest_limit(const struct site *site)
{
    struct rate_limit tightest = {.scope = NULL};

    for (unsigned i = 0; i < site->routes_n; i++)
        if (site->routes[i].kind == &dav_resource &&
            site->routes[i].rate.interval_ns > tightest.interval_ns)
            tightest = site->routes[i].rate;
    return tightest;
}

/* Adds the routes of uploads and jobs to a site that has a writable folder. */
static int
add_routes(struct shares *s, const struct conf *conf, struct site *site)
{
    const struct rate_limit rate = tightest_limit(site);
    const struct policy policy = {.pause = site->pause, .pause_allow = conf->pause_allowed};
    const struct site_route more[] = {
        {.path = ERN_SLICE(UPLOAD_PATH),
         .kind = &upload_resource,
         .resource = &upload_resource,
         .self = &s->uploads,
         .rate = rate,
         .policy = policy,
         .content_max = dav_content_max},
        {.path = ERN_SLICE(WORK_PATH),
         .kind = &work_resource,
         .resource = &work_resource,
         .self = &s->works,
         .rate = rate,
         .policy = policy},
    };
    size_t more_n = sizeof more / sizeof *more;
    struct site_route *routes = realloc(site->routes, (site->routes_n + more_n) * sizeof *routes);

    int error = 0;

    if (!routes)
        return -ENOMEM;
    memcpy(routes + site->routes_n, more, sizeof more);
    site->routes = routes;
    for (size_t i = 0; !error && i < more_n; i++, site->routes_n++) {
        struct site_route *route = &routes[site->routes_n];

        error = policy_apply(&policy, route->kind, &route->resource);
    }
    site_sort(site);
    return error;
}

static int
open_site(struct shares *s, const struct conf *conf, const struct conf_site *from,
          struct site *site)
{
    unsigned before = s->shares_n;

    for (unsigned i = 0; i < site->routes_n; i++) {
        const struct site_route *route = &site->routes[i];
        struct share *share = (struct share *)(uintptr_t)route->self;
        const struct conf_route *writes = route_of(from, route->path);
        int error;

        if (route->kind != &dav_resource)
            continue;
        error = writes ? open_share(s, conf, writes, share) : -EINVAL;
        if (error)
            return error;
    }
    return s->shares_n > before ? add_routes(s, conf, site) : 0;
}

static void
open_state(struct shares *s, const struct conf *conf, bool durable)
{
    const struct store_options options = {
        .folder = conf->state.ptr,
        .durable = durable,
        .busy_ms = BUSY_MS,
        .boot = boot_name(),
        .now = share_clock(),
    };
    const char *why = "";
    int error = store_open(&options, &s->store, &why);

    if (error) {
        (void)complain(conf->state.ptr, error);
        (void)fprintf(stderr,
                      "earnest: the state cannot be reached: %s Writable folders are read "
                      "only.\n",
                      why);
        s->store = NULL;
    }
}

/* How many writable folders there are; whether anything is to be kept, and survives a power cut. */
static unsigned
writable_n(const struct conf *conf, bool *ret_keeps, bool *ret_durable)
{
    unsigned n = 0;

    *ret_keeps = *ret_durable = false;
    for (size_t i = 0; i < conf->sites_n; i++) {
        for (size_t j = 0; j < conf->sites[i].routes_n; j++) {
            const struct conf_route *route = &conf->sites[i].routes[j];
            bool writes = route->kind == CONF_KIND_FILES && route->write;

            n += writes;
            *ret_keeps |= writes || route->price > 0;
            *ret_durable |= (writes && route->durable) || route->price > 0;
        }
    }
    return n;
}

int
shares_open(struct site_table *table, const struct conf *conf, struct shares **ret_shares)
{
    bool keeps, durable;
    unsigned n = writable_n(conf, &keeps, &durable);
    struct shares *s;
    int error = 0;

    *ret_shares = NULL;
    if (!keeps)
        return 0;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *ret_shares = s;
    s->shares = calloc(n + 1, sizeof(struct share *));
    if (!s->shares)
        return -ENOMEM;
    open_state(s, conf, durable);
    for (unsigned i = 0; !error && i < table->sites_n; i++)
        error = open_site(s, conf, &conf->sites[i], &table->sites[i]);
    s->uploads.shares = s->works.shares = s->shares;
    s->uploads.shares_n = s->works.shares_n = s->shares_n;
    s->uploads.store = s->works.store = s->store;
    if (!error && s->store && n > 0)
        error = work_runner_open(s->shares, s->shares_n, s->store, &s->runner);
    return error;
}

struct store *
shares_store(const struct shares *s)
{
    return s ? s->store : NULL;
}

void
shares_stop(struct shares *s)
{
    if (!s)
        return;
    work_runner_close(s->runner);
    s->runner = NULL;
}

void
shares_free(struct shares *s)
{
    if (!s)
        return;
    store_close(s->store);
    free(s->shares);
    free(s);
}
