/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/make.h"

#include <assert.h>

#include "conf/value.h"

/* The address of a server whose configuration names none. */
static const struct ern_slice standard_address = {"127.0.0.1:8080", 14};

bool
make_is_section(const struct text_node *node, struct ern_slice key)
{
    return node->is_section && slice_eq(node->key, key);
}

size_t
make_count(const struct text_node *items, struct ern_slice key)
{
    size_t n = 0;

    for (; items; items = items->next)
        n += make_is_section(items, key);
    return n;
}

static void
unknown_key(struct maker *m, enum option_where section, const struct text_node *node)
{
    struct ern_slice place = option_place(section);
    struct option_key row;
    bool kept = m->errors->n < CONF_ERRORS_MAX; /* guessing costs */

    if (option_find_anywhere(node->key, &row))
        conf_wrong(m->errors, node->key_at,
                   CONF_SAY("\"%1\" is not a key of %2", "write it in %3", node->key, place,
                            option_place(row.where)));
    else if (kept && option_guess(section, node->key, &row))
        conf_wrong(m->errors, node->key_at,
                   CONF_SAY("\"%1\" is not a key of %2", "did you mean \"%3\"?", node->key, place,
                            row.key));
    else
        conf_wrong(m->errors, node->key_at,
                   CONF_SAY("\"%1\" is not a key of %2",
                            "leave it out; earnest check --keys shows those there are", node->key,
                            place));
}

/* Is the node a section if its key is one's, and a value if not? Otherwise an error is added. */
static bool
has_shape(struct maker *m, const struct option_key *row, const struct text_node *node)
{
    bool titled = row->type == TYPE_titled, section = option_is_section(row);

    if (section != node->is_section)
        conf_wrong(
            m->errors, node->key_at,
            section ? CONF_SAY("\"%1\" is a section, not a value",
                               titled ? "write %1 \"...\" { ... }" : "write %1 { ... }", row->key)
                    : CONF_SAY("\"%1\" is a value, not a section", "write %1 = ...", row->key));
    else if (titled && !slice_is_there(node->title))
        conf_wrong(m->errors, node->key_at,
                   CONF_SAY("this %1 has no title", "write %1 \"...\" { ... }", row->key));
    else if (!titled && slice_is_there(node->title))
        conf_wrong(m->errors, node->value_at,
                   CONF_SAY("\"%1\" takes no title", "write %1 { ... }", row->key));
    else
        return true;
    return false;
}

void
make_items(struct maker *m, enum option_where section, const struct text_node *items, void *owner)
{
    bool seen[OPTION_ROWS] = {false};
    struct option_key row;

    for (const struct text_node *node = items; node; node = node->next) {
        if (!option_find(section, node->key, node->is_section, &row))
            unknown_key(m, section, node);
        else if (!has_shape(m, &row, node))
            continue;
        else if (row.type != TYPE_titled && seen[row.row])
            conf_wrong(m->errors, node->key_at,
                       CONF_SAY("\"%1\" stands here for the second time", "leave one of them out",
                                node->key));
        else {
            seen[row.row] = true;
            if (!node->is_section)
                make_option(m, &row, node, owner);
        }
    }
}

struct ern_slice
make_title(struct maker *m, const struct text_node *node)
{
    if (!slice_is_there(node->title) || !make_is_text(m, node->key, node->title, node->value_at))
        return ERN_ABSENT;
    return memory_copy(&m->memory, node->title);
}

void
make_networks(struct maker *m, const struct conf_texts *texts, struct networks *ret)
{
    struct network *networks;
    size_t n = 0;

    if (texts->n == 0)
        return;
    if (texts->n > NETWORKS_MAX) {
        conf_wrong(m->errors, texts->at[NETWORKS_MAX],
                   CONF_SAY("there are more networks than can be looked through",
                            "write larger networks, as in \"10.0.0.0/8\"", ERN_ABSENT));
        return;
    }
    networks = memory_take(&m->memory, texts->n, sizeof *networks);
    if (!networks)
        return;
    for (size_t i = 0; i < texts->n; i++) {
        if (network_parse(texts->text[i], &networks[n]))
            n++;
        else
            conf_wrong(m->errors, texts->at[i],
                       CONF_SAY("\"%1\" is neither an IP address nor a network",
                                "write one as in \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\", "
                                "with zeros in all bits past those that count",
                                texts->text[i]));
    }
    *ret = (struct networks){networks, n};
}

