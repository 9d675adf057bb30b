/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/credentials.h"

#include <stddef.h>

#include "base/base64.h"
#include "base/chars.h"
#include "base/num.h"
#include "base/utf8.h"
#include "msg/list.h"

bool
credentials_read(struct ern_slice value, struct credentials *ret)
{
    ret->scheme = slice_first(value, slice_find(value, ' '));
    ret->rest = slice_trim(slice_skip(value, ret->scheme.len));
    return token_is(ret->scheme);
}

/* rfc7617#2 "The user-id and password MUST NOT contain any control characters" */
static bool
has_control(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

bool
credentials_basic(struct ern_slice rest, struct out *o, struct ern_slice *ret_user,
                  struct ern_slice *ret_password)
{
    size_t begin = o->len, colon;
    struct ern_slice both;

    if (!base64_read(rest, o) || o->full)
        return false;
    both = slice_skip(out_done(o), begin);
    colon = slice_find(both, ':');
    if (colon == both.len || has_control(both))
        return false;
    *ret_user = slice_first(both, colon);
    *ret_password = slice_skip(both, colon + 1);
    return true;
}

/* ---- Digest ------------------------------------------------------------------------------------
 */

/* The value without its quotes and backslashes, in o. */
static bool
keep(struct out *o, struct ern_slice value, struct ern_slice *ret)
{
    size_t begin = o->len;

    parameter_write(o, value);
    *ret = slice_skip(out_done(o), begin);
    return !o->full && !has_control(*ret);
}

/* Writes text with its percent-encoded bytes decoded. Returns false where two digits are missing.
 */
static bool
decode(struct out *o, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];

        if (byte == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;

            if (low < 0)
                return false;
            byte = (unsigned char)(high * 16 + low);
            i += 2;
        }
        out_char(o, (char)byte);
    }
    return true;
}

/* A name that is not all ASCII: UTF-8, a language or none, percent-encoded bytes (RFC 8187 3.2.1).
 */
static bool
keep_extended(struct out *o, struct ern_slice value, struct ern_slice *ret)
{
    size_t begin = o->len, charset = slice_find(value, '\''), language;

    if (!slice_eq_nocase(slice_first(value, charset), ERN_SLICE("UTF-8")) || charset == value.len)
        return false;
    value = slice_skip(value, charset + 1);
    language = slice_find(value, '\'');
    if (language == value.len || !decode(o, slice_skip(value, language + 1)))
        return false;
    *ret = slice_skip(out_done(o), begin);
    return !o->full && !has_control(*ret) && utf8_is(*ret);
}

static const struct {
    struct ern_slice name;
    size_t at; /* its place in struct digest */
    bool is_needed;
} parameters[] = {
    {{"username", 8}, offsetof(struct digest, user), false},
    {{"username*", 9}, offsetof(struct digest, user), false},
    {{"realm", 5}, offsetof(struct digest, realm), true},
    {{"nonce", 5}, offsetof(struct digest, nonce), true},
    {{"uri", 3}, offsetof(struct digest, uri), true},
    {{"response", 8}, offsetof(struct digest, response), true},
    {{"algorithm", 9}, offsetof(struct digest, algorithm), false},
    {{"cnonce", 6}, offsetof(struct digest, cnonce), true},
    {{"qop", 3}, offsetof(struct digest, qop), true},
    {{"nc", 2}, offsetof(struct digest, nc), true},
};

static struct ern_slice *
place_of(struct digest *d, size_t row)
{
    return (struct ern_slice *)(void *)((char *)d + parameters[row].at);
}

/* Keeps one parameter; those that nobody here knows are passed over (RFC 7616 3.4). */
static bool
take(struct digest *d, struct ern_slice name, struct ern_slice value, struct out *o)
{
    if (slice_eq_nocase(name, ERN_SLICE("userhash"))) {
        d->userhash = slice_eq_nocase(value, ERN_SLICE("true"));
        return true;
    }
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        struct ern_slice *place = place_of(d, i);

        if (!slice_eq_nocase(name, parameters[i].name))
            continue;
        if (slice_is_there(*place) || !slice_is_there(value))
            return false;
        return slice_ends(name, ERN_SLICE("*")) ? keep_extended(o, value, place)
                                                : keep(o, value, place);
    }
    return true;
}

bool
credentials_digest(struct ern_slice rest, struct out *o, struct digest *ret)
{
    struct ern_slice member, name, value;

    *ret = (struct digest){.user = ERN_ABSENT};
    while (list_next(&rest, &member))
        if (!parameter_take(&member, &name, &value) || member.len > 0 || !take(ret, name, value, o))
            return false;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (parameters[i].is_needed && !slice_is_there(*place_of(ret, i)))
            return false;
    return slice_is_there(ret->user);
}

/* ---- Bearer ------------------------------------------------------------------------------------
 */

bool
credentials_is_token68(struct ern_slice rest)
{
    size_t n = 0;

    while (n < rest.len && (base64_value(rest.ptr[n]) >= 0 || rest.ptr[n] == '-' ||
                            rest.ptr[n] == '.' || rest.ptr[n] == '_' || rest.ptr[n] == '~'))
        n++;
    if (n == 0)
        return false;
    while (n < rest.len && rest.ptr[n] == '=')
        n++;
    return n == rest.len;
}
