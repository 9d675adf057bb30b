/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page. Its tokens follow each other without a gap, and are the same however the page is cut into
 * pieces. What is said of its links fits, says as much with more room, and is a list of links in
 * visible ASCII, each once.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pack/hints.h"
#include "pack/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 13, LINK_MAX = 1 << 11, TOKENS_MAX = INPUT_MAX };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

struct seen { /* tokens, pieces of one text as one */
    unsigned n;
    enum html_kind kind[TOKENS_MAX];
    size_t end[TOKENS_MAX];
};

static void
add(struct seen *seen, const struct html_token *t)
{
    bool is_piece = (t->kind == HTML_TEXT || t->kind == HTML_RAW) && seen->n &&
                    seen->kind[seen->n - 1] == t->kind;
    size_t from = seen->n ? seen->end[seen->n - 1] : 0;

    check(t->text.len > 0);
    seen->n += !is_piece;
    seen->kind[seen->n - 1] = t->kind;
    seen->end[seen->n - 1] = from + t->text.len;
}

/* Reads it as it comes in pieces of `step` bytes. */
static void
read_page(struct ern_slice page, size_t step, struct seen *seen)
{
    struct html html = {0};
    struct html_token t;
    size_t at = 0, there = 0;

    seen->n = 0;
    while (at < page.len) {
        struct ern_slice in;
        bool last;

        there = page.len - there < step ? page.len : there + step;
        last = there == page.len;
        in = slice_from(page.ptr + at, there - at);
        while (html_next(&html, &in, last, &t)) {
            check(t.text.ptr == page.ptr + at);
            at += t.text.len;
            add(seen, &t);
        }
        check(!last || at == page.len);
    }
}

static void
check_links(struct ern_slice links, unsigned n)
{
    unsigned opened = 0, closed = 0;

    for (size_t i = 0; i < links.len; i++) {
        check(links.ptr[i] >= ' ' && links.ptr[i] <= '~');
        opened += links.ptr[i] == '<';
        closed += links.ptr[i] == '>';
        check(opened - closed <= 1);
    }
    check(opened == n && closed == n && (links.len > 0) == (n > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen whole, pieces;
    static char text[LINK_MAX], small[LINK_MAX];
    struct out links = out_init(text, sizeof text), fewer;
    struct ern_slice page = slice_from((const char *)data, size);
    unsigned n;

    if (size == 0 || size > INPUT_MAX)
        return 0;
    read_page(page, size, &whole);
    for (size_t step = 1; step < 20; step += 6) {
        read_page(page, step, &pieces);
        check(pieces.n == whole.n);
        for (unsigned i = 0; i < whole.n; i++)
            check(pieces.kind[i] == whole.kind[i] && pieces.end[i] == whole.end[i]);
    }
    n = hints_write(page, &links);
    check(!links.full);
    check_links(out_done(&links), n);
    fewer = out_init(small, links.len / 2);
    n = hints_write(page, &fewer);
    check(!fewer.full);
    check_links(out_done(&fewer), n);
    return 0;
}
