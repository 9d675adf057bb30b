/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/target.h"

#include "base/chars.h"
#include "base/ip.h"
#include "base/num.h"

enum { PORT_MAX = 65535 };

/* Does "%" HEXDIG HEXDIG (RFC 3986 2.1) stand at this place? */
static bool
escape_at(struct ern_slice text, size_t at)
{
    return text.len - at >= 3 && text.ptr[at] == '%' && hex_value(text.ptr[at + 1]) >= 0 &&
           hex_value(text.ptr[at + 2]) >= 0;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) (RFC 3986 3.2.2) */
static bool
ipvfuture_is(struct ern_slice text)
{
    size_t at = 1;

    if (text.len == 0 || lower(text.ptr[0]) != 'v')
        return false;
    while (at < text.len && hex_value(text.ptr[at]) >= 0)
        at++;
    if (at == 1 || at == text.len || text.ptr[at] != '.')
        return false;
    text = slice_skip(text, at + 1);
    for (size_t i = 0; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_PCHAR) || text.ptr[i] == '@')
            return false;
    return text.len > 0;
}

/* The length of the host at the front (RFC 3986 3.2.2), 0 if there is none. */
static size_t
host_len(struct ern_slice text)
{
    size_t n = 0;

    if (text.len && text.ptr[0] == '[') {
        struct ern_slice inside = slice_first(slice_skip(text, 1), slice_find(text, ']') - 1);
        struct ip ip;

        if (inside.len + 1 == text.len || !(ip6_parse(inside, &ip) || ipvfuture_is(inside)))
            return 0;
        return inside.len + 2;
    }
    while (n < text.len) {
        /* reg-name = *( unreserved / pct-encoded / sub-delims ): pchar without ":" and "@" */
        if (char_is(text.ptr[n], CHAR_PCHAR) && text.ptr[n] != ':' && text.ptr[n] != '@')
            n++;
        else if (escape_at(text, n))
            n += 3;
        else
            break;
    }
    return n;
}

/*
 * Is the text uri-host [ ":" port ]? A host that is empty makes the URI invalid:
 * rfc9110#4.2.1 "A recipient that processes such a URI reference MUST reject it as invalid."
 *   ret_at   offset of the offending byte, if it is none
 */
static bool
authority_check(struct ern_slice text, size_t *ret_at)
{
    size_t n = host_len(text);
    uint64_t port;

    *ret_at = n;
    if (n == 0)
        return false;
    if (n == text.len)
        return true;
    if (text.ptr[n] != ':')
        return false;
    *ret_at = n + 1;
    return n + 1 == text.len || u64_parse(slice_skip(text, n + 1), PORT_MAX, &port);
}

/*
 * authority-form = uri-host ":" port (RFC 9112 3.2.3). Port 0 is as invalid as none, since nothing
 * can listen there: rfc9110#9.3.6 "A server MUST reject a CONNECT request that targets an empty or
 * invalid port number"
 */
static enum finding
read_authority_form(struct ern_slice target, struct ern_request *request, size_t *ret_at)
{
    uint64_t port;

    *ret_at = 0;
    if (slice_find(target, '/') < target.len || target.ptr[0] == '*')
        return FINDING_target_form;
    if (!authority_check(target, ret_at))
        return FINDING_host_syntax;
    *ret_at = authority_host(target).len;
    if (*ret_at == target.len || !u64_parse(slice_skip(target, *ret_at + 1), PORT_MAX, &port) ||
        port == 0)
        return FINDING_target_form;
    request->form = ERN_AUTHORITY_FORM;
    request->authority = target;
    return FINDING_none;
}

/* Where the path that begins at `at` ends: at the first byte that is neither pchar nor "/". */
static size_t
path_end(struct ern_slice target, size_t at)
{
    for (;;) {
        while (at < target.len && (char_is(target.ptr[at], CHAR_PCHAR) || target.ptr[at] == '/'))
            at++;
        if (at == target.len || !escape_at(target, at))
            return at;
        at += 3;
    }
}

/*
 * Reads absolute-path [ "?" query ] from `at` to the end of the target.
 *
 * The path may have what RFC 3986 3.3 allows and nothing else, for it is what we look up: of an
 * invalid request line RFC 9112 3.2 says that it "might be deliberately crafted to bypass security
 * filters along the request chain". The query may have every visible character but "#". The URL
 * Standard lets browsers send [ ] \ ^ ` { | } in it as they are, and simpler clients send " < >
 * too; we hand it on as it came, so none of these can change what it means here. For the same
 * reason a "%" in it need not begin an escape.
 */
