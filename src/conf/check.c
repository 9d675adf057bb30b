/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - what each option alone can not know: does the configuration make sense as a whole? */
#include "conf/make.h"

#include <assert.h>
#include <stdlib.h>

#include "base/chars.h"
#include "base/num.h"
#include "conf/value.h"
#include "msg/accept.h"

static int
claim_compare(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    size_t n = a->text.len < b->text.len ? a->text.len : b->text.len;

    for (size_t i = 0; i < n; i++) {
        int difference = (unsigned char)a->text.ptr[i] - (unsigned char)b->text.ptr[i];

        if (difference)
            return difference;
    }
    if (a->text.len != b->text.len)
        return a->text.len < b->text.len ? -1 : 1;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    return a->at.column < b->at.column ? -1 : a->at.column > b->at.column;
}

void
check_claims(struct maker *m, struct claim *claims, size_t n, const char *what)
{
    if (n > 1)
        qsort(claims, n, sizeof *claims, claim_compare);
    for (size_t i = 1; i < n; i++)
        if (slice_eq(claims[i].text, claims[i - 1].text))
            conf_wrong(
                m->errors, claims[i].at,
                CONF_SAY(what, "leave one of the two out, or write another", claims[i].text));
}

/* The name in lower case, for names are compared without regard to it (RFC 9110 4.2.3). */
static struct ern_slice
lower_copy(struct maker *m, struct ern_slice text)
{
    char *at = memory_take(&m->scratch, text.len + 1, 1);

    if (!at)
        return ERN_ABSENT;
    for (size_t i = 0; i < text.len; i++)
        at[i] = lower(text.ptr[i]);
    return slice_from(at, text.len);
}

void
check_host(struct maker *m, struct ern_slice name, struct conf_position at)
{
    if (!value_is_host(name))
        conf_wrong(m->errors, at,
                   CONF_SAY("\"%1\" is not the name of a site",
                            "write the name alone, as in \"www.example.org\": no scheme, port or *",
                            name));
}

static size_t
names_n(const struct conf *conf)
{
    size_t n = conf->sites_n;

    for (size_t i = 0; i < conf->sites_n; i++)
        n += conf->sites[i].aliases.n;
    return n;
}

static void
check_names(struct maker *m)
{
    size_t n = 0, all = names_n(m->conf);
    struct claim *claims = all ? memory_take(&m->scratch, all, sizeof *claims) : NULL;

    if (!claims)
        return;
    for (size_t i = 0; i < m->conf->sites_n; i++) {
        const struct conf_site *site = &m->conf->sites[i];

        if (slice_is_there(site->name)) {
            check_host(m, site->name, site->place.at);
            claims[n++] = (struct claim){lower_copy(m, site->name), site->place.at};
        }
        for (size_t j = 0; j < site->aliases.n; j++) {
            check_host(m, site->aliases.text[j], site->aliases.at[j]);
            claims[n++] = (struct claim){lower_copy(m, site->aliases.text[j]), site->aliases.at[j]};
        }
    }
    if (!m->scratch.full)
        check_claims(m, claims, n, "the name \"%1\" is taken already");
}

/* Client certificates need an authority, and an authority is for nothing else. */
static void
check_clients(struct maker *m, const struct conf_listen *listen)
{
    const struct conf_given *given = listen->place.given;
    bool asks = listen->client_certificate != TLS_CLIENT_NONE;

    if (asks && !slice_is_there(listen->client_ca))
        conf_wrong(m->errors, given[CONF_listen_client_certificate].key,
                   CONF_SAY("nothing says who may sign the certificates of clients",
                            "write client_ca = \"...\" beside it", ERN_ABSENT));
    else if (!asks && slice_is_there(listen->client_ca))
        conf_wrong(m->errors, given[CONF_listen_client_ca].key,
                   CONF_SAY("client_ca says nothing while clients are not asked for a certificate",
                            "write client_certificate = \"optional\" or \"required\" beside it",
                            ERN_ABSENT));
}

