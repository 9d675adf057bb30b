/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h2_client.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>

#include "base/slice.h"
#include "wire/h2_lines.h"

enum {
    LINE_BYTES = 4,        /* of a field line: ": " and CRLF */
    CONTINUATIONS_MAX = 8, /* of one head */
    FIELDS_MAX = 640,      /* of a request: those that we take, and those that we add */
};

static struct h2_ask *
ask_of(const struct h2_client *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->link.session, id);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static int
on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *self)
{
    static const struct {
        uint8_t type;
        enum h2_nuisance kind;
    } rows[] = {{NGHTTP2_SETTINGS, H2_SETTINGS},
                {NGHTTP2_PING, H2_PINGS},
                {NGHTTP2_PRIORITY, H2_PRIORITIES},
                {NGHTTP2_WINDOW_UPDATE, H2_WINDOWS}};
    struct h2_client *h2 = self;
    bool is_well = true;

    (void)session;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_well =
            is_well && (rows[i].type != head->type || h2_link_count(&h2->link, rows[i].kind, 1));
    h2->continuations_n =
        head->type == NGHTTP2_CONTINUATION ? (uint16_t)(h2->continuations_n + 1) : 0;
    return is_well && h2->continuations_n <= CONTINUATIONS_MAX ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* A part of a head. Of one that is larger than its limit no more is told than shows that. */
static void
tell(struct h2_client *h2, struct h2_ask *ask, struct ern_slice text)
{
    if (ask->closed || (int64_t)ask->head_bytes > h2->link.limits->fields_bytes_max)
        return;
    if (!h2->events->came(h2->self, ask, text, false))
        (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, ask->id,
                                        NGHTTP2_INTERNAL_ERROR);
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2_ask *ask = ask_of(self, frame->hd.stream_id);

    (void)session;
    if (ask)
        ask->head_bytes = 0;
    return 0;
}

static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, frame->hd.stream_id);
    bool is_status = name_len && name[0] == ':';

    (void)session;
    (void)flags;
    if (!ask || ask->head_done) /* a trailer, which is checked and dropped */
        return 0;
    tell(h2, ask, is_status ? ERN_SLICE("HTTP/1.1") : h2_slice(name, name_len));
    tell(h2, ask, is_status ? ERN_SLICE(" ") : ERN_SLICE(": "));
    tell(h2, ask, h2_slice(value, value_len));
    tell(h2, ask, is_status ? ERN_SLICE(" \r\n") : ERN_SLICE("\r\n"));
    if (is_status)
        ask->is_final = value_len && value[0] != '1';
    else
        ask->head_bytes += name_len + value_len + LINE_BYTES;
    return 0;
}

static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                  void *self)
{
    struct h2_ask *ask = ask_of(self, frame->hd.stream_id);

    (void)session, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    if (ask)
        ask->garbled = true;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* RFC 9113 8.2.1 */
}

/* A message that is malformed by RFC 9113 8.1.1. */
static int
on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *self)
{
    struct h2_ask *ask = ask_of(self, frame->hd.stream_id);

    (void)session;
    (void)error;
    if (ask)
        ask->garbled = true;
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
        void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, id);

    (void)flags;
    /* Who is slow to take his answer holds up nobody else: the window of his stream is enough. */
    (void)nghttp2_session_consume_connection(session, len);
    if (!ask || !h2->events->came(h2->self, ask, h2_slice(data, len), true))
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    h2->events->news(h2->self, ask);
    return 0;
}

