/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/site.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "dav/dav.h"
#include "dav/upload.h"
#include "dav/work.h"
#include "earnest/status.h"
#include "msg/list.h"
#include "msg/target.h"
#include "res/files.h"
#include "res/https.h"
#include "res/intake_resource.h"
#include "res/live.h"
#include "res/peer.h"
#include "res/pot_resource.h"
#include "res/redirect.h"
#include "serve/cached.h"
#include "serve/cors.h"
#include "serve/exchange.h"
#include "serve/forward.h"
#include "serve/handler.h"
#include "serve/pause.h"
#include "serve/portal.h"
#include "serve/proxy.h"
#include "serve/vitals.h"
#include "serve/why.h"

struct ern_resource *const site_kinds[] = {
    &files_resource,     &variants_resource, &dav_resource,     &upload_resource,  &work_resource,
    &redirect_resource,  &gone_resource,     &none_resource,    &server_resource,  &https_resource,
    &live_resource,      &portal_resource,   &why_resource,     &metrics_resource, &health_resource,
    &ready_resource,     &proxy_resource,    &forward_resource, &pot_resource,     &intake_resource,
    &preflight_resource, &peer_resource,     &cached_resource,  &fastcgi_resource, &cgi_resource,
};
enum { HTTPS_PORT = 443 };

const size_t site_kinds_n = sizeof site_kinds / sizeof *site_kinds;

union route_self { /* the configuration of a route, as its kind has it */
    struct res_route any;
    struct files_route files;
    struct redirect_route redirect;
    struct onlooker_route onlooker;
    struct share share; /* its part files is the first member, too */
    struct https_route https;
    struct peer_route peer;
    struct pot_route pot;
    struct intake_route intake;
    struct proxy_route proxy;
    struct handler_route handler; /* likewise */
};

/* What each redirect status asks of the rules: the one place where a number becomes facts. */
static const struct {
    uint16_t status;
    enum redirect_kind kind;
    bool for_good, keeps_method;
} redirects[] = {
    {ERN_301_MOVED_PERMANENTLY, REDIRECT_MOVED, true, false},
    {ERN_302_FOUND, REDIRECT_MOVED, false, false},
    {ERN_303_SEE_OTHER, REDIRECT_SEE_OTHER, false, false},
    {ERN_307_TEMPORARY_REDIRECT, REDIRECT_MOVED, false, true},
    {ERN_308_PERMANENT_REDIRECT, REDIRECT_MOVED, true, true},
};

/* Does a Cache-Control say that nobody is to change the content on its way (RFC 9111 5.2.2.6)? */
static bool
forbids_transforming(struct ern_slice cache_control)
{
    struct ern_slice directive;

    while (list_next(&cache_control, &directive))
        if (slice_eq_nocase(directive, ERN_SLICE("no-transform")))
            return true;
    return false;
}

/* What files are compressed with: "past" is no path, and is none of them. */
static void
make_dictionaries(const struct conf_route *from, struct files_route *to)
{
    to->prefix = from->path;
    to->dictionaries = from->dictionaries.text;
    to->dictionaries_n = from->dictionaries.n;
    if (forbids_transforming(from->cache_control))
        return;
    for (size_t i = 0; i < from->dictionaries.n; i++)
        to->compresses_by |= slice_starts(from->dictionaries.text[i], ERN_SLICE("/"))
                                 ? FILES_BY_NAMED
                                 : FILES_BY_PAST;
}

static int
make_files(const struct conf_route *from, struct ern_slice folder, const struct limits *limits,
           struct files_route *to)
{
    to->root = file_open_root(folder.ptr);
    if (to->root < 0)
        return to->root;
    to->listing = from->listing;
    to->listing_sorted_max = limits->listing_sorted_max;
    to->hidden = from->hidden == CONF_HIDDEN_SERVE;
    to->strict = from->negotiate == CONF_NEGOTIATE_STRICT;
    to->precompressed = from->precompressed;
    to->compress = from->compress && !forbids_transforming(from->cache_control);
    to->variants = from->variants;
    make_dictionaries(from, to);
    to->hints = from->hints != CONF_HINTS_OFF;
    to->hints_all = from->hints == CONF_HINTS_ALWAYS;
    to->lists_ties = from->choices == CONF_CHOICES_LIST;
    to->limits = limits;
    to->cache_control = from->cache_control;
    to->content_policy = from->content_policy;
    to->language = from->language;
    to->sandbox = from->sandbox && (from->write || from->place.given[CONF_files_sandbox].key.line);
    for (size_t i = 0; i < from->index.n && i < FILES_INDEXES; i++)
        to->indexes[i] = from->index.text[i];
    return 0;
}

