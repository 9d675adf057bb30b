/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>

#include "base/base64.h"
#include "base/slice.h"
#include "wire/h2_head.h"
#include "wire/h2_lines.h"

enum {
    SETTINGS_BYTES = 256, /* of HTTP2-Settings, decoded */
    FIELDS_MAX = 128,     /* of an answer */
    PREFACE_BYTES = 24,
    PRIORITY_BYTES = 5, /* of the payload of PRIORITY */
    RESETS_FACTOR = 2,  /* resets may come so many times as often as the rest */
};

/* ---- nuisances ------------------------------------------------------------------------------- */

/* Counts one. What comes too often ends the connection (RFC 9113 10.5). */
static void
count(struct h2 *h2, enum h2_nuisance kind)
{
    if (!h2_link_count(&h2->link, kind, kind == H2_RESETS ? RESETS_FACTOR : 1))
        (void)nghttp2_session_terminate_session(h2->link.session, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* ---- stream numbers: nghttp2 forgets streams that are closed, and lets pass what comes for them
 */

enum { IDS_KNOWN = 64 };

/* How many streams before the last one; IDS_KNOWN if that is not known, or it is none of the
 * peer's.
 */
static unsigned
place_of(const struct h2 *h2, int32_t id)
{
    int32_t before = (h2->ids.last - id) / 2;

    return id % 2 && id <= h2->ids.last && before < IDS_KNOWN ? (unsigned)before : IDS_KNOWN;
}

static void
open_id(struct h2 *h2, int32_t id)
{
    int32_t ahead = id / 2 - h2->ids.last / 2;

    h2->ids.used = (ahead < IDS_KNOWN ? h2->ids.used << ahead : 0) | 1;
    h2->ids.reset = ahead < IDS_KNOWN ? h2->ids.reset << ahead : 0;
    h2->ids.last = id;
}

/* The error of a connection that HEADERS or DATA for this stream are, or 0. */
static uint32_t
error_of_id(const struct h2 *h2, int32_t id)
{
    unsigned place = place_of(h2, id);

    if (place == IDS_KNOWN || nghttp2_session_find_stream(h2->link.session, id))
        return 0;
    /* rfc9113#5.1.1 "The identifier of a newly established stream MUST be numerically greater than
     * all streams that the initiating endpoint has opened or reserved." */
    if (!(h2->ids.used >> place & 1))
        return NGHTTP2_PROTOCOL_ERROR;
    /* What was on its way when we reset the stream is no error (RFC 9113 5.1, closed). */
    return h2->ids.reset >> place & 1 ? 0 : NGHTTP2_STREAM_CLOSED;
}

/* ---- frames: each is looked at before nghttp2 gets the last byte of its head -------------------
 */

struct frame {
    uint32_t bytes; /* of its payload */
    uint8_t type;
    int32_t id;
    int32_t depends_on; /* of PRIORITY; else -1 */
};

static void
count_frame(struct h2 *h2, const struct frame *frame)
{
    switch (frame->type) {
    case NGHTTP2_RST_STREAM:
        count(h2, H2_RESETS);
        break;
    case NGHTTP2_SETTINGS:
        count(h2, H2_SETTINGS);
        break;
    case NGHTTP2_PING:
        count(h2, H2_PINGS);
        break;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
        count(h2, H2_PRIORITIES);
        break;
    case NGHTTP2_WINDOW_UPDATE: /* as many as there is content to be sent for are no nuisance */
        count(h2, H2_WINDOWS);
        break;
    default:
        break;
    }
}

static void
look_at_frame(struct h2 *h2, const struct frame *frame)
{
    bool is_priority = frame->type == NGHTTP2_PRIORITY;
    uint32_t error = 0;

    count_frame(h2, frame);
    if (frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_DATA)
        error = error_of_id(h2, frame->id);
    if (frame->type == NGHTTP2_HEADERS && frame->id % 2 && frame->id > h2->ids.last)
        open_id(h2, frame->id);
    /* rfc9113#6.3 "If a PRIORITY frame is received with a stream identifier of 0x00, the recipient
     * MUST respond with a connection error" */
    if (is_priority && (frame->id == 0 || frame->id == frame->depends_on)) /* RFC 7540 5.3.1 */
        error = NGHTTP2_PROTOCOL_ERROR;
    if (error)
        (void)nghttp2_session_terminate_session(h2->link.session, error);
    else if (is_priority && frame->bytes != PRIORITY_BYTES)
        (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, frame->id,
                                        NGHTTP2_FRAME_SIZE_ERROR);
}

static uint32_t
big_endian(const unsigned char *p, unsigned n)
{
    uint32_t value = 0;

    while (n--)
        value = value << 8 | *p++;
    return value;
}

static int32_t
id_at(const unsigned char *p)
{
    return (int32_t)(big_endian(p, 4) & INT32_MAX);
}

/* What has to be there before a frame is looked at: its head; of PRIORITY, all of it. */
static uint8_t
head_bytes(const struct h2 *h2)
{
    const unsigned char *head = h2->at.head;
    bool is_priority = h2->at.head_n >= H2_FRAME_HEAD_BYTES && head[3] == NGHTTP2_PRIORITY &&
                       big_endian(head, 3) == PRIORITY_BYTES;

    return is_priority ? H2_FRAME_HEAD_BYTES + PRIORITY_BYTES : H2_FRAME_HEAD_BYTES;
}

/* Takes of the payload what has come. Returns the bytes. */
static size_t
take_payload(struct h2 *h2, struct ern_slice *bytes)
{
    size_t n = bytes->len < h2->at.payload ? bytes->len : h2->at.payload;

    h2->at.payload -= (uint32_t)n;
    *bytes = slice_skip(*bytes, n);
    return n;
}

/* Takes bytes of the head of a frame. Returns all of it when it is whole, else nothing: nghttp2
 * gets it in one piece, for it counts the pieces of those of CONTINUATION. What has come of the
 * payload goes with it, if the head has not come in parts. */
static struct ern_slice
take_head(struct h2 *h2, struct ern_slice *bytes)
{
    unsigned char *head = h2->at.head;
    struct ern_slice piece = *bytes;
    bool in_parts = h2->at.head_n > 0;
    size_t n = head_bytes(h2) - h2->at.head_n;

    n = bytes->len < n ? bytes->len : n;
    memcpy(head + h2->at.head_n, bytes->ptr, n);
    *bytes = slice_skip(*bytes, n);
    h2->at.head_n = (uint8_t)(h2->at.head_n + n);
    n = h2->at.head_n;
    if (n < head_bytes(h2))
        return ERN_SLICE("");
    h2->at.head_n = 0;
    h2->at.payload = big_endian(head, 3) - (uint32_t)(n - H2_FRAME_HEAD_BYTES);
    look_at_frame(h2, &(struct frame){.bytes = big_endian(head, 3),
                                      .type = head[3],
                                      .id = id_at(head + 5),
                                      .depends_on = n > H2_FRAME_HEAD_BYTES
                                                        ? id_at(head + H2_FRAME_HEAD_BYTES)
                                                        : -1});
    return in_parts ? h2_slice(head, n) : slice_first(piece, n + take_payload(h2, bytes));
}

/* Takes bytes that belong together: they end with a frame, with a head that came in parts, or
 * before more has come. */
static struct ern_slice
take_piece(struct h2 *h2, struct ern_slice *bytes)
{
    struct ern_slice piece = *bytes;

    if (h2->at.preface) {
        piece = slice_first(piece, piece.len < h2->at.preface ? piece.len : h2->at.preface);
        h2->at.preface = (uint8_t)(h2->at.preface - piece.len);
        *bytes = slice_skip(*bytes, piece.len);
        return piece;
    }
    if (h2->at.payload)
        return slice_first(piece, take_payload(h2, bytes));
    return take_head(h2, bytes);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static struct h2_stream *
stream_of(struct h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->link.session, id);
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    s = h2->reading = h2->events->begin(h2->self);
    if (!s)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                         NGHTTP2_REFUSED_STREAM);
    h2_head_begin(s, frame->hd.stream_id);
    return nghttp2_session_set_stream_user_data(session, s->id, s);
}

static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s = h2->reading;

    (void)session;
    (void)flags;
    if (s && s->id == frame->hd.stream_id) /* else it is a trailer, which is checked and dropped */
        h2_head_add(s, h2->link.limits, h2_slice(name, name_len), h2_slice(value, value_len));
    return 0;
}

