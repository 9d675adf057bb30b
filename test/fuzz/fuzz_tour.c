/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as a reader of the tour may write it, after an ETag on the first line. Its bytes fit, a
 * line of its head ends with CRLF and nothing else, and what is told of it is UTF-8; where nothing
 * stands for something else it is sent as it was written. The same bytes as a table of recipes:
 * what is read of it lies in it, and each of its requests can be written.
 */
#include <stdlib.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "main/tour_fill.h"
#include "main/tour_recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 8192, SENT_MAX = 32768, TOLD_MAX = 6 * TOUR_TOLD_BYTES + 64 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
look_at_head(struct ern_slice head)
{
    for (size_t i = 0; i < head.len; i++)
        if (head.ptr[i] == '\n')
            check(i > 0 && head.ptr[i - 1] == '\r');
}

static bool
is_plain(struct ern_slice text)
{
    return slice_find(text, '$') == text.len && slice_find(text, '{') == text.len &&
           slice_find(text, '\\') == text.len;
}

/* Is the text, which has no CR, what was sent, but for CR and a line end at its end? */
static void
look_at_whole(struct ern_slice text, struct ern_slice head, struct ern_slice content)
{
    size_t at = 0;

    for (size_t i = 0; i < head.len; i++)
        check(head.ptr[i] == '\r' || (at < text.len && text.ptr[at++] == head.ptr[i]));
    check(slice_starts(slice_skip(text, at), content) && text.len - at - content.len <= 1);
}

static void
fill_it(struct ern_slice text)
{
    static char head_bytes[SENT_MAX], content_bytes[SENT_MAX], told_bytes[TOLD_MAX];
    struct out head = out_init(head_bytes, SENT_MAX), content = out_init(content_bytes, SENT_MAX);
    struct out told = out_init(told_bytes, TOLD_MAX);
    struct tour_names names = {.port = 80, .site = 8080};
    size_t end = slice_find(text, '\n');

    tour_keep(&names, TOUR_ETAG, slice_first(text, end));
    tour_keep(&names, TOUR_FIRST, slice_first(text, end));
    text = slice_skip(text, end < text.len ? end + 1 : end);
    tour_fill(&names, text, &head, &content);
    look_at_head(out_done(&head));
    if (is_plain(text) && slice_find(text, '\r') == text.len)
        look_at_whole(text, out_done(&head), out_done(&content));
    tour_told(&told, out_done(&content));
    check(!told.full && utf8_is(out_done(&told)));
}

static void
read_it(struct ern_slice text)
{
    static struct tour_table table;
    static char request[TEXT_MAX * 2];
    unsigned line = tour_recipes_read(text, &table);

    check(line <= text.len);
    for (size_t i = 0; line == 0 && i < table.n; i++) {
        const struct tour_recipe *recipe = &table.recipe[i];

        check(tour_recipe_find(&table, recipe->code) != NULL);
        for (size_t j = 0; j < recipe->steps_n; j++) {
            struct out o = out_init(request, sizeof request);
            struct ern_slice lines = recipe->steps[j].lines;

            check(lines.ptr >= text.ptr && lines.ptr + lines.len <= text.ptr + text.len);
            tour_step_write(&recipe->steps[j], &o);
            check(!o.full);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = {(const char *)data, size};

    if (size > TEXT_MAX)
        return 0;
    fill_it(text);
    read_it(text);
    return 0;
}
