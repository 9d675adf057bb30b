/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/token.h"

#include "base/chars.h"

void
tokens_wrong(struct tokens *r, struct conf_position at, const struct conf_say *say)
{
    if (at.line > r->quiet_line && !r->stop)
        conf_wrong(r->errors, at, say);
}

static void
step(struct tokens *r)
{
    char c = r->rest.ptr[0];

    r->rest = slice_skip(r->rest, 1);
    if (c == '\n') {
        r->here.line++;
        r->here.column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) { /* not inside a character */
        r->here.column++;
    }
}

static void
skip_comment(struct tokens *r)
{
    struct conf_position from = r->here;

    if (!slice_starts(r->rest, ERN_SLICE("/*"))) {
        while (r->rest.len && r->rest.ptr[0] != '\n')
            step(r);
        return;
    }
    step(r);
    step(r);
    while (r->rest.len && !slice_starts(r->rest, ERN_SLICE("*/")))
        step(r);
    if (r->rest.len == 0) {
        tokens_wrong(r, from,
                     CONF_SAY("this comment does not end", "write */ after it", ERN_ABSENT));
        return;
    }
    step(r);
    step(r);
}

static void
skip_blank(struct tokens *r)
{
    while (r->rest.len) {
        char c = r->rest.ptr[0];

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            step(r);
        else if (c == '#' || slice_starts(r->rest, ERN_SLICE("//")) ||
                 slice_starts(r->rest, ERN_SLICE("/*")))
            skip_comment(r);
        else
            return;
    }
}

static bool
is_word_byte(char c)
{
    static const struct ern_slice others = {"_-.:/+%@~[]*$?&!()|^", 20};

    return (unsigned char)c >= 0x80 || char_is(c, CHAR_ALPHA | CHAR_DIGIT) ||
           slice_find(others, c) < others.len;
}

static enum token
read_word(struct tokens *r)
{
    struct ern_slice from = r->rest;
    bool comment = false;

    while (r->rest.len && is_word_byte(r->rest.ptr[0])) {
        comment |= slice_starts(r->rest, ERN_SLICE("//"));
        comment |= slice_starts(r->rest, ERN_SLICE("/*"));
        step(r);
    }
    r->value = slice_first(from, from.len - r->rest.len);
    if (!comment)
        return TOKEN_WORD;
    tokens_wrong(
        r, r->at,
        CONF_SAY("\"%1\" holds the beginning of a comment", "write it in double quotes", r->value));
    return TOKEN_BAD;
}

/* Resolves escapes; those that there are not have been refused. */
static struct ern_slice
unescape(struct tokens *r, struct ern_slice raw)
{
    struct out o;
    char *at;

    if (slice_find(raw, '\\') == raw.len)
        return raw;
    at = memory_take(r->memory, raw.len, 1);
    o = out_init(at, at ? raw.len : 0);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];

        if (c == '\\' && i + 1 < raw.len) {
            c = raw.ptr[++i];
            c = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c);
        }
        out_char(&o, c);
    }
    return out_done(&o);
}

/* Takes one character of a string, with its escape. */
static bool
read_character(struct tokens *r)
{
    struct conf_position at = r->here;
    char c = r->rest.ptr[0];

    step(r);
    if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f) {
        tokens_wrong(
            r, at,
            CONF_SAY("a control character stands in this string", "leave it out", ERN_ABSENT));
        return false;
    }
    if (c != '\\' || r->rest.len == 0 || r->rest.ptr[0] == '\n')
        return true;
    c = r->rest.ptr[0];
    step(r);
    if (c == '"' || c == '\\' || c == 'n' || c == 't')
        return true;
    tokens_wrong(
        r, at,
        CONF_SAY("\"\\%1\" is not an escape", "write \\\\ for a backslash", slice_from(&c, 1)));
    return false;
}

static enum token
read_string(struct tokens *r)
{
    struct ern_slice from;
    bool good = true;

    step(r);
    from = r->rest;
    while (r->rest.len && r->rest.ptr[0] != '"' && r->rest.ptr[0] != '\n')
        good &= read_character(r);
    if (r->rest.len == 0 || r->rest.ptr[0] != '"') {
        tokens_wrong(
            r, r->at,
            CONF_SAY("this string does not end on its line", "write \" after it", ERN_ABSENT));
        return TOKEN_BAD;
    }
    r->value = unescape(r, slice_first(from, from.len - r->rest.len));
    step(r);
    return good ? TOKEN_STRING : TOKEN_BAD;
}

void
tokens_next(struct tokens *r)
{
    char c;

    skip_blank(r);
    r->at = r->here;
    r->token = TOKEN_END;
    if (r->rest.len == 0 || r->stop)
        return;
    c = r->rest.ptr[0];
    if (is_word_byte(c)) {
        r->token = read_word(r);
    } else if (c == '"') {
        r->token = read_string(r);
    } else if (slice_find(ERN_SLICE("={},"), c) < 4) {
        r->token = TOKEN_MARK;
        r->mark = c;
        step(r);
    } else {
        r->token = TOKEN_BAD;
        step(r);
        tokens_wrong(r, r->at,
                     CONF_SAY("\"%1\" means nothing here",
                              c == ';'    ? "leave it out: a setting needs no end"
                              : c == '\'' ? "write double quotes"
                                          : "leave it out, or write the text in double quotes",
                              slice_from(&c, 1)));
    }
}
