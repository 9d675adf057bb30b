/* SPDX-License-Identifier: Apache-2.0 */
#include "res/media.h"

#include "base/slice.h"

enum { EXTENSION_MAX = 15 };

static const struct media_row {
    struct ern_slice extension, type;
} rows[] = {
#define MEDIA(extension, type) {{extension, sizeof extension - 1}, {type, sizeof type - 1}},
#include "res/media.def"
#undef MEDIA
};

#define MEDIA(extension, type)                                                                     \
    static_assert(sizeof extension - 1 <= EXTENSION_MAX, "EXTENSION_MAX is the longest");
#include "res/media.def"
#undef MEDIA

/* Names that are text by custom, though no extension says so. */
static const struct ern_slice texts[] = {
#define TEXT(name)                                                                                 \
    {                                                                                              \
        "" name, sizeof name - 1                                                                   \
    }
    TEXT("authors"),    TEXT("bugs"),        TEXT("changelog"), TEXT("changes"),
    TEXT("copying"),    TEXT("copyright"),   TEXT("credits"),   TEXT("dockerfile"),
    TEXT("faq"),        TEXT("history"),     TEXT("install"),   TEXT("licence"),
    TEXT("license"),    TEXT("maintainers"), TEXT("makefile"),  TEXT("manifest"),
    TEXT("news"),       TEXT("notice"),      TEXT("readme"),    TEXT("sha256sums"),
    TEXT("sha512sums"), TEXT("thanks"),      TEXT("todo"),      TEXT("version"),
#undef TEXT
};

/* Before, at or after: bytewise, and a text before what it begins. */
static int
compare(struct ern_slice a, struct ern_slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static const struct media_row *
find(struct ern_slice extension)
{
    size_t from = 0, to = sizeof rows / sizeof *rows;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare(extension, rows[middle].extension);

        if (order == 0)
            return &rows[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* What stands after the last c of text; all of it if there is none. */
static struct ern_slice
after_last(struct ern_slice text, char c)
{
    size_t at = text.len;

    while (at && text.ptr[at - 1] != c)
        at--;
    return slice_skip(text, at);
}

/* The row of an extension in any case, or NULL. */
static const struct media_row *
find_nocase(struct ern_slice extension)
{
    char text[EXTENSION_MAX];

    if (extension.len == 0 || extension.len > sizeof text)
        return NULL;
    for (size_t i = 0; i < extension.len; i++)
        text[i] = lower(extension.ptr[i]);
    return find(slice_from(text, extension.len));
}

bool
media_has(struct ern_slice extension)
{
    return find_nocase(extension) != NULL;
}

bool
media_runs(struct ern_slice type)
{
    type = slice_trim(slice_first(type, slice_find(type, ';')));
    return slice_eq(type, ERN_SLICE("text/html")) || slice_ends(type, ERN_SLICE("/xml")) ||
           slice_ends(type, ERN_SLICE("+xml"));
}

bool
media_compresses(struct ern_slice type)
{
    static const struct ern_slice endings[] = {
        {"+xml", 4},         {"+json", 5},        {"/json", 5},    {"/xml", 4},
        {"/javascript", 11}, {"/ecmascript", 11}, {"/wasm", 5},    {"/rtf", 4},
        {"/postscript", 11}, {"image/bmp", 9},    {"font/ttf", 8}, {"font/otf", 8},
        {"/x-ndjson", 9},    {"/sql", 4},         {"/xml-dtd", 8},
    };

    type = slice_trim(slice_first(type, slice_find(type, ';')));
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (slice_ends(type, endings[i]))
            return true;
    return slice_starts(type, ERN_SLICE("text/"));
}

struct ern_slice
media_type(struct ern_slice name)
{
    struct ern_slice file = after_last(name, '/'), extension = after_last(file, '.');
    const struct media_row *row;

    if (extension.len == file.len) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (slice_eq_nocase(file, texts[i]))
                return ERN_SLICE("text/plain; charset=utf-8");
    } else {
        row = find_nocase(extension);
        if (row)
            return row->type;
    }
    return ERN_SLICE("application/octet-stream");
}
