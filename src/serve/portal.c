/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal.c - the login page sends a client that has signed in to the API, with
 *
 *   ?issued=SECONDS&seal=HEX     SECONDS since 1970; HEX is the seal of "ADDRESS SECONDS"
 *
 * The seal is good for that address alone, and gives a time that is counted from when it was made:
 * who uses it twice gains nothing.
 */
#include "serve/portal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "conf/conf.h"
#include "msg/target.h"
#include "serve/conn.h"
#include "serve/passes.h"

enum {
    SEAL_VALID_S = 5 * 60, /* from the login page to here */
    SEAL_AHEAD_S = 60,     /* its clock may be ahead of ours */
    SEALED_BYTES = 80,     /* an address and a time */
    NUMBER_DIGITS = 18,
};

int
portal_open(const struct conf_listen *listen, struct passes *passes, struct portal **ret_portal)
{
    struct portal *p = calloc(1, sizeof *p);
    int error = 0;

    if (!p)
        return -ENOMEM;
    p->name = listen->name;
    p->login = listen->login;
    p->lifetime_s = listen->lifetime / 1000;
    p->passes = passes;
    p->api_host = p->api_path = ERN_ABSENT;
    if (slice_is_there(listen->api)) { /* https://HOST/PATH: check.c looked */
        struct ern_slice rest = slice_skip(listen->api, sizeof "https://" - 1);

        p->api_host = authority_host(slice_first(rest, slice_find(rest, '/')));
        p->api_path = slice_skip(rest, slice_find(rest, '/'));
    }
    if (slice_is_there(listen->secret))
        error = seal_read(listen->secret.ptr, &p->secret);
    if (error)
        free(p);
    else
        *ret_portal = p;
    return error;
}

static const struct portal *
portal_of(const struct exchange *x)
{
    return x->conn->listener->portal;
}

static int64_t
passes_client(const struct exchange *x)
{
    struct ip client = address_ip(&x->client);

    return passes_until(portal_of(x)->passes, portal_of(x)->name, &client, x->worker->now.unix_s);
}

/* The login page, which is told whom to sign the seal for. */
static struct ern_slice
login_link(struct exchange *x)
{
    const struct portal *p = portal_of(x);
    struct out o = arena_out(&x->arena);

    out_slice(&o, p->login);
    if (p->secret.n) {
        out_char(&o, slice_find(p->login, '?') < p->login.len ? '&' : '?');
        out_literal(&o, "address=");
        address_write_host(&o, &x->client);
    }
    return arena_keep(&x->arena, &o);
}

static bool
is_for_api(const struct exchange *x)
{
    const struct portal *p = portal_of(x);

    return slice_is_there(p->api_path) && slice_eq(x->request.path, p->api_path) &&
           slice_eq_nocase(authority_host(x->request.authority), p->api_host);
}

const struct site_route *
portal_route(struct exchange *x)
{
    if (is_for_api(x))
        return &x->worker->sites->portal;
    if (passes_client(x))
        return NULL;
    ern_state(&x->given, ERN_FACT_captive, true);
    x->res.link = login_link(x);
    return &x->worker->sites->none;
}

/* ---- the API -----------------------------------------------------------------------------------
 */

static bool
has_seal(const struct exchange *x)
{
    return slice_starts(x->request.query, ERN_SLICE("issued="));
}

/* Reads when the seal was made, and looks whether it holds for this client now. */
static bool
read_seal(const struct exchange *x, int64_t *ret_issued_s)
{
    struct ern_slice rest = slice_skip(x->request.query, sizeof "issued=" - 1);
    struct ern_slice number = slice_first(rest, slice_find(rest, '&'));
    int64_t now_s = x->worker->now.unix_s;
    char text[SEALED_BYTES];
    struct out o = out_init(text, sizeof text);
    uint64_t issued_s;

    rest = slice_skip(rest, number.len);
    if (number.len > NUMBER_DIGITS || !u64_parse(number, INT64_MAX, &issued_s) ||
        !slice_starts(rest, ERN_SLICE("&seal=")))
        return false;
    *ret_issued_s = (int64_t)issued_s;
    if (*ret_issued_s > now_s + SEAL_AHEAD_S || *ret_issued_s < now_s - SEAL_VALID_S)
        return false;
    address_write_host(&o, &x->client);
    out_char(&o, ' ');
    out_slice(&o, number);
    return !o.full &&
           seal_holds(&portal_of(x)->secret, out_done(&o), slice_skip(rest, sizeof "&seal=" - 1));
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
}

static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);
    int64_t issued_s;

    (void)fact;
    return !has_seal(x) || read_seal(x, &issued_s) ? ERN_YES : ERN_NO;
}

/* What RFC 8908 5 has clients told. */
static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    struct ern_slice login = login_link(x), text;
    int64_t until_s = passes_client(x);
    struct out o = arena_out(&x->arena);

    (void)fact;
    out_literal(&o, "{\"captive\":");
    out_slice(&o, until_s ? ERN_SLICE("false") : ERN_SLICE("true"));
    out_literal(&o, ",\"user-portal-url\":\"");
    out_json(&o, login);
    out_char(&o, '"');
    if (until_s) {
        out_literal(&o, ",\"seconds-remaining\":");
        out_u64(&o, (uint64_t)(until_s - x->worker->now.unix_s));
    }
    out_char(&o, '}');
    text = arena_keep(&x->arena, &o);
    if (!slice_is_there(text))
        return ERN_FAIL;
    x->res.has_representation = true;
    x->res.representation = (struct res_representation){
        .validators = ERN_SLICE("Cache-Control: no-store\r\n"),
        .description = ERN_SLICE("Content-Type: application/captive+json\r\n"),
        .type = ERN_SLICE("application/captive+json"),
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    return ERN_YES;
}

/* HEAD is answered as GET would be, and lets nobody pass. */
static enum ern_answer
ask_no_room(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);
    const struct portal *p = portal_of(x);
    struct ip client = address_ip(&x->client);
    int64_t issued_s;

    (void)fact;
    if (d->request->method != ERN_GET || !has_seal(x) || !read_seal(x, &issued_s))
        return ERN_NO;
    return passes_grant(p->passes, p->name, &client, x->worker->now.unix_s,
                        issued_s + p->lifetime_s)
               ? ERN_NO
               : ERN_YES;
}

/* Back to the login page, which says that all is well. */
static enum ern_answer
ask_redirects(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = exchange_of_decision(d);

    (void)fact;
    if (!has_seal(x))
        return ERN_NO;
    d->evidence.location = portal_of(x)->login;
    return ERN_YES;
}

struct ern_resource portal_resource = {
    .name = "portal",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_exists] = ask_exists,
            [ERN_FACT_no_room] = ask_no_room,
            [ERN_FACT_redirects] = ask_redirects,
        },
};
