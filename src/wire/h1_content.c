/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_content.c - the content of an HTTP/1.1 message: none, of a known length, chunked, or all that
 * comes.
 *
 * Chunk data goes through as slices; all around it is read byte by byte in a state machine that
 * keeps nothing of what it read. The order within a byte is: limits first, then syntax.
 *
 * rfc9112#7.1 "chunked-body   = *chunk last-chunk trailer-section CRLF"
 */
#include "base/chars.h"
#include "base/num.h"
#include "base/slice.h"
#include "wire/h1.h"

/* What the next byte belongs to. */
enum state {
    /* Chunk extensions come first: they are the rows of extension_next[]. */
    EXTENSION_BLANK,   /* blanks, then ";" */
    EXTENSION_BEGIN,   /* blanks, then a name */
    EXTENSION_NAME,    /* a name, then blanks, "=", ";" or CR */
    EXTENSION_NAMED,   /* blanks, then "=" or ";" */
    EXTENSION_EQUALS,  /* blanks, then a value */
    EXTENSION_TOKEN,   /* a token, then blanks, ";" or CR */
    EXTENSION_QUOTED,  /* inside a quoted-string */
    EXTENSION_ESCAPED, /* after a backslash in it */
    EXTENSION_VALUE,   /* after its end: blanks, ";" or CR */
    EXTENSION_STATES,
    SIZE = EXTENSION_STATES, /* the digits of a chunk size */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* a trailer line, or the empty line at the end, begins */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    LENGTH, /* content of a known length */
    OPEN,   /* or of one that nobody knows */
    DONE,
    BAD,
};

/* What a byte is to a chunk extension. */
enum class {
    BLANK,
    SEMICOLON,
    EQUALS,
    QUOTE,
    BACKSLASH,
    TCHAR,
    TEXT, /* any other that a quoted-string may hold */
    CR,
    OTHER,
    CLASSES,
};

static enum class class_of(char c) {
    switch (c){
        case ' ' : case '\t' : return BLANK; case ';' : return SEMICOLON; case '=' : return EQUALS;
        case '"' : return QUOTE;
        case '\\' : return BACKSLASH;
        case '\r' : return CR;
        default : break;
    }
if (char_is(c, CHAR_TCHAR)) return TCHAR;
return char_is(c, CHAR_FIELD) ? TEXT : OTHER;
}

/*
 * rfc9112#7.1.1 "chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )"
 * rfc9110#5.6.3 "A recipient MUST parse for such bad whitespace and remove it before interpreting
 * the protocol element."
 *
 * So blanks are taken where the grammar has BWS, and only there: not between the size, or the last
 * extension, and the CRLF.
 */
/* clang-format off */
static const uint8_t extension_next[EXTENSION_STATES][CLASSES] = {
#define no BAD
#define back EXTENSION_BLANK
#define begin EXTENSION_BEGIN
#define name EXTENSION_NAME
#define named EXTENSION_NAMED
#define equals EXTENSION_EQUALS
#define token EXTENSION_TOKEN
#define quoted EXTENSION_QUOTED
#define escape EXTENSION_ESCAPED
#define value EXTENSION_VALUE
#define end SIZE_LF
    /*                      BLANK   ;       =       "       \       TCHAR   TEXT    CR      OTHER */
    [EXTENSION_BLANK]   = { back,   begin,  no,     no,     no,     no,     no,     no,     no },
    [EXTENSION_BEGIN]   = { begin,  no,     no,     no,     no,     name,   no,     no,     no },
    [EXTENSION_NAME]    = { named,  begin,  equals, no,     no,     name,   no,     end,    no },
    [EXTENSION_NAMED]   = { named,  begin,  equals, no,     no,     no,     no,     no,     no },
    [EXTENSION_EQUALS]  = { equals, no,     no,     quoted, no,     token,  no,     no,     no },
    [EXTENSION_TOKEN]   = { back,   begin,  no,     no,     no,     token,  no,     end,    no },
    [EXTENSION_QUOTED]  = { quoted, quoted, quoted, value,  escape, quoted, quoted, no,     no },
    [EXTENSION_ESCAPED] = { quoted, quoted, quoted, quoted, quoted, quoted, quoted, no,     no },
    [EXTENSION_VALUE]   = { back,   begin,  no,     no,     no,     no,     no,     end,    no },
#undef no
#undef back
#undef begin
#undef name
#undef named
#undef equals
#undef token
#undef quoted
#undef escape
#undef value
#undef end
};
/* clang-format on */

/* The states where a byte is part of a chunk extension, except for the CR that ends it. */
static enum finding
extension_step(struct h1_content *content, char c)
{
    enum class class = class_of(c);
    uint8_t next = extension_next[content->state][class];

    if (next != SIZE_LF) {
        /* rfc9112#7.1.1 "A server ought to limit the total length of chunk extensions" */
        if (content->line_bytes >= content->limits->chunk_extension_max ||
            content->extension_bytes >= (uint64_t)content->limits->chunk_extensions_max)
            return FINDING_chunk_extension_large;
        content->line_bytes++;
        content->extension_bytes++;
    }
    if (next == BAD)
        return c == '\n' ? FINDING_bare_lf : FINDING_chunk_extension_syntax;
    content->state = next;
    return FINDING_none;
}

