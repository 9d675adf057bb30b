/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "lib/h2_server.h"

struct h2_server h2_server;

static const char *const finding_names[] = {
#define FINDING(name, kind, source, english, bengali) #name,
#include "finding.def"
#undef FINDING
};

/* ---- what is told -------------------------------------------------------------------------------
 */

static void
tell(const char *word, int32_t stream)
{
    struct out *o = &h2_server.story;

    out_text(o, o->len ? " " : "");
    out_text(o, word);
    if (stream > 0) {
        out_char(o, ':');
        out_u64(o, (uint64_t)stream);
    }
}

static void
tell_more(struct ern_slice text)
{
    out_char(&h2_server.story, ':');
    out_slice(&h2_server.story, text);
}

static void
tell_fields(struct ern_slice block)
{
    const uint8_t *at = (const uint8_t *)block.ptr;
    size_t left = block.len;
    int flags = 0;

    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(h2_server.inflater, &nv, &flags, at, left, 1);

        assert_true(n >= 0);
        at += n;
        left -= (size_t)n;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
            continue;
        out_char(&h2_server.story, nv.name[0] == ':' ? ':' : ',');
        if (nv.name[0] != ':') {
            out_slice(&h2_server.story, slice_from((char *)nv.name, nv.namelen));
            out_char(&h2_server.story, '=');
        }
        out_slice(&h2_server.story, slice_from((char *)nv.value, nv.valuelen));
    }
    nghttp2_hd_inflate_end_headers(h2_server.inflater);
}

static uint32_t
number(const char *p, unsigned n)
{
    uint32_t value = 0;

    while (n--)
        value = value << 8 | (unsigned char)*p++;
    return value;
}

static void
tell_frame(const char *head, struct ern_slice payload)
{
    static const char *const names[] = {"DATA", "HEADERS", "PRIORITY", "RESET", "SETTINGS",
                                        "PUSH", "PING",    "GOAWAY",   "WINDOW"};
    unsigned type = (unsigned char)head[3];

    if (type == NGHTTP2_SETTINGS)
        return; /* is looked at where it matters */
    tell(names[type], (int32_t)number(head + 5, 4));
    if (type == NGHTTP2_HEADERS)
        tell_fields(payload);
    if (type == NGHTTP2_DATA)
        tell_more(payload);
    if (type == NGHTTP2_RST_STREAM || type == NGHTTP2_WINDOW_UPDATE) {
        out_char(&h2_server.story, '=');
        out_u64(&h2_server.story, number(payload.ptr, 4));
    }
    if (type == NGHTTP2_GOAWAY) {
        out_char(&h2_server.story, ':');
        out_u64(&h2_server.story, number(payload.ptr, 4));
        out_char(&h2_server.story, '=');
        out_u64(&h2_server.story, number(payload.ptr + 4, 4));
    }
    if (type <= NGHTTP2_HEADERS && head[4] & NGHTTP2_FLAG_END_STREAM)
        out_char(&h2_server.story, '.');
}

/* ---- the server --------------------------------------------------------------------------------
 */

static bool
asks_for(const struct h2_stream *s, const char *path)
{
    return slice_eq(s->path, slice_text(path));
}

struct out *
h2_server_lines(const char *text)
{
    static char bytes[1024];
    static struct out lines;

    lines = out_init(bytes, sizeof bytes);
    out_text(&lines, text);
    return &lines;
}

void
h2_server_answer(struct h2_place *p)
{
    struct h2_stream *s = &p->stream;
    uint16_t status = s->finding ? 400 : 200;

    if (asks_for(s, "/interim"))
        h2_interim(&h2_server.h2, s, 103, h2_server_lines("Link: </a>\r\n"));
    if (asks_for(s, "/empty"))
        status = 204;
    if (asks_for(s, "/same"))
        status = 304;
    p->left = status == 200 && p->request.method != ERN_HEAD ? 2 : 0;
    h2_answer(&h2_server.h2, s, status, h2_server_lines(""), false, p->left > 0);
}

struct h2_stream *
h2_server_begin(void *self)
{
    (void)self;
    for (unsigned i = 0; i < H2_SERVER_PLACES; i++) {
        struct h2_place *p = &h2_server.places[i];

        if (p->taken)
            continue;
        p->taken = true;
        ern_request_init(&p->request, p->fields, H2_SERVER_FIELDS);
        p->stream.request = &p->request;
        p->stream.text = out_init(p->text, H2_SERVER_TEXT);
        return &p->stream;
    }
    return NULL;
}

