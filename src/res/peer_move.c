/* SPDX-License-Identifier: Apache-2.0 */
/* peer_move.c - redirects, and what they lead to. */
#include "base/num.h"
#include "earnest/status.h"
#include "msg/form.h"
#include "msg/target.h"
#include "res/peer_parts.h"

void
peer_write_origin(const struct ern_decision *d, struct out *o)
{
    const struct res_request *request = d->self;

    out_text(o, request->is_secure ? "https://" : "http://");
    out_slice(o, d->request->authority);
}

/* The path of the route, without the slash at its end. */
static struct ern_slice
above(const struct res_request *request)
{
    return slice_first(request->path, request->path.len - request->below.len);
}

struct ern_slice
peer_locate(const struct ern_decision *d, struct ern_slice below)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    path_write(&o, above(request));
    path_write(&o, below);
    return arena_keep(request->arena, &o);
}

/* One redirect less, until it is /get. */
static struct ern_slice
next_redirect(const struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    uint64_t n = call->number[0], most = (uint64_t)request->limits->peer_redirects_max;
    struct ern_slice form = call->row->path;
    struct out o = arena_out(request->arena);

    if (slice_starts(form, ERN_SLICE("/absolute")))
        peer_write_origin(d, &o);
    path_write(&o, above(request));
    if (n == 1) {
        out_literal(&o, "/get");
    } else {
        out_slice(&o, slice_first(form, slice_find(form, '{')));
        out_u64(&o, (n < most ? n : most) - 1);
    }
    return arena_keep(request->arena, &o);
}

/* Where ?url= says; absent if it is no reference that a field can have. */
static struct ern_slice
named(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    urlencoded_write(&o, peer_argument(request->query, ERN_SLICE("url")));
    for (size_t i = 0; i < o.len; i++)
        if (o.ptr[i] <= ' ' || o.ptr[i] == 0x7f)
            return ERN_ABSENT; /* and what is not ASCII */
    return o.len ? arena_keep(request->arena, &o) : ERN_ABSENT;
}

/* The kind of redirect that ?status_code= names. Returns false if there is none. */
static bool
kind_of(const struct res_request *request, uint64_t *ret)
{
    *ret = ERN_302_FOUND;
    return peer_number(request->query, ERN_SLICE("status_code"), UINT16_MAX, ret) &&
           (*ret == ERN_301_MOVED_PERMANENTLY || *ret == ERN_302_FOUND ||
            *ret == ERN_303_SEE_OTHER || *ret == ERN_307_TEMPORARY_REDIRECT ||
            *ret == ERN_308_PERMANENT_REDIRECT);
}

/* The first of its pages. */
static struct ern_slice
first_page(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    path_write(&o, request->path);
    out_literal(&o, "/0");
    return arena_keep(request->arena, &o);
}

static struct ern_slice
location_of(const struct ern_decision *d, const struct peer_call *call)
{
    uint64_t kind;

    if (call->row->act == PEER_redirect)
        return call->number[0] ? next_redirect(d, call) : ERN_ABSENT;
    if (call->row->act == PEER_links)
        return first_page(d);
    if (call->row->act == PEER_sends)
        return kind_of(d->self, &kind) ? named(d) : ERN_ABSENT;
    return peer_locate(d, ERN_SLICE("/cookies"));
}

/* ---- cookies ----------------------------------------------------------------------------------*/

/* Set-Cookie of each that the query, or the path, names. */
static bool
write_cookies(struct res_request *request, const struct peer_call *call)
{
    bool lasts = call->row->act == PEER_cookie;
    struct ern_slice path = above(request), query = request->query, name, value;
    struct out o = arena_out(request->arena);
    char memory[2][512];

    path = path.len ? path : ERN_SLICE("/");
    out_slice(&o, request->fields);
    if (slice_is_there(call->text[1]))
        peer_write_cookie(&o, call->text[0], call->text[1], path, true);
    while (!slice_is_there(call->text[1]) && urlencoded_next(&query, &name, &value)) {
        struct out n = out_init(memory[0], sizeof memory[0]);
        struct out v = out_init(memory[1], sizeof memory[1]);

        urlencoded_write(&n, name);
        urlencoded_write(&v, value);
        if (n.full || v.full || n.len == 0)
            return false;
        peer_write_cookie(&o, out_done(&n), out_done(&v), path, lasts);
    }
    if (o.len > (size_t)request->limits->peer_content_max)
        return false;
    request->fields = arena_keep(request->arena, &o);
    return slice_is_there(request->fields);
}

/* ---- facts ------------------------------------------------------------------------------------*/

/* Where it is now; NO: nowhere, for it is here, or what the query says can not be. */
static enum ern_answer
ask_moved(struct ern_decision *d, const struct peer_call *call)
{
    bool sets = call->row->act == PEER_cookie || call->row->act == PEER_uncookie;
    struct ern_slice location = location_of(d, call);

    if (!slice_is_there(location) || (sets && !write_cookies(d->self, call)))
        return ERN_NO;
    d->evidence.location = location;
    return ERN_YES;
}

enum ern_answer
peer_move_ask(struct ern_decision *d, const struct peer_call *call, enum ern_fact fact)
{
    uint64_t kind = ERN_302_FOUND;

    if (call->row->act == PEER_sends && !kind_of(d->self, &kind))
        return fact == ERN_FACT_exists ? ERN_NO : peer_fallback(fact);
    if (fact == (kind == ERN_303_SEE_OTHER ? ERN_FACT_elsewhere : ERN_FACT_moved))
        return ask_moved(d, call);
    if (fact == ERN_FACT_for_good)
        return peer_answer(kind == ERN_301_MOVED_PERMANENTLY || kind == ERN_308_PERMANENT_REDIRECT);
    if (fact == ERN_FACT_keeps_method)
        return peer_answer(kind == ERN_307_TEMPORARY_REDIRECT ||
                           kind == ERN_308_PERMANENT_REDIRECT);
    if (fact == ERN_FACT_exists) /* else it would have moved */
        return peer_answer(call->row->act == PEER_redirect);
    return peer_fallback(fact);
}
