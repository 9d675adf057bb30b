/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/markup.h"

#include <stdlib.h>

#include "base/chars.h"
#include "pack/css.h"
#include "pack/html.h"

struct markup {
    struct markup_wanted wanted;
    struct html html;
    struct css css;    /* of a style sheet, or of the style element that is open */
    bool in_style;     /* is one? */
    unsigned verbatim; /* elements that are open whose white space shows */
    bool has_begun;
    bool in_space;  /* the last that was written is white space of a text, */
    bool after_tag; /* or a tag */
    bool passes;    /* from here on nothing is changed */
    bool changed;
    size_t at, len; /* what came and is no token yet */
    char held[MARKUP_TOKEN_MAX];
};

struct markup *
markup_new(const struct markup_wanted *wanted)
{
    struct markup *m = calloc(1, sizeof *m);

    if (m)
        m->wanted = *wanted;
    return m;
}

void
markup_free(struct markup *m)
{
    free(m);
}

bool
markup_changed(const struct markup *m)
{
    return m->changed;
}

/* ---- what does not show -----------------------------------------------------------------------*/

/* A remark of a person: others steer a program, as <!--[if IE]> and <!-- ko --> do. */
static bool
is_remark(struct ern_slice comment)
{
    bool has_letter = false;

    if (comment.len < 8 || !html_is_space(comment.ptr[4]) ||
        slice_starts(comment, ERN_SLICE("<!-- ko")) || slice_starts(comment, ERN_SLICE("<!-- /")))
        return false;
    for (size_t i = 4; i < comment.len; i++)
        has_letter = has_letter || char_is(comment.ptr[i], CHAR_ALPHA);
    return has_letter;
}

/* Of white space that follows other white space one is seen, the first. */
static void
write_text(struct markup *m, struct out *o, struct ern_slice text)
{
    while (text.len) {
        size_t n = 0;

        while (n < text.len && html_is_space(text.ptr[n]))
            n++;
        if (n > !m->in_space)
            m->changed = true;
        if (n && !m->in_space)
            out_char(o, text.ptr[0]);
        m->in_space = n > 0 || m->in_space;
        text = slice_skip(text, n);
        for (n = 0; n < text.len && !html_is_space(text.ptr[n]);)
            n++;
        if (n)
            m->in_space = false;
        out_slice(o, slice_first(text, n));
        text = slice_skip(text, n);
    }
}

/* ---- links ------------------------------------------------------------------------------------*/

static bool
is_one_of(struct ern_slice name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(name, slice_text(names[i])))
            return true;
    return false;
}

/* Is it an attribute whose value is one URL? */
static bool
is_link(struct ern_slice name)
{
    static const char *const names[] = {
        "href", "src", "action", "formaction", "poster", "data", "cite", "background", "manifest",
    };

    return is_one_of(name, names, sizeof names / sizeof *names);
}

/* A URL that is in what is written from *from on. */
static void
write_url(struct markup *m, struct out *o, struct ern_slice url, const char **from)
{
    struct ern_slice path = link_path(&m->wanted.origins, url);

    if (!slice_is_there(path))
        return;
    out_slice(o, slice_from(*from, (size_t)(url.ptr - *from)));
    link_write_slash(o, path);
    *from = path.ptr;
    m->changed = true;
}

/* The tokens of a style sheet that are there. Returns false if there is no room for the next. */
static bool
write_style(struct markup *m, struct css *css, struct ern_slice *in, bool last, struct out *o)
{
    struct css before = *css;
    struct ern_slice rest = *in;
    struct css_token t;

    for (; css_next(css, &rest, last, &t); *in = rest, before = *css) {
        const char *from = t.text.ptr;

        if (o->cap - o->len < t.text.len) {
            *css = before;
            return false;
        }
        if (slice_is_there(t.url))
            write_url(m, o, t.url, &from);
        out_slice(o, slice_from(from, (size_t)(t.text.ptr + t.text.len - from)));
    }
    return true;
}

static void
write_value(struct markup *m, struct out *o, struct ern_slice name, struct ern_slice value,
            const char **from)
{
    struct css css = {0};
    struct css_token t;
    struct ern_slice url;

    if (is_link(name)) {
        write_url(m, o, value, from);
    } else if (slice_eq_nocase(name, ERN_SLICE("srcset")) ||
               slice_eq_nocase(name, ERN_SLICE("imagesrcset"))) {
        while (link_candidate_next(&value, &url))
            write_url(m, o, url, from);
    } else if (slice_eq_nocase(name, ERN_SLICE("style"))) {
        while (css_next(&css, &value, true, &t))
            if (slice_is_there(t.url))
                write_url(m, o, t.url, from);
    }
}