/* A field that no message may have makes the request malformed (RFC 9113 8.2.1). */
static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                  void *self)
{
    (void)session, (void)frame, (void)name, (void)name_len, (void)value, (void)value_len;
    (void)flags, (void)self;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
        void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s = stream_of(h2, id);

    (void)flags;
    if (s)
        h2->events->content(h2->self, s, h2_slice(data, len));
    else
        (void)nghttp2_session_consume_connection(session, len);
    return 0;
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->hd.type == NGHTTP2_DATA && frame->hd.length == frame->data.padlen && !ends)
        count(h2, H2_EMPTY);
    if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK && h2->leaving)
        return nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                                     nghttp2_session_get_last_proc_stream_id(session),
                                     NGHTTP2_NO_ERROR, NULL, 0);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    s = stream_of(h2, frame->hd.stream_id);
    if (!s)
        return 0;
    s->ended = s->ended || ends;
    if (!s->head_done) {
        h2->reading = NULL;
        h2_head_end(s, h2->link.limits);
        h2->events->head(h2->self, s);
    } else if (ends) {
        h2->events->end(h2->self, s);
    }
    return 0;
}

/* ---- what goes ------------------------------------------------------------------------------- */

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
            count(h2, H2_RESETS); /* one that the peer made us send */
        if (place_of(h2, frame->hd.stream_id) < IDS_KNOWN)
            h2->ids.reset |= UINT64_C(1) << place_of(h2, frame->hd.stream_id);
    }
    /* The last stream is named when the peer has seen the notice: when a PING behind it is back. */
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id == INT32_MAX)
        (void)nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL);
    if (frame->hd.type == NGHTTP2_DATA)
        h2->link.count[H2_WINDOWS] = 0;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    s = stream_of(h2, frame->hd.stream_id);
    if (s)
        h2->events->answered(h2->self, s);
    return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *self)
{
    struct h2 *h2 = self;
    struct h2_stream *s = stream_of(h2, id);

    if (!s)
        return 0;
    (void)error;
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    if (h2->reading == s)
        h2->reading = NULL;
    h2->events->closed(h2->self, s);
    return 0;
}

