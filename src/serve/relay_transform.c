/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_transform.c - answers of others that are changed on their way (RFC 9110 7.7).
 *
 * 203 stands before the content, and says that it was changed. Compressing changes it for certain.
 * Whether there is something to rewrite, its beginning has to show: it is held until something was
 * changed. If nothing was within so much, or to the end, all of it goes on as it came.
 */
#include <errno.h>
#include <stdlib.h>

#include "earnest/status.h"
#include "msg/list.h"
#include "pack/transform.h"
#include "res/coded.h"
#include "res/media.h"
#include "serve/carrier.h"
#include "serve/relay_parts.h"

enum {
    OUT_BYTES = 2 * TRANSFORM_ROOM,
    LEVEL = 3, /* the loop waits meanwhile */
};

struct relay_transform {
    struct transform *steps; /* NULL: it goes on as it came */
    enum coding coding;      /* that is put on it; CODINGS: none */
    bool decodes;            /* a coding is taken off it */
    bool is_cut;             /* upstream has not sent all of it */
    bool ended;              /* all was written */
    struct ern_slice in;     /* what came, and was not taken yet */
    char *ahead;             /* what was taken while it is not known whether anything changes */
    size_t ahead_n, ahead_max;
    size_t out_n, out_max;
    char out[]; /* what it is changed into: so much, of out_max, was not sent yet */
};

void
relay_transform_drop(struct relay *r)
{
    struct relay_transform *t = r->transform;

    r->transform = NULL;
    if (!t)
        return;
    transform_free(t->steps);
    free(t->ahead);
    free(t);
}

bool
relay_transform_has_more(const struct relay_transform *t)
{
    if (t->steps)
        return !t->ended || t->out_n;
    return t->ahead_n || t->in.len || t->is_cut;
}

bool
relay_is_transformed(const struct relay *r)
{
    return r->transform && r->transform->steps;
}

/* ---- whether ------------------------------------------------------------------------------------
 */

/* Characters whose bytes below 0x80 are those of ASCII, and stand for nothing else. */
static bool
is_like_ascii(struct ern_slice type)
{
    static const struct ern_slice beginnings[] = {
        {"utf-8", 5}, {"us-ascii", 8}, {"iso-8859-", 9}, {"windows-125", 11}};
    struct ern_slice parameters = slice_skip(type, slice_find(type, ';')), name, value;

    while (parameter_next(&parameters, &name, &value)) {
        bool is_known = false;

        if (!slice_eq_nocase(name, ERN_SLICE("charset")))
            continue;
        for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
            is_known =
                is_known || (value.len >= beginnings[i].len &&
                             slice_eq_nocase(slice_first(value, beginnings[i].len), beginnings[i]));
        return is_known;
    }
    return true;
}

static bool
is_text(struct ern_slice type, struct ern_slice wanted)
{
    struct ern_slice essence = slice_trim(slice_first(type, slice_find(type, ';')));

    return slice_eq_nocase(essence, wanted) && is_like_ascii(type);
}

/* Does its content become smaller, and does whoever waits for its end not wait for each part of
 * it? */
static bool
compresses(const struct relay *r, struct ern_slice type)
{
    int64_t length = r->answer.message.content_length;

    return (r->wanted & RELAY_COMPRESS) && media_compresses(type) &&
           !slice_starts(type, ERN_SLICE("text/event-stream")) &&
           (length < 0 || length >= r->exchange->worker->limits->compress_bytes_min);
}

/* The one coding that the content is in; false: there are several, or one that is not known. */
static bool
read_coding(const struct ern_request *m, enum coding *ret_coding)
{
    struct ern_slice list = ern_request_field(m, ERN_FIELD_content_encoding), name;
    bool has_more = ern_field_set_has(&m->repeated, ERN_FIELD_content_encoding);

    *ret_coding = CODINGS;
    if (!list_next(&list, &name))
        return !has_more;
    *ret_coding = coding_find(name);
    return !has_more && *ret_coding < CODINGS && !list_next(&list, &name);
}

/*
 * What is to be done with the answer; nothing, where it says no-transform (RFC 9110 7.7). What the
 * request says of it relay_begin() has heard (RFC 9111 5.2.1.6).
 */
static bool
choose(const struct relay *r, struct transform_wanted *w)
{
    const struct exchange *x = r->exchange;
    const struct ern_request *m = &r->answer.message;
    struct ern_slice type = ern_request_field(m, ERN_FIELD_content_type);
    bool is_style = (r->wanted & RELAY_LINKS) && is_text(type, ERN_SLICE("text/css"));
    bool is_page = is_style || ((r->wanted & (RELAY_LINKS | RELAY_MINIFY)) &&
                                is_text(type, ERN_SLICE("text/html")));
    enum coding coding;

    if (!r->wanted || r->answer.status != ERN_200_OK || r->answer.end == H1_END_TUNNEL ||
        list_has(m, ERN_FIELD_cache_control, ERN_SLICE("no-transform")) || m->content_length == 0 ||
        !read_coding(m, &coding))
        return false;
    *w = (struct transform_wanted){
        .from = is_page ? coding : CODINGS,
        .to = CODINGS,
        .level = LEVEL,
        .encoders = x->worker->encoders,
        .is_markup = is_page,
        .markup = {.minifies = !is_style && (r->wanted & RELAY_MINIFY), .is_style = is_style},
        .decoded_max = (uint64_t)x->worker->limits->transform_bytes_max,
    };
    if (r->wanted & RELAY_LINKS)
        w->markup.origins = relay_links_of(r);
    if (compresses(r, type) && (is_page || coding == CODINGS))
        w->to = coded_choose(&x->request);
    return is_page || w->to < CODINGS;
}

