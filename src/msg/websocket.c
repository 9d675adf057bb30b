/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/websocket.h"

#include "base/base64.h"
#include "base/chars.h"
#include "base/sha1.h"
#include "base/slice.h"
#include "msg/list.h"

enum { KEY_LENGTH = 24, WINDOW_LEAST = 8, WINDOW_FULL = 15 };

bool
websocket_is_asked(const struct ern_request *request)
{
    return request->method == ERN_GET && request->version_major == 1 &&
           request->version_minor >= 1 &&
           list_has(request, ERN_FIELD_connection, ERN_SLICE("upgrade")) &&
           list_has(request, ERN_FIELD_upgrade, ERN_SLICE("websocket"));
}

bool
websocket_version_is_ours(const struct ern_request *request)
{
    return slice_eq(ern_request_field(request, ERN_FIELD_sec_websocket_version),
                    ERN_SLICE(WEBSOCKET_VERSION));
}

/*
 * rfc6455#4.2.1 "A |Sec-WebSocket-Key| header field with a base64-encoded (see Section 4 of
 * [RFC4648]) value that, when decoded, is 16 bytes in length."
 *
 * That is 22 characters and two for padding; the last of the 22 has four bits that are no part of
 * the 16 bytes, which whoever encodes sets to zero (RFC 4648 3.5).
 */
bool
websocket_key_is_right(const struct ern_request *request)
{
    struct ern_slice key = ern_request_field(request, ERN_FIELD_sec_websocket_key);

    if (key.len != KEY_LENGTH || !slice_ends(key, ERN_SLICE("==")))
        return false;
    for (size_t i = 0; i < KEY_LENGTH - 2; i++)
        if (base64_value(key.ptr[i]) < 0)
            return false;
    return base64_value(key.ptr[KEY_LENGTH - 3]) % 16 == 0;
}

void
websocket_write_accept(struct out *o, struct ern_slice key)
{
    char text[KEY_LENGTH + 36], digest[SHA1_BYTES];
    struct out salted = out_init(text, sizeof text);

    out_slice(&salted, key);
    out_literal(&salted, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 4.2.2 */
    assert(!salted.full);
    sha1(out_done(&salted), digest);
    base64_write(o, slice_from(digest, sizeof digest));
}

struct ern_slice
websocket_protocol(const struct ern_request *request, const struct ern_slice *ours, size_t ours_n)
{
    struct ern_slice line, member;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_sec_websocket_protocol, &at, &line);)
        while (list_next(&line, &member))
            for (size_t i = 0; i < ours_n; i++)
                if (slice_eq(member, ours[i]))
                    return ours[i];
    return ERN_ABSENT;
}

/* Takes c, and the white space before and after it, off the front. */
static bool
take_char(struct ern_slice *s, char c)
{
    *s = slice_trim(*s);
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = slice_trim(slice_skip(*s, 1));
    return true;
}

static bool
take_token(struct ern_slice *s, struct ern_slice *ret)
{
    size_t n = 0;

    while (n < s->len && char_is(s->ptr[n], CHAR_TCHAR))
        n++;
    *ret = slice_first(*s, n);
    *s = slice_skip(*s, n);
    return n > 0;
}

/* Takes a token in quotes; *ret is what is inside, backslashes and all. */
static bool
take_quoted(struct ern_slice *s, struct ern_slice *ret)
{
    size_t i = 1;

    while (i < s->len && s->ptr[i] != '"') {
        i += s->ptr[i] == '\\';
        if (i >= s->len || !char_is(s->ptr[i], CHAR_TCHAR))
            return false;
        i++;
    }
    if (i >= s->len)
        return false;
    *ret = slice_from(s->ptr + 1, i - 1);
    *s = slice_skip(*s, i + 1);
    return i > 1;
}

/*
 * rfc6455#4.3 "extension-param = token [ "=" (token | quoted-string) ]"
 *
 * White space may stand between any two of them (implied *LWS), and a quoted value, its backslashes
 * resolved, is a token.
 */
static bool
take_parameter(struct ern_slice *s, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    *ret_value = ERN_ABSENT;
    if (!take_char(s, ';') || !take_token(s, ret_name))
        return false;
    if (!take_char(s, '='))
        return true;
    return s->len && s->ptr[0] == '"' ? take_quoted(s, ret_value) : take_token(s, ret_value);
}

