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
#include "res/past.h"
#include "serve/complain.h"
#include "serve/site.h"

enum { BUSY_MS = 5000, BOOT_BYTES = 256, PATH_BYTES = 48 };

struct annex { /* what belongs to a writable folder besides its files */
    struct upload_route uploads;
    struct work_route works;
    /* Of the folder's route: who may not ask for it, or not so often, may not ask for these. */
    struct policy policy;
    struct rate_limit rate;
    char uploads_path[PATH_BYTES], works_path[PATH_BYTES];
};

struct shares {
    struct store *store;
    struct share **shares;
    struct annex *annexes; /* one a share */
    unsigned shares_n;
    struct past *pasts;
    unsigned pasts_n;
    struct work_runner *runner;
    bool rehearses;
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
        error = (s->rehearses ? share_rehearse : share_open)(share, &settings, name, s->store,
                                                             s->store ? 0 : -EIO);
    free(name);
    if (error)
        return complain(from->files.ptr, error);
    s->shares[s->shares_n++] = share;
    return 0;
}

/* Has the folder's past kept; without the state it has none. */
static int
open_past(struct shares *s, const struct conf *conf, const struct conf_route *from,
          struct files_route *files)
{
    struct past *past = &s->pasts[s->pasts_n];
    char *name = realpath(from->files.ptr, NULL);
    struct store_session *session;
    int error = name ? 0 : -errno;

    if (!error && s->store) {
        error = store_begin(s->store, STORE_WRITE, &session);
        if (!error) {
            error = store_share(session, slice_text(name), &past->share);
            error = store_end(session, error == 0) ? -EIO : error;
        }
        past->store = s->store;
        past->keep = (int64_t)from->deltas + 1;
        past->bytes_max = conf->limits.instances_bytes_max;
        past->delta_max = conf->limits.delta_bytes_max;
        if (!error) {
            files->past = past;
            s->pasts_n++;
        }
    }
    free(name);
    return error ? complain(from->files.ptr, error) : 0;
}

/* Adds a route to a site that has room for it. */
static int
add_route(struct site *site, const struct annex *annex, struct site_route route)
{
    int error;

    route.policy = annex->policy;
    route.rate = annex->rate;
    error = policy_apply(&route.policy, route.kind, &route.resource);
    if (!error)
        site->routes[site->routes_n++] = route;
    return error;
}

static struct ern_slice
path_of(char path[PATH_BYTES], const char *folder, const struct share *share)
{
    struct out o = out_init(path, PATH_BYTES);

    share_write_number(&o, folder, share);
    return out_done(&o);
}

/* Adds the routes of uploads and jobs of one folder to its site. */
static int
add_annex(struct shares *s, struct share *share, struct annex *annex, struct site *site)
{
    struct site_route *routes = realloc(site->routes, (site->routes_n + 2) * sizeof *routes);
    int error;

    if (!routes)
        return -ENOMEM;
    site->routes = routes;
    annex->uploads.share = annex->works.share = share;
    annex->uploads.store = annex->works.store = s->store;
    error = add_route(site, annex,
                      (struct site_route){
                          .path = path_of(annex->uploads_path, UPLOAD_PATH, share),
                          .kind = &upload_resource,
                          .self = &annex->uploads,
                          .content_max = dav_content_max,
                      });
    if (error)
        return error;
    return add_route(site, annex,
                     (struct site_route){
                         .path = path_of(annex->works_path, WORK_PATH, share),
                         .kind = &work_resource,
                         .self = &annex->works,
                     });
}

static int
open_site(struct shares *s, const struct conf *conf, const struct conf_site *from,
          struct site *site)
{
    unsigned first = s->shares_n;
    int error = 0;

    for (unsigned i = 0; i < site->routes_n; i++) {
        const struct site_route *route = &site->routes[i];
        struct share *share = (struct share *)(uintptr_t)route->self;
        const struct conf_route *own = route_of(from, route->path);

        if (route->kind == &dav_resource) {
            s->annexes[s->shares_n].policy = route->policy;
            s->annexes[s->shares_n].rate = route->rate;
            error = own ? open_share(s, conf, own, share) : -EINVAL;
        } else if (route->kind == &variants_resource && own && own->deltas) {
            error = open_past(s, conf, own, &share->files);
        }
        if (error)
            return error;
    }
    for (unsigned i = first; !error && i < s->shares_n; i++)
        error = add_annex(s, s->shares[i], &s->annexes[i], site);
    site_sort(site);
    return error;
}

static void
open_state(struct shares *s, const char *folder, bool durable)
{
    const struct store_options options = {
        .folder = folder,
        .durable = durable,
        .busy_ms = BUSY_MS,
        .boot = boot_name(),
        .now = share_clock(),
    };
    const char *why = "";
    int error = store_open(&options, &s->store, &why);

    if (error) {
        (void)complain(folder, error);
        (void)fprintf(stderr,
                      "earnest: the state cannot be reached: %s Writable folders are read "
                      "only.\n",
                      why);
        s->store = NULL;
    }
}

/* How many folders are written to or have their past kept; whether anything is to be kept, and
 * survives a power cut. */
static unsigned
stateful_n(const struct conf *conf, bool *ret_keeps, bool *ret_durable)
{
    unsigned n = 0;

    *ret_keeps = *ret_durable = false;
    for (size_t i = 0; i < conf->sites_n; i++) {
        for (size_t j = 0; j < conf->sites[i].routes_n; j++) {
            const struct conf_route *route = &conf->sites[i].routes[j];
            bool writes = route->kind == CONF_KIND_FILES && route->write;

            n += writes || route->deltas;
            *ret_keeps |= writes || route->deltas || route->price > 0;
            *ret_durable |= (writes && route->durable) || route->price > 0;
        }
    }
    return n;
}

static int
open_all(struct site_table *table, const struct conf *conf, const char *folder, bool rehearses,
         struct shares **ret_shares)
{
    bool keeps, durable;
    unsigned n = stateful_n(conf, &keeps, &durable);
    struct shares *s;
    int error = 0;

    *ret_shares = NULL;
    if (!keeps)
        return 0;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *ret_shares = s;
    s->rehearses = rehearses;
    s->shares = calloc(n + 1, sizeof(struct share *));
    s->annexes = calloc(n + 1, sizeof *s->annexes);
    s->pasts = calloc(n + 1, sizeof *s->pasts);
    if (!s->shares || !s->annexes || !s->pasts)
        return -ENOMEM;
    open_state(s, folder, durable && !rehearses);
    for (unsigned i = 0; !error && i < table->sites_n; i++)
        error = open_site(s, conf, &conf->sites[i], &table->sites[i]);
    return error;
}

int
shares_open(struct site_table *table, const struct conf *conf, struct shares **ret_shares)
{
    int error = open_all(table, conf, conf->state.ptr, false, ret_shares);
    struct shares *s = *ret_shares;

    if (!error && s && s->store && s->shares_n > 0)
        error = work_runner_open(s->shares, s->shares_n, s->store, &s->runner);
    return error;
}

int
shares_rehearse(struct site_table *table, const struct conf *conf, const char *folder,
                struct shares **ret_shares)
{
    return open_all(table, conf, folder, true, ret_shares);
}

unsigned
shares_n(const struct shares *s)
{
    return s ? s->shares_n : 0;
}

struct share *
shares_at(const struct shares *s, unsigned i)
{
    return s->shares[i];
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
    free(s->pasts);
    free(s->annexes);
    free(s->shares);
    free(s);
}