/* The head of the answer lies where content is received: it goes to where it can stay. */
static bool
keep_head(struct relay *r)
{
    const struct buffer *in = r->upstream ? r->upstream->in : r->last;
    struct ern_request *m = &r->answer.message;
    struct out o = arena_out(&r->exchange->arena);
    struct ern_slice head = slice_from(in->bytes, in->at), kept;

    out_slice(&o, head);
    kept = arena_keep(&r->exchange->arena, &o);
    if (!slice_is_there(kept))
        return false;
    for (unsigned i = 0; i < m->fields_n; i++) {
        struct ern_slice *each[] = {&m->fields[i].name, &m->fields[i].value};

        for (unsigned k = 0; k < 2; k++)
            if (each[k]->ptr >= head.ptr && each[k]->ptr <= head.ptr + head.len)
                each[k]->ptr = kept.ptr + (each[k]->ptr - head.ptr);
    }
    return true;
}

static enum ern_answer
begin(struct relay *r, const struct transform_wanted *w)
{
    const struct limits *limits = r->exchange->worker->limits;
    size_t ahead = (size_t)limits->transform_ahead_bytes_max;
    struct relay_transform *t = malloc(sizeof *t + ahead + OUT_BYTES);

    if (!t)
        return ERN_FAIL;
    *t = (struct relay_transform){.in = ERN_SLICE(""),
                                  .coding = w->to,
                                  .decodes = w->from < CODINGS,
                                  .ahead_max = ahead,
                                  .out_max = ahead + OUT_BYTES};
    r->transform = t;
    t->ended = r->answer.end == H1_END_NONE; /* of HEAD there is none */
    t->steps = transform_new(w);
    t->ahead = malloc(t->ahead_max + 1);
    return t->steps && t->ahead && keep_head(r) ? ERN_YES : ERN_FAIL;
}

/* Nothing of it changes: what came of it goes on. */
static enum ern_answer
leave(struct relay_transform *t)
{
    transform_free(t->steps);
    t->steps = NULL;
    t->out_n = 0;
    return ERN_NO;
}

/* Looks at the next that came. Returns ERN_WAIT if there is more to look at. */
static enum ern_answer
look_on(struct relay *r)
{
    struct relay_transform *t = r->transform;
    struct out o = out_init(t->out, t->out_max);
    size_t room = t->ahead_max - t->ahead_n;
    struct ern_slice some = slice_first(t->in, t->in.len < room ? t->in.len : room), rest = some;
    bool last = r->is_over && some.len == t->in.len;
    int error;

    o.len = t->out_n;
    if (o.cap - o.len < TRANSFORM_ROOM || (some.len == 0 && t->in.len))
        return leave(t);
    error = transform_run(t->steps, &rest, last, &o, &t->ended);
    t->out_n = o.len;
    some.len -= rest.len; /* what was taken */
    if (some.len)
        memcpy(t->ahead + t->ahead_n, some.ptr, some.len);
    t->ahead_n += some.len;
    t->in = slice_skip(t->in, some.len);
    if (transform_changed(t->steps) && !error) {
        free(t->ahead);
        t->ahead = NULL;
        return ERN_YES;
    }
    return error || t->ended ? leave(t) : ERN_WAIT;
}

/* Looks ahead until it is known whether anything changes. */
static enum ern_answer
look_ahead(struct relay *r)
{
    struct relay_transform *t = r->transform;
    enum ern_answer answer = ERN_WAIT;

    while (answer == ERN_WAIT) {
        if (relay_yields(r))
            return ERN_WAIT;
        r->turn += TRANSFORM_ROOM;
        if (t->in.len == 0 && !r->is_over && transform_wants(t->steps)) {
            enum stream_next next = relay_receive(r, &t->in);

            if (next == STREAM_LATER)
                return ERN_WAIT;
            t->is_cut = next == STREAM_CUT;
            if (t->is_cut)
                return leave(t);
        }
        answer = look_on(r);
    }
    return answer;
}

