/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/hints.h"

#include "base/chars.h"
#include "pack/html.h"

enum { URL_MAX = 512, REFERENCE_MAX = 32 };

struct hint {
    const char *rel, *as;                         /* as NULL: rel says it */
    struct ern_slice url;                         /* as it stands in the page */
    struct ern_slice type, crossorigin, priority; /* absent: there is none */
};

#define attribute(tag, name) html_attribute(tag, ERN_SLICE(name))
#define has(tag, name) slice_is_there(attribute(tag, name))

static bool
is_word(struct ern_slice value, const char *word)
{
    return slice_eq_nocase(value, slice_text(word));
}

/* Is the word among those of a list that is separated by white space? */
static bool
list_has_word(struct ern_slice list, const char *word)
{
    while (list.len) {
        size_t n = 0;

        while (n < list.len && !html_is_space(list.ptr[n]))
            n++;
        if (is_word(slice_first(list, n), word))
            return true;
        list = slice_skip(list, n < list.len ? n + 1 : n);
    }
    return false;
}

/* ---- which tag is one ---------------------------------------------------------------------------
 */

/* What a browser may preload, by the names of `as` (Preload 2.1); others it does not fetch. */
static const char *
destination(struct ern_slice as)
{
    static const char *const names[] = {"script", "style", "font", "image", "fetch", "track"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_word(as, names[i]))
            return names[i];
    return NULL;
}

/* Is it for every client? */
static bool
is_for_all(const struct html_token *tag)
{
    struct ern_slice media = attribute(tag, "media");

    return !has(tag, "disabled") && !has(tag, "integrity") && !has(tag, "imagesrcset") &&
           (media.len == 0 || is_word(media, "all") || is_word(media, "screen"));
}

static bool
read_link(const struct html_token *tag, struct hint *h)
{
    struct ern_slice rel = attribute(tag, "rel");

    h->url = attribute(tag, "href");
    if (list_has_word(rel, "stylesheet") && !list_has_word(rel, "alternate")) {
        struct ern_slice type = attribute(tag, "type");

        h->rel = "preload";
        h->as = "style";
        return type.len == 0 || is_word(type, "text/css");
    }
    if (list_has_word(rel, "preload")) {
        h->rel = "preload";
        h->as = destination(attribute(tag, "as"));
        h->type = attribute(tag, "type");
        /* a font that is not fetched as scripts of others are is fetched twice (Preload 2.2) */
        return h->as && (!is_word(slice_text(h->as), "font") || slice_is_there(h->crossorigin));
    }
    h->rel = list_has_word(rel, "modulepreload") ? "modulepreload" : "preconnect";
    return list_has_word(rel, h->rel);
}

/* Is it a tag that asks for something? */
static bool
read_tag(const struct html_token *tag, struct hint *h)
{
    *h = (struct hint){.crossorigin = attribute(tag, "crossorigin"),
                       .priority = attribute(tag, "fetchpriority")};
    if (!is_for_all(tag))
        return false;
    if (is_word(tag->name, "link"))
        return read_link(tag, h);
    h->rel = "modulepreload";
    h->url = attribute(tag, "src");
    return is_word(tag->name, "script") && is_word(attribute(tag, "type"), "module");
}

/* ---- what is said of it -----------------------------------------------------------------------*/

