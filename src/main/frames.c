/* SPDX-License-Identifier: Apache-2.0 */
#include "main/frames.h"

#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"

enum {
    HEADER_BYTES = 9,
    HEX_BYTES = 48,    /* of a frame, so many are shown */
    TEXT_BYTES = 2048, /* likewise, of content */
    PREFACE_BYTES = NGHTTP2_CLIENT_MAGIC_LEN,
};

struct frame {
    uint32_t length, stream;
    uint8_t type, flags;
    const uint8_t *payload;
};

static const char *const types[] = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                    "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                    "WINDOW_UPDATE", "CONTINUATION"};

static uint32_t
number(const uint8_t *at, unsigned bytes)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < bytes; i++)
        n = n << 8 | at[i];
    return n;
}

/* The name at an index of a table, or the index. */
static void
write_name(struct out *o, const char *const *names, size_t n, uint32_t index)
{
    if (index < n && names[index])
        out_text(o, names[index]);
    else
        out_u64(o, index);
}

static void
begin_line(struct out *o, bool sent)
{
    out_text(o, sent ? ">   " : "<   ");
}

/* ---- what a frame has (RFC 9113 6) ------------------------------------------------------------
 */

static void
write_flags(struct out *o, const struct frame *f)
{
    static const struct {
        uint8_t types, bit; /* types: a bit each */
        const char *name;
    } flags[] = {
        {1 << NGHTTP2_DATA | 1 << NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, " END_STREAM"},
        {1 << NGHTTP2_SETTINGS | 1 << NGHTTP2_PING, NGHTTP2_FLAG_ACK, " ACK"},
        {1 << NGHTTP2_HEADERS | 1 << NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS,
         " END_HEADERS"},
        {1 << NGHTTP2_DATA | 1 << NGHTTP2_HEADERS | 1 << NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_PADDED,
         " PADDED"},
        {1 << NGHTTP2_HEADERS, NGHTTP2_FLAG_PRIORITY, " PRIORITY"},
    };
    size_t before;

    out_literal(o, ",");
    before = o->len;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (f->type < 8 && flags[i].types >> f->type & 1 && f->flags & flags[i].bit)
            out_text(o, flags[i].name);
    if (f->type == NGHTTP2_CONTINUATION && f->flags & NGHTTP2_FLAG_END_HEADERS)
        out_literal(o, " END_HEADERS");
    if (o->len == before)
        out_literal(o, " no flags");
}

static void
write_settings(struct out *o, bool sent, const struct frame *f)
{
    static const char *const names[] = {NULL,
                                        "HEADER_TABLE_SIZE",
                                        "ENABLE_PUSH",
                                        "MAX_CONCURRENT_STREAMS",
                                        "INITIAL_WINDOW_SIZE",
                                        "MAX_FRAME_SIZE",
                                        "MAX_HEADER_LIST_SIZE",
                                        NULL,
                                        "ENABLE_CONNECT_PROTOCOL",
                                        "NO_RFC7540_PRIORITIES"};

    for (uint32_t at = 0; at + 6 <= f->length; at += 6) {
        begin_line(o, sent);
        write_name(o, names, sizeof names / sizeof *names, number(f->payload + at, 2));
        out_literal(o, ": ");
        out_u64(o, number(f->payload + at + 2, 4));
        out_char(o, '\n');
    }
}

/* RFC 9113 7 */
static void
write_error(struct out *o, bool sent, uint32_t code)
{
    static const char *const names[] = {"NO_ERROR",
                                        "PROTOCOL_ERROR",
                                        "INTERNAL_ERROR",
                                        "FLOW_CONTROL_ERROR",
                                        "SETTINGS_TIMEOUT",
                                        "STREAM_CLOSED",
                                        "FRAME_SIZE_ERROR",
                                        "REFUSED_STREAM",
                                        "CANCEL",
                                        "COMPRESSION_ERROR",
                                        "CONNECT_ERROR",
                                        "ENHANCE_YOUR_CALM",
                                        "INADEQUATE_SECURITY",
                                        "HTTP_1_1_REQUIRED"};

    begin_line(o, sent);
    write_name(o, names, sizeof names / sizeof *names, code);
    out_char(o, '\n');
}

static struct ern_slice
text_of(const uint8_t *at, size_t n)
{
    return slice_from((const char *)at, n);
}

/* A field section, or a part of one: the table of a direction lives as long as its connection. */
static void
write_fields(struct out *o, bool sent, struct frames_way *way, const struct frame *f)
{
    const uint8_t *at = f->payload, *end = at + f->length;
    bool last = f->flags & NGHTTP2_FLAG_END_HEADERS;
    uint32_t padding = 0;

    if (f->type == NGHTTP2_HEADERS && f->flags & NGHTTP2_FLAG_PADDED && at < end)
        padding = *at++;
    if (f->type == NGHTTP2_HEADERS && f->flags & NGHTTP2_FLAG_PRIORITY)
        at += end - at >= 5 ? 5 : end - at;
    end -= padding < (size_t)(end - at) ? padding : (size_t)(end - at);
    while (at < end) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(way->fields, &nv, &flags, at, (size_t)(end - at), last);

        if (n < 0)
            return;
        at += n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            begin_line(o, sent);
            out_plain(o, text_of(nv.name, nv.namelen));
            out_literal(o, ": ");
            out_plain(o, text_of(nv.value, nv.valuelen));
            out_char(o, '\n');
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            nghttp2_hd_inflate_end_headers(way->fields);
        if (n == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT))
            return;
    }
}