/* What is for TLS alone; and there is one key to each certificate. */
static void
check_tls(struct maker *m, const struct conf_listen *listen)
{
    static const enum conf_option needs_tls[] = {
        CONF_listen_key,        CONF_listen_ocsp,  CONF_listen_client_ca,
        CONF_listen_early_data, CONF_listen_http2, CONF_listen_client_certificate,
    };
    const struct conf_given *given = listen->place.given;

    for (size_t i = 0; i < sizeof needs_tls / sizeof *needs_tls; i++) {
        struct conf_position at = given[needs_tls[i]].key;

        if (at.line && listen->certificate.n == 0)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a listener that speaks TLS",
                                "write certificate = \"...\" beside it, or leave it out",
                                ERN_ABSENT));
    }
    if (given[CONF_listen_certificate].key.line == 0)
        return;
    if (listen->certificate.n == 0)
        conf_wrong(m->errors, given[CONF_listen_certificate].key,
                   CONF_SAY("there is no certificate in this list",
                            "write a file, or leave certificate out", ERN_ABSENT));
    if (given[CONF_listen_key].key.line && listen->key.n != listen->certificate.n)
        conf_wrong(m->errors, given[CONF_listen_key].key,
                   CONF_SAY("there are not as many keys as certificates",
                            "write one for each, in the same order", ERN_ABSENT));
    if (listen->ocsp.n > listen->certificate.n)
        conf_wrong(m->errors, given[CONF_listen_ocsp].key,
                   CONF_SAY("there are more OCSP responses than certificates",
                            "write one for each, in the same order; - for none", ERN_ABSENT));
    check_clients(m, listen);
}

/* Is it an https URL, without what would make it say more than where something is? */
static bool
is_plain_https(struct ern_slice url, bool may_query)
{
    return value_is_http_url(url) && slice_starts(url, ERN_SLICE("https://")) &&
           slice_find(url, '#') == url.len && (may_query || slice_find(url, '?') == url.len);
}

/* What a proxy lets through, and what is for proxies alone. */
static void
check_forward(struct maker *m, const struct conf_listen *listen)
{
    static const enum conf_option needs_proxy[] = {
        CONF_forward_hosts, CONF_forward_ports,       CONF_forward_networks,    CONF_forward_auth,
        CONF_forward_realm, CONF_forward_allow_users, CONF_forward_allow_groups};
    const struct conf_given *given = listen->place.given;
    uint64_t n;

    for (size_t i = 0; !listen->forward && i < sizeof needs_proxy / sizeof *needs_proxy; i++)
        if (given[needs_proxy[i]].key.line)
            conf_wrong(m->errors, given[needs_proxy[i]].key,
                       CONF_SAY("this is for a proxy",
                                "write forward \"...\" { ... } in the place of listen, or leave it "
                                "out",
                                ERN_ABSENT));
    for (size_t i = 0; i < listen->ports.n; i++)
        if (!u64_parse(listen->ports.text[i], UINT16_MAX, &n) || n == 0)
            conf_wrong(m->errors, listen->ports.at[i],
                       CONF_SAY("\"%1\" is not a port", "write a number from 1 to 65535",
                                listen->ports.text[i]));
}

/* What the URLs of a portal have to be. */
static void
check_portal_urls(struct maker *m, const struct conf_listen *listen)
{
    const struct conf_given *given = listen->place.given;
    struct ern_slice api = listen->api;

    if (slice_is_there(listen->login) && !is_plain_https(listen->login, true))
        conf_wrong(m->errors, given[CONF_portal_login].value,
                   CONF_SAY("\"%1\" is not the URL of a page that is reached over TLS",
                            "write one as in \"https://login.example.net/\"", listen->login));
    if (slice_is_there(api) &&
        (!is_plain_https(api, false) || slice_find(slice_skip(api, 8), '/') == api.len - 8))
        conf_wrong(m->errors, given[CONF_portal_api].value,
                   CONF_SAY("\"%1\" is not the URL of an API that is reached over TLS",
                            "write one as in \"https://portal.example.net/api\", without a query",
                            api));
}

