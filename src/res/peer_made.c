/* SPDX-License-Identifier: Apache-2.0 */
/* peer_made.c - what a test peer has: bytes, codings, images, and what is fixed. */
#include <stdlib.h>
#include <sys/random.h>

#include <zlib.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "msg/accept.h"
#include "msg/date.h"
#include "pack/coding.h"
#include "res/peer_parts.h"

#include "peer_image.inc"

enum { CODED_LEVEL = 5, SECONDS_MAX = 31536000, LETTERS = 26 };

/* When what may be kept was last changed, whoever asks: 2026-01-01. */
enum { CHANGED_S = 1767225600 };

#define TYPE(type) "Content-Type: " type "\r\n"
#define BYTES ERN_SLICE(TYPE("application/octet-stream"))

static const struct fixed {
    struct ern_slice path, fields, content;
} fixed[] = {
#define FIXED(path, type, content)                                                                 \
    {                                                                                              \
        {path, sizeof path - 1}, {TYPE(type), sizeof TYPE(type) - 1}, content                      \
    }
#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
#define FILE_OF(name)                                                                              \
    {                                                                                              \
        name, sizeof name                                                                          \
    }
    FIXED("/html", "text/html; charset=utf-8",
          TEXT("<!DOCTYPE html>\n<html lang=\"en\"><title>A page</title>\n<h1>A page</h1>\n")),
    FIXED("/json", "application/json", TEXT("{\"title\":\"A document\",\"items\":[1,2,3]}\n")),
    FIXED(
        "/xml", "application/xml",
        TEXT("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<document><item>1</item></document>\n")),
    FIXED("/robots.txt", "text/plain; charset=utf-8", TEXT("User-agent: *\nDisallow: /deny\n")),
    FIXED("/deny", "text/plain; charset=utf-8", TEXT("robots.txt asks robots not to read this.\n")),
    FIXED("/encoding/utf8", "text/plain; charset=utf-8",
          TEXT("বাংলা, English, Ελληνικά, 日本語, 🫖\n")),
    FIXED("/image/png", "image/png", FILE_OF(image_png)),
    FIXED("/image/jpeg", "image/jpeg", FILE_OF(image_jpeg)),
    FIXED("/image/webp", "image/webp", FILE_OF(image_webp)),
    FIXED("/image/svg", "image/svg+xml", FILE_OF(image_svg)),
#undef FIXED
#undef TEXT
#undef FILE_OF
};

static const struct fixed *
find_fixed(struct ern_slice path)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (slice_eq(fixed[i].path, path))
            return &fixed[i];
    return NULL;
}

/* The image that the client likes best; the first of those that it likes alike. NULL: none. */
static const struct fixed *
find_image(const struct ern_request *r)
{
    static const struct ern_slice types[] = {
        {"image/png", 9}, {"image/jpeg", 10}, {"image/webp", 10}, {"image/svg+xml", 13}};
    static const struct ern_slice paths[] = {
        {"/image/png", 10}, {"/image/jpeg", 11}, {"/image/webp", 11}, {"/image/svg", 10}};
    enum { N = sizeof types / sizeof *types };
    unsigned quality[N], best = 0;

    accept_types(r, types, N, quality);
    for (unsigned i = 1; i < N; i++)
        if (quality[i] > quality[best])
            best = i;
    return quality[best] ? find_fixed(paths[best]) : NULL;
}

bool
peer_has_image(const struct ern_request *r)
{
    return find_image(r) != NULL;
}