enum ern_answer
relay_transforms(struct relay *r)
{
    struct transform_wanted w;
    bool is_sure;

    if (r->transform)
        return relay_is_transformed(r) ? look_ahead(r) : ERN_NO; /* it has waited */
    if (r->stage != RELAY_ANSWERING || !choose(r, &w))
        return ERN_NO;
    /* of what HEAD would bring is known only what is always done */
    is_sure = w.to < CODINGS && w.from == CODINGS;
    r->may_change = r->answer.end == H1_END_NONE && !is_sure;
    if (r->may_change)
        return ERN_NO;
    if (begin(r, &w) != ERN_YES)
        return ERN_FAIL;
    return is_sure ? ERN_YES : look_ahead(r);
}

/* ---- the head -----------------------------------------------------------------------------------
 */

/* Is the field of the content as it was (RFC 9110 8.6, 14.3; RFC 9530 2, 3)? */
static bool
is_of_original(const struct relay *r, struct ern_slice name)
{
    static const struct ern_slice names[] = {
        {"Content-Digest", 14}, {"Repr-Digest", 11}, {"Digest", 6}, {"Content-MD5", 11}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, names[i]))
            return true;
    return r->transform && r->transform->decodes &&
           slice_eq_nocase(name, ERN_SLICE("Content-Encoding"));
}

bool
relay_transform_write_field(const struct relay *r, const struct ern_field *f, struct out *o)
{
    bool is_transformed = relay_is_transformed(r) || r->may_change;
    bool is_new = is_transformed || r->answer.status == ERN_304_NOT_MODIFIED;

    if (!r->wanted || r->stage != RELAY_ANSWERING)
        return false;
    if ((r->wanted & RELAY_LINKS) && relay_links_write_field(r, f, o))
        return true;
    if (slice_eq_nocase(f->name, ERN_SLICE("Accept-Ranges"))) /* they are not asked for */
        return true;
    if (is_transformed && is_of_original(r, f->name))
        return true;
    /* Who says that nothing has changed may speak of what we made of it. */
    if (!is_new || !slice_eq_nocase(f->name, ERN_SLICE("ETag")) ||
        slice_starts(f->value, ERN_SLICE("W/")))
        return false;
    out_literal(o, "ETag: W/");
    out_slice(o, f->value);
    out_literal(o, "\r\n");
    return true;
}

void
relay_transform_write_own(const struct relay *r, struct out *o)
{
    uint16_t status = r->answer.status;

    if ((r->wanted & RELAY_COMPRESS) && (status == ERN_200_OK || status == ERN_304_NOT_MODIFIED))
        out_literal(o, "Vary: Accept-Encoding\r\n");
    if (!relay_is_transformed(r) || r->transform->coding == CODINGS)
        return;
    out_literal(o, "Content-Encoding: ");
    out_slice(o, coding_name(r->transform->coding));
    out_literal(o, "\r\n");
}

/* ---- the content --------------------------------------------------------------------------------
 */

/* All was written: what upstream still sends is no part of it. */
static void
finish(struct relay *r)
{
    r->transform->ended = true;
    if (r->is_over)
        return;
    r->is_deaf = true;
    relay_finish(r);
}

/* What came before it was known that nothing changes. */
static struct ern_slice
take_ahead(struct relay_transform *t)
{
    struct ern_slice piece = t->in;

    if (t->ahead_n) {
        piece = slice_from(t->ahead, t->ahead_n);
        t->ahead_n = 0;
    } else {
        t->in = ERN_SLICE("");
    }
    return piece;
}

/* What it is changed into, as far as there is something to change. */
static enum stream_next
write_out(struct relay *r)
{
    struct relay_transform *t = r->transform;
    struct out o = out_init(t->out, t->out_max);
    bool ended = false;
    int error;

    o.len = t->out_n; /* what came of what was looked at ahead */
    t->out_n = 0;
    while (o.cap - o.len >= TRANSFORM_ROOM && !ended && !t->ended) {
        if (o.len == 0 && relay_yields(r)) /* little may become much, and little again */
            return STREAM_LATER;
        r->turn += TRANSFORM_ROOM;
        error = transform_run(t->steps, &t->in, r->is_over, &o, &ended);
        if (error)
            return STREAM_CUT;
        if (ended || !transform_wants(t->steps))
            continue;
        if (o.len)
            break;
        if (r->is_over)
            return STREAM_CUT;
        switch (relay_receive(r, &t->in)) {
        case STREAM_CUT:
            return STREAM_CUT;
        case STREAM_LATER:
            return STREAM_LATER;
        case STREAM_HERE:
            break;
        }
    }
    if (ended)
        finish(r);
    relay_add_piece(r, out_done(&o));
    return STREAM_HERE;
}

enum stream_next
relay_transform_next(struct relay *r)
{
    struct relay_transform *t = r->transform;

    if (t->steps)
        return write_out(r);
    if (t->ahead_n || t->in.len) {
        struct ern_slice piece = take_ahead(t);

        relay_add_piece(r, piece);
        return STREAM_HERE;
    }
    if (t->is_cut)
        return STREAM_CUT;
    relay_transform_drop(r); /* all that was held has gone on */
    return relay_next(r);
}
