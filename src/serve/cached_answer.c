/* SPDX-License-Identifier: Apache-2.0 */
/* cached_answer.c - answers of the servers behind us, on their way to the shelf and back. */
#include "base/num.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "msg/etag.h"
#include "msg/hop.h"
#include "msg/reference.h"
#include "msg/target.h"
#include "serve/cached.h"
#include "serve/conn.h"
#include "serve/filling.h"
#include "serve/relay.h"

/* ---- what an answer is known by ----------------------------------------------------------------
 */

static struct ern_slice
scheme_of(const struct exchange *x)
{
    return x->conn->tls ? ERN_SLICE("https") : ERN_SLICE("http");
}

/* What trusted gateways say goes on, so it is a part of the URL. */
static void
write_forwarded(const struct exchange *x, struct out *o)
{
    static const enum ern_field_id ids[] = {ERN_FIELD_x_forwarded_host,
                                            ERN_FIELD_x_forwarded_proto};
    struct ip peer = address_ip(&x->conn->peer);
    struct ern_slice line;

    if (x->worker->forwarded != FORWARDED_BY_X_FIELDS || !networks_have(x->worker->gateways, &peer))
        return;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        out_char(o, '\n');
        for (uint16_t at = 0; ern_request_next(&x->request, ids[i], &at, &line);) {
            out_slice(o, line);
            out_char(o, ',');
        }
    }
}

void
cached_write_key(const struct exchange *x, struct ern_slice path, struct ern_slice decoded,
                 struct ern_slice query, struct out *o)
{
    const struct ern_slice authority = x->request.authority;

    out_slice(o, scheme_of(x));
    out_literal(o, "://");
    for (size_t i = 0; i < authority.len; i++)
        out_char(o, lower(authority.ptr[i]));
    if (path.len == 0)
        out_char(o, '/');
    else if (path_is_plain(path))
        out_slice(o, path);
    else
        path_write(o, decoded);
    if (slice_is_there(query)) {
        out_char(o, '?');
        out_slice(o, query);
    }
    write_forwarded(x, o);
}

/* What is stored of another URL of the same origin, that an answer names, is not used any more (RFC
 * 9111 4.4). */
static void
drop_named(struct exchange *x, struct ern_slice name)
{
    const struct reference_base base = {scheme_of(x), x->request.authority, x->request.path};
    struct out o = arena_out(&x->arena), decoded, key;
    struct ern_slice reference = ERN_ABSENT;
    struct reference_target target;
    struct path path;
    uint16_t at = 0;
    size_t bad;

    if (!ern_request_named(&x->relay->answer.message, name, &at, &reference) ||
        !reference_resolve(reference, &base, &o, &target))
        return;
    decoded = out_init(o.ptr + o.len, o.cap - o.len);
    if (path_read(target.path, &decoded, &path, &bad) != FINDING_none || decoded.full)
        return;
    key = out_init(decoded.ptr + decoded.len, decoded.cap - decoded.len);
    cached_write_key(x, target.path, path.text, target.query, &key);
    if (!key.full)
        shelf_drop(x->worker->shelf, out_done(&key), shelf_hash(x->worker->shelf, out_done(&key)));
}

/* A change has succeeded: what is stored of its target, and of what its answer names, is old. */
static void
invalidate(struct exchange *x)
{
    const struct visit *v = x->visit;
    unsigned class = x->relay->answer.status / 100;

    if (ern_method_is_safe(x->request.method) || (class != 2 && class != 3))
        return;
    shelf_drop(x->worker->shelf, v->key, v->hash);
    drop_named(x, ERN_SLICE("Location"));
    drop_named(x, ERN_SLICE("Content-Location"));
}

/* ---- freshening --------------------------------------------------------------------------------
 */

static struct freshness
judge(const struct exchange *x, const struct ern_request *message, uint16_t status)
{
    const struct visit *v = x->visit;

    return freshness_read(message, status,
                          &(struct freshness_times){
                              .asked_s = v->asked_s,
                              .received_s = x->worker->now.unix_s,
                              .heuristic_s_max = x->worker->limits->stored_heuristic_s_max,
                          });
}

/* Is it one that an answer of others does not replace (RFC 9111 3.2)? */
static bool
stays(const struct ern_request *newer, const struct ern_field *f)
{
    return hop_ends(newer, f) || f->id == ERN_FIELD_content_encoding ||
           f->id == ERN_FIELD_content_range;
}

/* Is there a field in the newer message that takes the place of this one? */
static bool
is_replaced(const struct ern_request *newer, const struct ern_field *old)
{
    for (unsigned i = 0; i < newer->fields_n; i++)
        if (slice_eq_nocase(newer->fields[i].name, old->name) && !stays(newer, &newer->fields[i]))
            return true;
    return old->id == ERN_FIELD_date;
}

