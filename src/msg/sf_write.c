/* SPDX-License-Identifier: Apache-2.0 */
/* sf_write.c - structured fields, written (RFC 9651 4.1). */
#include "base/base64.h"
#include "base/chars.h"
#include "base/utf8.h"
#include "msg/sf.h"

#define NUMBER_MAX INT64_C(999999999999999) /* RFC 9651 3.3.1; in thousandths, 3.3.2 */

static bool
write_integer(struct out *o, int64_t n)
{
    if (n < -NUMBER_MAX || n > NUMBER_MAX)
        return false;
    if (n < 0)
        out_char(o, '-');
    out_u64(o, (uint64_t)(n < 0 ? -n : n));
    return true;
}

static bool
write_decimal(struct out *o, int64_t thousandths)
{
    uint64_t n, fraction;
    unsigned digits = 3;

    if (thousandths < -NUMBER_MAX || thousandths > NUMBER_MAX)
        return false;
    if (thousandths < 0)
        out_char(o, '-');
    n = (uint64_t)(thousandths < 0 ? -thousandths : thousandths);
    out_u64(o, n / 1000);
    out_char(o, '.');
    for (fraction = n % 1000; digits > 1 && fraction % 10 == 0; digits--)
        fraction /= 10;
    out_digits(o, fraction, digits);
    return true;
}

static bool
write_string(struct out *o, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    out_quoted(o, text);
    return true;
}

static bool
write_token(struct out *o, struct ern_slice text)
{
    if (text.len == 0 || !(char_is(text.ptr[0], CHAR_ALPHA) || text.ptr[0] == '*'))
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_TCHAR) && text.ptr[i] != ':' && text.ptr[i] != '/')
            return false;
    out_slice(o, text);
    return true;
}

static void
write_bytes(struct out *o, struct ern_slice bytes)
{
    out_char(o, ':');
    base64_write(o, bytes);
    out_char(o, ':');
}

static void
write_display_byte(struct out *o, char c)
{
    if (c >= ' ' && c <= '~' && c != '%' && c != '"') {
        out_char(o, c);
        return;
    }
    out_char(o, '%');
    out_hex_bytes(o, &c, 1);
}

static bool
write_display(struct out *o, struct ern_slice text)
{
    if (!utf8_is(text))
        return false;
    out_literal(o, "%\"");
    for (size_t i = 0; i < text.len; i++)
        write_display_byte(o, text.ptr[i]);
    out_char(o, '"');
    return true;
}

bool
sf_write_value(struct out *o, const struct sf_value *value)
{
    switch (value->type) {
    case SF_INTEGER:
        return write_integer(o, value->integer);
    case SF_DECIMAL:
        return write_decimal(o, value->integer);
    case SF_STRING:
        return write_string(o, value->text);
    case SF_TOKEN:
        return write_token(o, value->text);
    case SF_BYTES:
        write_bytes(o, value->text);
        return true;
    case SF_BOOLEAN:
        out_slice(o, value->integer ? ERN_SLICE("?1") : ERN_SLICE("?0"));
        return true;
    case SF_DATE:
        out_char(o, '@');
        return write_integer(o, value->integer);
    case SF_DISPLAY:
        return write_display(o, value->text);
    case SF_INNER_LIST:
        return false;
    }
    return false;
}

bool
sf_write_key(struct out *o, struct ern_slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool may_begin = (c >= 'a' && c <= 'z') || c == '*';

        if (!may_begin && (i == 0 || !(char_is(c, CHAR_DIGIT) || c == '_' || c == '-' || c == '.')))
            return false;
    }
    out_slice(o, key);
    return key.len > 0;
}

/* Bytes that were read: four characters of base64 at a time become three bytes and four again. */
static void
rewrite_bytes(struct out *o, struct ern_slice text)
{
    out_char(o, ':');
    while (text.len) {
        size_t n = text.len < 4 ? text.len : 4;
        struct sf_value four = {.type = SF_BYTES, .text = slice_first(text, n)};
        char memory[3];
        struct out bytes = out_init(memory, sizeof memory);

        sf_decode(&bytes, &four);
        base64_write(o, out_done(&bytes));
        text = slice_skip(text, n);
    }
    out_char(o, ':');
}