static ssize_t /* NOLINTNEXTLINE(readability-function-size,readability-non-const-parameter) */
read_content(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t cap, uint32_t *flags,
             nghttp2_data_source *source, void *self)
{
    struct h2 *h2 = self;
    bool end = false;
    ssize_t n = h2->events->offer(h2->self, source->ptr, cap, &end);

    (void)session;
    (void)id;
    (void)bytes;
    return h2_link_offer(n, end, flags);
}

static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
write_content(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n,
              nghttp2_data_source *source, void *self)
{
    struct h2 *h2 = self;
    char *room = h2_link_room(&h2->link, n);

    (void)session;
    (void)frame;
    if (!room)
        return NGHTTP2_ERR_WOULDBLOCK;
    if (!h2->events->give(h2->self, source->ptr, room, n))
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    h2_link_wrote(&h2->link, head, n);
    return 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

static void
set_callbacks(nghttp2_session_callbacks *c)
{
    nghttp2_session_callbacks_set_send_data_callback(c, write_content);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
}

static void
set_options(nghttp2_option *o)
{
    nghttp2_option_set_builtin_recv_extension_type(o, NGHTTP2_PRIORITY_UPDATE);
}

int
h2_begin(struct h2 *h2, const struct limits *limits, const struct h2_memory *memory,
         const struct h2_events *events, void *self, int64_t now_ms)
{
    const struct h2_link_side side = {
        .set_callbacks = set_callbacks,
        .set_options = set_options,
        .settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->h2_streams_max},
                     {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
                     {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}},
    };

    *h2 = (struct h2){.link = {.limits = limits, .now_ms = now_ms},
                      .events = events,
                      .self = self,
                      .at.preface = PREFACE_BYTES,
                      .ids.last = -1};
    return h2_link_begin(&h2->link, &side, memory);
}

void
h2_end(struct h2 *h2)
{
    h2_link_end(&h2->link);
}

bool
h2_feed(struct h2 *h2, struct ern_slice bytes, int64_t now_ms)
{
    h2->link.now_ms = now_ms;
    while (bytes.len) {
        struct ern_slice piece = take_piece(h2, &bytes);

        if (piece.len &&
            nghttp2_session_mem_recv(h2->link.session, (const uint8_t *)piece.ptr, piece.len) < 0)
            return false;
    }
    return true;
}

bool
h2_send(struct h2 *h2, struct out *out)
{
    return h2_link_send(&h2->link, out);
}