static void
make_redirect(const struct conf_route *from, struct redirect_route *to)
{
    to->to = from->redirect;
    to->whole_tree = slice_ends(from->path, ERN_SLICE("/"));
    for (size_t i = 0; i < sizeof redirects / sizeof *redirects; i++) {
        if (redirects[i].status == from->status) {
            to->kind = redirects[i].kind;
            to->for_good = redirects[i].for_good;
            to->keeps_method = redirects[i].keeps_method;
        }
    }
}

static void
make_pot(const struct conf_route *from, struct pot_route *to)
{
    to->teapot = from->pot == CONF_POT_TEA;
    to->teas = from->teas.text;
    to->teas_n = (unsigned)from->teas.n;
    to->additions = from->additions.text;
    to->additions_n = (unsigned)from->additions.n;
    to->settings = (struct pot_settings){.brew_ms = from->brew_time,
                                         .keep_ms = from->keep_time,
                                         .refill_ms = from->refill_time,
                                         .servings = from->servings};
}

/* The servers behind a route are a group of their own. */
static int
add_group(struct site_table *table, const struct origin_names *names)
{
    const struct origin_names **all =
        reallocarray(table->proxies, table->proxies_n + 1, sizeof *all);

    if (!all)
        return -ENOMEM;
    table->proxies = all;
    table->proxies[table->proxies_n++] = names;
    return 0;
}

static int
make_proxy(const struct conf_route *from, struct site_table *table, struct proxy_route *to)
{
    int error = proxy_open(from, table->proxies_n, to);

    return error ? error : add_group(table, &to->names);
}

/* The files of a route with fastcgi that are no scripts have a kind of their own; none of the
 * scripts stands for a folder there. */
static int
make_other(const struct conf_route *from, const struct limits *limits,
           const struct handler_route *handler, struct site_route *to)
{
    struct site_route *other = calloc(1, sizeof *other);
    struct files_route *files = calloc(1, sizeof *files);
    unsigned n = 0;

    if (!other || !files) {
        free(other);
        free(files);
        return -ENOMEM;
    }
    *other = *to;
    other->kind = &files_resource;
    other->content_max = NULL;
    other->state = NULL;
    other->self = files;
    to->other = other;
    files->any = handler->script.files.any;
    files->root = -1;
    for (unsigned i = 0; i < FILES_INDEXES; i++) {
        struct ern_slice name = handler->script.files.indexes[i];

        if (slice_is_there(name) && !script_has_suffix(&handler->script, name))
            files->indexes[n++] = name;
    }
    return make_files(from, from->root, limits, files);
}

static int
make_handler(const struct conf_route *from, struct site_table *table, const struct limits *limits,
             struct handler_route *self, struct site_route *to)
{
    static const struct ern_slice indexes[] = {{"index.php", 9}, {"index.html", 10}};
    bool is_cgi = from->kind == CONF_KIND_CGI;
    struct files_route *files = &self->script.files;
    int error = make_files(from, is_cgi ? from->cgi : from->root, limits, files);

    to->kind = is_cgi ? &cgi_resource : &fastcgi_resource;
    to->content_max = proxy_content_max;
    to->state = handler_state;
    table->has_scripts = true;
    if (!from->place.given[CONF_files_index].key.line) {
        memset(files->indexes, 0, sizeof files->indexes);
        for (size_t i = 0; !is_cgi && i < sizeof indexes / sizeof *indexes; i++)
            files->indexes[i] = indexes[i];
    }
    if (!error)
        error = handler_open(from, limits, table->proxies_n, self);
    if (!error)
        error = add_group(table, &self->names);
    return error || is_cgi ? error : make_other(from, limits, self, to);
}

/* What is decided of a test peer before it is asked was earned, too. */
static void
state_peer(struct exchange *x)
{
    x->res.fields = ERN_SLICE(PEER_EARNED);
}