static struct h2_place *
place_of(struct h2_stream *stream)
{
    return (struct h2_place *)(void *)stream;
}

static void
head(void *self, struct h2_stream *s)
{
    struct h2_place *p = place_of(s);

    (void)self;
    tell("head", s->id);
    if (s->finding) {
        tell_more(slice_text(finding_names[s->finding]));
        if (slice_is_there(s->finding_field))
            tell_more(s->finding_field);
    }
    p->waits = asks_for(s, "/late");
    if (!asks_for(s, "/kept") && (s->ended || !asks_for(s, "/content")))
        h2_server_answer(p);
}

static void
content(void *self, struct h2_stream *s, struct ern_slice piece)
{
    (void)self;
    for (size_t i = 0; i < piece.len; i++) { /* so that pieces make no difference */
        tell("content", s->id);
        tell_more(slice_from(piece.ptr + i, 1));
    }
    h2_taken(&h2_server.h2, s, piece.len);
}

static void
ended(void *self, struct h2_stream *s)
{
    (void)self;
    tell("end", s->id);
    if (asks_for(s, "/content"))
        h2_server_answer(place_of(s));
}

static ssize_t
offer(void *self, struct h2_stream *s, size_t cap, bool *ret_end)
{
    struct h2_place *p = place_of(s);

    (void)self;
    (void)cap;
    if (p->waits)
        return H2_LATER;
    if (asks_for(s, "/cut") && p->left == 1)
        return H2_CUT;
    *ret_end = p->left == 1;
    return 1;
}

static bool
give(void *self, struct h2_stream *s, char *bytes, size_t n)
{
    (void)self;
    memset(bytes, 'y', n);
    place_of(s)->left -= n;
    return true;
}

static void
answered(void *self, struct h2_stream *s)
{
    (void)self;
    tell("answered", s->id);
    if (asks_for(s, "/stop"))
        h2_stop(&h2_server.h2, s);
}

static void
closed(void *self, struct h2_stream *s)
{
    (void)self;
    tell("closed", s->id);
    place_of(s)->taken = false;
}

static const struct h2_events events = {h2_server_begin, head, content,  ended,
                                        offer,           give, answered, closed};

/* ---- a session ---------------------------------------------------------------------------------
 */

void
h2_server_send(void)
{
    static char bytes[H2_SERVER_WIRE];
    struct out o = out_init(bytes, sizeof bytes);

    (void)!h2_send(&h2_server.h2, &o);
    for (size_t at = 0; at < o.len;) {
        size_t n = number(bytes + at, 3);

        tell_frame(bytes + at, slice_from(bytes + at + 9, n));
        at += 9 + n;
    }
}

void
h2_server_open(void)
{
    for (unsigned i = 0; i < H2_SERVER_PLACES; i++)
        h2_server.places[i].taken = false;
    h2_server.story = out_init(h2_server.story_text, H2_SERVER_STORY);
    assert_int_equal(nghttp2_hd_inflate_new(&h2_server.inflater), 0);
    assert_int_equal(h2_begin(&h2_server.h2, &h2_server.limits, NULL, &events, NULL, 0), 0);
}

void
h2_server_close(void)
{
    h2_end(&h2_server.h2);
    nghttp2_hd_inflate_del(h2_server.inflater);
}

bool
h2_server_feed(struct ern_slice bytes, size_t split)
{
    while (bytes.len) {
        struct ern_slice piece = slice_first(bytes, split < bytes.len ? split : bytes.len);

        if (!h2_feed(&h2_server.h2, piece, 0))
            return false;
        bytes = slice_skip(bytes, piece.len);
    }
    return true;
}

#define GREETING "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

void
h2_server_greet(void)
{
    assert_true(h2_server_feed(ERN_SLICE(GREETING), sizeof GREETING));
    h2_server_send();
    h2_server.story.len = 0;
}

int
h2_server_setup(void **state)
{
    (void)state;
    h2_server.limits = limits_standard();
    h2_server.limits.h2_streams_max = H2_SERVER_PLACES;
    return 0;
}
