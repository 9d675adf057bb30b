/* SPDX-License-Identifier: Apache-2.0 */
#include "res/delta.h"

#include <errno.h>
#include <stdlib.h>

#include "msg/a_im.h"
#include "msg/list.h"
#include "pack/instance.h"
#include "res/step.h"

enum { BASES_MAX = 8 /* entity tags of If-None-Match that are looked for */ };

struct delta_work { /* in the arena: the state of the request */
    const struct past *past;
    const struct entry *entry;
    struct manipulations wanted;
    unsigned quality[IMS];
    struct ern_slice tags[BASES_MAX];  /* that the client sent, */
    struct ern_slice bases[BASES_MAX]; /* and as they are kept */
    unsigned bases_n;
    struct ern_slice base; /* the tag of the one that was found; absent: none was */
    struct instance instance;
    struct manipulated made;
    int error;
};

/* ---- what is asked for ------------------------------------------------------------------------*/

static void
read_wanted(const struct ern_request *http, struct delta_work *w)
{
    struct ern_slice rest = ERN_ABSENT, name;
    unsigned quality;

    for (uint16_t at = 0; a_im_next(http, &at, &rest, &name, &quality);) {
        enum manipulation im = manipulation_find(name);

        if (im == IMS || w->quality[im])
            continue;
        w->quality[im] = quality;
        w->wanted.im[w->wanted.n++] = im;
    }
}

/* The validator of a list of variants is no part of what the file was (RFC 2295 9.2). */
static struct ern_slice
plain_tag(struct arena *arena, struct ern_slice etag)
{
    size_t at = etag.len;
    struct out o = arena_out(arena);

    while (at && etag.ptr[at - 1] != ';')
        at--;
    if (at == 0)
        return etag;
    out_slice(&o, slice_first(etag, at - 1));
    out_char(&o, '"');
    return arena_keep(arena, &o);
}

static void
read_bases(const struct ern_decision *d, struct delta_work *w)
{
    struct res_request *request = d->self;
    struct ern_slice line, member;

    for (uint16_t at = 0; ern_request_next(d->request, ERN_FIELD_if_none_match, &at, &line);) {
        while (w->bases_n < BASES_MAX && list_next(&line, &member)) {
            if (slice_starts(member, ERN_SLICE("W/")))
                member = slice_skip(member, 2); /* all that we give are strong */
            w->tags[w->bases_n] = member;
            w->bases[w->bases_n] = request->chosen ? plain_tag(request->arena, member) : member;
            w->bases_n += slice_is_there(w->bases[w->bases_n]);
        }
    }
}

/* A part of what is made: one range alone, which the client wants to have counted with the rest. */
static bool
read_range(const struct ern_decision *d, struct delta_work *w)
{
    const struct ern_ranges *ranges = &d->evidence.ranges;

    if (!ern_bits_has(&d->facts.yes, ERN_FACT_ranged))
        return true;
    if (!w->quality[IM_RANGE] || ranges->n != 1)
        return false; /* a part of the instance: 206 */
    w->instance.ranged = true;
    w->instance.first = ranges->range[0].first;
    w->instance.last = ranges->range[0].last;
    return true;
}

/* ---- on the pool ------------------------------------------------------------------------------*/

static int
find_base(struct delta_work *w, char **ret_bytes)
{
    int error = -ENOENT;

    for (unsigned i = 0; error == -ENOENT && i < w->bases_n; i++) {
        error = past_find(w->past, w->entry->path, w->bases[i], ret_bytes, &w->instance.base.len);
        if (!error)
            w->base = w->tags[i];
    }
    w->instance.base.ptr = error ? NULL : *ret_bytes;
    return error == -ENOENT ? 0 : error;
}

/* The delta that is wanted most of those that were not tried; IMS if there is none. */
static enum manipulation
next_delta(const struct delta_work *w, const bool *tried)
{
    enum manipulation best = IMS;

    for (unsigned i = 0; i < w->wanted.n; i++) {
        enum manipulation im = w->wanted.im[i];

        if (manipulation_is_delta(im) && !tried[im] &&
            (best == IMS || w->quality[im] > w->quality[best]))
            best = im;
    }
    return best;
}

