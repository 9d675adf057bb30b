/* SPDX-License-Identifier: Apache-2.0 */
/* site.h - which resource a request is for: authority and path to a route (step 4 of a request). */
#ifndef SERVE_SITE_H
#define SERVE_SITE_H

#include "serve/policy.h"
#include "serve/rate.h"

struct conf;
struct conf_route;
struct conf_site;
struct exchange;
struct origin_names;
struct pauses;
struct pots;
struct limits;

/* Every kind of resource that there is, site_kinds_n of them. */
extern struct ern_resource *const site_kinds[];
extern const size_t site_kinds_n;

enum route_needs { ROUTE_NEEDS_NOTHING, ROUTE_NEEDS_TLS, ROUTE_NEEDS_HTTP2 };

/* What becomes of requests in early data (RFC 8470): the safe ones are served and others refused;
 * the others wait for the handshake; all are refused. */
enum route_early { ROUTE_EARLY_SAFE, ROUTE_EARLY_WAIT, ROUTE_EARLY_REFUSE };

struct site_route {
    struct ern_slice path; /* begins with a slash; one that ends with a slash is a prefix */
    struct ern_resource *kind;
    struct ern_resource *resource; /* kind, or with the asks of policies */
    const void *self;              /* its configuration */
    struct policy policy;
    struct rate_limit rate;
    enum route_needs needs;
    enum route_early early;
    /* States what is known of a request before anything is asked; NULL: nothing. */
    void (*state)(struct exchange *exchange);
    /* The kind for plain files among those that this kind runs; NULL: there is none. */
    const struct site_route *other;
    bool quiet;                  /* it shows decisions, and none of its own */
    const struct conf_route *by; /* where it is written; NULL: it is in no file */
    const struct conf_site *of;  /* likewise */
    /* The limit on the content that it takes of this request, a member of limits; NULL:
     * content_bytes_max. */
    const int64_t *(*content_max)(const struct ern_request *request, const struct limits *limits);
};

#define SITE_SHOWN_BELOW "/.earnest/"

struct site {
    struct ern_slice *names; /* hosts, without port; none: it answers for every host */
    unsigned names_n;
    struct pause *pause;       /* NULL: it can not be paused */
    struct site_route *routes; /* longest path first */
    unsigned routes_n;
    bool is_guarded; /* one of them is not for everybody */
    struct site_route
        *shows; /* what shows decisions, of paths below SITE_SHOWN_BELOW; in any order */
    unsigned shows_n;
};

struct site_table {
    const struct conf *conf;
    struct site *sites; /* the first answers for unknown hosts, unless the listener is strict */
    unsigned sites_n;
    struct site_route none;      /* of every path without a route */
    struct site_route preflight; /* of what browsers ask before pages of other origins may */
    struct site_route server;    /* of the target "*" */
    struct site_route https;     /* of every path where a listener sends on to https */
    struct site_route portal;    /* of the API of a portal */
    const struct origin_names *
        *proxies; /* servers behind us, a group for each route that has them */
    unsigned proxies_n;
    bool stores;      /* some of their answers are kept */
    bool has_scripts; /* some of which are programs, or run them */
    int64_t hsts_s;   /* said over TLS: for so long only https (RFC 6797); 0: not said */
};

/* Does a path, of a route or another one written so, cover the path of a request? */
bool site_path_covers(struct ern_slice written, struct ern_slice path);

/* Is the site known by this name? */
bool site_has_name(const struct site *site, struct ern_slice host);

/*
 * Makes the table of a configuration, whose slices it keeps, and opens the folders that it names.
 *   pauses  where sites are paused; NULL: they can not be
 *   pots    where the pots are; NULL: there are none
 * Returns 0, or a negative errno with the path at fault in *ret_path.
 */
ERN_MUST_USE int site_table_new(const struct conf *conf, struct pauses *pauses, struct pots *pots,
                                struct site_table **ret_table, struct ern_slice *ret_path);
void site_table_free(struct site_table *table);

/* Puts the routes in order again, after some were added. */
void site_sort(struct site *site);

/*
 * The site for an authority (with or without port; empty: none was said). For one that no site has
 * it is the first site, or, if strict, NULL: misdirected.
 */
const struct site *site_find(const struct site_table *table, struct ern_slice authority,
                             bool strict);

/* The route for a decoded path. */
const struct site_route *site_route_find(const struct site_table *table, const struct site *site,
                                         struct ern_slice path);

#endif