/* The stored message with the fields of a newer one in the place of its own. */
static bool
merge(struct exchange *x, const struct ern_request *newer, struct ern_request *ret_merged)
{
    const struct limits *limits = upstreams_limits(x->worker->upstreams);
    uint16_t cap = (uint16_t)(limits->fields_max + 1); /* and a Date of ours */
    struct ern_field *old_fields = arena_take(&x->arena, cap * sizeof *old_fields);
    struct ern_field *fields = arena_take(&x->arena, cap * sizeof *fields);
    struct ern_request old;
    bool fits;

    if (!old_fields || !fields || !shelved_message(x->visit->found, old_fields, cap, &old))
        return false;
    ern_request_init(ret_merged, fields, cap);
    fits = true;
    for (unsigned i = 0; i < old.fields_n && fits; i++)
        if (!is_replaced(newer, &old.fields[i]))
            fits = ern_request_add(ret_merged, old.fields[i].name, old.fields[i].value);
    for (unsigned i = 0; i < newer->fields_n && fits; i++)
        if (!stays(newer, &newer->fields[i]))
            fits = ern_request_add(ret_merged, newer->fields[i].name, newer->fields[i].value);
    return fits;
}

/* What was found takes over what a newer answer says of it (RFC 9111 4.3.4, 4.3.5). Returns false,
 * with nothing stored any more, if that can not be. */
static bool
freshen(struct exchange *x, const struct ern_request *newer)
{
    struct visit *v = x->visit;
    struct ern_request merged;
    struct shelved *answer = NULL;
    struct freshness f;

    if (merge(x, newer, &merged)) {
        f = judge(x, &merged, v->found->freshness.status);
        answer = shelved_new(&(struct shelved_source){.key = v->key,
                                                      .hash = v->hash,
                                                      .request = &x->request,
                                                      .message = &merged,
                                                      .freshness = &f});
    }
    if (!answer) {
        shelf_remove(x->worker->shelf, v->found);
        return false;
    }
    shelved_share_content(answer, v->found);
    if (freshness_storable(&x->request, &v->wants, &merged, &f) == STORABLE)
        shelf_put(x->worker->shelf, answer, v->mark, x->worker->now.run_ms);
    else
        shelf_remove(x->worker->shelf, v->found);
    shelved_leave(v->found);
    v->found = answer;
    return true;
}

/* Does this answer speak of what was found: do its validators, if it has any, say the same? */
static bool
is_about(const struct visit *v, const struct ern_request *m)
{
    struct ern_slice etag = ERN_ABSENT;
    uint16_t at = 0;

    return !ern_request_named(m, ERN_SLICE("ETag"), &at, &etag) ||
           !slice_is_there(v->found->etag) || etag_same_weak(etag, v->found->etag);
}

/* RFC 9111 4.3.5: an answer to HEAD tells whether what is stored is still right. */
static void
compare_with_head(struct exchange *x)
{
    struct visit *v = x->visit;
    const struct ern_request *m = &x->relay->answer.message;
    bool same_length =
        m->content_length < 0 || (uint64_t)m->content_length == v->found->content->length;

    if (x->relay->answer.status != v->found->freshness.status)
        return;
    if (!is_about(v, m) || !same_length)
        shelf_remove(x->worker->shelf, v->found);
    else
        (void)freshen(x, m);
}

/* ---- instead of an answer ----------------------------------------------------------------------
 */

/* Faults by which a server is cut off from us (RFC 9111 4.2.4). */
static bool
is_cut_off(const struct relay *r)
{
    return r->stage == RELAY_FAILED && r->fault >= RELAY_SHUT && r->fault <= RELAY_CUT;
}

static bool
outlives(const struct exchange *x, bool is_cut)
{
    const struct visit *v = x->visit;

    return freshness_outlives(&v->wants, &v->found->freshness, x->worker->now.unix_s, is_cut,
                              x->worker->limits->stored_stale_s_max);
}

/* Nobody waits for an answer of this one, which is not stored. */
static void
land(struct exchange *x)
{
    shelf_land(x->worker->shelf, x->visit->flight);
    x->visit->flight = NULL;
}

bool
cached_falls_back(struct exchange *x)
{
    struct visit *v = x->visit;
    struct relay *r = x->relay;
    uint16_t status = r->stage == RELAY_FAILED ? 0 : r->answer.status;
    bool falls = false;

    if (!v->found)
        return false;
    if (v->validates && status == ERN_304_NOT_MODIFIED && is_about(v, &r->answer.message))
        falls = freshen(x, &r->answer.message);
    else if (is_cut_off(r) || status / 100 == 5)
        falls = outlives(x, status == 0);
    if (!falls)
        return false;
    v->forward_status = status;
    land(x);
    relay_drop(r);
    return true;
}

/* ---- what the cache says of itself (RFC 9211) --------------------------------------------------
 */

