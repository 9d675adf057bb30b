/* SPDX-License-Identifier: Apache-2.0 */
#include "res/dictionary.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/chars.h"
#include "msg/accept.h"
#include "msg/list.h"
#include "msg/sf.h"
#include "pack/dictionary.h"
#include "res/media.h"
#include "res/past.h"
#include "res/step.h"

struct dictionary_work { /* in the arena */
    const struct entry *entry;
    char digest[DIGEST_SHA256_BYTES];
    char *bytes; /* what was made; NULL: nothing that is of use */
    size_t n;
    int error;
};

/* ---- what is asked for ------------------------------------------------------------------------*/

/* The digest of the dictionary that the client has: one item of bytes (RFC 9842 2.2). */
static bool
read_digest(const struct ern_request *http, char digest[static DIGEST_SHA256_BYTES])
{
    struct ern_slice text = ern_request_field(http, ERN_FIELD_available_dictionary);
    struct out o = out_init(digest, DIGEST_SHA256_BYTES);
    struct sf_value value;

    return slice_is_there(text) && sf_is_item(text) && sf_item_next(&text, &value) &&
           value.type == SF_BYTES && base64_read(value.text, &o) && !o.full &&
           o.len == DIGEST_SHA256_BYTES;
}

static bool
is_wanted(const struct ern_decision *d, const struct entry *e)
{
    const struct files_route *route = e->route;
    const struct ern_bits *yes = &d->facts.yes;

    return route->past && route->compresses_by && !slice_is_there(e->variants[0].coding) &&
           e->variants[0].stamp.bytes <= (uint64_t)route->past->delta_max &&
           ern_request_has(d->request, ERN_FIELD_accept_encoding) &&
           accept_coding(d->request, ERN_SLICE("dcz")) > 0 && !ern_bits_has(yes, ERN_FACT_ranged) &&
           !ern_bits_has(yes, ERN_FACT_wants_delta) &&
           !list_has(d->request, ERN_FIELD_cache_control, ERN_SLICE("no-transform"));
}

/* ---- on the pool ------------------------------------------------------------------------------*/

/* The dictionary, if it was this file, or is one that the route names. */
static int
find(const struct dictionary_work *w, struct ern_slice *ret_dictionary, char **ret_bytes)
{
    const struct files_route *route = w->entry->route;
    struct ern_slice digest = slice_from(w->digest, sizeof w->digest);
    int error = -ENOENT;

    if (route->compresses_by & FILES_BY_PAST)
        error =
            past_find_content(route->past, w->entry->path, digest, ret_bytes, &ret_dictionary->len);
    for (size_t i = 0; error == -ENOENT && i < route->dictionaries_n; i++)
        error = past_find_content(route->past, route->dictionaries[i], digest, ret_bytes,
                                  &ret_dictionary->len);
    ret_dictionary->ptr = error ? NULL : *ret_bytes;
    return error;
}

static void
work_run(struct res_request *request)
{
    struct dictionary_work *w = request->state;
    const struct entry_variant *v = &w->entry->variants[0];
    struct ern_slice dictionary;
    char *base = NULL, *target = NULL;
    struct out o;

    w->error = find(w, &dictionary, &base);
    if (!w->error)
        w->error = past_read(v, &target);
    if (!w->error) {
        w->bytes = malloc((size_t)v->stamp.bytes + 1);
        o = out_init(w->bytes, w->bytes ? (size_t)v->stamp.bytes : 0); /* it is to be smaller */
        w->error = w->bytes ? dictionary_write(dictionary, w->digest,
                                               slice_from(target, (size_t)v->stamp.bytes), &o)
                            : -ENOMEM;
        w->n = o.len;
    }
    if (w->error) {
        free(w->bytes);
        w->bytes = NULL;
    }
    request->held = w->bytes; /* also if nobody asks for it any more */
    free(base);
    free(target);
}

/* ---- the representation -----------------------------------------------------------------------*/

