/* SPDX-License-Identifier: Apache-2.0 */
/* heard_put.c - an exchange, printed: for people and for programs. */

#include "base/out.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "main/heard.h"

enum { SHOWN_BYTES = 4096 /* of content, so much is printed */ };

static void
put_plain(struct ern_slice text)
{
    char memory[SHOWN_BYTES];

    while (text.len) { /* U+FFFD has three bytes: a third of the memory always fits */
        size_t n = text.len < sizeof memory / 3 ? text.len : sizeof memory / 3;
        struct out o = out_init(memory, sizeof memory);

        while (n < text.len && n > 1 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
            n--;
        out_plain(&o, slice_first(text, n));
        (void)fwrite(o.ptr, 1, o.len, stdout);
        text = slice_skip(text, n);
    }
}

/* Each line, with a mark that says which way it went; a first line stands out. */
static void
put_lines(const struct page *page, const char *mark, struct ern_slice text)
{
    struct ern_slice line;
    bool begins = true;

    while (heard_line(&text, &line)) {
        page_dim(page, slice_text(mark));
        if (page->colour && begins)
            fputs("\033[1m", page->file);
        put_plain(line);
        fputs(page->colour && begins ? "\033[0m\n" : "\n", page->file);
        begins = line.len == 0; /* the next head */
    }
}

static void
put_content(const struct page *page, struct ern_slice content)
{
    struct ern_slice shown =
        slice_first(content, content.len < SHOWN_BYTES ? content.len : SHOWN_BYTES);

    while (shown.len && shown.len < content.len &&
           ((unsigned char)content.ptr[shown.len] & 0xc0) == 0x80)
        shown.len--;
    if (utf8_is(shown) && slice_find(shown, '\0') == shown.len)
        put_lines(page, "  ", shown);
    else
        shown.len = 0;
    if (shown.len < content.len)
        (void)fprintf(page->file, "  (%zu bytes%s)\n", content.len - shown.len,
                      shown.len ? " more" : "");
}

void
heard_put_json(const struct page *page, const struct heard *x, struct ern_slice frames,
               struct ern_slice why)
{
    struct ern_slice content = slice_from(x->answer + x->content_at, x->len - x->content_at);
    size_t at = 0, end;

    fputs("{\"request\":", page->file);
    page_json(page, slice_from(x->head, x->head_len));
    fputs(",\"answers\":[", page->file);
    for (; at < x->content_at && (end = heard_end(x, at)) != 0; at = end) {
        (void)fprintf(page->file, "%s{\"status\":%u,\"head\":", at ? "," : "", heard_status(x, at));
        page_json(page, slice_from(x->answer + at, end - at));
        fputs("}", page->file);
    }
    (void)fprintf(page->file, "],\"content_bytes\":%zu,\"content\":", content.len);
    if (utf8_is(content))
        page_json(page, content);
    else
        fputs("null", page->file);
    if (slice_is_there(frames)) {
        fputs(",\"frames\":", page->file);
        page_json(page, frames);
    }
    fputs(",\"why\":", page->file);
    if (why.len)
        (void)fwrite(why.ptr, 1, why.len, page->file);
    else
        fputs("null", page->file);
    fputs("}\n", page->file);
}

/* A frame stands out, what it has does not. */
void
heard_put_frames(const struct page *page, struct ern_slice text)
{
    struct ern_slice line;

    while (heard_line(&text, &line)) {
        bool begins = line.len > 2 && line.ptr[2] != ' ';

        if (begins)
            page_bold(page, line);
        else
            page_dim(page, line);
        fputs("\n", page->file);
    }
}

void
heard_put(const struct page *page, const struct heard *x, struct ern_slice content)
{
    put_lines(page, "> ", slice_from(x->head, x->head_len));
    put_content(page, content);
    put_lines(page, "< ", slice_from(x->answer, x->content_at));
    put_content(page, slice_from(x->answer + x->content_at, x->len - x->content_at));
}