/* What a portal needs, and what is for portals alone. */
static void
check_portal(struct maker *m, const struct conf_listen *listen)
{
    static const enum conf_option needs_portal[] = {CONF_portal_login, CONF_portal_lifetime,
                                                    CONF_portal_api, CONF_portal_secret};
    static const enum conf_option no_portal[] = {CONF_listen_strict, CONF_listen_https};
    const struct conf_given *given = listen->place.given;

    for (size_t i = 0; !listen->portal && i < sizeof needs_portal / sizeof *needs_portal; i++)
        if (given[needs_portal[i]].key.line)
            conf_wrong(m->errors, given[needs_portal[i]].key,
                       CONF_SAY("this is for a portal",
                                "write portal \"...\" { ... } in the place of listen, or leave it "
                                "out",
                                ERN_ABSENT));
    if (!listen->portal)
        return;
    for (size_t i = 0; i < sizeof no_portal / sizeof *no_portal; i++)
        if (given[no_portal[i]].key.line)
            conf_wrong(m->errors, given[no_portal[i]].key,
                       CONF_SAY("this is not for a portal", "leave it out", ERN_ABSENT));
    if (given[CONF_portal_login].key.line == 0)
        conf_wrong(m->errors, listen->place.at,
                   CONF_SAY("this portal does not say where clients sign in",
                            "write login = \"https://...\" in it", ERN_ABSENT));
    if (given[CONF_portal_secret].key.line && given[CONF_portal_api].key.line == 0)
        conf_wrong(m->errors, given[CONF_portal_secret].key,
                   CONF_SAY("there is no place to which the login page can send its seal",
                            "write api = \"https://...\" beside it", ERN_ABSENT));
    check_portal_urls(m, listen);
}

static void
check_listens(struct maker *m)
{
    const struct conf *conf = m->conf;
    size_t n = 0;
    struct claim *claims;

    if (conf->listens_n == 0)
        return;
    claims = memory_take(&m->scratch, conf->listens_n, sizeof *claims);
    for (size_t i = 0; claims && i < conf->listens_n; i++) {
        const struct conf_listen *listen = &conf->listens[i];

        check_tls(m, listen);
        check_portal(m, listen);
        check_forward(m, listen);
        if (slice_is_there(listen->name) && listen->port > 0)
            claims[n++] = (struct claim){listen->name, listen->place.at};
        if (listen->strict && conf->sites_n == 1 && !slice_is_there(conf->sites[0].name))
            conf_wrong(m->errors, listen->place.given[CONF_listen_strict].value,
                       CONF_SAY("strict needs the names of sites, and there are none",
                                "write the routes in site \"...\" { ... }, or leave strict out",
                                ERN_ABSENT));
        if (listen->https && listen->certificate.n > 0)
            conf_wrong(m->errors, listen->place.given[CONF_listen_https].value,
                       CONF_SAY("a listener that speaks TLS cannot send its clients on to it",
                                "leave https out here, and write it at the plain listener",
                                ERN_ABSENT));
        if (listen->proxy_protocol && conf->trusted.n == 0)
            conf_wrong(m->errors, listen->place.given[CONF_listen_proxy_protocol].value,
                       CONF_SAY("proxy_protocol needs to know whom to believe",
                                "write trusted = { \"...\" } at the top of the file, with the "
                                "addresses of the gateways",
                                ERN_ABSENT));
    }
    if (claims)
        check_claims(m, claims, n, "the address \"%1\" is taken already");
}

/* Is there a segment . or .., or an empty one? No path of a request has them once it is resolved.
 */
static bool
has_odd_segment(struct ern_slice path)
{
    while (path.len) {
        struct ern_slice segment;
        size_t n;

        path = slice_skip(path, 1);
        n = slice_find(path, '/');
        segment = slice_first(path, n);
        if (slice_eq(segment, ERN_SLICE(".")) || slice_eq(segment, ERN_SLICE("..")) ||
            (n == 0 && path.len > 0))
            return true;
        path = slice_skip(path, n);
    }
    return false;
}

void
check_path(struct maker *m, struct ern_slice path, struct conf_position at)
{
    if (path.len == 0) /* said already */
        return;
    if (path.ptr[0] != '/')
        conf_wrong(m->errors, at,
                   CONF_SAY("the path \"%1\" does not begin with /", "write \"/%1\"", path));
    else if (slice_find(path, '?') < path.len || slice_find(path, '#') < path.len)
        conf_wrong(m->errors, at,
                   CONF_SAY("the path \"%1\" holds a query or a fragment",
                            "write what stands before ? and #", path));
    else if (has_odd_segment(path))
        conf_wrong(m->errors, at,
                   CONF_SAY("the path \"%1\" holds // or a segment of dots, which no request has",
                            "write it without", path));
}