/* A display string that was read, one character or escape at a time. */
static void
rewrite_display(struct out *o, struct ern_slice text)
{
    out_literal(o, "%\"");
    while (text.len) {
        size_t n = text.ptr[0] == '%' ? 3 : 1;
        struct sf_value one = {.type = SF_DISPLAY, .text = slice_first(text, n)};
        char memory[1] = {0};
        struct out byte = out_init(memory, sizeof memory);

        sf_decode(&byte, &one);
        write_display_byte(o, memory[0]);
        text = slice_skip(text, n);
    }
    out_char(o, '"');
}

/* A bare item that was read, whose text is still escaped. */
static void
rewrite_bare_item(struct out *o, const struct sf_value *value)
{
    if (value->type == SF_BYTES) {
        rewrite_bytes(o, value->text);
    } else if (value->type == SF_DISPLAY) {
        rewrite_display(o, value->text);
    } else if (value->type == SF_STRING) {
        out_char(o, '"'); /* only what has to be escaped can be */
        out_slice(o, value->text);
        out_char(o, '"');
    } else {
        (void)sf_write_value(o, value); /* cannot fail: it was read */
    }
}

/* sf_dictionary_next() or sf_parameter_next() */
typedef bool next_function(struct ern_slice *text, struct ern_slice *ret_key,
                           struct sf_value *ret_value);

/* Is this key, which stands in text, the first of its name? */
static bool
is_first(next_function *next, struct ern_slice text, struct ern_slice key)
{
    struct ern_slice other;
    struct sf_value value;

    while (next(&text, &other, &value) && other.ptr != key.ptr)
        if (slice_eq(other, key))
            return false;
    return true;
}

/*
 * As next(), but each key once: rfc9651#4.2.2 "all but the last instance are ignored", while the
 * place stays that of the first.
 *   all    the whole text, of which *rest is what was not read yet
 */
static bool
next_unique(next_function *next, struct ern_slice all, struct ern_slice *rest,
            struct ern_slice *ret_key, struct sf_value *ret_value)
{
    struct ern_slice ahead, key;
    struct sf_value value;

    do {
        if (!next(rest, ret_key, ret_value))
            return false;
    } while (!is_first(next, all, *ret_key));
    ahead = *rest;
    while (next(&ahead, &key, &value))
        if (slice_eq(key, *ret_key))
            *ret_value = value;
    return true;
}

static bool
is_true(const struct sf_value *value)
{
    return value->type == SF_BOOLEAN && value->integer;
}

static void
rewrite_parameters(struct out *o, struct ern_slice parameters)
{
    struct ern_slice rest = parameters, key;
    struct sf_value value;

    while (next_unique(sf_parameter_next, parameters, &rest, &key, &value)) {
        out_char(o, ';');
        out_slice(o, key);
        if (!is_true(&value)) {
            out_char(o, '=');
            rewrite_bare_item(o, &value);
        }
    }
}

static void
rewrite_item_or_inner_list(struct out *o, const struct sf_value *value)
{
    struct ern_slice items = value->text;
    struct sf_value item;
    const char *between = "";

    if (value->type == SF_INNER_LIST) {
        out_char(o, '(');
        while (sf_item_next(&items, &item)) {
            out_text(o, between);
            rewrite_bare_item(o, &item);
            rewrite_parameters(o, item.parameters);
            between = " ";
        }
        out_char(o, ')');
    } else {
        rewrite_bare_item(o, value);
    }
    rewrite_parameters(o, value->parameters);
}

void
sf_rewrite_list(struct out *o, struct ern_slice text)
{
    struct sf_value value;
    const char *between = "";

    while (sf_list_next(&text, &value)) {
        out_text(o, between);
        rewrite_item_or_inner_list(o, &value);
        between = ", ";
    }
}

void
sf_rewrite_dictionary(struct out *o, struct ern_slice text)
{
    struct ern_slice rest = text, key;
    struct sf_value value;
    const char *between = "";

    while (next_unique(sf_dictionary_next, text, &rest, &key, &value)) {
        out_text(o, between);
        out_slice(o, key);
        if (is_true(&value)) {
            rewrite_parameters(o, value.parameters);
        } else {
            out_char(o, '=');
            rewrite_item_or_inner_list(o, &value);
        }
        between = ", ";
    }
}

void
sf_rewrite_item(struct out *o, struct ern_slice text)
{
    struct sf_value value;

    if (sf_item_next(&text, &value))
        rewrite_item_or_inner_list(o, &value);
}
