/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - the configuration as a file, with all its defaults. */
#include "conf/conf.h"

static void
write_indent(struct out *o, unsigned depth)
{
    while (depth--)
        out_literal(o, "    ");
}

static void
write_key(struct out *o, unsigned depth, const char *key)
{
    write_indent(o, depth);
    out_text(o, key);
    out_literal(o, " = ");
}

static void
write_text(struct out *o, unsigned depth, const char *key, struct ern_slice text)
{
    if (!slice_is_there(text))
        return;
    write_key(o, depth, key);
    out_quoted(o, text);
    out_char(o, '\n');
}

static void
write_flag(struct out *o, unsigned depth, const char *key, bool flag)
{
    write_key(o, depth, key);
    out_text(o, flag ? "true\n" : "false\n");
}

static void
write_number(struct out *o, unsigned depth, const char *key, uint64_t number)
{
    write_key(o, depth, key);
    out_u64(o, number);
    out_char(o, '\n');
}

static void
write_time(struct out *o, unsigned depth, const char *key, int64_t ms)
{
    write_key(o, depth, key);
    out_u64(o, (uint64_t)ms);
    out_literal(o, "ms\n");
}

static void
write_list(struct out *o, unsigned depth, const char *key, const struct conf_texts *texts)
{
    write_key(o, depth, key);
    out_char(o, '{');
    for (size_t i = 0; i < texts->n; i++) {
        out_text(o, i ? ", " : " ");
        out_quoted(o, texts->text[i]);
    }
    out_literal(o, " }\n");
}

/* Begins a section; an absent title is none. */
static void
write_section(struct out *o, unsigned depth, const char *key, struct ern_slice name)
{
    write_indent(o, depth);
    out_text(o, key);
    if (slice_is_there(name)) {
        out_char(o, ' ');
        out_quoted(o, name);
    }
    out_literal(o, " {\n");
}

static void
write_end(struct out *o, unsigned depth)
{
    write_indent(o, depth);
    out_literal(o, "}\n");
}

static void
write_files(struct out *o, unsigned depth, const struct conf_route *route)
{
    static const char *const hints[] = {"off", "learned", "always"};

    write_text(o, depth, "files", route->files);
    write_flag(o, depth, "listing", route->listing);
    write_list(o, depth, "index", &route->index);
    write_text(o, depth, "hidden",
               route->hidden == CONF_HIDDEN_SERVE ? ERN_SLICE("serve") : ERN_SLICE("refuse"));
    write_text(o, depth, "negotiate",
               route->negotiate == CONF_NEGOTIATE_STRICT ? ERN_SLICE("strict") : ERN_SLICE("best"));
    write_flag(o, depth, "variants", route->variants);
    if (route->variants) {
        write_text(o, depth, "choices",
                   route->choices == CONF_CHOICES_LIST ? ERN_SLICE("list") : ERN_SLICE("best"));
        write_text(o, depth, "language", route->language);
    }
    write_text(o, depth, "hints", slice_text(hints[route->hints]));
    write_number(o, depth, "deltas", route->deltas);
    if (route->dictionaries.n > 0)
        write_list(o, depth, "dictionaries", &route->dictionaries);
    write_flag(o, depth, "precompressed", route->precompressed);
    write_flag(o, depth, "compress", route->compress);
    write_text(o, depth, "cache_control", route->cache_control);
    write_text(o, depth, "content_policy", route->content_policy);
    if (route->write || route->place.given[CONF_files_sandbox].key.line)
        write_flag(o, depth, "sandbox", route->sandbox);
    write_flag(o, depth, "write", route->write);
    if (!route->write)
        return;
    if (route->quota)
        write_number(o, depth, "quota", (uint64_t)route->quota);
    write_time(o, depth, "tombstones", route->tombstones);
    write_flag(o, depth, "require_conditional", route->require_conditional);
    write_flag(o, depth, "infinite", route->infinite);
    write_flag(o, depth, "durable", route->durable);
    write_time(o, depth, "processing_after", route->processing_after);
}