static enum finding
read_path_and_query(struct ern_slice target, size_t at, struct ern_request *request, size_t *ret_at)
{
    size_t end = path_end(target, at);

    *ret_at = end;
    if (end < target.len && target.ptr[end] == '%')
        return FINDING_target_encoding;
    if (end < target.len && target.ptr[end] != '?')
        return FINDING_target_syntax;
    request->path = slice_from(target.ptr + at, end - at);
    if (end == target.len)
        return FINDING_none;
    request->query = slice_skip(target, end + 1);
    for (size_t i = end + 1; i < target.len; i++) {
        if (!char_is(target.ptr[i], CHAR_TARGET) || target.ptr[i] == '#') {
            *ret_at = i;
            return FINDING_target_syntax;
        }
    }
    return FINDING_none;
}

/* The length of "http://" or "https://" at the front, in any case; 0 if neither is there. */
static size_t
scheme_len(struct ern_slice target)
{
    static const struct ern_slice schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (target.len >= schemes[i].len &&
            slice_eq_nocase(slice_first(target, schemes[i].len), schemes[i]))
            return schemes[i].len;
    return 0;
}

/* Where the authority that begins at `at` ends (RFC 3986 3.2). */
static size_t
authority_end(struct ern_slice target, size_t at)
{
    while (at < target.len && target.ptr[at] != '/' && target.ptr[at] != '?' &&
           target.ptr[at] != '#')
        at++;
    return at;
}

/*
 * absolute-form = absolute-URI (RFC 9112 3.2.2), of the schemes that HTTP has. User information in
 * it is an error (RFC 9110 4.2.4): "@" is no character of a host.
 */
static enum finding
read_absolute_form(struct ern_slice target, struct ern_request *request, size_t *ret_at)
{
    size_t at = scheme_len(target);
    size_t end = authority_end(target, at);
    enum finding finding;

    *ret_at = 0;
    if (at == 0)
        return FINDING_target_form;
    request->scheme = slice_first(target, at - 3); /* without "://" */
    request->authority = slice_from(target.ptr + at, end - at);
    if (!authority_check(request->authority, ret_at)) {
        *ret_at += at;
        return FINDING_host_syntax;
    }
    request->form = ERN_ABSOLUTE_FORM;
    if (end == target.len && request->method == ERN_OPTIONS) {
        /* What the last proxy should have sent as "*" (RFC 9112 3.2.4) means the server here. */
        request->form = ERN_ASTERISK_FORM;
        return FINDING_none;
    }
    finding = read_path_and_query(target, end, request, ret_at);
    if (finding == FINDING_none && request->path.len == 0)
        request->path = ERN_SLICE("/"); /* RFC 9110 4.2.3: an empty path is "/" */
    return finding;
}

/* asterisk-form = "*" (RFC 9112 3.2.4) */
static enum finding
read_asterisk_form(struct ern_slice target, struct ern_request *request, size_t *ret_at)
{
    *ret_at = request->method == ERN_OPTIONS ? 1 : 0;
    if (target.len > 1 || request->method != ERN_OPTIONS)
        return FINDING_target_form;
    request->form = ERN_ASTERISK_FORM;
    return FINDING_none;
}

enum finding
target_parse(struct ern_slice target, struct ern_request *request, size_t *ret_at)
{
    assert(target.len);
    request->path = slice_first(target, 0);
    request->query = ERN_ABSENT;
    request->form = ERN_ORIGIN_FORM;
    if (request->method == ERN_CONNECT)
        return read_authority_form(target, request, ret_at);
    if (target.ptr[0] == '/')
        return read_path_and_query(target, 0, request, ret_at);
    if (target.ptr[0] == '*')
        return read_asterisk_form(target, request, ret_at);
    return read_absolute_form(target, request, ret_at);
}

bool
authority_is(struct ern_slice authority, bool may_be_empty)
{
    size_t at;

    return authority.len ? authority_check(authority, &at) : may_be_empty;
}

struct ern_slice
authority_host(struct ern_slice authority)
{
    size_t end = authority.len && authority.ptr[0] == '[' ? slice_find(authority, ']') + 1
                                                          : slice_find(authority, ':');

    assert(end <= authority.len);
    return slice_first(authority, end);
}

