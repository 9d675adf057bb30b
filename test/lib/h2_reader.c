/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/h2_reader.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

enum { HEAD_BYTES = 9, FRAME_MAX = 16384 };

static ssize_t /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
no_content(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t cap, uint32_t *flags,
           nghttp2_data_source *source, void *self)
{
    (void)session, (void)id, (void)bytes, (void)cap, (void)flags, (void)source, (void)self;
    return NGHTTP2_ERR_DEFERRED;
}

static int
is_invalid(nghttp2_session *session, const nghttp2_frame *frame, int error, void *self)
{
    (void)session, (void)self;
    assert(frame == NULL && error == 0); /* it is called for what is wrong */
    return 0;
}

/* What it wants to send is nobody's business. */
static void
drop_output(struct h2_reader *r)
{
    const uint8_t *bytes;

    while (nghttp2_session_mem_send(r->session, &bytes) > 0)
        continue;
}

void
h2_reader_begin(struct h2_reader *r)
{
    const nghttp2_settings_entry settings[] = {
        /* whatever the server was told */
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, INT32_MAX},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        abort();
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, is_invalid);
    if (nghttp2_session_client_new(&r->session, callbacks, r) != 0 ||
        nghttp2_submit_settings(r->session, NGHTTP2_FLAG_NONE, settings, 2) != 0 ||
        nghttp2_session_set_local_window_size(r->session, NGHTTP2_FLAG_NONE, 0, INT32_MAX) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    r->last = -1;
    r->settled = false;
    drop_output(r);
}

void
h2_reader_end(struct h2_reader *r)
{
    nghttp2_session_del(r->session);
}

void
h2_reader_open(struct h2_reader *r, int32_t stream, bool is_head)
{
    nghttp2_nv fields[] = {
        {(uint8_t *)":method", (uint8_t *)(is_head ? "HEAD" : "POST"), 7, 4, NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)":scheme", (uint8_t *)"http", 7, 4, NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)":path", (uint8_t *)"/", 5, 1, NGHTTP2_NV_FLAG_NONE}};
    const nghttp2_data_provider content = {.read_callback = no_content};

    assert(stream > r->last);
    if (nghttp2_session_set_next_stream_id(r->session, stream) != 0 ||
        nghttp2_submit_request(r->session, NULL, fields, 3, &content, NULL) != stream)
        abort();
    r->last = stream;
    drop_output(r);
}

static void
read_bytes(struct h2_reader *r, const char *bytes, size_t n)
{
    ssize_t taken = nghttp2_session_mem_recv(r->session, (const uint8_t *)bytes, n);

    assert(taken == (ssize_t)n);
    drop_output(r);
    assert(nghttp2_session_want_read(r->session) || bytes[3] == NGHTTP2_GOAWAY);
}

static uint32_t
number(const char *p, unsigned n)
{
    uint32_t value = 0;

    while (n--)
        value = value << 8 | (unsigned char)*p++;
    return value;
}

/* May the client see this frame? It has settings of its own, and after a GOAWAY it would open no
 * streams; the streams that follow the server judges itself. */
static bool
is_for_client(const char *frame)
{
    return frame[3] != NGHTTP2_SETTINGS && frame[3] != NGHTTP2_GOAWAY;
}

void
h2_reader_feed(struct h2_reader *r, int32_t last, struct ern_slice frames)
{
    /* As many streams as there are; and what the client has set is acknowledged. */
    static const char settings[] = "\0\0\6\4\0\0\0\0\0\0\3\x7f\xff\xff\xff"
                                   "\0\0\0\4\1\0\0\0";

    while (frames.len) {
        size_t n = HEAD_BYTES + number(frames.ptr, 3);
        int32_t stream = (int32_t)number(frames.ptr + 5, 4);

        assert(frames.len >= n);
        assert(n <= HEAD_BYTES + FRAME_MAX);
        /* rfc9113#3.4 "The server connection preface consists of a potentially empty SETTINGS
         * frame (Section 6.5) that MUST be the first frame the server sends" */
        if (!r->settled)
            assert(frames.ptr[3] == NGHTTP2_SETTINGS && frames.ptr[4] == 0);
        if (!r->settled)
            read_bytes(r, settings, sizeof settings);
        r->settled = true;
        assert(stream == 0 || (stream % 2 && stream <= last));
        if (frames.ptr[3] == NGHTTP2_RST_STREAM && stream > r->last)
            h2_reader_open(r, stream, false); /* a request that was refused */
        if (is_for_client(frames.ptr))
            read_bytes(r, frames.ptr, n);
        frames = slice_skip(frames, n);
    }
}