/* A head is whole. There may be so many interim ones (RFC 9110 15.2). */
static void
end_head(struct h2_client *h2, struct h2_ask *ask)
{
    tell(h2, ask, ERN_SLICE("\r\n"));
    ask->head_done = ask->is_final;
    if (ask->head_done || ++ask->interims_n <= h2->link.limits->upstream_interims_max)
        return;
    ask->garbled = true;
    (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, ask->id, NGHTTP2_CANCEL);
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, frame->hd.stream_id);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    (void)session;
    h2->is_greeted |= frame->hd.type == NGHTTP2_SETTINGS;
    if (frame->hd.type == NGHTTP2_DATA && frame->hd.length == frame->data.padlen && !ends &&
        !h2_link_count(&h2->link, H2_EMPTY, 1))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!ask || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !ask->head_done)
        end_head(h2, ask);
    ask->ended = ask->ended || ends;
    h2->events->news(h2->self, ask);
    return 0;
}

static void
close_ask(struct h2_client *h2, struct h2_ask *ask, bool is_untouched)
{
    ask->closed = true;
    ask->untouched = is_untouched && !ask->head_done && ask->interims_n == 0;
    h2->events->news(h2->self, ask);
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, id);

    h2->open_n--;
    if (!ask)
        return 0;
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    /* nghttp2 says so, too, of those that GOAWAY leaves out (RFC 9113 6.8). */
    close_ask(h2, ask, error == NGHTTP2_REFUSED_STREAM);
    return 0;
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* A request that waited is not sent after all: the other side is leaving. */
static int
on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask;

    (void)error;
    if (frame->hd.type != NGHTTP2_HEADERS ||
        nghttp2_session_find_stream(session, frame->hd.stream_id))
        return 0;
    ask = ask_of(h2, frame->hd.stream_id);
    h2->open_n--;
    if (ask)
        close_ask(h2, ask, true);
    return 0;
}

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct h2_client *h2 = self;

    (void)session;
    if (frame->hd.type == NGHTTP2_DATA) /* as many updates as there is content are no nuisance */
        h2->link.count[H2_WINDOWS] = 0;
    return 0;
}

static ssize_t /* NOLINTNEXTLINE(readability-function-size,readability-non-const-parameter) */
read_content(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t cap, uint32_t *flags,
             nghttp2_data_source *source, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, id);
    bool end = false;
    ssize_t n = ask ? h2->events->offer(h2->self, ask, cap, &end) : H2_CUT;

    (void)session;
    (void)bytes;
    (void)source;
    return h2_link_offer(n, end, flags);
}