/* The option that makes a route the kind that the options of a place are for; else 0. */
static const enum conf_option kind_needed[WHERE_limits + 1] = {
    [WHERE_files] = CONF_route_files, [WHERE_redirect] = CONF_route_redirect,
    [WHERE_pot] = CONF_route_pot,     [WHERE_intake] = CONF_route_intake,
    [WHERE_proxy] = CONF_route_proxy, [WHERE_fastcgi] = CONF_route_fastcgi,
    [WHERE_cgi] = CONF_route_cgi,
};

static bool
is_kind(unsigned option)
{
    return option == CONF_route_files || option == CONF_route_redirect ||
           option == CONF_route_use_proxy || option == CONF_route_gone ||
           option == CONF_route_peer || option == CONF_route_pot || option == CONF_route_intake ||
           option == CONF_route_proxy || option == CONF_route_fastcgi || option == CONF_route_cgi;
}

/* What of a folder's options is for the folder of a route with fastcgi, too. */
static bool
is_shared(const struct conf_route *route, unsigned option)
{
    return route->kind == CONF_KIND_FASTCGI &&
           (option == CONF_files_index || option == CONF_files_hidden ||
            option == CONF_files_cache_control || option == CONF_files_precompressed ||
            option == CONF_files_compress);
}

/* Options of another kind than the route's; a second kind. */
static void
check_kind(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;
    struct option_key row;

    for (size_t i = 0; option_row(i, &row); i++) {
        enum conf_option needs = kind_needed[row.where];

        if (row.type == TYPE_limit || row.id >= CONF_OPTIONS || given[row.id].key.line == 0 ||
            route->kind == 0)
            continue;
        if (is_kind(row.id) && row.id != (unsigned)route->kind)
            conf_wrong(m->errors, given[row.id].key,
                       CONF_SAY("\"%1\" makes the route \"%2\" a second kind",
                                "write another route for it, or leave one of the two out", row.key,
                                route->path));
        if (needs && given[needs].key.line == 0 && !is_shared(route, row.id))
            conf_wrong(m->errors, given[row.id].key,
                       CONF_SAY("\"%1\" is for a %2 only", "leave it out", row.key,
                                option_place(row.where)));
    }
}

static void
check_index(struct maker *m, const struct conf_route *route)
{
    for (size_t i = 0; i < route->index.n; i++) {
        struct ern_slice name = route->index.text[i];

        if (slice_find(name, '/') < name.len || slice_eq(name, ERN_SLICE(".")) ||
            slice_eq(name, ERN_SLICE("..")))
            conf_wrong(m->errors, route->index.at[i],
                       CONF_SAY("\"%1\" is not the name of a file",
                                "write a name without /, as in \"index.html\"", name));
    }
}

static void
check_urls(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;

    if (slice_is_there(route->redirect) && !value_is_reference(route->redirect))
        conf_wrong(m->errors, given[CONF_route_redirect].value,
                   CONF_SAY("\"%1\" is neither a URL nor a path",
                            "write one as in \"https://example.org/new\" or \"/new\"",
                            route->redirect));
    else if (slice_is_there(route->redirect) && slice_eq(route->redirect, route->path))
        conf_wrong(m->errors, given[CONF_route_redirect].value,
                   CONF_SAY("the redirect leads to its own path \"%1\"", "write another URL",
                            route->redirect));
    if (!slice_is_there(route->use_proxy))
        return;
    if (!value_is_http_url(route->use_proxy))
        conf_wrong(m->errors, given[CONF_route_use_proxy].value,
                   CONF_SAY("\"%1\" is not the URL of a proxy",
                            "write one as in \"http://proxy.example.org:3128/\"",
                            route->use_proxy));
    else
        conf_warn(m->errors, given[CONF_route_use_proxy].key,
                  CONF_SAY("use_proxy is deprecated, and clients do not heed it (RFC 9110 15.4.6)",
                           "configure the proxy in the clients, or write redirect", ERN_ABSENT));
}