static void
make_listen(struct maker *m, const struct text_node *node, struct conf_listen *listen)
{
    struct ern_slice text = make_title(m, node), address;
    char name[64];
    struct out o = out_init(name, sizeof name);

    listen->place.at = node->value_at;
    listen->portal = slice_eq(node->key, ERN_SLICE("portal"));
    listen->forward = slice_eq(node->key, ERN_SLICE("forward"));
    make_standard(m, WHERE_listen, listen);
    make_standard(m, WHERE_portal, listen);
    make_standard(m, WHERE_forward, listen);
    make_items(m, WHERE_listen, node->items, listen);
    make_networks(m, &listen->networks, &listen->reachable);
    if (!slice_is_there(text))
        return;
    if (!value_address(text, &address, &listen->port)) {
        conf_wrong(m->errors, node->value_at,
                   CONF_SAY("\"%1\" is not an address to listen on",
                            "write one as in \"127.0.0.1:8080\", \"[::1]:8080\" or \":8080\"",
                            text));
        return;
    }
    listen->address = memory_copy(&m->memory, address);
    if (slice_find(address, ':') < address.len) {
        out_char(&o, '[');
        out_slice(&o, address);
        out_char(&o, ']');
    } else {
        out_slice(&o, address);
    }
    out_char(&o, ':');
    out_u64(&o, listen->port);
    listen->name = memory_copy(&m->memory, out_done(&o));
}

static void
make_listens(struct maker *m, const struct text_node *items)
{
    static const struct ern_slice keys[] = {{"listen", 6}, {"portal", 6}, {"forward", 7}};
    struct text_node standard = {.key = keys[0], .title = standard_address, .is_section = true};
    size_t n = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        n += make_count(items, keys[i]);

    m->conf->listens = memory_take(&m->memory, n ? n : 1, sizeof *m->conf->listens);
    if (!m->conf->listens)
        return;
    if (n == 0)
        make_listen(m, &standard, &m->conf->listens[m->conf->listens_n++]);
    for (; items; items = items->next)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (make_is_section(items, keys[i]))
                make_listen(m, items, &m->conf->listens[m->conf->listens_n++]);
}

static void
make_users(struct maker *m, const struct text_node *items)
{
    struct ern_slice key = ERN_SLICE("user");
    size_t n = make_count(items, key);

    m->conf->accounts = n ? memory_take(&m->memory, n, sizeof *m->conf->accounts) : NULL;
    for (; m->conf->accounts && items; items = items->next) {
        struct conf_user *user = &m->conf->accounts[m->conf->accounts_n];

        if (!make_is_section(items, key))
            continue;
        m->conf->accounts_n++;
        user->place.at = items->value_at;
        user->name = make_title(m, items);
        make_items(m, WHERE_user, items->items, user);
    }
}

static void
make_issuers(struct maker *m, const struct text_node *items)
{
    struct ern_slice key = ERN_SLICE("issuer");
    size_t n = make_count(items, key);

    m->conf->issuers = n ? memory_take(&m->memory, n, sizeof *m->conf->issuers) : NULL;
    for (; m->conf->issuers && items; items = items->next) {
        struct conf_issuer *issuer = &m->conf->issuers[m->conf->issuers_n];

        if (!make_is_section(items, key))
            continue;
        m->conf->issuers_n++;
        issuer->place.at = items->value_at;
        issuer->name = make_title(m, items);
        make_items(m, WHERE_issuer, items->items, issuer);
    }
}

