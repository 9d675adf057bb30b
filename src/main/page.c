/* SPDX-License-Identifier: Apache-2.0 */
#include "main/page.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/utf8.h"

enum {
    WIDTH_DEFAULT = 80,
    WIDTH_MIN = 32,
};

void
page_init(struct page *page, FILE *file)
{
    struct winsize size;
    const char *no_colour = getenv("NO_COLOR");

    page->file = file;
    page->terminal = isatty(fileno(file)) != 0;
    page->colour = page->terminal && (!no_colour || !*no_colour);
    page->width = WIDTH_DEFAULT;
    if (page->terminal && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
        page->width = size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* The character of len bytes at ptr. */
static uint32_t
character(const char *ptr, size_t len)
{
    static const uint32_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)ptr[0] & first_bits[len];

    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)ptr[i] & 0x3f);
    return c;
}

/* Is it drawn above, below or inside its neighbour? Of the scripts that Earnest writes. */
static bool
takes_no_column(uint32_t c)
{
    return c == 0x200b || c == 0x200c || c == 0x200d || c == 0x0981 || c == 0x09bc ||
           (c >= 0x09c1 && c <= 0x09c4) || c == 0x09cd || c == 0x09e2 || c == 0x09e3;
}

unsigned
page_columns(struct ern_slice text)
{
    unsigned columns = 0;

    while (text.len) {
        size_t len = utf8_len(text);

        columns += len == 0 || !takes_no_column(character(text.ptr, len));
        text = slice_skip(text, len ? len : 1);
    }
    return columns;
}

static void
put(const struct page *page, struct ern_slice text)
{
    if (text.len)
        fwrite(text.ptr, 1, text.len, page->file);
}

static void
put_spaces(const struct page *page, unsigned n)
{
    for (; n; n--)
        putc(' ', page->file);
}

void
page_pad(const struct page *page, struct ern_slice text, unsigned columns)
{
    unsigned used = page_columns(text);

    put(page, text);
    put_spaces(page, used < columns ? columns - used : 1);
}

static void
put_style(const struct page *page, const char *style, struct ern_slice text)
{
    if (page->colour)
        fputs(style, page->file);
    put(page, text);
    if (page->colour)
        fputs("\033[0m", page->file);
}

void
page_bold(const struct page *page, struct ern_slice text)
{
    put_style(page, "\033[1m", text);
}

void
page_dim(const struct page *page, struct ern_slice text)
{
    put_style(page, "\033[2m", text);
}

void
page_wrap(const struct page *page, struct ern_slice text, unsigned indent, unsigned at)
{
    bool begins = true; /* no word on this line yet */

    if (at < indent) {
        put_spaces(page, indent - at);
        at = indent;
    }
    while (text.len) {
        struct ern_slice word = slice_first(text, slice_find(text, ' '));
        unsigned columns = page_columns(word);

        if (!begins && at + 1 + columns > page->width) {
            putc('\n', page->file);
            put_spaces(page, indent);
            at = indent;
            begins = true;
        }
        if (!begins)
            putc(' ', page->file);
        put(page, word);
        at += columns + !begins;
        begins = false;
        text = slice_skip(text, word.len < text.len ? word.len + 1 : word.len);
    }
    putc('\n', page->file);
}

void
page_json(const struct page *page, struct ern_slice text)
{
    putc('"', page->file);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '"' || c == '\\')
            fprintf(page->file, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", page->file);
        else if (c == '\r')
            fputs("\\r", page->file);
        else if ((unsigned char)c < ' ')
            fprintf(page->file, "\\u%04x", (unsigned)(unsigned char)c);
        else
            putc(c, page->file);
    }
    putc('"', page->file);
}
