/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/transform.h"

#include <errno.h>
#include <stdlib.h>

enum step { STEP_DECODE, STEP_MARKUP, STEP_ENCODE, STEPS };

struct between { /* two steps */
    size_t at, len;
    char bytes[TRANSFORM_ROOM];
};

struct transform {
    struct transform_wanted wanted;
    struct decoder *decoder; /* of what comes in one piece; NULL between two */
    struct markup *markup;
    struct encoder *encoder;
    enum step step[STEPS];
    unsigned steps_n; /* 1 or more */
    bool ended[STEPS];
    bool wants;
    uint64_t decoded;
    struct between between[STEPS - 1];
};

static void
add_step(struct transform *t, enum step step)
{
    t->step[t->steps_n++] = step;
}

struct transform *
transform_new(const struct transform_wanted *w)
{
    struct transform *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->wanted = *w;
    t->markup = w->is_markup ? markup_new(&w->markup) : NULL;
    t->encoder = w->to < CODINGS ? encoder_new(w->encoders, w->to, w->level) : NULL;
    if ((w->is_markup && !t->markup) || (w->to < CODINGS && !t->encoder)) {
        transform_free(t);
        return NULL;
    }
    if (w->from < CODINGS)
        add_step(t, STEP_DECODE);
    if (w->is_markup)
        add_step(t, STEP_MARKUP);
    if (w->to < CODINGS)
        add_step(t, STEP_ENCODE);
    return t;
}

void
transform_free(struct transform *t)
{
    if (!t)
        return;
    decoder_free(t->decoder);
    markup_free(t->markup);
    encoder_free(t->encoder);
    free(t);
}

bool
transform_wants(const struct transform *t)
{
    return t->wants;
}

bool
transform_changed(const struct transform *t)
{
    return t->markup && markup_changed(t->markup);
}

/* What is coded may be several pieces, one after another (RFC 1952 2.2, RFC 8878 3). */
static int
decode(struct transform *t, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    size_t before = o->len;
    bool ends = false;
    int error = 0;

    if (!t->decoder && in->len)
        t->decoder = decoder_new(t->wanted.from);
    if (!t->decoder && in->len)
        return -ENOMEM;
    if (t->decoder)
        error = decoder_run(t->decoder, in, o, &ends);
    if (ends) {
        decoder_free(t->decoder);
        t->decoder = NULL;
    }
    t->decoded += o->len - before;
    if (!error && t->decoded > t->wanted.decoded_max)
        error = -E2BIG;
    *ret_end = last && in->len == 0 && !t->decoder;
    if (!error && last && in->len == 0 && t->decoder && o->len == before)
        error = -EINVAL; /* it was cut */
    return error;
}

static int
run_step(struct transform *t, unsigned i, struct ern_slice *in, bool last, struct out *o)
{
    switch (t->step[i]) {
    case STEP_DECODE:
        return decode(t, in, last, o, &t->ended[i]);
    case STEP_MARKUP:
        markup_run(t->markup, in, last, o, &t->ended[i]);
        return 0;
    case STEP_ENCODE:
        return encoder_run(t->encoder, in, last, o, &t->ended[i]);
    case STEPS:
        break;
    }
    return -EINVAL;
}

/* Takes what is before a step to what is after it. Returns 0 or an error; ret_moved: there was
 * something to do. */
static int
take_step(struct transform *t, unsigned i, struct ern_slice *in, bool last, struct out *o,
          bool *ret_moved)
{
    struct between *before = i ? &t->between[i - 1] : NULL;
    struct between *after = i + 1 < t->steps_n ? &t->between[i] : NULL;
    struct ern_slice from =
        before ? slice_from(before->bytes + before->at, before->len - before->at) : *in;
    struct out to = *o;
    size_t n = from.len, room;
    int error;

    if (after) {
        memmove(after->bytes, after->bytes + after->at, after->len - after->at);
        after->len -= after->at;
        after->at = 0;
        to = out_init(after->bytes, sizeof after->bytes);
        to.len = after->len;
    }
    room = to.len;
    if (t->ended[i] || to.len == to.cap)
        return 0;
    error = run_step(t, i, &from, before ? t->ended[i - 1] : last, &to);
    *ret_moved = *ret_moved || from.len < n || to.len > room || t->ended[i];
    if (before)
        before->at = before->len - from.len;
    else
        *in = from;
    if (after)
        after->len = to.len;
    else
        o->len = to.len;
    return error;
}

int
transform_run(struct transform *t, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    bool moved = false;
    int error = 0;

    assert(o->cap - o->len >= TRANSFORM_ROOM);
    for (unsigned i = 0; !error && i < t->steps_n; i++)
        error = take_step(t, i, in, last, o, &moved);
    t->wants = !moved;
    *ret_end = t->ended[t->steps_n - 1];
    return error;
}