/* The first option that makes the route a kind, or CONF_OPTIONS. */
static enum conf_option
first_kind(const struct conf_route *route)
{
    static const enum conf_option kinds[] = {
        CONF_route_files,   CONF_route_redirect, CONF_route_use_proxy, CONF_route_gone,
        CONF_route_peer,    CONF_route_pot,      CONF_route_intake,    CONF_route_proxy,
        CONF_route_fastcgi, CONF_route_cgi};
    enum conf_option first = CONF_OPTIONS;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct conf_position at = route->place.given[kinds[i]].key, best;

        if (at.line == 0)
            continue;
        best = first < CONF_OPTIONS ? route->place.given[first].key : at;
        if (first == CONF_OPTIONS || at.line < best.line ||
            (at.line == best.line && at.column < best.column))
            first = kinds[i];
    }
    return first;
}

/* The limit among items, if there is one. */
static void
make_limit(struct maker *m, const struct text_node *items, struct conf_limit *limit)
{
    while (items && !make_is_section(items, ERN_SLICE("limit")))
        items = items->next;
    if (!items)
        return;
    limit->place.at = items->key_at;
    make_standard(m, WHERE_limit, limit);
    make_items(m, WHERE_limit, items->items, limit);
}

static void
make_rights(struct maker *m, const struct text_node *items, struct conf_route *route)
{
    struct ern_slice key = ERN_SLICE("right");
    size_t n = make_count(items, key);

    route->rights = n ? memory_take(&m->memory, n, sizeof *route->rights) : NULL;
    for (; route->rights && items; items = items->next) {
        struct conf_right *right = &route->rights[route->rights_n];

        if (!make_is_section(items, key))
            continue;
        route->rights_n++;
        right->place.at = items->value_at;
        right->path = make_title(m, items);
        make_standard(m, WHERE_right, right);
        make_items(m, WHERE_right, items->items, right);
        make_networks(m, &right->allow, &right->allowed);
    }
}

static void
make_route(struct maker *m, const struct text_node *node, struct conf_route *route)
{
    enum conf_option kind;

    route->place.at = node->value_at;
    route->path = make_title(m, node);
    make_standard(m, WHERE_route, route);
    make_standard(m, WHERE_files, route);
    make_standard(m, WHERE_redirect, route);
    make_standard(m, WHERE_pot, route);
    make_standard(m, WHERE_intake, route);
    make_standard(m, WHERE_proxy, route);
    make_standard(m, WHERE_fastcgi, route);
    make_standard(m, WHERE_cgi, route);
    make_items(m, WHERE_route, node->items, route);
    make_networks(m, &route->allow, &route->allowed);
    make_rights(m, node->items, route);
    make_limit(m, node->items, &route->limit);
    kind = first_kind(route);
    if (kind < CONF_OPTIONS)
        route->kind = (enum conf_kind)kind;
    else if (!m->broken)
        conf_wrong(
            m->errors, route->place.at,
            CONF_SAY(
                "the route \"%1\" has no kind",
                "write one of files, redirect, use_proxy, proxy, fastcgi, cgi, gone, peer, pot and "
                "intake in it",
                node->title));
}

static void
make_routes(struct maker *m, const struct text_node *items, struct conf_site *site)
{
    struct ern_slice key = ERN_SLICE("route");
    size_t n = make_count(items, key);

    if (n == 0)
        return;
    site->routes = memory_take(&m->memory, n, sizeof *site->routes);
    if (!site->routes)
        return;
    for (; items; items = items->next)
        if (make_is_section(items, key))
            make_route(m, items, &site->routes[site->routes_n++]);
}

static void
make_site(struct maker *m, const struct text_node *node, struct conf_site *site)
{
    site->place.at = node->value_at;
    site->name = make_title(m, node);
    make_standard(m, WHERE_site, site);
    make_items(m, WHERE_site, node->items, site);
    make_limit(m, node->items, &site->limit);
    make_routes(m, node->items, site);
    if (site->routes_n == 0 && !m->broken)
        conf_wrong(m->errors, site->place.at,
                   CONF_SAY("the site \"%1\" has no route",
                            "write route \"/\" { files = \"...\" } in it", node->title));
}