static void
write_tag(struct markup *m, struct out *o, const struct html_token *t)
{
    struct ern_slice rest = t->attributes, name, value;
    const char *from = t->text.ptr;

    while (m->wanted.origins.n && html_attribute_next(&rest, &name, &value))
        if (slice_is_there(value))
            write_value(m, o, name, value, &from);
    out_slice(o, slice_from(from, (size_t)(t->text.ptr + t->text.len - from)));
}

/* ---- tokens -----------------------------------------------------------------------------------*/

/* Elements whose white space shows; of one that has no end all that follows it. */
static bool
is_verbatim(struct ern_slice name)
{
    static const char *const names[] = {"pre", "listing", "plaintext"};

    return is_one_of(name, names, sizeof names / sizeof *names);
}

/* Writes a token; of the text of a style element, as far as it is tokens of a style sheet. Returns
 * what is left of it. */
static size_t
write_token(struct markup *m, struct out *o, const struct html_token *t)
{
    struct ern_slice style = t->text;

    if (t->kind == HTML_TEXT && m->wanted.minifies && m->verbatim == 0) {
        m->after_tag = false;
        write_text(m, o, t->text);
        return 0;
    }
    /* What stands around it must not become one: a<<!-- b -->c> is no tag. */
    if (t->kind == HTML_COMMENT && m->wanted.minifies && (m->in_space || m->after_tag) &&
        is_remark(t->text)) {
        m->changed = true;
        return 0;
    }
    m->in_space = false;
    m->after_tag = t->kind == HTML_START || t->kind == HTML_END;
    if (t->kind == HTML_START && is_verbatim(t->name))
        m->verbatim++;
    else if (t->kind == HTML_END && is_verbatim(t->name) && m->verbatim)
        m->verbatim--;
    if (t->kind == HTML_START) {
        m->in_style = slice_eq_nocase(t->name, ERN_SLICE("style"));
        m->css = (struct css){0};
        write_tag(m, o, t);
    } else if (t->kind == HTML_RAW && m->in_style && m->wanted.origins.n) {
        (void)write_style(m, &m->css, &style, t->is_whole, o);
        return style.len;
    } else {
        out_slice(o, t->text);
    }
    return 0;
}

/* Holds more of *in. */
static void
hold(struct markup *m, struct ern_slice *in)
{
    size_t n;

    memmove(m->held, m->held + m->at, m->len - m->at);
    m->len -= m->at;
    m->at = 0;
    n = in->len < sizeof m->held - m->len ? in->len : sizeof m->held - m->len;
    if (n)
        memcpy(m->held + m->len, in->ptr, n);
    m->len += n;
    *in = slice_skip(*in, n);
}

/* UTF-16, by the mark at its beginning: its bytes are no characters. */
static bool
is_wide(struct ern_slice s)
{
    return slice_starts(s, ERN_SLICE("\xff\xfe")) || slice_starts(s, ERN_SLICE("\xfe\xff"));
}

static void
pass(struct ern_slice *from, struct out *o)
{
    size_t n = from->len < o->cap - o->len ? from->len : o->cap - o->len;

    out_slice(o, slice_first(*from, n));
    *from = slice_skip(*from, n);
}

/* Writes tokens while there is room for them. Returns false if there is none for the next one. */
static bool
write_tokens(struct markup *m, struct ern_slice *held, bool last, struct out *o)
{
    struct html before = m->html;
    struct ern_slice rest = *held;
    struct html_token t;
    size_t left;

    for (; html_next(&m->html, &rest, last, &t); *held = rest, before = m->html) {
        if (o->cap - o->len < t.text.len) {
            m->html = before;
            return false;
        }
        left = write_token(m, o, &t);
        if (left) {
            *held = slice_skip(*held, t.text.len - left);
            break;
        }
    }
    return true;
}

void
markup_run(struct markup *m, struct ern_slice *in, bool last, struct out *o, bool *ret_end)
{
    bool has_room = true;

    while (has_room) {
        struct ern_slice held;
        size_t before;

        hold(m, in);
        held = slice_from(m->held, m->len);
        before = held.len;
        if (!m->has_begun && before >= 2)
            m->passes = is_wide(held);
        m->has_begun = m->has_begun || before >= 2 || last;
        if (m->passes)
            pass(&held, o);
        else if (m->has_begun && m->wanted.is_style)
            has_room = write_style(m, &m->css, &held, last && in->len == 0, o);
        else if (m->has_begun)
            has_room = write_tokens(m, &held, last && in->len == 0, o);
        m->at = m->len - held.len;
        if (before == held.len && has_room && before == sizeof m->held && !m->passes)
            m->passes = true; /* it is too long for us to know what it is */
        else if (before == held.len)
            break;
    }
    *ret_end = last && in->len == 0 && m->at == m->len;
}
