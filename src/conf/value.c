/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"

#include "base/chars.h"
#include "base/ip.h"
#include "base/num.h"
#include "base/slice.h"

enum {
    LABEL_MAX = 63,
    NAME_MAX_BYTES = UINT8_MAX - 2, /* RFC 1035 2.3.4: 255 on the wire, two of them not text */
    PORT_MAX = UINT16_MAX,
    SOCKET_PATH_MAX = 107, /* unix(7) */
};

bool
value_flag(struct ern_slice text, bool *ret)
{
    unsigned i;

    if (!value_choice(text, ERN_SLICE("true|yes|on|false|no|off"), &i))
        return false;
    *ret = i < 3;
    return true;
}

bool
value_choice(struct ern_slice text, struct ern_slice choices, unsigned *ret)
{
    for (unsigned i = 0; choices.len; i++) {
        size_t n = slice_find(choices, '|');

        if (slice_eq(text, slice_first(choices, n))) {
            *ret = i;
            return true;
        }
        choices = slice_skip(choices, n < choices.len ? n + 1 : n);
    }
    return false;
}

struct suffix {
    struct ern_slice unit, text;
    uint64_t factor;
};

static const struct suffix suffixes[] = {
    {{"ms", 2}, {"ms", 2}, 1},         {{"ms", 2}, {"s", 1}, 1000},
    {{"ms", 2}, {"m", 1}, 60000},      {{"ms", 2}, {"h", 1}, 3600000},
    {{"ms", 2}, {"d", 1}, 86400000},   {{"s", 1}, {"s", 1}, 1},
    {{"s", 1}, {"m", 1}, 60},          {{"s", 1}, {"h", 1}, 3600},
    {{"s", 1}, {"d", 1}, 86400},       {{"bytes", 5}, {"K", 1}, 1 << 10},
    {{"bytes", 5}, {"M", 1}, 1 << 20}, {{"bytes", 5}, {"G", 1}, 1 << 30},
};

bool
value_quantity(struct ern_slice text, struct ern_slice unit, int64_t *ret)
{
    uint64_t factor = 1, n;
    size_t digits = 0;
    struct ern_slice suffix;

    while (digits < text.len && char_is(text.ptr[digits], CHAR_DIGIT))
        digits++;
    suffix = slice_skip(text, digits);
    if (suffix.len) {
        size_t i = 0, all = sizeof suffixes / sizeof *suffixes;

        while (i < all &&
               !(slice_starts(unit, suffixes[i].unit) && slice_eq(suffix, suffixes[i].text)))
            i++;
        if (i == all)
            return false;
        factor = suffixes[i].factor;
    }
    if (!u64_parse(slice_first(text, digits), INT64_MAX, &n) ||
        __builtin_mul_overflow(n, factor, &n) || n > INT64_MAX)
        return false;
    *ret = (int64_t)n;
    return true;
}

/* Is it an IPv6 address in brackets? */
static bool
is_bracketed(struct ern_slice text)
{
    struct ip ip;

    return text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']' &&
           ip6_parse(slice_from(text.ptr + 1, text.len - 2), &ip);
}

bool
value_address(struct ern_slice text, struct ern_slice *ret_address, uint16_t *ret_port)
{
    size_t colon = text.len;
    struct ern_slice address, port = text;
    struct ip ip;
    uint64_t n;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    address = slice_first(text, colon > 0 ? colon - 1 : 0);
    if (colon > 0)
        port = slice_skip(text, colon);
    if (!u64_parse(port, PORT_MAX, &n))
        return false;
    if (is_bracketed(address))
        address = slice_from(address.ptr + 1, address.len - 2);
    else if (address.len > 0 && !ip4_parse(address, &ip))
        return false;
    *ret_address = address;
    *ret_port = (uint16_t)n;
    return true;
}

bool
value_is_host(struct ern_slice text)
{
    size_t label = 0;

    if (is_bracketed(text))
        return true;
    if (text.len == 0 || text.len > NAME_MAX_BYTES || text.ptr[text.len - 1] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '.' ? label == 0 : !char_is(c, CHAR_ALPHA | CHAR_DIGIT) && c != '-' && c != '_')
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    return true;
}