static bool
make_image(struct ern_decision *d)
{
    struct res_request *request = d->self;
    const struct fixed *image = find_image(d->request);

    if (!image) /* there are some, but none that is accepted */
        return true;
    if (!peer_represent(d, image->content, image->fields))
        return false;
    request->representation.validators = ERN_SLICE("Vary: Accept\r\n");
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------*/

uint64_t
peer_random(void)
{
    uint64_t random = 0;

    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return random;
}

bool
peer_seed(struct ern_slice query, uint64_t *ret)
{
    *ret = peer_random();
    return peer_number(query, ERN_SLICE("seed"), UINT32_MAX, ret);
}

void
peer_fill(char *bytes, size_t n, uint64_t *state)
{
    for (size_t i = 0; i < n; i++) { /* the middle bits of a linear congruence are even enough */
        *state = *state * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (char)(*state >> 40);
    }
}

/* So many bytes, which the answer owns: of a seed, or the alphabet again and again. */
static bool
make_bytes(struct ern_decision *d, const struct peer_call *call, bool letters)
{
    struct res_request *request = d->self;
    uint64_t most = (uint64_t)request->limits->peer_bytes_max, n = call->number[0], seed;
    char *bytes;

    n = n < most ? n : most;
    if (!peer_seed(request->query, &seed))
        return false;
    bytes = request->held = malloc(n + 1);
    if (!bytes)
        return false;
    peer_fill(bytes, letters ? 0 : n, &seed);
    for (uint64_t i = 0; letters && i < n; i++)
        bytes[i] = (char)('a' + i % LETTERS);
    return peer_represent(d, slice_from(bytes, n),
                          ERN_SLICE(TYPE("application/octet-stream") "Accept-Ranges: bytes\r\n"));
}

static bool
make_base64(struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    if (!base64_read(call->text[0], &o)) {
        o = arena_out(request->arena);
        if (!base64url_read(call->text[0], &o))
            return false;
    }
    return peer_represent(d, arena_keep(request->arena, &o),
                          utf8_is(out_done(&o)) ? ERN_SLICE(TYPE("text/plain; charset=utf-8"))
                                                : BYTES);
}

static bool
make_uuid(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    union {
        uint64_t word[2];
        unsigned char bytes[16];
    } uuid = {{peer_random(), peer_random()}};

    uuid.bytes[6] = (uuid.bytes[6] & 0x0f) | 0x40; /* RFC 9562 5.4: random, version 4 */
    uuid.bytes[8] = (uuid.bytes[8] & 0x3f) | 0x80;
    out_literal(&o, "{\"uuid\":\"");
    out_uuid(&o, uuid.bytes);
    out_literal(&o, "\"}\n");
    return peer_represent(d, arena_keep(request->arena, &o), PEER_JSON);
}

/* ---- codings ----------------------------------------------------------------------------------*/

/* RFC 9110 8.4.1.2: in the zlib format. */
static bool
write_deflate(struct out *o, struct ern_slice plain)
{
    uLongf n = compressBound(plain.len);
    char *room = out_room(o, n);

    if (!room || compress2((Bytef *)room, &n, (const Bytef *)plain.ptr, plain.len, CODED_LEVEL))
        return false;
    o->len = (size_t)(room - o->ptr) + n;
    return true;
}

static const struct {
    struct ern_slice path, member, name;
    enum coding coding; /* CODINGS: deflate */
} codings[] = {
#define CODING(path, member, name, coding)                                                         \
    {                                                                                              \
        {path, sizeof path - 1}, {member, sizeof member - 1}, {name, sizeof name - 1}, coding      \
    }
    CODING("/gzip", "\"gzipped\":true,", "gzip", CODING_GZIP),
    CODING("/deflate", "\"deflated\":true,", "deflate", CODINGS),
    CODING("/brotli", "\"brotli\":true,", "br", CODING_BR),
    CODING("/zstd", "\"zstd\":true,", "zstd", CODING_ZSTD),
#undef CODING
};

static bool
make_coded(struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    struct ern_slice plain, coded;
    struct out o, fields;
    size_t i = 0, cap;
    char *memory;
    bool done;

    while (!slice_eq(codings[i].path, call->row->path))
        i++;
    plain = peer_echo(d, call->row->shows, codings[i].member);
    cap = compressBound(plain.len) + plain.len / 8 + 1024;
    memory = slice_is_there(plain) ? malloc(cap) : NULL;
    if (!memory)
        return false;
    o = out_init(memory, cap);
    done = codings[i].coding == CODINGS
               ? write_deflate(&o, plain)
               : coding_write(codings[i].coding, CODED_LEVEL, plain, &o) == 0;
    coded = out_done(&o);
    free(request->held);
    request->held = memory;
    fields = arena_out(request->arena);
    out_slice(&fields, PEER_JSON);
    out_literal(&fields, "Content-Encoding: ");
    out_slice(&fields, codings[i].name);
    out_literal(&fields, "\r\n");
    return done && peer_represent(d, coded, arena_keep(request->arena, &fields));
}

/* ---- what may be kept -------------------------------------------------------------------------*/

static void
write_validators(struct out *o, struct ern_slice etag, const struct peer_call *call)
{
    out_literal(o, "ETag: ");
    out_slice(o, etag);
    if (call->row->act == PEER_cache) {
        out_literal(o, "\r\nLast-Modified: ");
        date_write(o, CHANGED_S);
    }
    if (slice_is_there(call->text[0]) && call->row->act == PEER_cache) {
        out_literal(o, "\r\nCache-Control: public, max-age=");
        out_u64(o, call->number[0] < SECONDS_MAX ? call->number[0] : SECONDS_MAX);
    }
    out_literal(o, "\r\n");
}

/* An entity tag, and how long it may be kept. */
static bool
make_tagged(struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    bool is_cache = call->row->act == PEER_cache;
    struct ern_slice tag = is_cache ? ERN_SLICE("cache") : call->text[0];
    struct out o;

    for (size_t i = 0; i < tag.len; i++) /* RFC 9110 8.8.3 */
        if ((unsigned char)tag.ptr[i] <= ' ' || tag.ptr[i] == '"' || tag.ptr[i] == 0x7f)
            return false;
    if (!peer_represent(d, peer_echo(d, call->row->shows, ERN_SLICE("")), PEER_JSON))
        return false;
    o = arena_out(request->arena);
    out_char(&o, '"');
    out_slice(&o, tag);
    out_char(&o, '"');
    d->evidence.etag = arena_keep(request->arena, &o);
    if (is_cache)
        d->evidence.last_modified_s = CHANGED_S;
    o = arena_out(request->arena);
    write_validators(&o, d->evidence.etag, call);
    request->representation.validators = arena_keep(request->arena, &o);
    return slice_is_there(request->representation.validators);
}

/* ---- fields that the query names --------------------------------------------------------------*/

static bool
has_type(struct ern_slice lines)
{
    while (lines.len) {
        if (slice_eq_nocase(slice_first(lines, slice_find(lines, ':')), ERN_SLICE("Content-Type")))
            return true;
        lines = slice_skip(lines, slice_find(lines, '\n') + 1);
    }
    return false;
}

static bool
make_fields(struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);
    struct ern_slice fields;

    if (!peer_write_fields(&o, request->query) || o.len > (size_t)request->limits->peer_content_max)
        return false;
    if (!has_type(out_done(&o)))
        out_slice(&o, PEER_JSON);
    fields = arena_keep(request->arena, &o);
    return peer_represent(d, peer_echo(d, call->row->shows, ERN_SLICE("")), fields);
}