/* Makes the sites; routes that stand in none make one that answers to any name. */
static void
make_sites(struct maker *m, const struct text_node *items)
{
    struct ern_slice key = ERN_SLICE("site");
    size_t named = make_count(items, key), routes = make_count(items, ERN_SLICE("route"));
    struct conf *conf = m->conf;

    if (named + routes == 0)
        return;
    conf->sites = memory_take(&m->memory, named ? named : 1, sizeof *conf->sites);
    if (!conf->sites)
        return;
    for (const struct text_node *node = items; node; node = node->next) {
        if (make_is_section(node, key))
            make_site(m, node, &conf->sites[conf->sites_n++]);
        else if (named && make_is_section(node, ERN_SLICE("route")))
            conf_wrong(m->errors, node->key_at,
                       CONF_SAY("the route \"%1\" stands beside the sites",
                                "write it in a site, or leave the sites out", node->title));
    }
    if (named)
        return;
    conf->sites[0].place.at = (struct conf_position){1, 1};
    make_standard(m, WHERE_site, &conf->sites[0]);
    make_routes(m, items, &conf->sites[0]);
    conf->sites_n = 1;
}

static bool
has_proxy(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listens_n; i++)
        if (conf->listens[i].forward)
            return true;
    return false;
}

void
make_conf(struct maker *m, const struct text_node *root)
{
    struct conf *conf = m->conf;

    conf->place.at = (struct conf_position){1, 1};
    conf->limits = limits_standard();
    make_standard(m, WHERE_top, conf);
    make_standard(m, WHERE_log, &conf->log);
    make_items(m, WHERE_top, root->items, conf);
    for (const struct text_node *node = root->items; node; node = node->next) {
        if (make_is_section(node, ERN_SLICE("log"))) {
            conf->log.place.at = node->key_at;
            make_items(m, WHERE_log, node->items, &conf->log);
        } else if (make_is_section(node, ERN_SLICE("limits"))) {
            struct conf_place unused = {{0, 0}, {{{0, 0}, {0, 0}}}};

            make_items(m, WHERE_limits, node->items, &unused);
        }
    }
    make_networks(m, &conf->trusted, &conf->gateways);
    make_networks(m, &conf->live_allow, &conf->live_networks);
    make_networks(m, &conf->pause_allow, &conf->pause_allowed);
    make_limit(m, root->items, &conf->limit);
    make_users(m, root->items);
    make_issuers(m, root->items);
    make_listens(m, root->items);
    make_sites(m, root->items);
    if (conf->sites_n == 0 && !has_proxy(conf) && !m->broken)
        conf_wrong(m->errors, conf->place.at,
                   CONF_SAY("there is nothing to serve", "write route \"/\" { files = \"...\" }",
                            ERN_ABSENT));
}

void
make_begin(struct maker *m, size_t memory_max, struct conf_errors *errors)
{
    *m = (struct maker){
        .memory = memory_init(memory_max), .scratch = memory_init(memory_max), .errors = errors};
    m->conf = memory_take(&m->memory, 1, sizeof *m->conf);
    if (m->conf)
        m->conf->file = memory_copy(&m->memory, slice_text(errors->file)).ptr;
}

int
make_end(struct maker *m, struct conf **ret_conf)
{
    bool full = m->memory.full || m->scratch.full;

    *ret_conf = NULL;
    memory_free(&m->scratch);
    if (full) { /* the other errors may only be about what did not fit */
        conf_errors_init(m->errors, m->errors->file);
        conf_wrong(m->errors, (struct conf_position){0, 0},
                   CONF_SAY("there is not enough memory for this configuration",
                            "free some memory, or leave out what is not needed", ERN_ABSENT));
    }
    conf_errors_sort(m->errors);
    if (m->errors->wrong_n > 0) {
        memory_free(&m->memory);
        return -1;
    }
    assert(m->conf);
    m->conf->memory = m->memory;
    *ret_conf = m->conf;
    return 0;
}