/* Makes a route of its configuration. */
static int
make_route(const struct conf_route *from, struct site_table *table, const struct limits *limits,
           union route_self *self, struct site_route *to)
{
    to->path = from->path;
    to->self = self;
    to->by = from;
    to->needs = (enum route_needs)from->require;
    /* A request that costs is not one that may come again (RFC 8470 2). */
    to->early = from->price ? ROUTE_EARLY_REFUSE : (enum route_early)from->early_data;
    self->any.allow_more = from->trace ? RES_ALLOW(TRACE) : 0;
    switch (from->kind) {
    case CONF_KIND_FILES:
        to->kind = from->write                                     ? &dav_resource
                   : from->variants || from->deltas || from->hints ? &variants_resource
                                                                   : &files_resource;
        to->content_max = from->write ? dav_content_max : NULL;
        return make_files(from, from->files, limits, &self->files);
    case CONF_KIND_REDIRECT:
        to->kind = &redirect_resource;
        make_redirect(from, &self->redirect);
        return 0;
    case CONF_KIND_USE_PROXY:
        to->kind = &redirect_resource;
        self->redirect.kind = REDIRECT_USE_PROXY;
        self->redirect.to = from->use_proxy;
        return 0;
    case CONF_KIND_GONE:
        to->kind = &gone_resource;
        return 0;
    case CONF_KIND_PEER:
        to->kind = &peer_resource;
        to->content_max = peer_content_max;
        to->state = state_peer;
        return peer_route_open(&self->peer);
    case CONF_KIND_INTAKE:
        to->kind = &intake_resource;
        to->content_max = intake_content_max;
        self->intake.intake.root = -1; /* until intakes_open() */
        self->intake.file = from->intake.ptr;
        self->intake.then = from->then;
        return 0;
    case CONF_KIND_POT:
        to->kind = &pot_resource;
        to->content_max = pot_content_max;
        make_pot(from, &self->pot);
        return 0;
    case CONF_KIND_PROXY:
        to->kind = from->cache ? &cached_resource : &proxy_resource;
        to->content_max = proxy_content_max;
        to->state = from->cache ? cached_state : proxy_state;
        table->stores |= from->cache;
        return make_proxy(from, table, &self->proxy);
    case CONF_KIND_FASTCGI:
    case CONF_KIND_CGI:
        return make_handler(from, table, limits, &self->handler, to);
    }
    return -EINVAL;
}

static uint64_t
hash_texts(uint64_t hash, const struct ern_slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = hash_bytes((struct hash_key){hash, i + 1}, texts[i]);
    return hash;
}

/* Finds the pot of a route. One that makes something else than before is another one. */
static int
find_pot(struct pots *pots, const struct conf_site *site, const struct conf_route *from,
         struct pot_route *to)
{
    uint64_t name = hash_texts(from->pot, &site->name, 1);

    name = hash_texts(name, &from->path, 1);
    name = hash_texts(name, from->teas.text, from->teas.n);
    name = hash_texts(~name, from->additions.text, from->additions.n);
    to->pot = pots ? pot_of(pots, name, &to->settings) : NULL;
    return to->pot ? 0 : -ENOSPC;
}

/* The limit that counts for a route: the nearest. */
static struct rate_limit
nearest_limit(const struct conf *conf, const struct conf_site *site, const struct conf_route *route)
{
    const struct conf_limit *limit = route->limit.requests  ? &route->limit
                                     : site->limit.requests ? &site->limit
                                                            : &conf->limit;

    return rate_limit_of(limit, route);
}

/* To the kind of the route, and to the other one. */
static int
apply_policies(struct site_route *to)
{
    struct site_route *other = (struct site_route *)(uintptr_t)to->other;
    int error = policy_apply(&to->policy, to->kind, &to->resource);

    if (error || !other)
        return error;
    other->of = to->of;
    other->rate = to->rate;
    other->policy = to->policy;
    return policy_apply(&other->policy, other->kind, &other->resource);
}

static int
add_policies(const struct conf *conf, const struct conf_site *site, const struct conf_route *from,
             struct site *of, struct site_route *to)
{
    to->of = site;
    to->rate = nearest_limit(conf, site, from);
    to->policy = policy_of(conf, from);
    to->policy.pause = of->pause;
    to->policy.counts_users = to->rate.interval_ns > 0 && to->rate.by == RATE_BY_USER;
    of->is_guarded |= from->auth.n > 0 || from->allowed.n > 0 || from->rights_n > 0;
    return apply_policies(to);
}

static int
longest_first(const void *a, const void *b)
{
    size_t la = ((const struct site_route *)a)->path.len;
    size_t lb = ((const struct site_route *)b)->path.len;

    return (la < lb) - (la > lb);
}

void
site_sort(struct site *site)
{
    qsort(site->routes, site->routes_n, sizeof *site->routes, longest_first);
}