/* What is for servers that speak TLS alone. */
static void
check_secure(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option needs_tls[] = {CONF_proxy_ca, CONF_proxy_certificate,
                                                 CONF_proxy_key};

    for (size_t i = 0; i < sizeof needs_tls / sizeof *needs_tls; i++)
        if (route->place.given[needs_tls[i]].key.line)
            conf_wrong(m->errors, route->place.given[needs_tls[i]].key,
                       CONF_SAY("none of these servers has a certificate",
                                "write https:// in the place of http://, or leave it out",
                                ERN_ABSENT));
}

/* The servers of a proxy route, which are said in full. */
static void
check_proxy(struct maker *m, const struct conf_route *route)
{
    enum { SERVERS_MAX = 64 };
    struct conf_position at = route->place.given[CONF_route_proxy].value;
    struct ern_slice authority, host;
    bool is_secure, any_secure = false;
    uint16_t port;

    if (route->kind != CONF_KIND_PROXY)
        return;
    if (route->proxy.n == 0 || route->proxy.n > SERVERS_MAX)
        conf_wrong(m->errors, at,
                   CONF_SAY("a proxy has from 1 to 64 servers behind it",
                            "write one as in \"http://127.0.0.1:9000\"", ERN_ABSENT));
    for (size_t i = 0; i < route->proxy.n; i++) {
        if (!value_origin(route->proxy.text[i], &authority, &host, &port, &is_secure))
            conf_wrong(m->errors, route->proxy.at[i],
                       CONF_SAY("\"%1\" is not the URL of a server",
                                "write one as in \"http://127.0.0.1:9000\", without a path",
                                route->proxy.text[i]));
        any_secure |= is_secure;
    }
    if (slice_is_there(route->probe) &&
        (route->probe.ptr[0] != '/' || !value_is_reference(route->probe)))
        conf_wrong(m->errors, route->place.given[CONF_proxy_probe].value,
                   CONF_SAY("\"%1\" is not a path", "write one as in \"/health\"", route->probe));
    if (!any_secure)
        check_secure(m, route);
    if (slice_is_there(route->key) && !slice_is_there(route->certificate))
        conf_wrong(m->errors, route->place.given[CONF_proxy_key].key,
                   CONF_SAY("a key is that of a certificate",
                            "write the certificate, too, or leave it out", ERN_ABSENT));
}

/* Our name among gateways is a word there (RFC 9110 7.6.3), and in Proxy-Status (RFC 9209 2). */
static void
check_pseudonym(struct maker *m, const struct conf *conf)
{
    if (slice_is_there(conf->pseudonym) && !value_is_name(conf->pseudonym))
        conf_wrong(m->errors, conf->place.given[CONF_top_pseudonym].value,
                   CONF_SAY("\"%1\" is not a name among gateways",
                            "write letters, digits, - and ., a letter first", conf->pseudonym));
}

/* What becomes a field value (RFC 9110 5.5), without white space around it. */
static void
check_field(struct maker *m, const struct conf_route *route, enum conf_option option,
            struct ern_slice value)
{
    bool good = slice_trim(value).len == value.len;

    for (size_t i = 0; i < value.len; i++)
        good &= char_is(value.ptr[i], CHAR_FIELD) && (unsigned char)value.ptr[i] < 0x80;
    if (!good)
        conf_wrong(m->errors, route->place.given[option].value,
                   CONF_SAY("\"%1\" is not a field value",
                            "write it in ASCII and without spaces around, as in \"max-age=3600\"",
                            value));
}

/* What is for writable folders alone; and these need a place for what is remembered of them. */
static void
check_write(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option needs_write[] = {
        CONF_files_quota,    CONF_files_tombstones, CONF_files_require_conditional,
        CONF_files_infinite, CONF_files_durable,    CONF_files_processing_after,
    };

    if (route->kind != CONF_KIND_FILES)
        return;
    for (size_t i = 0; i < sizeof needs_write / sizeof *needs_write; i++) {
        struct conf_position at = route->place.given[needs_write[i]].key;

        if (at.line && !route->write)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a folder that clients may write to",
                                "write write = true beside it, or leave it out", ERN_ABSENT));
    }
    if (route->write && !slice_is_there(m->conf->state))
        conf_wrong(m->errors, route->place.given[CONF_files_write].key,
                   CONF_SAY("a writable folder needs a place for its locks and properties",
                            "write state = \"/var/lib/earnest\" at the top of the file",
                            ERN_ABSENT));
}

