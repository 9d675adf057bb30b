/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_uri.c - request targets. What target_parse() takes can be put together again from its parts;
 * path_read() agrees with a second implementation that decodes first and keeps a stack; what
 * path_write() writes is read back the same; IPv6 addresses agree with the C library.
 *
 * Input: a byte that chooses the method, then the target.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/slice.h"
#include "msg/target.h"

enum { PATH_MAX_BYTES = 4096 };

static void
must(bool right)
{
    if (!right)
        abort();
}

/* A path read the plain way. Its room is that of the path. */
struct plain {
    enum finding finding;
    bool escapes;
    size_t len;
    char text[PATH_MAX_BYTES];
};

static enum finding
plain_decode(struct ern_slice path, char *to, size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < path.len; i++) {
        int high, low;

        to[n++] = path.ptr[i];
        if (path.ptr[i] != '%')
            continue;
        high = i + 1 < path.len ? hex_value(path.ptr[i + 1]) : -1;
        low = i + 2 < path.len ? hex_value(path.ptr[i + 2]) : -1;
        if (high < 0 || low < 0)
            return FINDING_target_encoding;
        if (high == 0 && low == 0)
            return FINDING_target_nul;
        if (high == 2 && low == 15)
            return FINDING_target_slash;
        to[n - 1] = (char)(high << 4 | low);
        i += 2;
    }
    *ret_len = n;
    return FINDING_none;
}

/* Cuts the decoded path at its slashes and keeps the segments that stand on a stack. */
static void
plain_read(struct ern_slice path, struct plain *plain)
{
    static char decoded[PATH_MAX_BYTES];
    static struct ern_slice stack[PATH_MAX_BYTES];
    size_t depth = 0, len = 0;
    struct ern_slice rest, last = ERN_ABSENT;

    *plain = (struct plain){.finding = plain_decode(path, decoded, &len)};
    if (plain->finding != FINDING_none)
        return;
    rest = slice_from(decoded, len);
    while (rest.len) {
        rest = slice_skip(rest, 1);
        last = slice_first(rest, slice_find(rest, '/'));
        rest = slice_skip(rest, last.len);
        if (slice_eq(last, ERN_SLICE(".."))) {
            plain->escapes |= depth == 0;
            depth -= depth > 0;
        } else if (last.len && !slice_eq(last, ERN_SLICE("."))) {
            stack[depth++] = last;
        }
    }
    for (size_t i = 0; i < depth; i++) {
        plain->text[plain->len++] = '/';
        memcpy(plain->text + plain->len, stack[i].ptr, stack[i].len);
        plain->len += stack[i].len;
    }
    if (last.len == 0 || slice_eq(last, ERN_SLICE(".")) || slice_eq(last, ERN_SLICE("..")))
        plain->text[plain->len++] = '/';
    if (plain->escapes)
        plain->len = 0;
}

static void
try_path(struct ern_slice path)
{
    static struct plain plain;
    static char encoded[3 * PATH_MAX_BYTES], again_memory[3 * PATH_MAX_BYTES];
    char *memory = malloc(path.len); /* exactly what is promised to do */
    struct out o = out_init(memory, path.len), e = out_init(encoded, sizeof encoded);
    struct out a = out_init(again_memory, sizeof again_memory);
    struct path read, again;
    struct ern_request request = {.method = ERN_GET};
    size_t at = 0;
    enum finding finding = path_read(path, &o, &read, &at);

    must(memory && !o.full);
    plain_read(path, &plain);
    must(finding == plain.finding);
    if (finding != FINDING_none) {
        must(at < path.len && path.ptr[at] == '%' && read.text.len == 0 && o.len == 0);
    } else {
        must(read.escapes == plain.escapes);
        must(slice_eq(read.text, slice_from(plain.text, plain.len)));
    }
    if (finding == FINDING_none && !read.escapes) {
        path_write(&e, read.text);
        must(!e.full);
        must(path_read(out_done(&e), &a, &again, &at) == FINDING_none);
        must(slice_eq(again.text, read.text) && !again.escapes);
        must(target_parse(out_done(&e), &request, &at) == FINDING_none);
        must(slice_eq(request.path, out_done(&e)) && !slice_is_there(request.query));
    }
    free(memory);
}