static void
write_fastcgi(struct out *o, unsigned depth, const struct conf_route *route)
{
    write_list(o, depth, "fastcgi", &route->fastcgi);
    write_text(o, depth, "root", route->root);
    write_list(o, depth, "script", &route->script);
    write_text(o, depth, "fallback", route->fallback);
    write_list(o, depth, "index", &route->index);
    write_text(o, depth, "hidden",
               route->hidden == CONF_HIDDEN_SERVE ? ERN_SLICE("serve") : ERN_SLICE("refuse"));
    write_flag(o, depth, "precompressed", route->precompressed);
    write_flag(o, depth, "compress", route->compress);
    write_text(o, depth, "cache_control", route->cache_control);
}

static void
write_pot(struct out *o, unsigned depth, const struct conf_route *route)
{
    write_text(o, depth, "pot",
               route->pot == CONF_POT_TEA ? ERN_SLICE("tea") : ERN_SLICE("coffee"));
    if (route->teas.n > 0)
        write_list(o, depth, "teas", &route->teas);
    if (route->additions.n > 0)
        write_list(o, depth, "additions", &route->additions);
    write_time(o, depth, "brew_time", route->brew_time);
    write_time(o, depth, "keep_time", route->keep_time);
    write_number(o, depth, "servings", route->servings);
    write_time(o, depth, "refill_time", route->refill_time);
}

static void
write_limit(struct out *o, unsigned depth, const struct conf_limit *limit)
{
    static const char *const by[] = {"address", "route", "user", "key"};

    if (limit->requests == 0)
        return;
    write_section(o, depth, "limit", ERN_ABSENT);
    write_number(o, depth + 1, "requests", limit->requests);
    write_time(o, depth + 1, "per", limit->per);
    write_number(o, depth + 1, "burst", limit->burst);
    write_text(o, depth + 1, "by", slice_text(by[limit->by]));
    write_end(o, depth);
}

static void
write_right(struct out *o, unsigned depth, const struct conf_right *right)
{
    write_section(o, depth, "right", right->path);
    write_list(o, depth + 1, "users", &right->users);
    write_list(o, depth + 1, "groups", &right->groups);
    write_list(o, depth + 1, "allow", &right->allow);
    write_list(o, depth + 1, "may", &right->may);
    write_end(o, depth);
}

static void
write_kind(struct out *o, unsigned depth, const struct conf_route *route)
{
    switch (route->kind) {
    case CONF_KIND_FILES:
        write_files(o, depth, route);
        break;
    case CONF_KIND_REDIRECT:
        write_text(o, depth, "redirect", route->redirect);
        write_number(o, depth, "status", route->status);
        break;
    case CONF_KIND_FASTCGI:
        write_fastcgi(o, depth, route);
        break;
    case CONF_KIND_CGI:
        write_text(o, depth, "cgi", route->cgi);
        write_text(o, depth, "run_as", route->run_as);
        break;
    case CONF_KIND_USE_PROXY:
        write_text(o, depth, "use_proxy", route->use_proxy);
        break;
    case CONF_KIND_GONE:
        write_flag(o, depth, "gone", true);
        break;
    case CONF_KIND_PEER:
        write_flag(o, depth, "peer", true);
        break;
    case CONF_KIND_INTAKE:
        write_text(o, depth, "intake", route->intake);
        write_text(o, depth, "then", route->then);
        break;
    case CONF_KIND_POT:
        write_pot(o, depth, route);
        break;
    case CONF_KIND_PROXY:
        write_list(o, depth, "proxy", &route->proxy);
        write_text(o, depth, "probe", route->probe);
        write_flag(o, depth, "http2", route->http2);
        write_text(o, depth, "ca", route->ca);
        write_text(o, depth, "certificate", route->certificate);
        write_text(o, depth, "key", route->key);
        write_text(o, depth, "balance",
                   route->balance == CONF_BALANCE_HASH ? ERN_SLICE("hash")
                                                       : ERN_SLICE("least_busy"));
        if (route->transform.n > 0)
            write_list(o, depth, "transform", &route->transform);
        write_flag(o, depth, "cache", route->cache);
        break;
    }
}