static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
write_content(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n,
              nghttp2_data_source *source, void *self)
{
    struct h2_client *h2 = self;
    struct h2_ask *ask = ask_of(h2, frame->hd.stream_id);
    char *room = h2_link_room(&h2->link, n);

    (void)session;
    (void)source;
    if (!room)
        return NGHTTP2_ERR_WOULDBLOCK;
    if (!ask)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    h2->events->give(h2->self, ask, room, n);
    h2_link_wrote(&h2->link, head, n);
    return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

bool
h2_client_has_room(const struct h2_client *h2)
{
    uint32_t theirs = nghttp2_session_get_remote_settings(h2->link.session,
                                                          NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    return h2->open_n < theirs && h2->open_n < h2->link.limits->h2_streams_max &&
           nghttp2_session_check_request_allowed(h2->link.session);
}

/* NOLINTBEGIN(performance-no-int-to-ptr): nghttp2 does not write to what its type lets it */
static nghttp2_nv
pair(struct ern_slice name, struct ern_slice value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.ptr, (uint8_t *)(uintptr_t)value.ptr, name.len,
                        value.len, NGHTTP2_NV_FLAG_NONE};
}
/* NOLINTEND(performance-no-int-to-ptr) */

/* The start line and Host become pseudo-header fields (RFC 9113 8.3.1). Returns how many fields
 * there are; 0: too many. */
static size_t
read_head(struct out *head, bool is_secure, nghttp2_nv *nv)
{
    struct ern_slice all = out_done(head);
    struct ern_slice line = slice_first(all, slice_find(all, '\r')), target;
    size_t at = line.len + 2, n = 4;
    nghttp2_nv one = {.flags = NGHTTP2_NV_FLAG_NONE};

    target = slice_skip(line, slice_find(line, ' ') + 1);
    nv[0] = pair(ERN_SLICE(":method"), slice_first(line, slice_find(line, ' ')));
    nv[1] = pair(ERN_SLICE(":scheme"), is_secure ? ERN_SLICE("https") : ERN_SLICE("http"));
    nv[2] = pair(ERN_SLICE(":authority"), ERN_SLICE(""));
    nv[3] = pair(ERN_SLICE(":path"), slice_first(target, slice_find(target, ' ')));
    while (h2_next_line(head, &at, &one)) {
        struct ern_slice name = h2_slice(one.name, one.namelen);

        if (slice_eq(name, ERN_SLICE("host")))
            nv[2] = pair(ERN_SLICE(":authority"), h2_slice(one.value, one.valuelen));
        else if (n == FIELDS_MAX)
            return 0;
        else if (!h2_is_of_connection(name))
            nv[n++] = one;
    }
    return n;
}

int
h2_client_ask(struct h2_client *h2, struct h2_ask *ask, struct out *head, bool is_secure,
              bool has_content)
{
    const nghttp2_data_provider content = {.read_callback = read_content};
    nghttp2_nv nv[FIELDS_MAX];
    size_t n = read_head(head, is_secure, nv);
    int32_t id;

    if (n == 0)
        return -ENOBUFS;
    id = nghttp2_submit_request(h2->link.session, NULL, nv, n, has_content ? &content : NULL, ask);
    if (id < 0)
        return -ECONNRESET;
    *ask = (struct h2_ask){.id = id};
    h2->open_n++;
    return 0;
}

void
h2_client_go_on(struct h2_client *h2, const struct h2_ask *ask)
{
    (void)nghttp2_session_resume_data(h2->link.session, ask->id);
}

void
h2_client_taken(struct h2_client *h2, const struct h2_ask *ask, size_t n)
{
    (void)nghttp2_session_consume_stream(h2->link.session, ask->id, n);
}

void
h2_client_forget(struct h2_client *h2, const struct h2_ask *ask, bool cancels)
{
    if (ask->closed)
        return;
    (void)nghttp2_session_set_stream_user_data(h2->link.session, ask->id, NULL);
    if (cancels)
        (void)nghttp2_submit_rst_stream(h2->link.session, NGHTTP2_FLAG_NONE, ask->id,
                                        NGHTTP2_CANCEL);
}

/* ---- the session ----------------------------------------------------------------------------- */

static void
set_callbacks(nghttp2_session_callbacks *c)
{
    nghttp2_session_callbacks_set_send_data_callback(c, write_content);
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
}

int
h2_client_begin(struct h2_client *h2, const struct limits *limits, const struct h2_memory *memory,
                const struct h2_client_events *events, void *self, int64_t now_ms)
{
    const struct h2_link_side side = {.asks = true,
                                      .set_callbacks = set_callbacks,
                                      .settings = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}}};

    *h2 = (struct h2_client){
        .link = {.limits = limits, .now_ms = now_ms}, .events = events, .self = self};
    return h2_link_begin(&h2->link, &side, memory);
}

void
h2_client_end(struct h2_client *h2)
{
    h2_link_end(&h2->link);
}

bool
h2_client_feed(struct h2_client *h2, struct ern_slice bytes, int64_t now_ms)
{
    h2->link.now_ms = now_ms;
    return nghttp2_session_mem_recv(h2->link.session, (const uint8_t *)bytes.ptr, bytes.len) >= 0 &&
           nghttp2_session_want_read(h2->link.session);
}

bool
h2_client_send(struct h2_client *h2, struct out *out)
{
    return h2_link_send(&h2->link, out) &&
           (nghttp2_session_want_read(h2->link.session) || h2_client_has_more(h2));
}

bool
h2_client_has_more(const struct h2_client *h2)
{
    return h2_link_has_more(&h2->link);
}