/* Is the path in normal form already: no escapes, no empty segments, none that begin with a dot? */
static bool
is_plain(struct ern_slice path)
{
    char before = 0;

    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];

        if (c == '%' || (before == '/' && (c == '/' || c == '.')))
            return false;
        before = c;
    }
    return true;
}

/*
 * Decodes the segment that begins at *at, up to a slash or the end, and moves *at there.
 *   to       room for as many bytes as the encoded segment has
 *   ret_len  bytes written
 * On a finding *at is the place of its percent sign.
 */
static enum finding
segment_read(struct ern_slice path, size_t *at, char *to, size_t *ret_len)
{
    size_t n = 0;

    while (*at < path.len && path.ptr[*at] != '/') {
        char c = path.ptr[*at];

        if (c == '%') {
            if (!escape_at(path, *at))
                return FINDING_target_encoding;
            c = (char)(hex_value(path.ptr[*at + 1]) * 16 + hex_value(path.ptr[*at + 2]));
            if (c == '\0')
                return FINDING_target_nul;
            if (c == '/')
                return FINDING_target_slash;
            *at += 2;
        }
        to[n++] = c;
        *at += 1;
    }
    *ret_len = n;
    return FINDING_none;
}

/*
 * Writes the path in normal form. While it goes on, what is written has no slash at its end; so it
 * is never longer than what was read, and a ".." takes all from the last slash.
 *   to          path.len bytes of room
 *   ret_at      bytes read; on a finding, the place of the percent sign
 */
static enum finding
path_normalize(struct ern_slice path, char *to, struct path *ret_path, size_t *ret_at)
{
    size_t n = 0, at = 0, len;
    bool slash = false;

    while (at < path.len) {
        struct ern_slice segment;
        enum finding finding;

        at++; /* the slash */
        to[n] = '/';
        finding = segment_read(path, &at, to + n + 1, &len);
        *ret_at = at;
        if (finding != FINDING_none)
            return finding;
        segment = slice_from(to + n + 1, len);
        slash = true;
        if (slice_eq(segment, ERN_SLICE(".."))) {
            if (n == 0)
                ret_path->escapes = true;
            while (n > 0 && to[--n] != '/')
                ;
        } else if (len && !slice_eq(segment, ERN_SLICE("."))) {
            n += 1 + len;
            slash = false;
        }
    }
    if (slash)
        to[n++] = '/';
    ret_path->text = slice_from(to, ret_path->escapes ? 0 : n);
    return FINDING_none;
}

enum finding
path_read(struct ern_slice path, struct out *o, struct path *ret_path, size_t *ret_at)
{
    struct out start = *o;
    enum finding finding;
    char *to;

    assert(path.len);
    assert(path.ptr[0] == '/');
    *ret_path = (struct path){path, false};
    if (is_plain(path))
        return FINDING_none;
    ret_path->text = slice_first(path, 0);
    to = out_room(o, path.len);
    if (!to)
        return FINDING_none;
    finding = path_normalize(path, to, ret_path, ret_at);
    o->len = start.len + ret_path->text.len;
    return finding;
}

void
path_write(struct out *o, struct ern_slice text)
{
    while (text.len) {
        size_t n = 0;

        while (n < text.len && (char_is(text.ptr[n], CHAR_PCHAR) || text.ptr[n] == '/'))
            n++;
        out_slice(o, slice_first(text, n));
        text = slice_skip(text, n);
        if (text.len) {
            unsigned char c = (unsigned char)text.ptr[0];

            out_char(o, '%');
            out_char(o, "0123456789ABCDEF"[c >> 4]);
            out_char(o, "0123456789ABCDEF"[c & 15]);
            text = slice_skip(text, 1);
        }
    }
}

/* "." or "..", percent-encoded or not */
static bool
is_dots(struct ern_slice segment)
{
    unsigned n = 0;

    while (segment.len) {
        size_t one = segment.ptr[0] == '.' ? 1 : 3;

        if (one == 3 && !(segment.len >= 3 && segment.ptr[0] == '%' && segment.ptr[1] == '2' &&
                          lower(segment.ptr[2]) == 'e'))
            return false;
        segment = slice_skip(segment, one);
        n++;
    }
    return n == 1 || n == 2;
}

bool
path_is_plain(struct ern_slice path)
{
    while (path.len) {
        struct ern_slice rest = slice_skip(path, 1);
        struct ern_slice segment = slice_first(rest, slice_find(rest, '/'));

        path = slice_skip(rest, segment.len);
        if (is_dots(segment) || (segment.len == 0 && path.len > 0))
            return false;
    }
    return true;
}
