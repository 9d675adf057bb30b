/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/written.h"

#include "base/slice.h"

enum owner { OF_ROUTE, OF_FILE };

static const struct {
    enum ern_fact fact;
    enum conf_option option;
    enum owner owner;
} rows[] = {
    {ERN_FACT_available, CONF_top_admin, OF_FILE}, /* a site is paused there */
    {ERN_FACT_upgrade_required, CONF_route_require, OF_ROUTE},
    {ERN_FACT_replay_safe, CONF_route_early_data, OF_ROUTE},
    {ERN_FACT_permitted, CONF_route_allow, OF_ROUTE},
    {ERN_FACT_hidden, CONF_route_hide, OF_ROUTE},
    {ERN_FACT_withheld, CONF_files_hidden, OF_ROUTE},
    {ERN_FACT_legal, CONF_top_legal, OF_FILE},
    {ERN_FACT_method_allowed, CONF_files_write, OF_ROUTE},
    {ERN_FACT_use_proxy, CONF_route_use_proxy, OF_ROUTE},
    {ERN_FACT_elsewhere, CONF_redirect_status, OF_ROUTE},
    {ERN_FACT_moved, CONF_route_redirect, OF_ROUTE},
    {ERN_FACT_for_good, CONF_redirect_status, OF_ROUTE},
    {ERN_FACT_keeps_method, CONF_redirect_status, OF_ROUTE},
    {ERN_FACT_readable, CONF_route_files, OF_ROUTE},
    {ERN_FACT_exists, CONF_route_files, OF_ROUTE},
    {ERN_FACT_gone, CONF_route_gone, OF_ROUTE},
    {ERN_FACT_depth_served, CONF_files_infinite, OF_ROUTE},
    {ERN_FACT_acceptable, CONF_files_negotiate, OF_ROUTE},
    {ERN_FACT_conditional_only, CONF_files_require_conditional, OF_ROUTE},
    {ERN_FACT_over_quota, CONF_files_quota, OF_ROUTE},
};

/* Is a key without a value written there worth a word: could it be? */
static bool
applies(const struct option_key *key, const struct conf_route *route)
{
    if (key->where == WHERE_files)
        return route->kind == CONF_KIND_FILES;
    if (key->where == WHERE_redirect)
        return route->kind == CONF_KIND_REDIRECT;
    return false;
}

static bool
find_key(enum conf_option option, struct option_key *ret)
{
    for (size_t i = 0; option_row(i, ret); i++)
        if (ret->id == (unsigned)option && ret->type < TYPE_limit)
            return true;
    return false;
}

/* The limit that counts is the nearest, as site.c takes it. */
static bool
written_limit(const struct conf *conf, const struct site_route *route, struct written *ret)
{
    const struct conf_limit *limit = &conf->limit;

    if (route->of && route->of->limit.requests)
        limit = &route->of->limit;
    if (route->by && route->by->limit.requests)
        limit = &route->by->limit;
    *ret = (struct written){ERN_SLICE("limit"), limit->place.at.line, ERN_SLICE("")};
    return limit->requests > 0;
}

bool
written_of(const struct conf *conf, const struct site_route *route, enum ern_fact fact,
           struct written *ret)
{
    if (fact == ERN_FACT_rate_exceeded)
        return written_limit(conf, route, ret);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conf_place *place = rows[i].owner == OF_FILE ? &conf->place
                                         : route->by              ? &route->by->place
                                                                  : NULL;
        struct option_key key;

        if (rows[i].fact != fact || !place || !find_key(rows[i].option, &key))
            continue;
        *ret = (struct written){
            .key = key.key,
            .line = place->given[rows[i].option].key.line,
            .standard = slice_first(key.standard, slice_find(key.standard, '|')),
        };
        return ret->line > 0 || (route->by && applies(&key, route->by));
    }
    return false;
}

uint32_t
written_line(const struct conf *conf, const struct site_route *route)
{
    return conf->file && route->by ? route->by->place.at.line : 0;
}

struct ern_slice
written_file(const struct conf *conf)
{
    struct ern_slice name = slice_text(conf->file);

    for (size_t slash; (slash = slice_find(name, '/')) < name.len;)
        name = slice_skip(name, slash + 1);
    return name;
}
