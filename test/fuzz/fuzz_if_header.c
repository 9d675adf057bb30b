/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_if_header.c - the field values of WebDAV. An If field is written again from what was read of
 * it, and is read the same; each of its lists is a field, too; a field after a field is both.
 * Depth, Destination, Lock-Token, Overwrite and Timeout agree with what is put together from their
 * parts.
 *
 * Input: the value, for all of them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "base/out.h"
#include "base/slice.h"
#include "msg/dav.h"

enum { TEXT_MAX = 8192, STEPS_MAX = 4 * (DAV_IF_LISTS + DAV_IF_CONDITIONS) };

static void
must(bool right)
{
    if (!right)
        abort();
}

struct steps {
    unsigned n, lists;
    bool wrong, tagged;
    struct dav_if_step step[STEPS_MAX];
};

static void
read_if(struct ern_slice text, struct steps *s)
{
    struct dav_if walk = {.rest = text};
    unsigned conditions = 0;

    *s = (struct steps){.n = 0};
    for (;;) {
        struct dav_if_step step = dav_if_next(&walk);

        must(s->n < STEPS_MAX);
        if (step.kind == DAV_IF_END || step.kind == DAV_IF_WRONG) {
            must(dav_if_next(&walk).kind == step.kind);
            s->wrong = step.kind == DAV_IF_WRONG;
            break;
        }
        must(!step.is_not || step.kind == DAV_IF_TOKEN || step.kind == DAV_IF_ETAG);
        must(step.text.len == 0 ||
             (step.text.ptr >= text.ptr && step.text.ptr + step.text.len <= text.ptr + text.len));
        s->lists += step.kind == DAV_IF_LIST;
        conditions += step.kind == DAV_IF_TOKEN || step.kind == DAV_IF_ETAG;
        s->tagged = s->tagged || step.kind == DAV_IF_TAG;
        s->step[s->n++] = step;
    }
    must(s->lists <= DAV_IF_LISTS && conditions <= DAV_IF_CONDITIONS);
    must(s->wrong || (s->lists > 0 && conditions >= s->lists));
    must(s->wrong || !s->tagged || s->step[0].kind == DAV_IF_TAG);
}

/* Writes some of the steps as a field. */
static void
write_if(struct out *o, const struct dav_if_step *step, unsigned n)
{
    bool in_list = false;

    for (unsigned i = 0; i < n; i++) {
        if (in_list && (step[i].kind == DAV_IF_TAG || step[i].kind == DAV_IF_LIST))
            out_char(o, ')');
        in_list = step[i].kind != DAV_IF_TAG;
        if (step[i].is_not)
            out_literal(o, "Not ");
        out_text(o, step[i].kind == DAV_IF_LIST ? "(" : step[i].kind == DAV_IF_ETAG ? "[" : "<");
        out_slice(o, step[i].text);
        out_text(o, step[i].kind == DAV_IF_LIST ? "" : step[i].kind == DAV_IF_ETAG ? "]" : ">");
    }
    out_char(o, ')');
    must(!o->full);
}

static void
same(const struct dav_if_step *a, const struct dav_if_step *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        must(a[i].kind == b[i].kind && a[i].is_not == b[i].is_not &&
             slice_eq(a[i].text, b[i].text));
}

/* Steps written and read are the same steps. */
static void
try_steps(const struct dav_if_step *step, unsigned n)
{
    static char memory[2 * TEXT_MAX];
    static struct steps again;
    struct out o = out_init(memory, sizeof memory);

    write_if(&o, step, n);
    read_if(out_done(&o), &again);
    must(!again.wrong && again.n == n);
    same(step, again.step, n);
}

