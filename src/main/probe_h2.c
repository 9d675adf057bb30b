/* SPDX-License-Identifier: Apache-2.0 */
#include "main/probe_h2.h"

#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "base/chars.h"
#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "code/finding.h"
#include "earnest/status.h"
#include "io/clock.h"
#include "wire/h1.h"

enum {
    CONTINUE_MS = 1000, /* as over HTTP/1.1 (probe.c) */
    READ_BYTES = 1 << 14,
    STREAM = 1,
};

struct lines { /* of a head, as HTTP/2 has them */
    nghttp2_nv nv[PROBE_FIELDS];
    size_t n;
    bool has_content; /* Content-Length says that some comes */
    struct out text;
    char memory[PROBE_REQUEST_BYTES + 1024];
};

struct talk2 {
    const struct probe_ask *ask;
    struct probe_answer *x;
    struct call *call;
    const struct lines *lines;
    nghttp2_session *session;
    enum ern_method method;
    int64_t until_ms;
    struct ern_slice content; /* what is still to be sent */
    bool held;                /* until 100 says so */
    bool head_done;           /* the final head is there */
    bool over;                /* the stream is */
    bool greeted;             /* SETTINGS came: it speaks HTTP/2 */
    size_t from;              /* of x->bytes, where the content begins */
};

/* ---- what is said -----------------------------------------------------------------------------
 */

/* Keeps text for as long as the lines. */
static uint8_t *
copy(struct lines *l, struct ern_slice text)
{
    char *at = l->text.ptr + l->text.len;

    out_slice(&l->text, text);
    return (uint8_t *)at;
}

/* Adds a line; names are said in lower case (RFC 9113 8.2), unless they are to be wrong. */
static void
add(struct lines *l, struct ern_slice name, struct ern_slice value, bool as_it_is)
{
    nghttp2_nv nv = {.namelen = name.len,
                     .valuelen = value.len,
                     .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME}; /* as it is */

    nv.name = copy(l, name);
    for (size_t i = 0; i < name.len && !as_it_is && !l->text.full; i++)
        nv.name[i] = (uint8_t)lower(name.ptr[i]);
    nv.value = copy(l, value);
    if (l->n < PROBE_FIELDS)
        l->nv[l->n++] = nv;
}

/* Takes the next line, without its end. Returns false at the empty one, and at what is no line. */
static bool
next_line(struct ern_slice *text, struct ern_slice *ret)
{
    size_t end = slice_find(*text, '\n');

    if (end == text->len || end == 0 || text->ptr[end - 1] != '\r')
        return false;
    *ret = slice_first(*text, end - 1);
    *text = slice_skip(*text, end + 1);
    return ret->len > 0 && slice_find(*ret, '\r') == ret->len && slice_find(*ret, '\0') == ret->len;
}

/* Cuts a field line in two. */
static bool
read_field(struct ern_slice line, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    bool is_pseudo = slice_starts(line, ERN_SLICE(":"));
    size_t colon = is_pseudo + slice_find(slice_skip(line, is_pseudo), ':');

    if (colon >= line.len || colon == 0)
        return false;
    *ret_name = slice_first(line, colon);
    *ret_value = slice_trim(slice_skip(line, colon + 1));
    return true;
}

static bool
is_token(struct ern_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!char_is(name.ptr[i], CHAR_TCHAR))
            return false;
    return true;
}

/* One field line of HTTP/1.1. Returns false if it can not be said. */
static bool
say_field(struct lines *l, struct ern_slice line, struct ern_slice *host)
{
    struct ern_slice name, value;

    if (!read_field(line, &name, &value) || !is_token(name))
        return false;
    if (slice_eq_nocase(name, ERN_SLICE("host"))) {
        bool is_first = !slice_is_there(*host);

        *host = value;
        return is_first;
    }
    if (slice_eq_nocase(name, ERN_SLICE("connection")))
        return slice_eq_nocase(value, ERN_SLICE("close"));
    if (slice_eq_nocase(name, ERN_SLICE("transfer-encoding")) ||
        slice_eq_nocase(name, ERN_SLICE("upgrade")))
        return false;
    if (slice_eq_nocase(name, ERN_SLICE("content-length")))
        l->has_content = !slice_eq(value, ERN_SLICE("0"));
    add(l, name, value, false);
    return true;
}