/* Does the target end with path [ "?" query ], as much of it as is left of start? */
static void
ends_with_parts(struct ern_slice target, size_t start, const struct ern_request *request)
{
    struct ern_slice rest = slice_skip(target, start);

    must(slice_starts(rest, request->path));
    rest = slice_skip(rest, request->path.len);
    must(slice_is_there(request->query) == (rest.len > 0));
    if (rest.len == 0)
        return;
    must(rest.ptr[0] == '?');
    must(slice_eq(slice_skip(rest, 1), request->query));
    must(slice_find(request->query, '#') == request->query.len);
}

static void
try_absolute(struct ern_slice target, struct ern_request *request)
{
    size_t start = slice_find(target, ':') + 3 + request->authority.len;

    must(authority_is(request->authority, false));
    must(slice_eq(slice_from(request->authority.ptr, target.len - start + request->authority.len),
                  slice_skip(target, start - request->authority.len)));
    if (start == target.len || target.ptr[start] == '?') {
        must(slice_eq(request->path, ERN_SLICE("/")));
        request->path = slice_first(target, 0);
    }
    ends_with_parts(target, start, request);
    must(slice_find(authority_host(request->authority), '@') ==
         authority_host(request->authority).len);
}

static void
try_target(struct ern_slice target, enum ern_method method)
{
    struct ern_request request = {.method = method};
    size_t at = SIZE_MAX;
    enum finding finding = target_parse(target, &request, &at);

    if (finding != FINDING_none) {
        must(at <= target.len);
        return;
    }
    if (request.path.len)
        try_path(request.path);
    must((method == ERN_CONNECT) == (request.form == ERN_AUTHORITY_FORM));
    switch (request.form) {
    case ERN_ORIGIN_FORM:
        must(target.ptr[0] == '/');
        ends_with_parts(target, 0, &request);
        break;
    case ERN_ABSOLUTE_FORM:
        try_absolute(target, &request);
        break;
    case ERN_AUTHORITY_FORM:
        must(slice_eq(request.authority, target) && authority_is(target, false));
        must(authority_host(target).len + 1 < target.len);
        break;
    case ERN_ASTERISK_FORM:
        must(method == ERN_OPTIONS && request.path.len == 0 && !slice_is_there(request.query));
        must(slice_eq(target, ERN_SLICE("*")) || slice_ends(target, request.authority));
        break;
    }
}

/* The text between brackets, to us and to the C library. */
static void
try_ipv6(struct ern_slice text)
{
    char ours[64], theirs[64];
    unsigned char address[16];
    size_t n = text.len < 60 ? text.len : 60;

    if (n == 0 || text.ptr[0] == 'v' || text.ptr[0] == 'V')
        return;
    memcpy(theirs, text.ptr, n);
    theirs[n] = '\0';
    ours[0] = '[';
    memcpy(ours + 1, text.ptr, n);
    ours[n + 1] = ']';
    must(authority_is(slice_from(ours, n + 2), false) ==
         (!memchr(theirs, '\0', n) && inet_pton(AF_INET6, theirs, address) == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice target = slice_from((const char *)data, size);

    if (size < 2 || size > PATH_MAX_BYTES)
        return 0;
    target = slice_skip(target, 1);
    try_target(target, (enum ern_method)(data[0] % (ERN_METHODS + 1)));
    /* with bytes too that target_parse() would not let through, but NUL, which stays escaped */
    if (target.ptr[0] == '/' && slice_find(target, '\0') == target.len)
        try_path(target);
    try_ipv6(target);
    return 0;
}