/* The entity tag says which dictionary it needs: with another one it is other bytes. */
static bool
write_fields(struct ern_decision *d, const struct entry_variant *v, const char *digest)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    size_t at = (size_t)(v->etag.ptr - v->validators.ptr), end = at + v->etag.len - 1;
    struct out o = arena_out(request->arena);
    uint64_t some;

    memcpy(&some, digest, sizeof some);
    out_slice(&o, slice_first(v->validators, end));
    out_literal(&o, "-dcz-");
    out_hex(&o, some);
    d->evidence.etag = slice_from(o.ptr + at, o.len + 1 - at);
    out_slice(&o, slice_skip(v->validators, end));
    r->validators = arena_keep(request->arena, &o);
    o = arena_out(request->arena);
    out_slice(&o, v->description);
    out_literal(&o, "Content-Encoding: dcz\r\n");
    r->description = arena_keep(request->arena, &o);
    return slice_is_there(r->validators) && slice_is_there(r->description);
}

static enum ern_answer
use(struct ern_decision *d, const struct entry *e, const char *digest, const char *bytes, size_t n)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;

    if (!write_fields(d, &e->variants[0], digest))
        return ERN_FAIL;
    r->bytes = bytes;
    r->length = n;
    r->fd = -1;
    d->evidence.content_bytes = (int64_t)n;
    return ERN_YES;
}

/* What was made first stays with the entry; others are of their answer alone. */
static enum ern_answer
finish(struct ern_decision *d, struct entry *e, struct dictionary_work *w, struct cache *cache)
{
    struct res_request *request = d->self;
    char *bytes = w->bytes;

    if (w->error == -ENOENT || w->error == -ENOSPC || w->error == -ESTALE)
        return ERN_NO;
    if (w->error)
        return ERN_FAIL;
    if (!bytes) /* it was used already */
        return ERN_YES;
    w->bytes = NULL;
    if (!e->by_dictionary.bytes && w->n <= (size_t)e->route->limits->coded_bytes_max) {
        e->by_dictionary = (struct entry_coded){bytes, w->n};
        memcpy(e->dictionary, w->digest, sizeof e->dictionary);
        request->held = NULL;
        cache_grew(cache, e, w->n);
    }
    return use(d, e, w->digest, bytes, w->n);
}

enum ern_answer
dictionary_represent(struct ern_decision *d, struct entry *e, struct cache *cache)
{
    struct res_request *request = d->self;
    struct dictionary_work *w;
    char digest[DIGEST_SHA256_BYTES];

    if (!is_wanted(d, e) || !read_digest(d->request, digest))
        return ERN_NO;
    if (request->state)
        return finish(d, e, request->state, cache);
    if (e->by_dictionary.bytes && memcmp(e->dictionary, digest, sizeof digest) == 0)
        return use(d, e, digest, e->by_dictionary.bytes, e->by_dictionary.n);
    w = arena_take(request->arena, sizeof *w);
    if (!w)
        return ERN_FAIL;
    *w = (struct dictionary_work){.entry = e};
    memcpy(w->digest, digest, sizeof digest);
    request->state = w;
    return res_step(request, work_run);
}

/* ---- the field --------------------------------------------------------------------------------*/

/* Does the path stand in a pattern for itself, as it is? */
static bool
is_plain(struct ern_slice path)
{
    for (size_t i = 0; i < path.len; i++)
        if (!char_is(path.ptr[i], CHAR_UNRESERVED) && path.ptr[i] != '/')
            return false;
    return true;
}

/* The requests that it is a dictionary for, below the route; absent: it is none. */
static struct ern_slice
match_of(const struct entry *e)
{
    const struct files_route *route = e->route;

    for (size_t i = 0; i < route->dictionaries_n; i++)
        if (slice_eq(e->path, route->dictionaries[i]))
            return ERN_SLICE("/*");
    return (route->compresses_by & FILES_BY_PAST) && media_compresses(e->type) && is_plain(e->path)
               ? e->path
               : ERN_ABSENT;
}

void
dictionary_write_field(struct out *o, const struct entry *e)
{
    const struct files_route *route = e->route;
    size_t slash = slice_ends(route->prefix, ERN_SLICE("/"));
    struct ern_slice match = match_of(e);

    if (!route->compresses_by || !slice_is_there(match) || !is_plain(route->prefix) ||
        slice_is_there(e->variants[0].coding))
        return;
    out_literal(o, "Use-As-Dictionary: match=\"");
    out_slice(o, slice_first(route->prefix, route->prefix.len - slash));
    out_slice(o, match);
    out_literal(o, "\"\r\n");
}