bool
h2_has_more(const struct h2 *h2)
{
    return h2_link_has_more(&h2->link);
}

bool
h2_is_over(const struct h2 *h2)
{
    return !nghttp2_session_want_write(h2->link.session) &&
           !nghttp2_session_want_read(h2->link.session);
}

enum { COPY = NGHTTP2_NV_FLAG_NONE };
enum { STAY = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };

struct head { /* of an answer, as nghttp2 wants it */
    nghttp2_nv nv[FIELDS_MAX];
    size_t n; /* 0: there are too many fields */
};

static void
make_head(struct head *head, struct h2_stream *s, uint16_t status, struct out *lines, uint8_t flags)
{
    struct out o = out_init(s->status, sizeof s->status);
    size_t name_len;
    nghttp2_nv one = {.flags = flags};

    out_literal(&o, ":status");
    name_len = o.len;
    out_u64(&o, status);
    head->n = 1;
    head->nv[0] = (nghttp2_nv){(uint8_t *)o.ptr, (uint8_t *)o.ptr + name_len, name_len,
                               o.len - name_len, flags};
    for (size_t at = 0; h2_next_line(lines, &at, &one);) {
        if (h2_is_of_connection(h2_slice(one.name, one.namelen)))
            continue;
        if (head->n == FIELDS_MAX) {
            head->n = 0;
            return;
        }
        head->nv[head->n++] = one;
    }
}

void
h2_answer(struct h2 *h2, struct h2_stream *s, uint16_t status, struct out *lines, bool stays,
          bool has_content)
{
    const nghttp2_data_provider content = {.source = {.ptr = s}, .read_callback = read_content};
    struct head head;

    make_head(&head, s, status, lines, stays ? STAY : COPY);
    if (head.n == 0 || nghttp2_submit_response(h2->link.session, s->id, head.nv, head.n,
                                               has_content ? &content : NULL))
        h2_reset(h2, s);
}

void
h2_interim(struct h2 *h2, struct h2_stream *s, uint16_t status, struct out *lines)
{
    struct head head;

    make_head(&head, s, status, lines, COPY);
    if (head.n)
        (void)nghttp2_submit_headers(h2->link.session, NGHTTP2_FLAG_NONE, s->id, NULL, head.nv,
                                     head.n, NULL);
}

void
h2_go_on(struct h2 *h2, const struct h2_stream *s)
{
    (void)nghttp2_session_resume_data(h2->link.session, s->id);
}

void
h2_taken(struct h2 *h2, const struct h2_stream *s, size_t n)
{
    (void)nghttp2_session_consume(h2->link.session, s->id, n);
}

void
h2_dropped(struct h2 *h2, size_t n)
{
    (void)nghttp2_session_consume_connection(h2->link.session, n);
}

void
h2_reset(struct h2 *h2, const struct h2_stream *s)
{
    (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, s->id,
                                    NGHTTP2_INTERNAL_ERROR);
}

void
h2_stop(struct h2 *h2, const struct h2_stream *s)
{
    (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
}

void
h2_leave(struct h2 *h2)
{
    if (h2->leaving)
        return;
    h2->leaving = true;
    (void)nghttp2_submit_shutdown_notice(h2->link.session);
}

/* The value of a character of base64url (RFC 4648 5), or -1. */
static int
url_value(char c)
{
    if (c == '-' || c == '_')
        return c == '-' ? 62 : 63;
    return c == '+' || c == '/' ? -1 : base64_value(c);
}

/* RFC 7540 3.2.1: the payload of a SETTINGS frame, in base64url without padding. */
static bool
read_settings(struct ern_slice text, struct out *o)
{
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < text.len; i++) {
        int value = url_value(text.ptr[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out_char(o, (char)(bits >> have));
        }
    }
    return !o->full && have != 6;
}

bool
h2_upgrade(struct h2 *h2, struct ern_slice settings, bool is_head, struct h2_stream *s)
{
    char text[SETTINGS_BYTES];
    struct out o = out_init(text, sizeof text);

    if (!read_settings(settings, &o))
        return false;
    open_id(h2, 1);
    h2_head_begin(s, 1);
    s->head_done = s->ended = true;
    return nghttp2_session_upgrade2(h2->link.session, (const uint8_t *)o.ptr, o.len, is_head, s) ==
           0;
}