/* May every byte stand in a URI (RFC 3986 2), % only before two hexadecimal digits? */
static bool
is_uri_text(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '%') {
            if (text.len - i < 3 || hex_value(text.ptr[i + 1]) < 0 ||
                hex_value(text.ptr[i + 2]) < 0)
                return false;
        } else if (!char_is(c, CHAR_PCHAR) && slice_find(ERN_SLICE("/?#[]"), c) == 5) {
            return false;
        }
    }
    return text.len > 0;
}

/* What stands after "http://" or "https://", or absent. */
static struct ern_slice
after_scheme(struct ern_slice text)
{
    size_t colon = slice_find(text, ':');

    if (colon == text.len || !slice_starts(slice_skip(text, colon), ERN_SLICE("://")))
        return ERN_ABSENT;
    if (!slice_eq_nocase(slice_first(text, colon), ERN_SLICE("http")) &&
        !slice_eq_nocase(slice_first(text, colon), ERN_SLICE("https")))
        return ERN_ABSENT;
    return slice_skip(text, colon + 3);
}

/* Cuts an authority in two; *ret_port stays if there is none in it. */
static bool
cut_authority(struct ern_slice authority, struct ern_slice *ret_host, uint64_t *ret_port)
{
    size_t colon = authority.len;

    while (colon > 0 && char_is(authority.ptr[colon - 1], CHAR_DIGIT))
        colon--;
    *ret_host = authority;
    if (colon > 0 && authority.ptr[colon - 1] == ':') {
        *ret_host = slice_first(authority, colon - 1);
        if (!u64_parse(slice_skip(authority, colon), PORT_MAX, ret_port))
            return false;
    }
    return value_is_host(*ret_host);
}

bool
value_is_http_url(struct ern_slice text)
{
    struct ern_slice rest = after_scheme(text), host;
    size_t end = 0;
    uint64_t port;

    if (!slice_is_there(rest) || !is_uri_text(text))
        return false;
    while (end < rest.len && slice_find(ERN_SLICE("/?#"), rest.ptr[end]) == 3)
        end++;
    return cut_authority(slice_first(rest, end), &host, &port);
}

bool
value_origin(struct ern_slice url, struct ern_slice *ret_authority, struct ern_slice *ret_host,
             uint16_t *ret_port, bool *ret_secure)
{
    struct ern_slice plain = ERN_SLICE("http://"), secure = ERN_SLICE("https://"), authority;
    uint64_t port = 80;

    *ret_secure = slice_starts(url, secure);
    if (*ret_secure)
        port = 443;
    else if (!slice_starts(url, plain))
        return false;
    authority = slice_skip(url, *ret_secure ? secure.len : plain.len);
    if (slice_ends(authority, ERN_SLICE("/")))
        authority.len--;
    if (!cut_authority(authority, ret_host, &port) || port == 0)
        return false;
    if (is_bracketed(*ret_host))
        *ret_host = slice_from(ret_host->ptr + 1, ret_host->len - 2);
    *ret_authority = authority;
    *ret_port = (uint16_t)port;
    return true;
}

bool
value_socket(struct ern_slice text, struct ern_slice *ret_path, struct ern_slice *ret_host,
             uint16_t *ret_port)
{
    struct ern_slice scheme = ERN_SLICE("unix:");
    uint64_t port = 0;

    *ret_path = *ret_host = ERN_ABSENT;
    *ret_port = 0;
    if (slice_starts(text, scheme)) {
        *ret_path = slice_skip(text, scheme.len);
        return slice_starts(*ret_path, ERN_SLICE("/")) && ret_path->len <= SOCKET_PATH_MAX;
    }
    if (!cut_authority(text, ret_host, &port) || port == 0)
        return false;
    if (is_bracketed(*ret_host))
        *ret_host = slice_from(ret_host->ptr + 1, ret_host->len - 2);
    *ret_port = (uint16_t)port;
    return true;
}

bool
value_is_name(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!char_is(c, CHAR_ALPHA) &&
            (i == 0 || (!char_is(c, CHAR_DIGIT) && c != '-' && c != '.')))
            return false;
    }
    return text.len > 0;
}

bool
value_is_reference(struct ern_slice text)
{
    if (value_is_http_url(text))
        return true;
    return is_uri_text(text) && text.ptr[0] == '/' && (text.len == 1 || text.ptr[1] != '/');
}

bool
value_is_clean(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return true;
}