/* What costs says where to pay, and needs a place for what was paid. */
static void
check_price(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;

    if (route->price > 0 && !slice_is_there(m->conf->state))
        conf_wrong(m->errors, given[CONF_route_price].key,
                   CONF_SAY("a price needs a place for what was paid",
                            "write state = \"/var/lib/earnest\" at the top of the file",
                            ERN_ABSENT));
    if (route->price > 0 && !slice_is_there(route->pay))
        conf_wrong(m->errors, given[CONF_route_price].key,
                   CONF_SAY("this does not say where clients can pay",
                            "write pay = \"https://...\" beside it", ERN_ABSENT));
    if (route->agree && route->price == 0)
        conf_wrong(m->errors, given[CONF_route_agree].key,
                   CONF_SAY("there is no price that clients could agree to",
                            "write price = 1 beside it, or leave it out", ERN_ABSENT));
    if (slice_is_there(route->pay) && !value_is_reference(route->pay))
        conf_wrong(m->errors, given[CONF_route_pay].value,
                   CONF_SAY("\"%1\" is neither a URL nor a path",
                            "write one as in \"https://example.org/pay\" or \"/pay\"", route->pay));
}

/* A bucket of tokens that fills within a reasonable time. */
static void
check_limit(struct maker *m, const struct conf_limit *limit)
{
    enum { PER_MS_MAX = 86400000, FILL_DAYS_MAX = 30 };
    const struct conf_given *given = limit->place.given;

    if (limit->place.at.line == 0)
        return;
    if (limit->requests == 0)
        conf_wrong(m->errors, limit->place.at,
                   CONF_SAY("this limit does not say how many requests may come",
                            "write requests = 100 in it", ERN_ABSENT));
    else if (limit->per < 1 || limit->per > PER_MS_MAX)
        conf_wrong(
            m->errors, given[CONF_limit_per].value,
            CONF_SAY("this is not the time of a limit", "write one from 1ms to 1d", ERN_ABSENT));
    else if (limit->burst * limit->per / limit->requests > FILL_DAYS_MAX * (int64_t)PER_MS_MAX)
        conf_wrong(m->errors, given[CONF_limit_burst].value,
                   CONF_SAY("so many requests at once would take more than 30 days to come back",
                            "write fewer", ERN_ABSENT));
}

/* What is for folders alone that clients only read. */
static void
check_variants(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option chooses[] = {CONF_files_choices, CONF_files_language};
    const struct conf_given *given = route->place.given;

    if (route->write && route->variants)
        conf_wrong(m->errors, given[CONF_files_variants].key,
                   CONF_SAY("clients write to this folder, so that each name in it is itself",
                            "leave one of variants and write out", ERN_ABSENT));
    if (route->write && route->hints)
        conf_wrong(m->errors, given[CONF_files_hints].key,
                   CONF_SAY("what pages link to is learned in folders that clients do not write to",
                            "leave one of hints and write out", ERN_ABSENT));
    if (route->write && route->deltas)
        conf_wrong(m->errors, given[CONF_files_deltas].key,
                   CONF_SAY("past versions are kept of folders that clients do not write to",
                            "leave one of deltas and write out", ERN_ABSENT));
    if (route->deltas && !slice_is_there(m->conf->state))
        conf_wrong(m->errors, given[CONF_files_deltas].key,
                   CONF_SAY("past versions need a place to be kept in",
                            "write state = \"/var/lib/earnest\" at the top of the file",
                            ERN_ABSENT));
    if (route->dictionaries.n > 0 && route->deltas == 0)
        conf_wrong(m->errors, given[CONF_files_dictionaries].key,
                   CONF_SAY("what files are compressed with is kept as past versions are",
                            "write deltas = 5 beside it", ERN_ABSENT));
    for (size_t i = 0; i < route->dictionaries.n; i++)
        if (!slice_eq(route->dictionaries.text[i], ERN_SLICE("past")) &&
            !slice_starts(route->dictionaries.text[i], ERN_SLICE("/")))
            conf_wrong(m->errors, route->dictionaries.at[i],
                       CONF_SAY("\"%1\" is not a path of the route",
                                "write \"past\", or a path as in \"/common.txt\"",
                                route->dictionaries.text[i]));
    if (slice_is_there(route->language) && !language_range_is(route->language))
        conf_wrong(m->errors, given[CONF_files_language].value,
                   CONF_SAY("\"%1\" is not a language", "write its tag, as in \"bn\" or \"pt-BR\"",
                            route->language));
    for (size_t i = 0; i < sizeof chooses / sizeof *chooses; i++)
        if (given[chooses[i]].key.line && !route->variants)
            conf_wrong(m->errors, given[chooses[i]].key,
                       CONF_SAY("there are no variants to choose from",
                                "write variants = true beside it, or leave it out", ERN_ABSENT));
}