/* ---- all of them ------------------------------------------------------------------------------*/

static bool
make_fixed(struct ern_decision *d, const struct peer_call *call)
{
    const struct fixed *f = find_fixed(call->row->path);

    return f && peer_represent(d, f->content, f->fields);
}

bool
peer_make(struct ern_decision *d, struct peer_call *call)
{
    switch (call->row->act) {
    case PEER_tagged:
    case PEER_cache:
        return make_tagged(d, call);
    case PEER_range:
        return make_bytes(d, call, true);
    case PEER_bytes:
        return make_bytes(d, call, false);
    case PEER_base64:
        return make_base64(d, call);
    case PEER_coded:
        return make_coded(d, call);
    case PEER_fixed:
        return make_fixed(d, call);
    case PEER_image:
        return make_image(d);
    case PEER_uuid:
        return make_uuid(d);
    case PEER_fields:
        return make_fields(d, call);
    case PEER_page:
        return peer_make_page(d, call);
    case PEER_index:
        return peer_make_index(d);
    case PEER_earn:
        return peer_make_earn(d, call);
    case PEER_earns:
        return peer_make_earns(d);
    case PEER_drip:
    case PEER_events:
    case PEER_lines:
    case PEER_stream:
        return peer_make_stream(d, call);
    case PEER_delay:
        return peer_make_delay(d, call);
    case PEER_echo:
    case PEER_status:
    case PEER_sequence:
    case PEER_redirect:
    case PEER_sends:
    case PEER_links:
    case PEER_cookie:
    case PEER_uncookie:
    case PEER_basic:
    case PEER_hidden:
    case PEER_bearer:
    case PEER_digest:
    case PEER_ACTS:
        break; /* the request itself, once all of it is there */
    }
    return true;
}
