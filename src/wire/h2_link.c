/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h2_link.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>

/* ---- what goes ------------------------------------------------------------------------------- */

static ssize_t
write_frames(nghttp2_session *session, const uint8_t *data, size_t len, int flags, void *self)
{
    struct out *o = ((struct h2_link *)self)->out;
    size_t room = o ? o->cap - o->len : 0;
    size_t n = len < room ? len : room;

    (void)session;
    (void)flags;
    if (n == 0)
        return NGHTTP2_ERR_WOULDBLOCK;
    out_slice(o, h2_slice(data, n));
    return (ssize_t)n;
}

/* The bytes are not copied here: they are written where the frame goes. */
ssize_t
h2_link_offer(ssize_t n, bool end, uint32_t *flags)
{
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == H2_LATER)
        return NGHTTP2_ERR_DEFERRED;
    if (n < 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (end)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return n;
}

char *
h2_link_room(const struct h2_link *link, size_t n)
{
    struct out *o = link->out;

    return o && o->cap - o->len >= H2_FRAME_HEAD_BYTES + n ? o->ptr + o->len + H2_FRAME_HEAD_BYTES
                                                           : NULL;
}

void
h2_link_wrote(struct h2_link *link, const uint8_t *head, size_t n)
{
    out_slice(link->out, h2_slice(head, H2_FRAME_HEAD_BYTES));
    link->out->len += n;
}

bool
h2_link_send(struct h2_link *link, struct out *out)
{
    int error;

    link->out = out;
    error = nghttp2_session_send(link->session);
    link->out = NULL;
    return error == 0;
}

bool
h2_link_has_more(const struct h2_link *link)
{
    return nghttp2_session_want_write(link->session) != 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

bool
h2_link_count(struct h2_link *link, enum h2_nuisance kind, unsigned factor)
{
    if (link->now_ms - link->since_ms >= link->limits->h2_nuisance_ms) {
        link->since_ms = link->now_ms;
        memset(link->count, 0, sizeof link->count);
    }
    return ++link->count[kind] <= link->limits->h2_nuisances_max * factor;
}

static int
session_new(struct h2_link *link, const struct h2_link_side *side, const struct h2_memory *memory)
{
    nghttp2_mem mem;
    nghttp2_session_callbacks *c;
    nghttp2_option *o;
    int error = nghttp2_session_callbacks_new(&c);

    if (error)
        return error;
    nghttp2_session_callbacks_set_send_callback(c, write_frames);
    side->set_callbacks(c);
    error = nghttp2_option_new(&o);
    if (!error) {
        nghttp2_option_set_no_auto_window_update(o, 1);
        if (side->set_options)
            side->set_options(o);
        if (memory)
            mem = (nghttp2_mem){memory->self, memory->allocate, memory->release,
                                memory->allocate_clear, memory->resize};
        error = (side->asks ? nghttp2_session_client_new3 : nghttp2_session_server_new3)(
            &link->session, c, link, o, memory ? &mem : NULL);
        nghttp2_option_del(o);
    }
    nghttp2_session_callbacks_del(c);
    return error;
}

static int
submit_settings(const struct h2_link *link, const struct h2_link_side *side)
{
    enum { MOST = sizeof side->settings / sizeof *side->settings };
    nghttp2_settings_entry entries[MOST + 2];
    size_t n = 0;

    for (; n < MOST && side->settings[n].id; n++)
        entries[n] = (nghttp2_settings_entry){side->settings[n].id, side->settings[n].value};
    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                            (uint32_t)link->limits->h2_stream_window_bytes};
    entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                                            (uint32_t)link->limits->fields_bytes_max};
    return nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, entries, n);
}

int
h2_link_begin(struct h2_link *link, const struct h2_link_side *side, const struct h2_memory *memory)
{
    int error = session_new(link, side, memory);

    if (error)
        return -ENOMEM;
    link->since_ms = link->now_ms;
    error = submit_settings(link, side);
    if (!error)
        error = nghttp2_session_set_local_window_size(link->session, NGHTTP2_FLAG_NONE, 0,
                                                      (int32_t)link->limits->h2_window_bytes);
    if (error)
        h2_link_end(link);
    return error ? -ENOMEM : 0;
}

void
h2_link_end(struct h2_link *link)
{
    nghttp2_session_del(link->session);
    link->session = NULL;
}
