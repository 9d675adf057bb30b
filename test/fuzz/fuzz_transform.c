/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte that says what is wanted, then a page, or what is to be decoded to one. However it is cut
 * into pieces the same comes of it; it is no longer than the page, the page itself if nothing was
 * changed, and has the same tags; and there is nothing left to be changed in it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "pack/html.h"
#include "pack/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 12, OUTPUT_MAX = 1 << 17, STEPS_MAX = 1 << 16 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct transform_wanted
wanted(uint8_t flags)
{
    static const struct ern_slice origins[] = {{"up", 2}, {"127.0.0.1:9", 11}};

    return (struct transform_wanted){
        .from = flags & 4 ? (enum coding)(flags >> 4 & 3) : CODINGS,
        .to = CODINGS,
        .is_markup = true,
        .markup = {.minifies = (flags & 9) == 1,
                   .is_style = flags & 8,
                   .origins = {origins, flags & 2 ? 2 : 0}},
        .decoded_max = OUTPUT_MAX / 2,
    };
}

/* Runs it over the content in pieces. Returns 0 or what it failed with. */
static int
run(const struct transform_wanted *w, struct ern_slice content, size_t step, char *text,
    struct ern_slice *ret_written, bool *ret_changed)
{
    struct transform *t = transform_new(w);
    struct ern_slice in = ERN_SLICE("");
    struct out o = out_init(text, OUTPUT_MAX);
    size_t there = 0;
    bool ended = false;
    int error = 0;

    check(t != NULL);
    for (unsigned steps = 0; !error && !ended; steps++) {
        check(steps < STEPS_MAX);
        error = transform_run(t, &in, there == content.len, &o, &ended);
        if (!error && !ended && transform_wants(t) && there < content.len) {
            size_t n = content.len - there < step ? content.len - there : step;

            check(in.len == 0);
            in = slice_from(content.ptr + there, n);
            there += n;
        }
    }
    *ret_written = out_done(&o);
    *ret_changed = transform_changed(t);
    transform_free(t);
    return error;
}

/* The next tag of a page. */
static bool
next_tag(struct html *html, struct ern_slice *page, struct html_token *t)
{
    while (html_next(html, page, true, t))
        if (t->kind == HTML_START || t->kind == HTML_END)
            return true;
    return false;
}

static void
check_tags(struct ern_slice one, struct ern_slice other)
{
    struct html html = {0}, other_html = {0};
    struct html_token t, u;

    while (next_tag(&html, &one, &t)) {
        check(next_tag(&other_html, &other, &u));
        check(t.kind == u.kind && slice_eq(t.name, u.name));
    }
    check(!next_tag(&other_html, &other, &u));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[3][OUTPUT_MAX];
    struct transform_wanted w;
    struct ern_slice page, written, again;
    bool changed, changes;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    w = wanted(data[0]);
    page = slice_from((const char *)data + 1, size - 1);
    if (w.from < CODINGS) {
        int error = run(&w, page, size, text[0], &written, &changed);

        check((run(&w, page, 3, text[1], &again, &changes) != 0) == (error != 0));
        check(error || (slice_eq(written, again) && changed == changes));
        return 0;
    }
    check(run(&w, page, size, text[0], &written, &changed) == 0);
    for (size_t step = 1; step < 20; step += 6) {
        check(run(&w, page, step, text[1], &again, &changes) == 0);
        check(slice_eq(written, again) && changed == changes);
    }
    check(written.len <= page.len && (changed || slice_eq(written, page)));
    if (!w.markup.is_style)
        check_tags(page, written);
    check(run(&w, written, size, text[2], &again, &changes) == 0);
    check(!changes || (data[0] & 2)); /* what was http:up/ in a link of a link is one now */
    return 0;
}