/* rfc7692#7.1.2.1 "a decimal integer value without leading zeroes between 8 to 15"; 0 for others */
static uint8_t
window_bits(struct ern_slice value)
{
    static const char *const texts[] = {"8", "9", "10", "11", "12", "13", "14", "15"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (parameter_same(value, slice_text(texts[i])))
            return (uint8_t)(WINDOW_LEAST + i);
    return 0;
}

/* Sets a flag that comes without a value, and once. */
static bool
set_flag(bool *flag, struct ern_slice value)
{
    bool is_first = !*flag;

    *flag = true;
    return is_first && !slice_is_there(value);
}

/* Sets the size of a window, which comes once. */
static bool
set_window(uint8_t *window, uint8_t bits)
{
    bool is_first = *window == 0;

    *window = bits;
    return is_first && bits;
}

/*
 * Sets a parameter of an offer. Returns false if the offer must be declined: the parameter is not
 * defined, has a wrong value, or was there before (RFC 7692 7).
 */
static bool
set_parameter(struct websocket_deflate *offer, struct ern_slice name, struct ern_slice value)
{
    if (slice_eq(name, ERN_SLICE("server_no_context_takeover")))
        return set_flag(&offer->server_no_context_takeover, value);
    if (slice_eq(name, ERN_SLICE("client_no_context_takeover")))
        return set_flag(&offer->client_no_context_takeover, value);
    if (slice_eq(name, ERN_SLICE("server_max_window_bits")))
        return set_window(&offer->server_max_window_bits, window_bits(value));
    if (slice_eq(name, ERN_SLICE("client_max_window_bits"))) /* alone: any size will do */
        return set_window(&offer->client_max_window_bits,
                          slice_is_there(value) ? window_bits(value) : WINDOW_FULL);
    return false;
}

/* The smaller of two windows, 0 for none said. */
static uint8_t
smaller(uint8_t a, uint8_t b)
{
    return a == 0 || (b && b < a) ? b : a;
}

/* What is agreed when the offer is met; false if we can not meet it. */
static bool
meet(const struct websocket_deflate *offer, const struct websocket_deflate *ours,
     struct websocket_deflate *ret)
{
    ret->server_no_context_takeover =
        ours->server_no_context_takeover || offer->server_no_context_takeover;
    ret->client_no_context_takeover =
        ours->client_no_context_takeover || offer->client_no_context_takeover;
    ret->server_max_window_bits =
        smaller(offer->server_max_window_bits, ours->server_max_window_bits);
    /* RFC 7692 7.1.2.2: a client that does not know this parameter must not see it. */
    ret->client_max_window_bits =
        offer->client_max_window_bits
            ? smaller(offer->client_max_window_bits, ours->client_max_window_bits)
            : 0;
    return ret->server_max_window_bits == 0 || ret->server_max_window_bits >= WEBSOCKET_WINDOW_MIN;
}

/* Reads one extension. */
static enum websocket_extensions
read_extension(struct ern_slice text, const struct websocket_deflate *ours,
               struct websocket_deflate *ret)
{
    struct websocket_deflate offer = {0};
    struct ern_slice name, parameter, value;
    bool is_good;

    if (!take_token(&text, &name))
        return WEBSOCKET_MALFORMED;
    is_good = slice_eq(name, ERN_SLICE("permessage-deflate"));
    while ((text = slice_trim(text)).len) {
        if (!take_parameter(&text, &parameter, &value))
            return WEBSOCKET_MALFORMED;
        is_good = is_good && set_parameter(&offer, parameter, value);
    }
    return is_good && meet(&offer, ours, ret) ? WEBSOCKET_DEFLATE : WEBSOCKET_PLAIN;
}

enum websocket_extensions
websocket_extensions(const struct ern_request *request, const struct websocket_deflate *ours,
                     struct websocket_deflate *ret_agreed)
{
    enum websocket_extensions found = WEBSOCKET_PLAIN;
    struct ern_slice line, member;
    struct websocket_deflate agreed;

    for (uint16_t at = 0;
         ern_request_next(request, ERN_FIELD_sec_websocket_extensions, &at, &line);)
        while (list_next(&line, &member)) {
            enum websocket_extensions one = read_extension(member, ours, &agreed);

            if (one == WEBSOCKET_MALFORMED)
                return one;
            if (one == WEBSOCKET_DEFLATE && found == WEBSOCKET_PLAIN) {
                *ret_agreed = agreed;
                found = one;
            }
        }
    return found;
}

static void
write_window(struct out *o, struct ern_slice name, uint8_t bits)
{
    if (bits == 0)
        return;
    out_slice(o, name);
    out_u64(o, bits);
}

void
websocket_write_extensions(struct out *o, const struct websocket_deflate *agreed)
{
    out_literal(o, "permessage-deflate");
    if (agreed->server_no_context_takeover)
        out_literal(o, "; server_no_context_takeover");
    if (agreed->client_no_context_takeover)
        out_literal(o, "; client_no_context_takeover");
    write_window(o, ERN_SLICE("; server_max_window_bits="), agreed->server_max_window_bits);
    write_window(o, ERN_SLICE("; client_max_window_bits="), agreed->client_max_window_bits);
}