/* The request line, and what follows it (RFC 9113 8.3.1). */
static bool
say_request(struct lines *l, struct ern_slice line, struct ern_slice rest, bool secure)
{
    static const struct ern_slice version = {" HTTP/1.1", 9};
    size_t space = slice_find(line, ' ');
    struct ern_slice method = slice_first(line, space), target, host = ERN_ABSENT;

    if (!slice_ends(line, version) || space == 0 || space + 1 > line.len - version.len)
        return false;
    target = slice_skip(slice_first(line, line.len - version.len), space + 1);
    if (slice_find(target, ' ') < target.len ||
        !(slice_starts(target, ERN_SLICE("/")) || slice_eq(target, ERN_SLICE("*"))))
        return false;
    add(l, ERN_SLICE(":method"), method, true);
    add(l, ERN_SLICE(":scheme"), slice_text(secure ? "https" : "http"), true);
    add(l, ERN_SLICE(":authority"), ERN_SLICE(""), true);
    add(l, ERN_SLICE(":path"), target, true);
    while (next_line(&rest, &line))
        if (!say_field(l, line, &host))
            return false;
    if (slice_is_there(host)) {
        l->nv[2].value = copy(l, host);
        l->nv[2].valuelen = host.len;
    } else { /* none at all */
        l->nv[2] = l->nv[3];
        memmove(l->nv + 3, l->nv + 4, (l->n - 4) * sizeof *l->nv);
        l->n--;
    }
    return slice_eq(rest, ERN_SLICE("")) && !l->text.full;
}

/* Writes the head as HTTP/2 has it. Returns false if it can not be said. */
static bool
say(struct lines *l, struct ern_slice head, bool secure)
{
    struct ern_slice line, name, value;

    l->n = 0;
    l->has_content = false;
    l->text = out_init(l->memory, sizeof l->memory);
    if (!slice_starts(head, ERN_SLICE(":")))
        return next_line(&head, &line) && say_request(l, line, head, secure);
    while (next_line(&head, &line)) {
        if (!read_field(line, &name, &value))
            return false;
        add(l, name, value, true);
    }
    return !l->text.full;
}

bool
probe_h2_can_say(struct ern_slice head)
{
    struct lines *l = malloc(sizeof *l);
    bool can = l && say(l, head, false);

    free(l);
    return can;
}

/* ---- what is heard ----------------------------------------------------------------------------
 */

/* Keeps text for as long as the answer; absent without room. */
static struct ern_slice
keep(struct probe_answer *x, const uint8_t *text, size_t n)
{
    char *to = x->bytes + x->len;

    if (n > sizeof x->bytes - x->len)
        return ERN_ABSENT;
    if (n)
        memcpy(to, text, n);
    x->len += n;
    return slice_from(to, n);
}

static void
bad(struct talk2 *t, enum finding finding)
{
    if (t->x->end == PROBE_MALFORMED)
        return;
    t->x->end = PROBE_MALFORMED;
    t->x->finding = finding;
    t->over = true;
}

static int
on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct talk2 *t = user;

    (void)session;
    if (frame->hd.stream_id == STREAM && !t->head_done) {
        ern_request_init(&t->x->answer.message, t->x->fields, PROBE_FIELDS);
        t->x->answer.status = 0;
    }
    return 0;
}

/* What RFC 9113 8.2 calls malformed is no answer. */
static int /* NOLINTNEXTLINE(readability-function-size): the form is nghttp2's */
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name_at,
          size_t name_len, const uint8_t *value_at, size_t value_len, uint8_t flags, void *user)
{
    static const struct ern_slice status = {":status", 7};
    struct talk2 *t = user;
    struct ern_slice name, value;
    uint64_t number;

    (void)session;
    (void)flags;
    if (frame->hd.stream_id != STREAM || t->head_done)
        return 0;
    name = keep(t->x, name_at, name_len);
    value = keep(t->x, value_at, value_len);
    if (!slice_is_there(name) || !slice_is_there(value))
        return 0;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != lower(name.ptr[i]))
            bad(t, FINDING_field_name_syntax);
    if (slice_eq(name, status)) {
        if (value.len != 3 || !u64_parse(value, 599, &number) || number < 100)
            bad(t, FINDING_status_syntax);
        else
            t->x->answer.status = (uint16_t)number;
    } else if (slice_eq(name, ERN_SLICE("connection")) ||
               slice_eq(name, ERN_SLICE("transfer-encoding"))) {
        bad(t, FINDING_coding_in_old_version);
    } else if (!ern_request_add(&t->x->answer.message, name, value)) {
        bad(t, FINDING_fields_too_many);
    }
    return 0;
}