/* The length of a reference at the front of s that stands for an ampersand; 0: it is none. */
static size_t
ampersand(struct ern_slice s)
{
    static const struct ern_slice names[] = {{"&amp;", 5}, {"&#38;", 5}, {"&#x26;", 6}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (s.len >= names[i].len && slice_eq_nocase(slice_first(s, names[i].len), names[i]))
            return names[i].len;
    return 0;
}

/* May an ampersand begin a reference to another character? */
static bool
is_reference(struct ern_slice s)
{
    size_t i = 1;

    while (i < s.len && i < REFERENCE_MAX &&
           (char_is(s.ptr[i], CHAR_ALPHA | CHAR_DIGIT) || s.ptr[i] == '#'))
        i++;
    return i > 1 && i < s.len && s.ptr[i] == ';';
}

/* Writes the URL with its references resolved. Returns false if it is not one to be told. */
static bool
write_url(struct out *o, struct ern_slice url)
{
    while (url.len && html_is_space(url.ptr[0]))
        url = slice_skip(url, 1);
    while (url.len && html_is_space(url.ptr[url.len - 1]))
        url.len--;
    if (url.len == 0 || url.len > URL_MAX || url.ptr[0] == '#')
        return false;
    while (url.len) {
        char c = url.ptr[0];
        size_t n = c == '&' ? ampersand(url) : 1;

        if (!char_is(c, CHAR_TARGET) || c == '<' || c == '>' || c == '"' || c == '\\')
            return false;
        if (c == '&' && n == 0 && is_reference(url))
            return false;
        out_char(o, c);
        url = slice_skip(url, n ? n : 1);
    }
    return true;
}

/* Can it be asked for by HTTP: is it a reference without a scheme, or with one of these? */
static bool
is_http(struct ern_slice url)
{
    static const struct ern_slice schemes[] = {{"http://", 7}, {"https://", 8}};
    size_t colon = slice_find(url, ':');

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (url.len > schemes[i].len &&
            slice_eq_nocase(slice_first(url, schemes[i].len), schemes[i]))
            return true;
    for (size_t i = 0; i < colon; i++)
        if (url.ptr[i] == '/' || url.ptr[i] == '?' || url.ptr[i] == '#')
            return true;
    return colon == url.len;
}

/* A parameter whose value is a media type. */
static void
write_type(struct out *o, struct ern_slice type)
{
    bool is_plain = type.len > 0;

    for (size_t i = 0; i < type.len; i++)
        is_plain = is_plain && (char_is(type.ptr[i], CHAR_TCHAR) || type.ptr[i] == '/');
    if (!is_plain)
        return;
    out_literal(o, "; type=\"");
    out_slice(o, type);
    out_char(o, '"');
}

static void
write_parameters(struct out *o, const struct hint *h)
{
    out_literal(o, "; rel=");
    out_text(o, h->rel);
    if (h->as) {
        out_literal(o, "; as=");
        out_text(o, h->as);
    }
    write_type(o, h->type);
    if (is_word(h->crossorigin, "use-credentials"))
        out_literal(o, "; crossorigin=\"use-credentials\"");
    else if (slice_is_there(h->crossorigin))
        out_literal(o, "; crossorigin");
    if (is_word(h->priority, "high") || is_word(h->priority, "low")) {
        out_literal(o, "; fetchpriority=");
        out_text(o, is_word(h->priority, "high") ? "high" : "low");
    }
}

/* Does the text stand in what was written already? */
static bool
was_said(struct ern_slice said, struct ern_slice text)
{
    for (; said.len >= text.len; said = slice_skip(said, 1)) {
        said = slice_skip(said, slice_find(said, text.ptr[0]));
        if (said.len < text.len)
            return false;
        if (slice_starts(said, text))
            return true;
    }
    return false;
}

/* Writes the link, if it is one to be told and was not. Returns whether it was written. */
static bool
write_hint(struct out *o, const struct hint *h)
{
    struct out before = *o;
    struct ern_slice target;
    size_t from;

    if (o->len)
        out_literal(o, ", ");
    from = o->len;
    out_char(o, '<');
    if (!write_url(o, h->url) || o->full) {
        *o = before;
        return false;
    }
    target = slice_from(o->ptr + from + 1, o->len - from - 1);
    if (!is_http(target)) {
        *o = before;
        return false;
    }
    out_char(o, '>');
    target = slice_from(o->ptr + from, o->len - from);
    write_parameters(o, h);
    if (o->full || was_said(slice_first(out_done(&before), before.len), target)) {
        *o = before;
        return false;
    }
    return true;
}

/* ---- the page ---------------------------------------------------------------------------------*/

/* Is it an element whose content is not there, or only for some? */
static bool
is_apart(struct ern_slice name)
{
    return is_word(name, "template") || is_word(name, "noscript");
}

unsigned
hints_write(struct ern_slice page, struct out *o)
{
    struct html html = {0};
    struct html_token t;
    struct hint hint;
    unsigned apart = 0, n = 0;

    while (html_next(&html, &page, false, &t)) {
        if (is_apart(t.name))
            apart += t.kind == HTML_START ? 1 : apart ? -1U : 0;
        if (t.kind != HTML_START || apart)
            continue;
        if (is_word(t.name, "base")) /* what follows is elsewhere */
            break;
        if (read_tag(&t, &hint))
            n += write_hint(o, &hint);
    }
    return n;
}
