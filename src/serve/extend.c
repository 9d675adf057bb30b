/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/extend.h"

#include "base/num.h"
#include "earnest/status.h"
#include "msg/date.h"
#include "msg/extension.h"
#include "msg/list.h"
#include "serve/conn.h"
#include "serve/exchange.h"

#define PRICE_MAX INT64_C(1000000000000000)
#define FIELD ERN_SLICE("Price-Max")

/* Is the field PREFIX-Price-Max kept to this connection, as its declaration is? */
static bool
is_protected(const struct ern_request *r, const struct extension *e)
{
    char text[64];
    struct out o = out_init(text, sizeof text);

    out_slice(&o, e->prefix);
    out_char(&o, '-');
    out_slice(&o, FIELD);
    return !o.full && list_has(r, ERN_FIELD_connection, out_done(&o));
}

/* Is it the extension that we know, and can we keep to it? */
static bool
is_kept(const struct exchange *x, const struct extension *e, enum ern_field_id where)
{
    struct ern_slice value;
    uint64_t max;

    return slice_eq(e->id, ERN_SLICE(EXTEND_PRICE)) &&
           extension_field(&x->request, e, FIELD, &value) && u64_parse(value, PRICE_MAX, &max) &&
           x->route->policy.price <= max &&
           (where != ERN_FIELD_c_man || is_protected(&x->request, e));
}

/*
 * Are all extensions that the field declares kept?
 *   ret_n  counts them, over all fields
 */
static bool
all_kept(const struct exchange *x, enum ern_field_id where, unsigned *ret_n)
{
    struct ern_slice line, member;
    struct extension e;
    uint16_t at = 0;

    while (ern_request_next(&x->request, where, &at, &line))
        for (; list_next(&line, &member); ++*ret_n)
            if (!extension_read(member, &e) || !is_kept(x, &e, where))
                return false;
    return true;
}

/*
 * rfc2774#4.2 "C-Man, C-Opt, and all header fields with matching header-prefix values defined by
 * C-Man and C-Opt MUST be protected by a Connection header field": one that is not has come
 * further than it was meant to. What an HTTP/1.0 message protects was meant for another (5).
 */
static bool
is_for_us(const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    return r->version_major == 1 && r->version_minor >= 1 &&
           list_has(r, ERN_FIELD_connection, ERN_SLICE("C-Man"));
}

static bool
is_to_be_ignored(const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    return r->version_major == 1 && r->version_minor == 0 &&
           list_has(r, ERN_FIELD_connection, ERN_SLICE("C-Man"));
}

void
extend_admit(struct exchange *x)
{
    const struct ern_request *r = &x->request;
    bool has_man = ern_request_has(r, ERN_FIELD_man);
    bool has_c_man = ern_request_has(r, ERN_FIELD_c_man) && !is_to_be_ignored(x);
    bool is_extended = true;
    unsigned n = 0;

    if (has_man)
        is_extended = all_kept(x, ERN_FIELD_man, &n);
    if (has_c_man)
        is_extended = is_extended && is_for_us(x) && all_kept(x, ERN_FIELD_c_man, &n);
    /* One declaration of it is enough, and two could say different things. */
    if (n > 1 || (n == 0 && (r->is_mandatory || x->route->policy.agree)))
        is_extended = false;
    if (is_extended)
        x->extend = (struct extend){has_man, has_c_man};
    ern_state(&x->given, ERN_FACT_extended, is_extended);
}

void
extend_tell(const struct exchange *x, struct out *o)
{
    out_literal(o, " [Man: \"" EXTEND_PRICE "\"; ns=16; 16-Price-Max: ");
    out_u64(o, x->route->policy.price);
    out_char(o, ']');
}

/* Did the request come through an HTTP/1.0 proxy? It does not know Cache-Control. */
static bool
came_by_old_proxy(const struct ern_request *r)
{
    struct ern_slice line, member;
    uint16_t at = 0;

    while (ern_request_next(r, ERN_FIELD_via, &at, &line))
        while (list_next(&line, &member))
            if (slice_starts(member, ERN_SLICE("1.0 ")) ||
                slice_starts(member, ERN_SLICE("HTTP/1.0 ")))
                return true;
    return r->version_major == 1 && r->version_minor == 0;
}

void
extend_write(const struct exchange *x, struct out *o)
{
    if (x->status / 100 != 2 && x->status != ERN_304_NOT_MODIFIED)
        return;
    if (x->extend.end_to_end)
        out_literal(o, "Ext: \r\nCache-Control: no-cache=\"Ext\"\r\n");
    if (x->extend.end_to_end && came_by_old_proxy(&x->request)) {
        out_literal(o, "Expires: ");
        date_write(o, x->worker->now.unix_s);
        out_literal(o, "\r\n");
    }
    if (x->extend.hop_by_hop)
        out_literal(o, "C-Ext: \r\nConnection: C-Ext\r\n");
}
