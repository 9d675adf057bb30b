/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sf.c - structured fields, read (RFC 9651 4.2). Each take_ function carries out the section that
 * is named above it: it takes its thing off the front of *in, or returns false where parsing fails.
 * The checks and the readers share them, so that what passed a check can be read.
 */
#include "msg/sf.h"

#include "base/base64.h"
#include "base/chars.h"
#include "base/num.h"
#include "base/utf8.h"

enum { INTEGER_DIGITS = 15, WHOLE_DIGITS = 12, FRACTION_DIGITS = 3 };

/* The first byte, or NUL at the end; a NUL in the text is no part of anything either. */
static char
first(const struct ern_slice *in)
{
    return (char)(in->len ? in->ptr[0] : '\0');
}

static void
skip(struct ern_slice *in, size_t n)
{
    *in = slice_skip(*in, n);
}

/* Takes the character off the front if it is there. */
static bool
take_char(struct ern_slice *in, char c)
{
    if (in->len == 0 || in->ptr[0] != c)
        return false;
    skip(in, 1);
    return true;
}

static void
skip_spaces(struct ern_slice *in)
{
    while (take_char(in, ' '))
        ;
}

/* What was taken off the front of `from` to leave `in`. */
static struct ern_slice
taken(struct ern_slice from, struct ern_slice in)
{
    return slice_first(from, from.len - in.len);
}

/* Takes max + 1 digits at most off the front and puts them behind those of *n; returns how many. */
static size_t
take_digits(struct ern_slice *in, size_t max, int64_t *n)
{
    size_t digits = 0;

    while (digits <= max && in->len && char_is(in->ptr[0], CHAR_DIGIT)) {
        *n = *n * 10 + (in->ptr[0] - '0');
        skip(in, 1);
        digits++;
    }
    return digits;
}

/* An integer or decimal (RFC 9651 4.2.4). */
static bool
take_number(struct ern_slice *in, struct sf_value *value)
{
    bool negative = take_char(in, '-');
    size_t digits;

    value->type = SF_INTEGER;
    value->integer = 0;
    digits = take_digits(in, INTEGER_DIGITS, &value->integer);
    if (digits == 0 || digits > INTEGER_DIGITS)
        return false;
    if (first(in) == '.') {
        if (digits > WHOLE_DIGITS)
            return false;
        skip(in, 1);
        value->type = SF_DECIMAL;
        digits = take_digits(in, FRACTION_DIGITS, &value->integer);
        if (digits == 0 || digits > FRACTION_DIGITS)
            return false;
        for (; digits < FRACTION_DIGITS; digits++)
            value->integer *= 10;
    }
    if (negative)
        value->integer = -value->integer;
    return true;
}

/* A string (RFC 9651 4.2.5). */
static bool
take_string(struct ern_slice *in, struct sf_value *value)
{
    struct ern_slice from;

    skip(in, 1);
    from = *in;
    for (; in->len; skip(in, 1)) {
        char c = in->ptr[0];

        if (c == '"') {
            value->type = SF_STRING;
            value->text = taken(from, *in);
            skip(in, 1);
            return true;
        }
        if (c < ' ' || c > '~')
            return false;
        if (c != '\\')
            continue;
        skip(in, 1);
        if (first(in) != '"' && first(in) != '\\')
            return false;
    }
    return false;
}

/* A token (RFC 9651 4.2.6) whose first character is known to be right. */
static bool
take_token(struct ern_slice *in, struct sf_value *value)
{
    struct ern_slice from = *in;

    while (in->len && (char_is(in->ptr[0], CHAR_TCHAR) || in->ptr[0] == ':' || in->ptr[0] == '/'))
        skip(in, 1);
    value->type = SF_TOKEN;
    value->text = taken(from, *in);
    return true;
}

/*
 * A byte sequence (RFC 9651 4.2.7). Padding may be left out, and pad bits may be set, as that
 * section would have it; but padding that is there has to be right.
 */
static bool
take_bytes(struct ern_slice *in, struct sf_value *value)
{
    struct ern_slice text;
    size_t n = 0, padding;

    skip(in, 1);
    text = slice_first(*in, slice_find(*in, ':'));
    skip(in, text.len);
    if (!take_char(in, ':'))
        return false;
    while (n < text.len && base64_value(text.ptr[n]) >= 0)
        n++;
    padding = text.len - n;
    for (size_t i = n; i < text.len; i++)
        if (text.ptr[i] != '=')
            return false;
    value->type = SF_BYTES;
    value->text = text;
    return n % 4 != 1 && (padding == 0 || padding == (4 - n % 4) % 4);
}

/* A boolean (RFC 9651 4.2.8). */
static bool
take_boolean(struct ern_slice *in, struct sf_value *value)
{
    skip(in, 1);
    value->type = SF_BOOLEAN;
    value->integer = first(in) == '1';
    return take_char(in, '0') || take_char(in, '1');
}