/* A head is complete: an interim one, the last, or trailers. */
static void
hear_head(struct talk2 *t)
{
    struct probe_answer *x = t->x;
    uint16_t status = x->answer.status;
    struct ern_slice length;
    char name[64];
    uint64_t n;

    if (t->head_done)
        return;
    if (status == 0) {
        bad(t, FINDING_status_syntax);
        return;
    }
    if (status / 100 == 1) {
        if (x->interims_n < PROBE_INTERIMS)
            x->interims[x->interims_n++] =
                (struct probe_interim){status, probe_lacks(&x->answer, name, sizeof name)};
        if (status == ERN_100_CONTINUE && t->held) {
            t->held = false;
            (void)nghttp2_session_resume_data(t->session, STREAM);
        }
        return;
    }
    t->head_done = true;
    t->from = x->len;
    length = probe_field(x, ERN_SLICE("content-length"));
    x->answer.message.content_length = -1;
    if (!slice_is_there(length))
        return;
    if (u64_parse(length, INT64_MAX, &n))
        x->answer.message.content_length = (int64_t)n;
    else
        bad(t, FINDING_length_syntax);
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct talk2 *t = user;
    bool is_mine = frame->hd.stream_id == STREAM;

    (void)session;
    t->greeted = t->greeted || frame->hd.type == NGHTTP2_SETTINGS;
    if (is_mine && frame->hd.type == NGHTTP2_HEADERS)
        hear_head(t);
    if (is_mine && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        frame->hd.flags & NGHTTP2_FLAG_END_STREAM && t->head_done && !t->over) {
        t->x->end = PROBE_WHOLE;
        t->over = true;
    }
    if (is_mine && frame->hd.type == NGHTTP2_RST_STREAM && !t->over) {
        t->x->end = PROBE_RESET;
        t->over = true;
    }
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t n,
        void *user)
{
    struct talk2 *t = user;

    (void)session;
    (void)flags;
    if (stream == STREAM && n > 0 && !slice_is_there(keep(t->x, data, n))) {
        t->x->end = PROBE_LONG;
        t->over = true;
    }
    return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user)
{
    struct talk2 *t = user;

    (void)session;
    (void)error;
    if (stream == STREAM)
        t->over = true;
    return 0;
}

/* ---- the connection ---------------------------------------------------------------------------
 */

static ssize_t /* NOLINTNEXTLINE(readability-function-size,readability-non-const-parameter) */
give_content(nghttp2_session *session, int32_t stream, uint8_t *to, size_t cap, uint32_t *flags,
             nghttp2_data_source *source, void *user)
{
    struct talk2 *t = user;
    size_t n = t->content.len < cap ? t->content.len : cap;

    (void)session;
    (void)stream;
    (void)source;
    if (t->held || !slice_is_there(t->content)) /* what was announced does not come */
        return NGHTTP2_ERR_DEFERRED;
    if (n)
        memcpy(to, t->content.ptr, n);
    t->content = slice_skip(t->content, n);
    if (t->content.len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static bool
send_all(struct talk2 *t)
{
    const uint8_t *bytes;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(t->session, &bytes)) > 0) {
        struct ern_slice piece = slice_from((const char *)bytes, (size_t)n);

        if (t->ask->frames)
            frames_see(t->ask->frames, true, piece);
        if (!call_send(t->call, piece))
            return false;
    }
    return n == 0;
}

/* Reads what comes until the stream is over. */
static void
hear(struct talk2 *t)
{
    uint8_t bytes[READ_BYTES];

    while (!t->over) {
        int64_t left = t->until_ms - clock_read().run_ms;
        int wait = t->held && left > CONTINUE_MS ? CONTINUE_MS : (int)left;
        ssize_t n;

        (void)send_all(t); /* if it is not taken, what comes says why */
        n = left <= 0 ? -2 : call_read(t->call, (char *)bytes, sizeof bytes, wait);
        if (n == -2 && t->held && left > 0) { /* RFC 9110 10.1.1: it need not wait for ever */
            t->held = false;
            (void)nghttp2_session_resume_data(t->session, STREAM);
            continue;
        }
        if (n == -2)
            t->x->end = PROBE_SILENT;
        if (n <= 0)
            break;
        if (t->ask->frames)
            frames_see(t->ask->frames, false, slice_from((const char *)bytes, (size_t)n));
        if (nghttp2_session_mem_recv(t->session, bytes, (size_t)n) < 0)
            break;
    }
    (void)send_all(t);
}