static void
check_routes(struct maker *m, const struct conf_site *site)
{
    struct claim *claims;
    size_t n = 0;

    if (site->routes_n == 0)
        return;
    claims = memory_take(&m->scratch, site->routes_n, sizeof *claims);
    for (size_t i = 0; claims && i < site->routes_n; i++) {
        const struct conf_route *route = &site->routes[i];

        check_path(m, route->path, route->place.at);
        check_kind(m, route);
        check_index(m, route);
        check_urls(m, route);
        check_proxy(m, route);
        check_fastcgi(m, route);
        check_cgi(m, route);
        check_field(m, route, CONF_files_cache_control, route->cache_control);
        check_field(m, route, CONF_files_content_policy, route->content_policy);
        check_write(m, route);
        check_cors(m, route);
        check_price(m, route);
        check_pot(m, route);
        check_intake(m, route);
        check_transform(m, &site->routes[i]);
        check_limit(m, &route->limit);
        check_variants(m, route);
        if (route->place.given[CONF_route_gone].key.line && !route->gone)
            conf_wrong(m->errors, route->place.given[CONF_route_gone].value,
                       CONF_SAY("gone says nothing unless it is true",
                                "write gone = true, or leave it out", ERN_ABSENT));
        if (route->place.given[CONF_route_peer].key.line && !route->peer)
            conf_wrong(m->errors, route->place.given[CONF_route_peer].value,
                       CONF_SAY("peer says nothing unless it is true",
                                "write peer = true, or leave it out", ERN_ABSENT));
        if (slice_is_there(route->path))
            claims[n++] = (struct claim){route->path, route->place.at};
    }
    if (claims)
        check_claims(m, claims, n, "the path \"%1\" has a route already");
}

/* Networks that say nothing new, and those that say too much. */
static void
check_networks(struct maker *m, const struct conf_texts *texts, const char *doubled,
               const char *too_much, const char *mend)
{
    struct claim *claims = texts->n ? memory_take(&m->scratch, texts->n, sizeof *claims) : NULL;
    struct network all;

    for (size_t i = 0; claims && i < texts->n; i++) {
        claims[i] = (struct claim){texts->text[i], texts->at[i]};
        if (slice_ends(texts->text[i], ERN_SLICE("/0")) && network_parse(texts->text[i], &all))
            conf_warn(m->errors, texts->at[i], CONF_SAY(too_much, mend, texts->text[i]));
    }
    if (claims)
        check_claims(m, claims, texts->n, doubled);
}

void
check_conf(struct maker *m)
{
    const struct conf_log *log = &m->conf->log;

    check_networks(m, &m->conf->trusted, "the network \"%1\" is trusted already",
                   "\"%1\" is every address: each client can say that it is another",
                   "write the addresses of the gateways alone");
    check_networks(m, &m->conf->live_allow, "the network \"%1\" may listen already",
                   "\"%1\" is every address: each client can see what all others ask for",
                   "write the addresses of those who look after the server");
    check_pseudonym(m, m->conf);
    check_users(m);
    check_listens(m);
    check_names(m);
    check_intakes(m);
    check_limit(m, &m->conf->limit);
    for (size_t i = 0; i < m->conf->sites_n; i++) {
        check_limit(m, &m->conf->sites[i].limit);
        check_routes(m, &m->conf->sites[i]);
    }
    if (slice_eq(log->errors, ERN_SLICE("off")))
        conf_wrong(m->errors, log->place.given[CONF_log_errors].value,
                   CONF_SAY("lines about the server can not be turned off",
                            "write a file, or \"-\" for standard error", ERN_ABSENT));
}
