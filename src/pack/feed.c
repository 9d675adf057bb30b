/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/feed.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>

#define RSS_1 "http://purl.org/rss/1.0/"
#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define ATOM "http://www.w3.org/2005/Atom"

enum { SEPARATOR = ' ' /* of a namespace and a name: no namespace has one */ };

/* The kinds of feeds: where their entries stand. */
static const struct kind {
    const char *root, *channel; /* channel NULL: entries stand in the root */
    const char *entry;
} kinds[] = {
    {"rss", "channel", "item"},
    {RDF " RDF", NULL, RSS_1 " item"},
    {ATOM " feed", NULL, ATOM " entry"},
};

struct reader { /* of one document */
    XML_Parser parser;
    struct ern_slice text;
    const struct kind *kind; /* NULL: of none that is known */
    unsigned depth;          /* elements that are open, and */
    bool in_channel;
    unsigned entry_depth; /* that of the entry that is open, or 0 */
    size_t entry_at;
    struct ern_slice *entries;
    size_t entries_n, entries_cap;
    int error;
};

static void
fail(struct reader *r, int error)
{
    r->error = error;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static bool
is_entry(const struct reader *r, const char *name)
{
    bool in_place = r->kind->channel ? r->depth == 3 && r->in_channel : r->depth == 2;

    return in_place && slice_eq(slice_text(name), slice_text(r->kind->entry));
}

static void XMLCALL
begin(void *self, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = self;

    (void)attributes;
    r->depth++;
    if (r->depth > FEED_DEPTH_MAX)
        fail(r, -E2BIG);
    if (r->depth == 1)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (slice_eq(slice_text(name), slice_text(kinds[i].root)))
                r->kind = &kinds[i];
    if (!r->kind) {
        fail(r, -EINVAL);
        return;
    }
    if (r->depth == 2 && r->kind->channel)
        r->in_channel = slice_eq(slice_text(name), slice_text(r->kind->channel));
    if (!r->entry_depth && is_entry(r, name)) {
        r->entry_depth = r->depth;
        r->entry_at = (size_t)XML_GetCurrentByteIndex(r->parser);
    }
}

static void XMLCALL
end(void *self, const XML_Char *name)
{
    struct reader *r = self;
    size_t at;

    (void)name;
    if (r->depth-- != r->entry_depth)
        return;
    r->entry_depth = 0;
    if (r->entries_n == FEED_ENTRIES_MAX) {
        fail(r, -E2BIG);
        return;
    }
    if (r->entries_n == r->entries_cap) {
        size_t cap = r->entries_cap ? 2 * r->entries_cap : 64;
        struct ern_slice *more = realloc(r->entries, cap * sizeof *more);

        if (!more) {
            fail(r, -ENOMEM);
            return;
        }
        r->entries = more;
        r->entries_cap = cap;
    }
    at = (size_t)XML_GetCurrentByteIndex(r->parser) +
         (size_t)XML_GetCurrentByteCount(r->parser); /* of an empty element: its end, and none */
    r->entries[r->entries_n++] = slice_from(r->text.ptr + r->entry_at, at - r->entry_at);
}

/* Entities are no part of a feed, and what they hide has no place in the text. */
static void XMLCALL
declare(void *self, const XML_Char *name, int is_parameter, const XML_Char *value, int value_len,
        const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id,
        const XML_Char *notation)
{
    (void)name;
    (void)is_parameter;
    (void)value;
    (void)value_len;
    (void)base;
    (void)system_id;
    (void)public_id;
    (void)notation;
    fail(self, -EINVAL);
}

/* In an encoding of wider units white space is not what it is in ASCII. */
static bool
has_ascii(struct ern_slice text)
{
    return text.len >= 4 && text.ptr[0] && text.ptr[1] && text.ptr[2] && text.ptr[3] &&
           !slice_starts(text, ERN_SLICE("\xfe\xff")) && !slice_starts(text, ERN_SLICE("\xff\xfe"));
}

/* Finds the entries; to be freed whatever is returned. */
static int
read_entries(struct ern_slice text, struct reader *r)
{
    *r = (struct reader){.text = text};
    if (!has_ascii(text) || text.len > INT32_MAX)
        return -EINVAL;
    r->parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (!r->parser)
        return -ENOMEM;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, begin, end);
    XML_SetEntityDeclHandler(r->parser, declare);
    if (XML_Parse(r->parser, text.ptr, (int)text.len, 1) != XML_STATUS_OK && !r->error)
        r->error = XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EINVAL;
    XML_ParserFree(r->parser);
    return r->error;
}

static int
compare(const void *a, const void *b)
{
    const struct ern_slice *one = a, *other = b;
    int order;

    if (one->len != other->len)
        return one->len < other->len ? -1 : 1;
    order = one->len ? memcmp(one->ptr, other->ptr, one->len) : 0;
    return order;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Writes the feed without the entries of base, which are sorted. */
static size_t
write_rest(const struct reader *base, const struct reader *feed, struct out *o)
{
    const char *from = feed->text.ptr;
    size_t left = 0;

    for (size_t i = 0; i < feed->entries_n; i++) {
        const struct ern_slice *entry = &feed->entries[i];
        const char *before = entry->ptr;

        if (!base->entries_n ||
            !bsearch(entry, base->entries, base->entries_n, sizeof *entry, compare)) {
            left++;
            continue;
        }
        while (before > from && is_blank(before[-1]))
            before--;
        out_slice(o, slice_from(from, (size_t)(before - from)));
        from = entry->ptr + entry->len;
    }
    out_slice(o, slice_from(from, (size_t)(feed->text.ptr + feed->text.len - from)));
    return left;
}

int
feed_write_new(struct ern_slice base, struct ern_slice feed, struct out *o, size_t *ret_left)
{
    struct reader before, now = {.entries = NULL};
    int error = read_entries(base, &before);

    if (!error)
        error = read_entries(feed, &now);
    if (!error) {
        if (before.entries_n)
            qsort(before.entries, before.entries_n, sizeof *before.entries, compare);
        *ret_left = write_rest(&before, &now, o);
        error = o->full ? -ENOSPC : 0;
    }
    free(before.entries);
    free(now.entries);
    return error;
}