static void
write_route(struct out *o, unsigned depth, const struct conf_route *route)
{
    static const char *const needs[] = {"nothing", "tls", "http2"};
    static const char *const early[] = {"safe", "wait", "refuse"};

    write_section(o, depth, "route", route->path);
    write_kind(o, depth + 1, route);
    write_flag(o, depth + 1, "trace", route->trace);
    if (route->allow.n > 0)
        write_list(o, depth + 1, "allow", &route->allow);
    if (route->auth.n > 0) {
        write_list(o, depth + 1, "auth", &route->auth);
        write_text(o, depth + 1, "realm", route->realm);
        write_list(o, depth + 1, "digest", &route->digest);
        write_list(o, depth + 1, "scopes", &route->scopes);
        write_list(o, depth + 1, "allow_users", &route->allow_users);
        write_list(o, depth + 1, "allow_groups", &route->allow_groups);
    }
    if (route->cors.n > 0) {
        write_list(o, depth + 1, "cors", &route->cors);
        write_list(o, depth + 1, "cors_methods", &route->cors_methods);
        write_list(o, depth + 1, "cors_headers", &route->cors_headers);
        write_list(o, depth + 1, "cors_expose", &route->cors_expose);
        write_flag(o, depth + 1, "cors_credentials", route->cors_credentials);
        write_time(o, depth + 1, "cors_max_age", route->cors_max_age);
    }
    for (size_t i = 0; i < route->rights_n; i++)
        write_right(o, depth + 1, &route->rights[i]);
    write_flag(o, depth + 1, "hide", route->hide);
    write_text(o, depth + 1, "require", slice_text(needs[route->require]));
    write_text(o, depth + 1, "early_data", slice_text(early[route->early_data]));
    if (route->price) {
        write_number(o, depth + 1, "price", route->price);
        write_text(o, depth + 1, "pay", route->pay);
        write_flag(o, depth + 1, "agree", route->agree);
    }
    write_limit(o, depth + 1, &route->limit);
    write_end(o, depth);
}

static void
write_site(struct out *o, const struct conf_site *site)
{
    unsigned depth = slice_is_there(site->name) ? 1 : 0;

    if (depth) {
        write_section(o, 0, "site", site->name);
        write_list(o, 1, "aliases", &site->aliases);
        write_limit(o, 1, &site->limit);
    }
    for (size_t i = 0; i < site->routes_n; i++)
        write_route(o, depth, &site->routes[i]);
    if (depth)
        write_end(o, 0);
}

static void
write_user(struct out *o, const struct conf_user *user)
{
    write_section(o, 0, "user", user->name);
    write_text(o, 1, "password", user->password);
    write_list(o, 1, "groups", &user->groups);
    write_end(o, 0);
}

static void
write_forward(struct out *o, const struct conf_listen *listen)
{
    write_list(o, 1, "hosts", &listen->hosts);
    write_list(o, 1, "ports", &listen->ports);
    write_list(o, 1, "networks", &listen->networks);
    if (listen->auth.n == 0)
        return;
    write_list(o, 1, "auth", &listen->auth);
    write_text(o, 1, "realm", listen->realm);
    write_list(o, 1, "allow_users", &listen->allow_users);
    write_list(o, 1, "allow_groups", &listen->allow_groups);
}

static void
write_issuer(struct out *o, const struct conf_issuer *issuer)
{
    write_section(o, 0, "issuer", issuer->name);
    write_text(o, 1, "keys", issuer->keys);
    write_list(o, 1, "audience", &issuer->audience);
    write_list(o, 1, "algorithms", &issuer->algorithms);
    write_end(o, 0);
}