static void
write_status(const struct exchange *x, const struct freshness *f, bool is_stored, struct out *o)
{
    static const char *const whys[] = {
        [FORWARD_METHOD] = "method",     [FORWARD_BYPASS] = "bypass",
        [FORWARD_URI_MISS] = "uri-miss", [FORWARD_VARY_MISS] = "vary-miss",
        [FORWARD_REQUEST] = "request",   [FORWARD_STALE] = "stale",
    };
    const struct visit *v = x->visit;

    out_literal(o, "Cache-Status: ");
    out_slice(o, x->worker->pseudonym);
    out_text(o, v->why == FORWARD_NOT ? "; hit" : "; fwd=");
    if (v->why != FORWARD_NOT)
        out_text(o, whys[v->why]);
    if (v->forward_status) {
        out_literal(o, "; fwd-status=");
        out_u64(o, v->forward_status);
    }
    if (f) {
        int64_t left_s = freshness_left_s(f, x->worker->now.unix_s);

        out_text(o, left_s < 0 ? "; ttl=-" : "; ttl=");
        out_u64(o, (uint64_t)(left_s < 0 ? -left_s : left_s));
    }
    if (is_stored)
        out_literal(o, "; stored");
    if (v->collapsed)
        out_text(o, v->uses ? "; collapsed" : "; collapsed=?0");
    out_literal(o, "\r\n");
}

/* ---- what goes by ------------------------------------------------------------------------------
 */

/* It is to be stored, and its content gathered. Returns false if it is not, after all. */
static bool
store(struct exchange *x, const struct freshness *f)
{
    struct visit *v = x->visit;
    const struct h1_answer *a = &x->relay->answer;
    struct shelved *answer = shelved_new(&(struct shelved_source){.key = v->key,
                                                                  .hash = v->hash,
                                                                  .request = &x->request,
                                                                  .message = &a->message,
                                                                  .freshness = f});

    if (!answer)
        return false;
    v->filling = filling_begin(&(struct filling_start){
        .worker = x->worker,
        .answer = answer,
        .flight = v->flight,
        .mark = v->mark,
        .length = a->end == H1_END_NONE ? 0 : a->message.content_length,
    });
    v->flight = NULL;
    if (!v->filling)
        return false;
    if (a->end == H1_END_NONE)
        cached_piece(v, ERN_SLICE(""), true);
    return true;
}

void
cached_passes(struct exchange *x, struct out *o)
{
    struct visit *v = x->visit;
    const struct h1_answer *a = &x->relay->answer;
    struct freshness f;
    enum storable storable;
    bool is_stored = false;

    if (!v || a->end == H1_END_TUNNEL)
        return;
    invalidate(x);
    v->forward_status = v->validates ? a->status : 0;
    if (!v->is_for_cache) {
        write_status(x, NULL, false, o);
        return;
    }
    f = judge(x, &a->message, a->status);
    storable = freshness_storable(&x->request, &v->wants, &a->message, &f);
    if (x->request.method == ERN_GET && storable == STORABLE)
        is_stored = store(x, &f);
    else if (x->request.method == ERN_GET && storable == STORABLE_NOT)
        shelf_barren(x->worker->shelf, v->hash, x->worker->now.run_ms);
    land(x);
    write_status(x, is_stored ? &f : NULL, is_stored, o);
    if (x->request.method == ERN_HEAD && v->found)
        compare_with_head(x);
}

void
cached_piece(struct visit *v, struct ern_slice piece, bool is_over)
{
    if (!v || !v->filling)
        return;
    filling_add(v->filling, piece);
    if (!is_over)
        return;
    filling_end(v->filling);
    v->filling = NULL;
}

/* ---- what is stored ----------------------------------------------------------------------------
 */

void
cached_represent(struct exchange *x)
{
    const struct shelved *a = x->visit->found;
    const struct shelved_content *c = a->content;
    struct ern_evidence *e = &x->decision.evidence;
    struct out o = arena_out(&x->arena);

    out_literal(&o, "Age: ");
    out_u64(&o, (uint64_t)freshness_age_s(&a->freshness, x->worker->now.unix_s));
    out_literal(&o, "\r\nVia: 1.1 ");
    out_slice(&o, x->worker->pseudonym);
    out_literal(&o, "\r\n");
    write_status(x, &a->freshness, false, &o);
    x->res.fields = arena_keep(&x->arena, &o);
    x->res.has_representation = true;
    x->res.representation = (struct res_representation){.validators = a->validators,
                                                        .description = a->description,
                                                        .type = a->type,
                                                        .length = c->length,
                                                        .bytes = c->length ? c->bytes : "",
                                                        .fd = c->fd};
    e->etag = a->etag;
    e->content_bytes = (int64_t)c->length;
    /* rfc9111#4.3.2 "a cache SHOULD use the stored response's Date field value" */
    e->last_modified_s =
        a->freshness.modified_s >= 0 ? a->freshness.modified_s : a->freshness.date_s;
}