static void
work_run(struct res_request *request)
{
    struct delta_work *w = request->state;
    const struct entry_variant *v = &w->entry->variants[0];
    bool tried[IMS] = {false};
    char *base = NULL, *target = NULL;

    w->error = find_base(w, &base);
    if (!w->error)
        w->error = past_read(v, &target);
    if (!w->error) {
        w->instance.target = slice_from(target, (size_t)v->stamp.bytes);
        w->error = -ENOENT;
    }
    while (w->error == -ENOENT) {
        enum manipulation delta = base ? next_delta(w, tried) : IMS;

        w->error = instance_manipulate(&w->instance, &w->wanted, delta, &w->made);
        if (delta == IMS)
            break;
        tried[delta] = true;
    }
    request->held = w->made.bytes; /* also if nobody asks for it any more */
    free(base);
    free(target);
}

/* ---- the answer -------------------------------------------------------------------------------*/

static void
write_fields(struct out *o, const struct delta_work *w, const struct res_representation *r)
{
    bool has_delta = false, has_range = false;

    out_literal(o, "IM: ");
    for (unsigned i = 0; i < w->made.used.n; i++) {
        out_text(o, i ? ", " : "");
        out_slice(o, manipulation_name(w->made.used.im[i]));
        has_delta |= manipulation_is_delta(w->made.used.im[i]);
        has_range |= w->made.used.im[i] == IM_RANGE;
    }
    if (has_delta) {
        out_literal(o, "\r\nDelta-Base: ");
        out_slice(o, w->base);
    }
    /* A cache that knows nothing of this is not to keep it; one that does, passes over no-store
     * (RFC 3229 10.8.2). */
    out_literal(o, "\r\nCache-Control: no-store, im, retain\r\nVary: A-IM, If-None-Match\r\n");
    if (has_range) {
        uint64_t last = w->instance.last < w->made.whole ? w->instance.last : w->made.whole - 1;

        out_literal(o, "Content-Range: bytes ");
        out_u64(o, w->made.first);
        out_char(o, '-');
        out_u64(o, last);
        out_char(o, '/');
        out_u64(o, w->made.whole);
        out_literal(o, "\r\n");
    }
    out_slice(o, r->description);
}

static enum ern_answer
answer(struct ern_decision *d, struct delta_work *w)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    struct out o = arena_out(request->arena);

    if (w->error == -ENOENT || w->error == -ESTALE) {
        request->fields = ERN_SLICE("Cache-Control: retain\r\n");
        return ERN_NO;
    }
    if (w->error)
        return ERN_FAIL;
    write_fields(&o, w, r);
    r->description = arena_keep(request->arena, &o);
    r->bytes = w->made.bytes;
    r->fd = -1;
    r->length = w->made.len;
    return slice_is_there(r->description) ? ERN_YES : ERN_FAIL;
}

/* Is what would be sent the file itself, in no coding and no larger than is kept? */
static bool
is_plain(const struct ern_decision *d, const struct past *past, const struct entry *e)
{
    const struct res_request *request = d->self;
    const struct entry_variant *v = &e->variants[0];

    return request->has_representation && e->kind == ENTRY_FILE && !slice_is_there(v->coding) &&
           request->representation.bytes == v->bytes && request->representation.fd == v->fd &&
           v->stamp.bytes <= (uint64_t)past->delta_max;
}

enum ern_answer
delta_ask(struct ern_decision *d, const struct past *past, const struct entry *entry)
{
    struct res_request *request = d->self;
    struct delta_work *w = request->state;

    if (w)
        return answer(d, w);
    if (!past || d->request->method != ERN_GET || !is_plain(d, past, entry))
        return ERN_NO;
    w = arena_take(request->arena, sizeof *w);
    if (!w)
        return ERN_FAIL;
    *w = (struct delta_work){.past = past, .entry = entry};
    read_wanted(d->request, w);
    read_bases(d, w);
    if (w->wanted.n == 0 || !read_range(d, w))
        return ERN_NO;
    request->state = w;
    return res_step(request, work_run);
}