/* A date (RFC 9651 4.2.9). */
static bool
take_date(struct ern_slice *in, struct sf_value *value)
{
    skip(in, 1);
    if (!take_number(in, value) || value->type != SF_INTEGER)
        return false;
    value->type = SF_DATE;
    return true;
}

/* The value of a digit of base16 in lower case, the only one that display strings use; or -1. */
static int
lower_hex_value(char c)
{
    return c >= 'A' && c <= 'F' ? -1 : hex_value(c);
}

/* Takes a byte of a display string off the front, decoded: 0 to 255, or -1 if there is none. */
static int
take_display_byte(struct ern_slice *in)
{
    int c = in->len ? (unsigned char)in->ptr[0] : -1;

    if (c < ' ' || c > '~' || c == '"')
        return -1;
    skip(in, 1);
    if (c == '%') {
        int high = lower_hex_value(first(in));
        int low = in->len >= 2 ? lower_hex_value(in->ptr[1]) : -1;

        if (high < 0 || low < 0)
            return -1;
        skip(in, 2);
        c = high * 16 + low;
    }
    return c;
}

/*
 * Takes one UTF-8 character of a display string off the front. Its bytes are looked at four at a
 * time, for there is no memory to decode all of them into.
 */
static bool
take_display_character(struct ern_slice *in)
{
    struct ern_slice ahead = *in;
    char bytes[4];
    size_t n = 0;

    while (n < sizeof bytes) {
        int c = take_display_byte(&ahead);

        if (c < 0)
            break;
        bytes[n++] = (char)c;
    }
    n = n ? utf8_len(slice_from(bytes, n)) : 0;
    for (size_t i = 0; i < n; i++)
        (void)take_display_byte(in);
    return n > 0;
}

/* A display string (RFC 9651 4.2.10). */
static bool
take_display(struct ern_slice *in, struct sf_value *value)
{
    struct ern_slice from;

    skip(in, 1);
    if (!take_char(in, '"'))
        return false;
    from = *in;
    while (first(in) != '"')
        if (!take_display_character(in))
            return false;
    value->type = SF_DISPLAY;
    value->text = taken(from, *in);
    skip(in, 1);
    return true;
}

/* A bare item (RFC 9651 4.2.3.1). */
static bool
take_bare_item(struct ern_slice *in, struct sf_value *value)
{
    char c = first(in);

    *value = (struct sf_value){.type = SF_INTEGER};
    if (c == '-' || char_is(c, CHAR_DIGIT))
        return take_number(in, value);
    if (c == '*' || char_is(c, CHAR_ALPHA))
        return take_token(in, value);
    switch (c) {
    case '"':
        return take_string(in, value);
    case ':':
        return take_bytes(in, value);
    case '?':
        return take_boolean(in, value);
    case '@':
        return take_date(in, value);
    case '%':
        return take_display(in, value);
    default:
        return false;
    }
}

static bool
is_lcalpha(char c)
{
    return c >= 'a' && c <= 'z';
}

/* A key (RFC 9651 4.2.3.3). */
static bool
take_key(struct ern_slice *in, struct ern_slice *ret_key)
{
    struct ern_slice from = *in;

    if (!is_lcalpha(first(in)) && first(in) != '*')
        return false;
    while (in->len &&
           (is_lcalpha(in->ptr[0]) || char_is(in->ptr[0], CHAR_DIGIT) || in->ptr[0] == '_' ||
            in->ptr[0] == '-' || in->ptr[0] == '.' || in->ptr[0] == '*'))
        skip(in, 1);
    *ret_key = taken(from, *in);
    return true;
}

static struct sf_value
boolean_true(void)
{
    return (struct sf_value){.type = SF_BOOLEAN, .integer = 1};
}

/* One parameter, a step of RFC 9651 4.2.3.2. */
static bool
take_parameter(struct ern_slice *in, struct ern_slice *ret_key, struct sf_value *ret_value)
{
    if (!take_char(in, ';'))
        return false;
    skip_spaces(in);
    if (!take_key(in, ret_key))
        return false;
    *ret_value = boolean_true();
    return !take_char(in, '=') || take_bare_item(in, ret_value);
}

/* Parameters (RFC 9651 4.2.3.2), perhaps none. */
static bool
take_parameters(struct ern_slice *in, struct ern_slice *ret_parameters)
{
    struct ern_slice from = *in, key;
    struct sf_value value;

    while (first(in) == ';')
        if (!take_parameter(in, &key, &value))
            return false;
    *ret_parameters = taken(from, *in);
    return true;
}

/* An item (RFC 9651 4.2.3). */
static bool
take_item(struct ern_slice *in, struct sf_value *value)
{
    return take_bare_item(in, value) && take_parameters(in, &value->parameters);
}