/* What shows decisions, to those who may see them. */
static const struct {
    struct ern_slice path;
    struct ern_resource *kind;
} shows[] = {
    {{LIVE_PATH, sizeof LIVE_PATH - 1}, &live_resource},
    {{TRACE_PATH, sizeof TRACE_PATH - 1}, &why_resource},
    {{METRICS_PATH, sizeof METRICS_PATH - 1}, &metrics_resource},
    {{HEALTH_PATH, sizeof HEALTH_PATH - 1}, &health_resource},
    {{READY_PATH, sizeof READY_PATH - 1}, &ready_resource},
};
enum { SHOWS = sizeof shows / sizeof *shows };

static int
add_shows(const struct conf *conf, struct site *site)
{
    site->shows = calloc(SHOWS, sizeof *site->shows);
    if (!site->shows)
        return -ENOMEM;
    for (; site->shows_n < SHOWS; site->shows_n++) {
        union route_self *self = calloc(1, sizeof *self);

        if (!self)
            return -ENOMEM;
        self->onlooker.onlookers =
            (struct onlookers){conf->live_networks, site->names, site->names_n};
        site->shows[site->shows_n] = (struct site_route){.path = shows[site->shows_n].path,
                                                         .kind = shows[site->shows_n].kind,
                                                         .resource = shows[site->shows_n].kind,
                                                         .quiet = true,
                                                         .self = self};
    }
    return 0;
}

/* The folder of a route, or its own path. */
static struct ern_slice
path_at_fault(const struct conf_route *route)
{
    const struct ern_slice folders[] = {route->files, route->root, route->cgi, route->ca};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (slice_is_there(folders[i]))
            return folders[i];
    return route->path;
}

static int
make_site(const struct conf *conf, struct site_table *table, const struct conf_site *from,
          struct pots *pots, struct site *to, struct ern_slice *ret_path)
{
    to->names = calloc(from->aliases.n + 1, sizeof *to->names);
    to->routes = calloc(from->routes_n, sizeof *to->routes);
    if (!to->names || !to->routes)
        return -ENOMEM;
    if (slice_is_there(from->name))
        to->names[to->names_n++] = from->name;
    for (size_t i = 0; i < from->aliases.n; i++)
        to->names[to->names_n++] = from->aliases.text[i];
    for (size_t i = 0; i < from->routes_n; i++) {
        union route_self *self = calloc(1, sizeof *self);
        int error = self ? 0 : -ENOMEM;

        if (self)
            self->files.root = -1;
        if (!error)
            error = make_route(&from->routes[i], table, &conf->limits, self,
                               &to->routes[to->routes_n++]);
        if (!error && from->routes[i].kind == CONF_KIND_POT)
            error = find_pot(pots, from, &from->routes[i], &self->pot);
        if (!error)
            error = add_policies(conf, from, &from->routes[i], to, &to->routes[to->routes_n - 1]);
        if (error) {
            *ret_path = path_at_fault(&from->routes[i]);
            return error;
        }
    }
    if (conf->live && add_shows(conf, to) != 0)
        return -ENOMEM;
    site_sort(to);
    return 0;
}

/* Where listeners send their clients on to: the first that speaks https. */
static int
make_https(const struct conf *conf, struct site_table *t)
{
    struct https_route *self = calloc(1, sizeof *self);

    if (!self)
        return -ENOMEM;
    t->hsts_s = conf->hsts / 1000;
    *self = (struct https_route){.port = HTTPS_PORT, .hsts = conf->hsts > 0};
    for (size_t i = conf->listens_n; i-- > 0;)
        if (conf->listens[i].certificate.n && !conf->listens[i].portal)
            self->port = conf->listens[i].port;
    t->https = (struct site_route){
        .path = ERN_SLICE("/"), .kind = &https_resource, .resource = &https_resource, .self = self};
    return 0;
}

int
site_table_new(const struct conf *conf, struct pauses *pauses, struct pots *pots,
               struct site_table **ret_table, struct ern_slice *ret_path)
{
    struct site_table *t = calloc(1, sizeof *t);
    int error = 0;