/* What the end of the stream makes of the answer. */
static void
settle(struct talk2 *t)
{
    struct probe_answer *x = t->x;
    uint16_t status = x->answer.status;
    bool bare =
        t->method == ERN_HEAD || status == ERN_204_NO_CONTENT || status == ERN_304_NOT_MODIFIED;
    int64_t length = x->answer.message.content_length;

    if (!t->head_done) {
        x->answer.status = 0;
        x->answer.message.fields_n = 0;
        return;
    }
    x->content = slice_from(x->bytes + t->from, x->len - t->from);
    if (x->end == PROBE_CLOSED || x->end == PROBE_RESET || x->end == PROBE_SILENT)
        x->end = PROBE_CUT;
    if (x->end != PROBE_WHOLE)
        return;
    x->surplus = bare && x->content.len > 0;
    if (!bare && length >= 0 && (uint64_t)length != x->content.len)
        x->end = PROBE_CUT; /* RFC 9113 8.1.1 */
}

static nghttp2_session *
session_new(struct talk2 *t)
{
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_session *session = NULL;
    nghttp2_option *option = NULL;

    if (nghttp2_session_callbacks_new(&calls) || nghttp2_option_new(&option)) {
        nghttp2_session_callbacks_del(calls);
        return NULL;
    }
    nghttp2_option_set_no_http_messaging(option, 1); /* both sides may say what they should not */
    nghttp2_option_set_max_send_header_block_length(option, sizeof t->lines->memory);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
    if (nghttp2_session_client_new2(&session, calls, t, option))
        session = NULL;
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    return session;
}

static void
talk(struct talk2 *t)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, PROBE_ANSWER_BYTES}};
    const nghttp2_data_provider content = {.read_callback = give_content};
    bool has_content = slice_is_there(t->content) || t->lines->has_content;

    if (nghttp2_submit_settings(t->session, NGHTTP2_FLAG_NONE, settings, 2) ||
        nghttp2_submit_request(t->session, NULL, t->lines->nv, t->lines->n,
                               has_content ? &content : NULL, NULL) != STREAM)
        return;
    t->x->end = PROBE_CLOSED;
    hear(t);
    settle(t);
    if (!t->greeted) {
        t->x->end = PROBE_UNREACHABLE;
        t->x->why = "it does not speak HTTP/2";
    }
}

static void
converse(struct talk2 *t)
{
    const struct probe_ask *ask = t->ask;

    t->method =
        ern_method_find(slice_from((const char *)t->lines->nv[0].value, t->lines->nv[0].valuelen));
    t->call = call_open_h2(ask->url, ask->verify, &t->x->why);
    if (!t->call)
        return;
    t->until_ms = clock_read().run_ms + ask->patience_ms;
    t->session = session_new(t);
    if (t->session)
        talk(t);
    nghttp2_session_del(t->session);
    call_close(t->call);
}

void
probe_h2_ask(const struct probe_ask *ask, struct probe_answer *answer)
{
    struct lines *l = malloc(sizeof *l);
    struct talk2 t = {
        .ask = ask, .x = answer, .lines = l, .content = ask->content, .held = ask->waits};

    if (l && say(l, ask->head, ask->url->secure))
        converse(&t);
    free(l);
}

void
probe_h2_write(const struct probe_answer *answer, struct out *out)
{
    const struct ern_request *m = &answer->answer.message;

    if (answer->answer.status == 0)
        return;
    out_literal(out, "HTTP/2.0 ");
    out_u64(out, answer->answer.status);
    out_literal(out, "\r\n");
    for (unsigned i = 0; i < m->fields_n; i++) {
        out_slice(out, m->fields[i].name);
        out_literal(out, ": ");
        out_slice(out, m->fields[i].value);
        out_literal(out, "\r\n");
    }
    out_literal(out, "\r\n");
    out_slice(out, answer->content);
}
