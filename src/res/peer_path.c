/* SPDX-License-Identifier: Apache-2.0 */
/* peer_path.c - what the target of a request says to a test peer: a path, and arguments. */
#include "base/num.h"
#include "msg/form.h"
#include "msg/list.h"
#include "msg/target.h"
#include "res/peer_parts.h"

enum { MS = 1000, SECONDS_MOST = 1 << 24, NAME_BYTES = 256, VALUE_BYTES = 4096 };

#define READ (RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS))
#define WITH(method) (READ | RES_ALLOW(method))
#define ONLY(method) (RES_ALLOW(OPTIONS) | RES_ALLOW(method))
#define ALL                                                                                        \
    (READ | RES_ALLOW(POST) | RES_ALLOW(PUT) | RES_ALLOW(PATCH) | RES_ALLOW(DELETE) |              \
     RES_ALLOW(QUERY))
#define EVERY (ALL | RES_ALLOW(BREW))
#define SHOW_CODED (SHOW_HEADERS | SHOW_METHOD | SHOW_ORIGIN)

const struct peer_row peer_rows[] = {
#define PEER(path, act, methods, shows, says)                                                      \
    {{path, sizeof path - 1}, PEER_##act, methods, shows, says},
#include "peer.def"
#undef PEER
};
const size_t peer_rows_n = sizeof peer_rows / sizeof *peer_rows;

bool
peer_seconds(struct ern_slice text, uint64_t *ret_ms)
{
    size_t point = slice_find(text, '.');
    struct ern_slice rest = point < text.len ? slice_skip(text, point + 1) : ERN_SLICE("0");
    uint64_t unit = MS;

    if (!u64_parse(slice_first(text, point), SECONDS_MOST, ret_ms) || rest.len == 0)
        return false;
    *ret_ms *= MS;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] < '0' || rest.ptr[i] > '9')
            return false;
        unit /= 10;
        *ret_ms += (uint64_t)(rest.ptr[i] - '0') * unit;
    }
    return true;
}

/* Has the path this form? */
static bool
matches(struct ern_slice form, struct ern_slice path, struct peer_call *call)
{
    unsigned texts = 0, numbers = 0;

    while (form.len && path.len) {
        size_t piece = slice_find(path, '/'), braces = slice_find(form, '}') + 1;

        if (form.ptr[0] != '{') {
            if (form.ptr[0] != path.ptr[0])
                return false;
            form = slice_skip(form, 1);
            path = slice_skip(path, 1);
            continue;
        }
        if (piece == 0)
            return false;
        call->text[texts] = slice_first(path, piece);
        if (slice_starts(form, ERN_SLICE("{n}")) &&
            !u64_parse(call->text[texts], UINT32_MAX, &call->number[numbers++]))
            return false;
        if (slice_starts(form, ERN_SLICE("{s}")) &&
            !peer_seconds(call->text[texts], &call->number[numbers++]))
            return false;
        texts++;
        form = slice_skip(form, braces);
        path = slice_skip(path, piece);
    }
    return form.len == 0 && path.len == 0;
}

bool
peer_find(struct ern_slice below, struct peer_call *call)
{
    for (size_t i = 0; i < peer_rows_n; i++) {
        *call = (struct peer_call){.row = NULL};
        if (matches(peer_rows[i].path, below, call)) {
            call->row = &peer_rows[i];
            return true;
        }
    }
    *call = (struct peer_call){.row = NULL};
    return false;
}

struct ern_slice
peer_argument(struct ern_slice query, struct ern_slice wanted)
{
    struct ern_slice name, value;

    while (urlencoded_next(&query, &name, &value))
        if (slice_eq(name, wanted))
            return value;
    return ERN_ABSENT;
}

static bool
read_number(struct ern_slice text, uint64_t *ret_n)
{
    return u64_parse(text, UINT32_MAX, ret_n);
}

/* What an argument says, at most as much; *value stays if there is none. */
static bool
take(struct ern_slice query, struct ern_slice name, uint64_t most,
     bool (*read)(struct ern_slice text, uint64_t *ret), uint64_t *value)
{
    struct ern_slice text = peer_argument(query, name);

    if (!slice_is_there(text))
        return true;
    if (!read(text, value))
        return false;
    *value = *value < most ? *value : most;
    return true;
}

bool
peer_number(struct ern_slice query, struct ern_slice name, uint64_t most, uint64_t *value)
{
    return take(query, name, most, read_number, value);
}

bool
peer_time(struct ern_slice query, struct ern_slice name, uint64_t most_ms, uint64_t *value_ms)
{
    return take(query, name, most_ms, peer_seconds, value_ms);
}

/* ---- field lines ------------------------------------------------------------------------------*/

/* What we say of an answer, or of the connection, whatever anybody asks for. */
static bool
is_ours(struct ern_slice name)
{
    static const struct ern_slice ours[] = {
#define NAME(text) {text, sizeof text - 1}
        NAME("Accept-Ranges"),
        NAME("Allow"),
        NAME("Alt-Svc"),
        NAME("Connection"),
        NAME("Content-Encoding"),
        NAME("Content-Length"),
        NAME("Content-Range"),
        NAME("Date"),
        NAME("Earnest-Status"),
        NAME("Keep-Alive"),
        NAME("Proxy-Connection"),
        NAME("Server"),
        NAME("Strict-Transport-Security"),
        NAME("TE"),
        NAME("Trailer"),
        NAME("Transfer-Encoding"),
        NAME("Upgrade"),
#undef NAME
    };

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (slice_eq_nocase(name, ours[i]))
            return true;
    return false;
}

/* RFC 9110 5.5: what a value is made of, and no white space around it. */
static bool
is_value(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') || text.ptr[i] == 0x7f)
            return false;
    return slice_eq(slice_trim(text), text);
}

bool
peer_write_fields(struct out *o, struct ern_slice query)
{
    struct ern_slice name, value;

    while (urlencoded_next(&query, &name, &value)) {
        char memory[2][VALUE_BYTES];
        struct out n = out_init(memory[0], NAME_BYTES), v = out_init(memory[1], VALUE_BYTES);

        urlencoded_write(&n, name);
        urlencoded_write(&v, value);
        if (n.full || v.full || !token_is(out_done(&n)) || is_ours(out_done(&n)) ||
            !is_value(out_done(&v)))
            return false;
        out_slice(o, out_done(&n));
        out_literal(o, ": ");
        out_slice(o, out_done(&v));
        out_literal(o, "\r\n");
    }
    return !o->full;
}

/* As RFC 6265 4.1.1 has it; the name is a token besides. */
static bool
is_cookie_octet(char c, bool in_name)
{
    if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' || c == '%')
        return false;
    return !in_name || token_is(slice_from(&c, 1));
}

static void
write_octets(struct out *o, struct ern_slice text, bool in_name)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_cookie_octet(text.ptr[i], in_name)) {
            out_char(o, text.ptr[i]);
        } else {
            out_char(o, '%');
            out_hex_bytes(o, &text.ptr[i], 1);
        }
    }
}

void
peer_write_cookie(struct out *o, struct ern_slice name, struct ern_slice value,
                  struct ern_slice path, bool lasts)
{
    out_literal(o, "Set-Cookie: ");
    write_octets(o, name, true);
    out_char(o, '=');
    write_octets(o, value, false);
    out_literal(o, "; Path=");
    path_write(o, path);
    if (!lasts)
        out_literal(o, "; Max-Age=0");
    out_literal(o, "\r\n");
}