static void
try_if(struct ern_slice text)
{
    static struct steps s, twice;
    static char memory[2 * TEXT_MAX + 1];
    struct out o = out_init(memory, sizeof memory);
    unsigned list = 0;

    read_if(text, &s);
    if (s.wrong)
        return;
    try_steps(s.step, s.n);
    for (unsigned i = 0; i <= s.n; i++) { /* each list alone */
        if (i < s.n && s.step[i].kind != DAV_IF_LIST && s.step[i].kind != DAV_IF_TAG)
            continue;
        if (i > list && s.step[list].kind == DAV_IF_LIST)
            try_steps(s.step + list, i - list);
        list = i;
    }
    out_slice(&o, text);
    out_char(&o, ' ');
    out_slice(&o, text);
    read_if(out_done(&o), &twice);
    if (twice.wrong) {
        must(2 * s.lists > DAV_IF_LISTS || 2 * s.n > DAV_IF_CONDITIONS);
        return;
    }
    must(twice.n == 2 * s.n);
    same(s.step, twice.step, s.n);
    same(s.step, twice.step + s.n, s.n);
}

/* "(" value ")" holds that token, if it is one, and nothing else does. */
static void
try_coded_url(struct ern_slice value)
{
    static char memory[TEXT_MAX + 2];
    static struct steps s;
    struct out o = out_init(memory, sizeof memory);
    struct ern_slice url = dav_coded_url(value);

    out_char(&o, '(');
    out_slice(&o, value);
    out_char(&o, ')');
    read_if(out_done(&o), &s);
    if (slice_is_there(url))
        must(!s.wrong && s.n == 2 && s.step[1].kind == DAV_IF_TOKEN &&
             slice_eq(s.step[1].text, url) && url.len + 2 == value.len);
    else if (!s.wrong && s.n == 2 && s.step[1].kind == DAV_IF_TOKEN && !s.step[1].is_not)
        must(!slice_eq(slice_trim(value), value)); /* the spaces were the list's */
}

static void
try_reference(struct ern_slice value)
{
    static char memory[TEXT_MAX + 8];
    struct out o = out_init(memory, sizeof memory);
    struct ern_slice scheme, authority, path;

    if (!dav_reference(value, &scheme, &authority, &path))
        return;
    must(path.len > 0 && path.ptr[0] == '/');
    must(slice_is_there(scheme) == slice_is_there(authority));
    must(!slice_is_there(scheme) || (scheme.len > 0 && authority.len > 0));
    must(slice_find(value, ' ') == value.len && slice_find(value, '?') == value.len &&
         slice_find(value, '#') == value.len);
    if (slice_is_there(scheme)) {
        out_slice(&o, scheme);
        out_literal(&o, "://");
        out_slice(&o, authority);
    }
    out_slice(&o, path);
    must(slice_starts(out_done(&o), value));
    must(o.len == value.len || (o.len == value.len + 1 && path.len == 1));
}

/* A type that nobody knows before it, and any after it, change nothing. */
static void
try_timeout(struct ern_slice value)
{
    static const int64_t maxima[] = {1, 600, UINT32_MAX};
    static char memory[TEXT_MAX + 64];

    for (size_t i = 0; i < sizeof maxima / sizeof *maxima; i++) {
        struct out o = out_init(memory, sizeof memory);
        int64_t max = maxima[i], seconds = -1, again = -1;
        bool right = dav_timeout(value, max, &seconds);

        must(right ? seconds >= 1 && seconds <= max : seconds == max);
        out_literal(&o, "Extend-1,");
        out_slice(&o, value);
        out_literal(&o, ", Second-1");
        must(dav_timeout(out_done(&o), max, &again));
        must(again == (right ? seconds : 1));
    }
}

static bool
is_text(struct ern_slice value, const char *text)
{
    return value.len == slice_text(text).len &&
           (value.len == 0 || strncasecmp(value.ptr, text, value.len) == 0);
}

static void
try_words(struct ern_slice value)
{
    enum dav_depth depth;
    bool flag;

    if (dav_depth(value, &depth))
        must(is_text(value, depth == DAV_DEPTH_0 ? "0" : depth == DAV_DEPTH_1 ? "1" : "infinity"));
    else
        must(!is_text(value, "0") && !is_text(value, "1") && !is_text(value, "infinity"));
    must(dav_flag(value, &flag) == (is_text(value, "T") || is_text(value, "F")));
    must(flag == is_text(value, "T"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice value = slice_from(size ? (const char *)data : "", size);

    if (size > TEXT_MAX)
        return 0;
    try_if(value);
    try_coded_url(value);
    try_reference(value);
    try_timeout(value);
    try_words(value);
    return 0;
}