/* rfc9112#7.1 "chunk-size     = 1*HEXDIG", then extensions or CRLF. */
static enum finding
size_step(struct h1_content *content, char c)
{
    int digit = hex_value(c);

    if (digit >= 0) {
        if (content->digits_n >= content->limits->chunk_digits_max)
            return FINDING_chunk_size_too_large;
        content->digits_n++;
        content->left = content->left << 4 | (unsigned)digit;
        return FINDING_none;
    }
    if (c == '\n')
        return FINDING_bare_lf;
    if (content->digits_n == 0)
        return FINDING_chunk_size_syntax;
    if (c == '\r') {
        content->state = SIZE_LF;
        return FINDING_none;
    }
    if (c != ';' && c != ' ' && c != '\t')
        return FINDING_chunk_size_syntax;
    content->state = EXTENSION_BLANK;
    content->line_bytes = 0;
    return extension_step(content, c);
}

static void
size_begin(struct h1_content *content)
{
    content->state = SIZE;
    content->left = 0;
    content->digits_n = 0;
}

/* The LF that must come now. */
static enum finding
lf_step(struct h1_content *content, char c)
{
    if (c != '\n')
        return FINDING_bare_cr;
    if (content->state == SIZE_LF)
        content->state = content->left ? DATA : TRAILER;
    else if (content->state == DATA_LF)
        size_begin(content);
    else if (content->state == TRAILER_LF)
        content->state = TRAILER;
    else
        content->state = DONE;
    return FINDING_none;
}

/* Counts a byte of a trailer line; its CRLF counts, the empty line at the end does not. */
static enum finding
trailer_count(struct h1_content *content)
{
    if (content->line_bytes >= content->limits->field_bytes_max)
        return FINDING_field_too_large;
    if (content->trailer_bytes >= content->limits->trailers_bytes_max)
        return FINDING_fields_too_large;
    content->line_bytes++;
    content->trailer_bytes++;
    return FINDING_none;
}

static enum finding
trailer_name_step(struct h1_content *content, char c)
{
    bool is_first = content->state == TRAILER;

    if (is_first && c != ' ' && c != '\t') {
        if (content->trailers_n >= content->limits->trailers_max)
            return FINDING_fields_too_many;
        content->trailers_n++;
    }
    if (char_is(c, CHAR_TCHAR)) {
        content->state = TRAILER_NAME;
        return FINDING_none;
    }
    if (c == ':' && !is_first) {
        content->state = TRAILER_VALUE;
        return FINDING_none;
    }
    if (c == '\n')
        return FINDING_bare_lf;
    if (c == ' ' || c == '\t')
        return is_first ? FINDING_field_fold : FINDING_field_name_space;
    return FINDING_field_name_syntax;
}

/* rfc9112#7.1.2 "trailer-section   = *( field-line CRLF )", with the same fields as in a head. */
static enum finding
trailer_step(struct h1_content *content, char c)
{
    enum finding finding;

    if (content->state == TRAILER) {
        content->line_bytes = 0;
        if (c == '\r') {
            content->state = END_LF;
            return FINDING_none;
        }
    }
    finding = trailer_count(content);
    if (finding != FINDING_none)
        return finding;
    if (content->state == TRAILER_LF)
        return lf_step(content, c);
    if (content->state != TRAILER_VALUE)
        return trailer_name_step(content, c);
    if (c == '\r')
        content->state = TRAILER_LF;
    else if (!char_is(c, CHAR_FIELD))
        return c == '\n' ? FINDING_bare_lf : FINDING_field_value_syntax;
    return FINDING_none;
}

/* One byte around the chunk data. */
static enum finding
step(struct h1_content *content, char c)
{
    switch (content->state) {
    case SIZE:
        return size_step(content, c);
    case SIZE_LF:
    case DATA_LF:
    case END_LF:
        return lf_step(content, c);
    case DATA_CR:
        content->state = DATA_LF;
        if (c == '\r')
            return FINDING_none;
        return c == '\n' ? FINDING_bare_lf : FINDING_chunk_end;
    case TRAILER:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
        return trailer_step(content, c);
    default:
        assert(content->state < EXTENSION_STATES);
        return extension_step(content, c);
    }
}

/* What has come of the data, at most content->left bytes. */
static struct ern_slice
take(struct h1_content *content, struct ern_slice *in)
{
    size_t n = content->left < in->len ? (size_t)content->left : in->len;
    struct ern_slice piece = slice_first(*in, n);

    *in = slice_skip(*in, n);
    content->left -= n;
    return piece;
}

void
h1_content_init(struct h1_content *content, const struct limits *limits,
                const struct ern_request *request)
{
    *content = (struct h1_content){.limits = limits, .state = DONE, .finding = FINDING_none};
    if (request->chunked) {
        size_begin(content);
    } else if (request->content_length > 0) {
        content->state = LENGTH;
        content->left = (uint64_t)request->content_length;
    }
}

void
h1_content_open(struct h1_content *content, const struct limits *limits)
{
    *content = (struct h1_content){.limits = limits, .state = OPEN, .finding = FINDING_none};
}

enum parse
h1_content_feed(struct h1_content *content, struct ern_slice *in, struct ern_slice *ret_piece)
{
    *ret_piece = ERN_ABSENT;
    if (content->state == OPEN) {
        *ret_piece = *in;
        *in = slice_skip(*in, in->len);
        return PARSE_MORE;
    }
    while (content->state < DONE && in->len > 0) {
        if (content->state == DATA || content->state == LENGTH) {
            *ret_piece = take(content, in);
            if (content->left == 0)
                content->state = content->state == DATA ? DATA_CR : DONE;
            break;
        }
        content->finding = step(content, in->ptr[0]);
        if (content->finding != FINDING_none) {
            content->state = BAD;
            break;
        }
        *in = slice_skip(*in, 1);
    }
    if (content->state == BAD)
        return PARSE_BAD;
    return content->state == DONE ? PARSE_DONE : PARSE_MORE;
}