/* An inner list (RFC 9651 4.2.1.2). */
static bool
take_inner_list(struct ern_slice *in, struct sf_value *value)
{
    struct ern_slice from;
    struct sf_value item;

    skip(in, 1);
    from = *in;
    for (;;) {
        skip_spaces(in);
        if (first(in) == ')')
            break;
        if (!take_item(in, &item) || (first(in) != ' ' && first(in) != ')'))
            return false;
    }
    *value = (struct sf_value){.type = SF_INNER_LIST, .text = taken(from, *in)};
    skip(in, 1);
    return take_parameters(in, &value->parameters);
}

/* An item or inner list (RFC 9651 4.2.1.1). */
static bool
take_item_or_inner_list(struct ern_slice *in, struct sf_value *value)
{
    return first(in) == '(' ? take_inner_list(in, value) : take_item(in, value);
}

/* A member of a dictionary, a step of RFC 9651 4.2.2. */
static bool
take_member(struct ern_slice *in, struct ern_slice *ret_key, struct sf_value *ret_value)
{
    if (!take_key(in, ret_key))
        return false;
    if (take_char(in, '='))
        return take_item_or_inner_list(in, ret_value);
    *ret_value = boolean_true();
    return take_parameters(in, &ret_value->parameters);
}

static void
skip_ows(struct ern_slice *in)
{
    while (take_char(in, ' ') || take_char(in, '\t'))
        ;
}

/* What stands between two members (RFC 9651 4.2.1, 4.2.2): false if it is anything else. */
static bool
take_comma(struct ern_slice *in)
{
    skip_ows(in);
    if (in->len == 0)
        return true;
    if (!take_char(in, ','))
        return false;
    skip_ows(in);
    return in->len > 0;
}

bool
sf_is_list(struct ern_slice text)
{
    struct sf_value value;

    skip_spaces(&text);
    while (text.len)
        if (!take_item_or_inner_list(&text, &value) || !take_comma(&text))
            return false;
    return true;
}

bool
sf_is_dictionary(struct ern_slice text)
{
    struct ern_slice key;
    struct sf_value value;

    skip_spaces(&text);
    while (text.len)
        if (!take_member(&text, &key, &value) || !take_comma(&text))
            return false;
    return true;
}

bool
sf_is_item(struct ern_slice text)
{
    struct sf_value value;

    skip_spaces(&text);
    if (!take_item(&text, &value))
        return false;
    skip_spaces(&text);
    return text.len == 0;
}

bool
sf_list_next(struct ern_slice *text, struct sf_value *ret_value)
{
    skip_spaces(text);
    return text->len && take_item_or_inner_list(text, ret_value) && take_comma(text);
}

bool
sf_dictionary_next(struct ern_slice *text, struct ern_slice *ret_key, struct sf_value *ret_value)
{
    skip_spaces(text);
    return text->len && take_member(text, ret_key, ret_value) && take_comma(text);
}

bool
sf_item_next(struct ern_slice *inner_list, struct sf_value *ret_value)
{
    skip_spaces(inner_list);
    return inner_list->len && take_item(inner_list, ret_value);
}

bool
sf_parameter_next(struct ern_slice *parameters, struct ern_slice *ret_key,
                  struct sf_value *ret_value)
{
    return take_parameter(parameters, ret_key, ret_value);
}

static void
decode_string(struct out *o, struct ern_slice text)
{
    while (text.len) {
        if (text.ptr[0] == '\\')
            text = slice_skip(text, 1);
        out_char(o, first(&text));
        text = slice_skip(text, text.len ? 1 : 0);
    }
}

static void
decode_bytes(struct out *o, struct ern_slice text)
{
    unsigned bits = 0, bits_n = 0;

    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        bits = bits << 6 | ((unsigned)base64_value(text.ptr[i]) & 0x3f);
        bits_n += 6;
        if (bits_n >= 8) {
            bits_n -= 8;
            out_char(o, (char)(bits >> bits_n & 0xff));
        }
    }
}

static void
decode_display(struct out *o, struct ern_slice text)
{
    int c;

    while ((c = take_display_byte(&text)) >= 0)
        out_char(o, (char)c);
}

void
sf_decode(struct out *o, const struct sf_value *value)
{
    switch (value->type) {
    case SF_STRING:
        decode_string(o, value->text);
        break;
    case SF_BYTES:
        decode_bytes(o, value->text);
        break;
    case SF_DISPLAY:
        decode_display(o, value->text);
        break;
    case SF_INTEGER:
    case SF_DECIMAL:
    case SF_TOKEN:
    case SF_BOOLEAN:
    case SF_DATE:
    case SF_INNER_LIST:
        out_slice(o, value->text);
        break;
    }
}