    *ret_path = ERN_ABSENT;
    if (!t)
        return -ENOMEM;
    for (size_t i = 0; i < site_kinds_n; i++)
        ern_resource_init(site_kinds[i]);
    t->conf = conf;
    t->none = (struct site_route){
        .path = ERN_SLICE("/"), .kind = &none_resource, .resource = &none_resource};
    t->server = (struct site_route){
        .path = ERN_SLICE("/"), .kind = &server_resource, .resource = &server_resource};
    t->preflight = (struct site_route){
        .path = ERN_SLICE("/"), .kind = &preflight_resource, .resource = &preflight_resource};
    t->portal = (struct site_route){
        .path = ERN_SLICE("/"), .kind = &portal_resource, .resource = &portal_resource};
    error = make_https(conf, t);
    t->none.rate = t->preflight.rate = t->server.rate = t->https.rate =
        rate_limit_of(&conf->limit, conf);
    if (error) {
        site_table_free(t);
        return error;
    }
    t->sites = calloc(conf->sites_n + 1, sizeof *t->sites);
    error = t->sites ? 0 : -ENOMEM;
    while (!error && t->sites_n < conf->sites_n) {
        if (pauses)
            t->sites[t->sites_n].pause = pause_of(pauses, conf->sites[t->sites_n].name);
        error = make_site(conf, t, &conf->sites[t->sites_n], pots, &t->sites[t->sites_n], ret_path);
        t->sites_n++;
    }
    if (error) {
        site_table_free(t);
        return error;
    }
    *ret_table = t;
    return 0;
}

static void
free_route(const struct site_route *route)
{
    union route_self *self = (union route_self *)(uintptr_t)route->self;

    if (route->other)
        free_route(route->other);
    free((struct site_route *)(uintptr_t)route->other);
    if (route->resource != route->kind)
        free(route->resource);
    if (route->kind == &upload_resource || route->kind == &work_resource)
        return; /* of shares.c */
    if (route->kind == &proxy_resource || route->kind == &cached_resource)
        proxy_close(&self->proxy);
    if (route->kind == &fastcgi_resource || route->kind == &cgi_resource)
        handler_close(&self->handler);
    if (route->kind == &dav_resource)
        share_close(&self->share);
    if (route->kind == &peer_resource)
        peer_route_close(&self->peer);
    if (route->kind == &intake_resource)
        intake_close(&self->intake.intake);
    if ((route->kind == &files_resource || route->kind == &variants_resource ||
         route->kind == &dav_resource || route->kind == &fastcgi_resource ||
         route->kind == &cgi_resource) &&
        self->files.root >= 0)
        (void)close(self->files.root);
    free(self);
}

void
site_table_free(struct site_table *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->sites_n; i++) {
        for (unsigned j = 0; j < t->sites[i].routes_n; j++)
            free_route(&t->sites[i].routes[j]);
        for (unsigned j = 0; j < t->sites[i].shows_n; j++)
            free_route(&t->sites[i].shows[j]);
        free(t->sites[i].shows);
        free(t->sites[i].routes);
        free(t->sites[i].names);
    }
    free((void *)(uintptr_t)t->https.self);
    free(t->proxies);
    free(t->sites);
    free(t);
}

bool
site_has_name(const struct site *site, struct ern_slice host)
{
    for (unsigned i = 0; i < site->names_n; i++)
        if (slice_eq_nocase(site->names[i], host))
            return true;
    return false;
}

const struct site *
site_find(const struct site_table *t, struct ern_slice authority, bool strict)
{
    struct ern_slice host;

    if (t->sites_n == 0)
        return NULL;
    if (t->sites_n == 1 && (t->sites[0].names_n == 0 || !strict))
        return &t->sites[0];
    host = authority_host(authority);
    for (unsigned i = 0; i < t->sites_n; i++)
        if (site_has_name(&t->sites[i], host))
            return &t->sites[i];
    return strict && slice_is_there(authority) ? NULL : &t->sites[0];
}

bool
site_path_covers(struct ern_slice written, struct ern_slice path)
{
    if (!slice_ends(written, ERN_SLICE("/")))
        return slice_eq(path, written);
    /* "/dav" is the folder of the route "/dav/", to be sent on to its slash, or to be mounted. */
    return slice_starts(path, written) || slice_eq(path, slice_first(written, written.len - 1));
}

const struct site_route *
site_route_find(const struct site_table *t, const struct site *site, struct ern_slice path)
{
    if (slice_starts(path, ERN_SLICE(SITE_SHOWN_BELOW)))
        for (unsigned i = 0; i < site->shows_n; i++)
            if (site_path_covers(site->shows[i].path, path))
                return &site->shows[i];
    for (unsigned i = 0; i < site->routes_n; i++)
        if (site_path_covers(site->routes[i].path, path))
            return &site->routes[i];
    return &t->none;
}
