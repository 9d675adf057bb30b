/* SPDX-License-Identifier: Apache-2.0 */
#include "main/probe.h"

#include <string.h>

#include "base/out.h"
#include "base/slice.h"
#include "code/finding.h"
#include "earnest/status.h"
#include "io/clock.h"
#include "main/probe_h2.h"
#include "main/words.h"

enum {
    CONTINUE_MS = 1000, /* for a 100 before content is sent without one (RFC 9110 10.1.1) */
    SURPLUS_MS = 150,   /* for bytes that should not come */
    NAME_BYTES = 64,
};

struct talk {
    const struct probe_ask *ask;
    struct probe_answer *x;
    struct call *call;
    struct limits limits;
    enum ern_method method;
    int64_t until_ms;
    bool sent; /* the content */
};

static struct ern_slice
field_of(const struct h1_answer *answer, struct ern_slice name)
{
    const struct ern_request *m = &answer->message;

    for (unsigned i = 0; i < m->fields_n; i++)
        if (slice_eq_nocase(m->fields[i].name, name))
            return m->fields[i].value;
    return ERN_ABSENT;
}

struct ern_slice
probe_field(const struct probe_answer *x, struct ern_slice name)
{
    return field_of(&x->answer, name);
}

bool
probe_lacks(const struct h1_answer *answer, char *buffer, size_t cap)
{
    const struct ern_status *status = ern_status_find(answer->status);
    char memory[NAME_BYTES];
    struct out o = out_init(buffer, cap);
    struct ern_slice name;

    if (!status || !status->carry)
        return false;
    name = words_field(status->carry, memory, sizeof memory);
    if (slice_is_there(field_of(answer, name)))
        return false;
    out_slice(&o, name);
    out_char(&o, '\0');
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static void
send_content(struct talk *t)
{
    if (!t->sent && slice_is_there(t->ask->content))
        (void)call_send(t->call, t->ask->content); /* if it is not taken, the answer says why */
    t->sent = true;
}

/* Reads on. Returns false at the end, whatever it is; x->end says which. */
static bool
more(struct talk *t, int most_ms)
{
    struct probe_answer *x = t->x;
    int64_t left = t->until_ms - clock_read().run_ms;
    int wait = left < 0 ? 0 : left < most_ms ? (int)left : most_ms;
    ssize_t n;

    if (x->len == sizeof x->bytes) {
        x->end = PROBE_LONG;
        return false;
    }
    if (left <= 0) {
        x->end = PROBE_SILENT;
        return false;
    }
    n = call_read(t->call, x->bytes + x->len, sizeof x->bytes - x->len, wait);
    if (n == -2) {
        x->end = PROBE_SILENT;
        return false;
    }
    if (n <= 0) { /* a reset is an end, too */
        x->end = PROBE_CLOSED;
        return false;
    }
    x->len += (size_t)n;
    return true;
}

/* ---- the answers ------------------------------------------------------------------------------
 */

/* Reads one head, which begins at a place of the bytes. Returns false if there is none. */
static bool
hear_head(struct talk *t, size_t at)
{
    struct probe_answer *x = t->x;
    enum parse parse;

    h1_answer_init(&x->answer, &t->limits, x->fields, PROBE_FIELDS);
    while ((parse = h1_answer_feed(&x->answer, slice_from(x->bytes + at, x->len - at),
                                   t->method)) == PARSE_MORE) {
        bool waits = t->ask->waits && !t->sent;

        if (more(t, waits ? CONTINUE_MS : t->ask->patience_ms))
            continue;
        if (!waits || x->end != PROBE_SILENT)
            return false;
        send_content(t); /* RFC 9110 10.1.1: it need not wait for ever */
    }
    if (parse == PARSE_BAD) {
        x->end = PROBE_MALFORMED;
        x->finding = x->answer.head.finding;
    }
    return parse == PARSE_DONE;
}

/* Passes over what comes before the final answer. Returns where its content begins, or 0. */
static size_t
hear_heads(struct talk *t)
{
    struct probe_answer *x = t->x;
    char name[NAME_BYTES];
    size_t at = 0;

    while (hear_head(t, at)) {
        uint16_t status = x->answer.status;

        at += x->answer.head.at;
        if (status / 100 != 1 || status == ERN_101_SWITCHING_PROTOCOLS)
            return at;
        if (x->interims_n == PROBE_INTERIMS) {
            x->end = PROBE_SILENT;
            return 0;
        }
        x->interims[x->interims_n++] =
            (struct probe_interim){status, probe_lacks(&x->answer, name, sizeof name)};
        if (status == ERN_100_CONTINUE)
            send_content(t);
    }
    return 0;
}

/* The content, without its framing, is moved together from where it begins. */
static void
hear_content(struct talk *t, size_t begin)
{
    struct probe_answer *x = t->x;
    struct h1_content content;
    enum parse parse = PARSE_MORE;
    size_t at = begin, to = begin;

    h1_answer_content(&x->answer, &t->limits, &content);
    do {
        struct ern_slice in = slice_from(x->bytes + at, x->len - at), piece = ERN_ABSENT;

        while (parse == PARSE_MORE && in.len) {
            parse = h1_content_feed(&content, &in, &piece);
            if (piece.len)
                memmove(x->bytes + to, piece.ptr, piece.len);
            to += piece.len;
        }
        at = x->len - in.len;
    } while (parse == PARSE_MORE && more(t, t->ask->patience_ms));
    x->content = slice_from(x->bytes + begin, to - begin);
    if (parse == PARSE_BAD) {
        x->end = PROBE_MALFORMED;
        x->finding = content.finding;
    } else if (parse == PARSE_DONE || (x->end == PROBE_CLOSED && x->answer.end == H1_END_CLOSE)) {
        x->end = PROBE_WHOLE;
    } else if (x->end != PROBE_LONG) {
        x->end = PROBE_CUT;
    }
}

static void
hear(struct talk *t)
{
    struct probe_answer *x = t->x;
    size_t at = hear_heads(t);

    if (at == 0) {
        if (x->end == PROBE_CLOSED && x->len > at && x->answer.head.at > 0)
            x->end = PROBE_CUT; /* within a head */
        return;
    }
    if (x->answer.end == H1_END_SAID || x->answer.end == H1_END_CLOSE) {
        hear_content(t, at);
        return;
    }
    if (x->answer.end == H1_END_NONE)
        x->surplus = x->len > at || more(t, SURPLUS_MS);
    x->end = PROBE_WHOLE;
}

void
probe_ask(const struct probe_ask *ask, struct probe_answer *x)
{
    struct limits limits = limits_standard();
    struct talk t = {.ask = ask, .x = x, .limits = h1_answer_limits(&limits)};

    x->end = PROBE_UNREACHABLE;
    x->finding = FINDING_none;
    x->interims_n = 0;
    x->surplus = false;
    x->content = ERN_SLICE("");
    x->len = 0;
    x->answer.status = 0;
    x->answer.message.fields_n = 0;
    x->why = "it gives no answer";
    if (ask->h2) {
        probe_h2_ask(ask, x);
        return;
    }
    t.method = ern_method_find(slice_first(ask->head, slice_find(ask->head, ' ')));
    t.call = call_open(ask->url, ask->verify, &x->why);
    if (!t.call)
        return;
    t.until_ms = clock_read().run_ms + ask->patience_ms;
    (void)call_send(t.call, ask->head);
    if (!ask->waits)
        send_content(&t);
    hear(&t);
    call_close(t.call);
}