static void
write_listen(struct out *o, const struct conf_listen *listen)
{
    static const char *const clients[] = {"none", "optional", "required"};

    write_section(o, 0,
                  listen->portal    ? "portal"
                  : listen->forward ? "forward"
                                    : "listen",
                  listen->name);
    if (listen->forward)
        write_forward(o, listen);
    if (listen->portal) {
        write_text(o, 1, "login", listen->login);
        write_time(o, 1, "lifetime", listen->lifetime);
        write_text(o, 1, "api", listen->api);
        write_text(o, 1, "secret", listen->secret);
    } else {
        write_flag(o, 1, "strict", listen->strict);
        write_flag(o, 1, "https", listen->https);
    }
    write_flag(o, 1, "proxy_protocol", listen->proxy_protocol);
    if (listen->certificate.n > 0) {
        write_list(o, 1, "certificate", &listen->certificate);
        if (listen->key.n > 0)
            write_list(o, 1, "key", &listen->key);
        if (listen->ocsp.n > 0)
            write_list(o, 1, "ocsp", &listen->ocsp);
        write_text(o, 1, "client_ca", listen->client_ca);
        write_text(o, 1, "client_certificate", slice_text(clients[listen->client_certificate]));
        write_flag(o, 1, "early_data", listen->early_data);
        write_flag(o, 1, "http2", listen->http2);
    }
    write_end(o, 0);
}

static void
write_limits(struct out *o, const struct conf *conf)
{
    const struct limit_row *row;

    write_section(o, 0, "limits", ERN_ABSENT);
    for (unsigned i = 0; (row = limits_row(i)) != NULL; i++)
        write_number(o, 1, row->name.ptr, (uint64_t)limits_value(&conf->limits, i));
    write_end(o, 0);
}

void
conf_write_demand(const struct conf_demand *demand, struct out *o)
{
    write_section(o, 0, "demand", demand->reference);
    write_text(o, 1, "path", demand->path);
    write_text(o, 1, "host", demand->host);
    write_text(o, 1, "sha256", demand->sha256);
    if (slice_is_there(demand->sha256))
        write_number(o, 1, "bytes", (uint64_t)demand->bytes);
    write_text(o, 1, "authority", demand->authority);
    write_text(o, 1, "jurisdiction", demand->jurisdiction);
    write_text(o, 1, "blocked_by", demand->blocked_by);
    if (demand->networks.n > 0)
        write_list(o, 1, "networks", &demand->networks);
    write_text(o, 1, "from", demand->from);
    write_text(o, 1, "until", demand->until);
    write_end(o, 0);
}

void
conf_write(const struct conf *conf, struct out *o)
{
    write_number(o, 0, "workers", conf->workers);
    write_text(o, 0, "user", conf->user);
    write_text(o, 0, "admin", conf->admin);
    if (conf->pause_allow.n > 0)
        write_list(o, 0, "pause_allow", &conf->pause_allow);
    if (conf->pause_allow_users.n > 0)
        write_list(o, 0, "pause_allow_users", &conf->pause_allow_users);
    write_text(o, 0, "legal", conf->legal);
    write_text(o, 0, "users", conf->users);
    write_text(o, 0, "digests", conf->digests);
    write_text(o, 0, "state", conf->state);
    write_time(o, 0, "hsts", conf->hsts);
    write_list(o, 0, "trusted", &conf->trusted);
    write_text(o, 0, "forwarded",
               conf->forwarded == FORWARDED_BY_FORWARDED ? ERN_SLICE("forwarded")
                                                         : ERN_SLICE("x-forwarded"));
    write_text(o, 0, "pseudonym", conf->pseudonym);
    write_flag(o, 0, "live", conf->live);
    write_list(o, 0, "live_allow", &conf->live_allow);
    for (size_t i = 0; i < conf->accounts_n; i++)
        write_user(o, &conf->accounts[i]);
    for (size_t i = 0; i < conf->issuers_n; i++)
        write_issuer(o, &conf->issuers[i]);
    for (size_t i = 0; i < conf->listens_n; i++)
        write_listen(o, &conf->listens[i]);
    write_limit(o, 0, &conf->limit);
    write_section(o, 0, "log", ERN_ABSENT);
    write_text(o, 1, "format",
               conf->log.format == CONF_LOG_JSON ? ERN_SLICE("json") : ERN_SLICE("combined"));
    write_text(o, 1, "file", conf->log.file);
    write_text(o, 1, "errors", conf->log.errors);
    write_text(o, 1, "audit", conf->log.audit);
    write_end(o, 0);
    write_limits(o, conf);
    for (size_t i = 0; i < conf->sites_n; i++)
        write_site(o, &conf->sites[i]);
}