/* Content, as far as it is shown, if it is text. */
static void
write_text(struct out *o, bool sent, const struct frame *f)
{
    bool padded = f->flags & NGHTTP2_FLAG_PADDED && f->length > 0;
    size_t padding = padded ? 1U + f->payload[0] : 0;
    struct ern_slice text =
        text_of(f->payload + padded, padding < f->length ? f->length - padding : 0);

    text.len = text.len < TEXT_BYTES ? text.len : TEXT_BYTES;
    while (text.len && ((unsigned char)text.ptr[text.len - 1] & 0xc0) == 0x80)
        text.len--; /* a letter that is cut, or whole: its other bytes are missed by nobody */
    if (!utf8_is(text) || slice_find(text, '\0') < text.len)
        return;
    while (text.len) {
        size_t end = slice_find(text, '\n');

        begin_line(o, sent);
        out_plain(o, slice_first(text, end));
        out_char(o, '\n');
        text = slice_skip(text, end < text.len ? end + 1 : end);
    }
}

static void
write_payload(struct out *o, bool sent, struct frames_way *way, const struct frame *f)
{
    switch (f->type) {
    case NGHTTP2_DATA:
        write_text(o, sent, f);
        return;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        write_fields(o, sent, way, f);
        return;
    case NGHTTP2_SETTINGS:
        write_settings(o, sent, f);
        return;
    case NGHTTP2_RST_STREAM:
        if (f->length == 4)
            write_error(o, sent, number(f->payload, 4));
        return;
    case NGHTTP2_GOAWAY:
        if (f->length >= 8)
            write_error(o, sent, number(f->payload + 4, 4));
        return;
    case NGHTTP2_WINDOW_UPDATE:
        if (f->length == 4) {
            begin_line(o, sent);
            out_literal(o, "+");
            out_u64(o, number(f->payload, 4) & INT32_MAX);
            out_char(o, '\n');
        }
        return;
    default:
        return;
    }
}

/* ---- frames ------------------------------------------------------------------------------------
 */

static void
write_bytes(struct out *o, bool sent, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    begin_line(o, sent);
    out_char(o, '|');
    for (size_t i = 0; i < n && i < HEX_BYTES; i++) {
        out_char(o, ' ');
        out_char(o, digits[bytes[i] >> 4]);
        out_char(o, digits[bytes[i] & 15]);
    }
    out_text(o, n > HEX_BYTES ? " ...\n" : "\n");
}

static void
write_frame(struct frames *frames, bool sent)
{
    struct frames_way *way = &frames->ways[sent];
    const uint8_t *at = way->bytes;
    const struct frame f = {number(at, 3), number(at + 5, 4) & INT32_MAX, at[3], at[4],
                            at + HEADER_BYTES};
    struct out *o = frames->to[sent];

    out_text(o, sent ? "> " : "< ");
    write_name(o, types, sizeof types / sizeof *types, f.type);
    out_literal(o, ", stream ");
    out_u64(o, f.stream);
    write_flags(o, &f);
    out_literal(o, ", ");
    out_u64(o, f.length);
    out_literal(o, " bytes\n");
    write_payload(o, sent, way, &f);
    write_bytes(o, sent, at, HEADER_BYTES + f.length);
}

/* How many bytes are wanted until something is whole. */
static size_t
whole(const struct frames_way *way)
{
    if (!way->greeted)
        return PREFACE_BYTES;
    return way->len < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + number(way->bytes, 3);
}

void
frames_see(struct frames *frames, bool sent, struct ern_slice bytes)
{
    struct frames_way *way = &frames->ways[sent];

    while (bytes.len) {
        size_t wanted = whole(way),
               n = wanted - way->len < bytes.len ? wanted - way->len : bytes.len;

        if (wanted > sizeof way->bytes)
            return; /* larger than was agreed to: not looked into */
        memcpy(way->bytes + way->len, bytes.ptr, n);
        way->len += n;
        bytes = slice_skip(bytes, n);
        if (way->len < whole(way))
            continue;
        if (way->greeted) {
            write_frame(frames, sent);
        } else {
            out_literal(frames->to[sent], "> PRI * HTTP/2.0, the preface\n");
            write_bytes(frames->to[sent], sent, way->bytes, way->len);
        }
        way->greeted = true;
        way->len = 0;
    }
}

bool
frames_begin(struct frames *frames, struct out *came, struct out *went)
{
    frames->to[false] = came;
    frames->to[true] = went;
    for (unsigned i = 0; i < 2; i++) {
        frames->ways[i].fields = NULL;
        frames->ways[i].len = 0;
        frames->ways[i].greeted = i == 0; /* only clients send one */
    }
    return nghttp2_hd_inflate_new(&frames->ways[0].fields) == 0 &&
           nghttp2_hd_inflate_new(&frames->ways[1].fields) == 0;
}

void
frames_end(struct frames *frames)
{
    for (unsigned i = 0; i < 2; i++)
        if (frames->ways[i].fields)
            nghttp2_hd_inflate_del(frames->ways[i].fields);
}
