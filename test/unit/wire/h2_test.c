/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_test.c - frames of a client, whole and split at every byte; the requests that they make, and
 * the frames of the answers.
 *
 * A session is told as a line of words: events as they come (head, content, end, answered, closed),
 * then the frames that went out, in capitals. Its server answers as the path says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "base/out.h"
#include "wire/h2.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

enum { PLACES = 4, FIELDS = 128, TEXT = 32768, STORY = 4096, WIRE = 1 << 16 };

struct place {
    struct h2_stream stream;
    struct ern_request request;
    struct ern_field fields[FIELDS];
    char text[TEXT];
    bool taken, waits;
    size_t left;
};

static struct {
    struct h2 h2;
    struct limits limits;
    struct place places[PLACES];
    nghttp2_hd_inflater *inflater;
    struct out story;
    char story_text[STORY];
} server;

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
    struct out *o = &server.story;

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
    out_char(&server.story, ':');
    out_slice(&server.story, text);
}

static void
tell_fields(struct ern_slice block)
{
    const uint8_t *at = (const uint8_t *)block.ptr;
    size_t left = block.len;
    int flags = 0;

    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(server.inflater, &nv, &flags, at, left, 1);

        assert_true(n >= 0);
        at += n;
        left -= (size_t)n;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
            continue;
        out_char(&server.story, nv.name[0] == ':' ? ':' : ',');
        if (nv.name[0] != ':') {
            out_slice(&server.story, slice_from((char *)nv.name, nv.namelen));
            out_char(&server.story, '=');
        }
        out_slice(&server.story, slice_from((char *)nv.value, nv.valuelen));
    }
    nghttp2_hd_inflate_end_headers(server.inflater);
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
        out_char(&server.story, '=');
        out_u64(&server.story, number(payload.ptr, 4));
    }
    if (type == NGHTTP2_GOAWAY) {
        out_char(&server.story, ':');
        out_u64(&server.story, number(payload.ptr, 4));
        out_char(&server.story, '=');
        out_u64(&server.story, number(payload.ptr + 4, 4));
    }
    if (type <= NGHTTP2_HEADERS && head[4] & NGHTTP2_FLAG_END_STREAM)
        out_char(&server.story, '.');
}

/* ---- the server --------------------------------------------------------------------------------
 */

static bool
asks_for(const struct h2_stream *s, const char *path)
{
    return slice_eq(s->path, slice_text(path));
}

static struct out *
lines_of(const char *text)
{
    static char bytes[1024];
    static struct out lines;

    lines = out_init(bytes, sizeof bytes);
    out_text(&lines, text);
    return &lines;
}

static void
answer(struct place *p)
{
    struct h2_stream *s = &p->stream;
    uint16_t status = s->finding ? 400 : 200;

    if (asks_for(s, "/interim"))
        h2_interim(&server.h2, s, 103, lines_of("Link: </a>\r\n"));
    if (asks_for(s, "/empty"))
        status = 204;
    if (asks_for(s, "/same"))
        status = 304;
    p->left = status == 200 && p->request.method != ERN_HEAD ? 2 : 0;
    h2_answer(&server.h2, s, status, lines_of(""), p->left > 0);
}

static struct h2_stream *
begun(void *self)
{
    (void)self;
    for (unsigned i = 0; i < PLACES; i++) {
        struct place *p = &server.places[i];

        if (p->taken)
            continue;
        p->taken = true;
        ern_request_init(&p->request, p->fields, FIELDS);
        p->stream.request = &p->request;
        p->stream.text = out_init(p->text, TEXT);
        return &p->stream;
    }
    return NULL;
}

static struct place *
place_of(struct h2_stream *stream)
{
    return (struct place *)(void *)stream;
}

static void
head(void *self, struct h2_stream *s)
{
    struct place *p = place_of(s);

    (void)self;
    tell("head", s->id);
    if (s->finding) {
        tell_more(slice_text(finding_names[s->finding]));
        if (slice_is_there(s->finding_field))
            tell_more(s->finding_field);
    }
    p->waits = asks_for(s, "/late");
    if (!asks_for(s, "/kept") && (s->ended || !asks_for(s, "/content")))
        answer(p);
}

static void
content(void *self, struct h2_stream *s, struct ern_slice piece)
{
    (void)self;
    for (size_t i = 0; i < piece.len; i++) { /* so that pieces make no difference */
        tell("content", s->id);
        tell_more(slice_from(piece.ptr + i, 1));
    }
    h2_taken(&server.h2, s, piece.len);
}

static void
ended(void *self, struct h2_stream *s)
{
    (void)self;
    tell("end", s->id);
    if (asks_for(s, "/content"))
        answer(place_of(s));
}

static ssize_t
fill(void *self, struct h2_stream *s, char *bytes, size_t cap, bool *ret_end)
{
    struct place *p = place_of(s);

    (void)self;
    (void)cap;
    if (p->waits)
        return H2_LATER;
    if (asks_for(s, "/cut") && p->left == 1)
        return H2_CUT;
    *bytes = 'y';
    *ret_end = --p->left == 0;
    return 1;
}

static void
answered(void *self, struct h2_stream *s)
{
    (void)self;
    tell("answered", s->id);
    if (asks_for(s, "/stop"))
        h2_stop(&server.h2, s);
}

static void
closed(void *self, struct h2_stream *s)
{
    (void)self;
    tell("closed", s->id);
    place_of(s)->taken = false;
}

static const struct h2_events events = {begun, head, content, ended, fill, answered, closed};

/* ---- a session ---------------------------------------------------------------------------------
 */

static void
send_frames(void)
{
    static char bytes[WIRE];
    struct out o = out_init(bytes, sizeof bytes);

    (void)h2_send(&server.h2, &o);
    for (size_t at = 0; at < o.len;) {
        size_t n = number(bytes + at, 3);

        tell_frame(bytes + at, slice_from(bytes + at + 9, n));
        at += 9 + n;
    }
}

static void
open_session(void)
{
    for (unsigned i = 0; i < PLACES; i++)
        server.places[i].taken = false;
    server.story = out_init(server.story_text, STORY);
    assert_int_equal(nghttp2_hd_inflate_new(&server.inflater), 0);
    assert_int_equal(h2_begin(&server.h2, &server.limits, &events, NULL, 0), 0);
}

static void
close_session(void)
{
    h2_end(&server.h2);
    nghttp2_hd_inflate_del(server.inflater);
}

static bool
feed(struct ern_slice bytes, size_t split)
{
    while (bytes.len) {
        struct ern_slice piece = slice_first(bytes, split < bytes.len ? split : bytes.len);

        if (!h2_feed(&server.h2, piece, 0))
            return false;
        bytes = slice_skip(bytes, piece.len);
    }
    return true;
}

#define GREETING "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static void
greet(void)
{
    assert_true(feed(ERN_SLICE(GREETING), sizeof GREETING));
    send_frames();
    server.story.len = 0;
}

/* The story of a session whose client sends these frames. */
static const char *
story_of(struct ern_slice frames, size_t split)
{
    open_session();
    greet();
    (void)feed(frames, split);
    send_frames();
    close_session();
    out_char(&server.story, '\0');
    assert_false(server.story.full);
    return server.story_text;
}

static int
limits_setup(void **state)
{
    (void)state;
    server.limits = limits_standard();
    server.limits.h2_streams_max = PLACES;
    return 0;
}

/* ---- frames ------------------------------------------------------------------------------------
 */

#define FRAME(n, type, flags, id) "\0\0" n type flags "\0\0\0" id
#define GET "\x82\x84\x86\1\1a" /* /, http, a; by the static table (RFC 7541 A) */
#define POST "\x83\x84\x86\1\1a"
#define TO(n, path) "\x82\x86\1\1a\4" n path
#define POST_TO(n, path) "\x83\x86\1\1a\4" n path
#define OK "\1" /* the flag END_STREAM */

static const struct row {
    int line;
    struct ern_slice frames;
    const char *story;
} rows[] = {
#define ROW(frames, story)                                                                         \
    {                                                                                              \
        __LINE__, {frames, sizeof frames - 1}, story                                               \
    }
    ROW(FRAME("\6", "\1", "\5", "\1") GET,
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\1", "\1") GET FRAME("\0", "\x09", "\4", "\1"),
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\4", "\1")
            POST FRAME("\1", "\0", "\0", "\1") "a" FRAME("\1", "\0", "\1", "\1") "b",
        "head:1 content:1:a content:1:b end:1 answered:1 closed:1 HEADERS:1:200 "
        "DATA:1:y DATA:1:y."),
    /* the answer is there when all of the content is */
    ROW(FRAME("\x0f", "\1", "\4", "\1") POST_TO("\x08", "/content")
            FRAME("\1", "\0", "\1", "\1") "a",
        "head:1 content:1:a end:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* trailers are checked and dropped */
    ROW(FRAME("\6", "\1", "\4", "\1") POST FRAME("\5", "\1", "\5", "\1") "\0\1x\1y",
        "head:1 end:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    ROW(FRAME("\6", "\1", "\4", "\1") POST FRAME("\5", "\1", "\5", "\1") "\0\1X\1y",
        "head:1 closed:1 RESET:1=1"),
    /* answers without content (RFC 9110 6.4.1) */
    ROW(FRAME("\x0d", "\1", "\5", "\1") TO("\6", "/empty"),
        "head:1 answered:1 closed:1 HEADERS:1:204."),
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/same"),
        "head:1 answered:1 closed:1 HEADERS:1:304."),
    ROW(FRAME("\x0b", "\1", "\5", "\1") "\2\4HEAD\x84\x86\1\1a",
        "head:1 answered:1 closed:1 HEADERS:1:200."),
    ROW(FRAME("\x0f", "\1", "\5", "\1") TO("\x08", "/interim"),
        "head:1 answered:1 closed:1 HEADERS:1:103,link=</a> HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* an answer that has to wait, or is cut */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/late"), "head:1 HEADERS:1:200"),
    ROW(FRAME("\x0b", "\1", "\5", "\1") TO("\4", "/cut"),
        "head:1 closed:1 HEADERS:1:200 DATA:1:y RESET:1=2"),
    /* an early answer; then no more is wanted (RFC 9113 8.1), or it is */
    ROW(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/stop"),
        "head:1 answered:1 closed:1 HEADERS:1:200 DATA:1:y DATA:1:y. RESET:1=0"),
    ROW(FRAME("\6", "\1", "\4", "\1") POST, "head:1 answered:1 HEADERS:1:200 DATA:1:y DATA:1:y."),
    /* the client resets */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept")
            FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08",
        "head:1 closed:1"),
    /* more streams than there may be */
    ROW(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept") FRAME("\x0c", "\1", "\5", "\3")
            TO("\5", "/kept") FRAME("\x0c", "\1", "\5", "\5") TO("\5", "/kept") FRAME(
                "\x0c", "\1", "\5", "\7") TO("\5", "/kept") FRAME("\6", "\1", "\5", "\x09") GET,
        "head:1 head:3 head:5 head:7 RESET:9=7"),
    /* malformed (RFC 9113 8.1.1): there is no request */
    ROW(FRAME("\x0b", "\1", "\5", "\1") GET "\0\1X\1y", "closed:1 RESET:1=1"),
    ROW(FRAME("\7", "\1", "\5", "\1") GET "\x84", "closed:1 RESET:1=1"),
    ROW(FRAME("\2", "\1", "\5", "\1") "\x82\x84", "closed:1 RESET:1=1"),
    /* streams that are not to be spoken of (RFC 9113 5.1) */
    ROW(FRAME("\6", "\1", "\5", "\3") GET FRAME("\6", "\1", "\5", "\1") GET, "head:3 GOAWAY:3=1"),
    ROW(FRAME("\6", "\1", "\5", "\2") GET, "GOAWAY:0=1"),
    ROW(FRAME("\1", "\0", "\1", "\1") "a", "GOAWAY:0=1"),
    /* PRIORITY (RFC 9113 6.3) */
    ROW(FRAME("\5", "\2", "\0", "\3") "\0\0\0\0\5", ""),
    ROW(FRAME("\5", "\2", "\0", "\0") "\0\0\0\1\5", "GOAWAY:0=1"),
    ROW(FRAME("\5", "\2", "\0", "\3") "\0\0\0\3\5", "GOAWAY:0=1"),
    ROW(FRAME("\x08", "\6", "\0", "\0") "12345678", "PING"),
    ROW(FRAME("\x08", "\6", "\1", "\0") "12345678", ""),
};

static void
frames_make_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        for (size_t split = 1; split <= rows[i].frames.len; split++) {
            const char *story = story_of(rows[i].frames, split);

            if (strcmp(story, rows[i].story) != 0)
                fail_msg("line %d in pieces of %zu: %s", rows[i].line, split, story);
        }
}

/* ---- heads -------------------------------------------------------------------------------------
 */

static void
add_field(struct out *o, struct ern_slice name, struct ern_slice value)
{
    const struct ern_slice texts[] = {name, value};

    out_char(o, '\0'); /* a literal that leaves no trace in the table (RFC 7541 6.2.2) */
    for (unsigned i = 0; i < LEN(texts); i++) {
        size_t n = texts[i].len;

        out_char(o, (char)(n < 127 ? n : 127));
        if (n >= 127)
            for (n -= 127;; n >>= 7) {
                out_char(o, (char)(n < 128 ? n : n % 128 | 128));
                if (n < 128)
                    break;
            }
        out_slice(o, texts[i]);
    }
}

/* Feeds a head of fields without content, in frames. */
static void
feed_head(struct ern_slice block, bool ends)
{
    enum { FRAME_BYTES = 16384 };
    char type = NGHTTP2_HEADERS;

    do {
        struct ern_slice part =
            slice_first(block, block.len < FRAME_BYTES ? block.len : FRAME_BYTES);
        char frame[9] = {0, (char)(part.len >> 8), (char)part.len, type, ends, 0, 0, 0, 1};

        block = slice_skip(block, part.len);
        frame[4] |= block.len ? 0 : NGHTTP2_FLAG_END_HEADERS;
        assert_true(feed(slice_from(frame, sizeof frame), 9));
        assert_true(feed(part, part.len));
        type = NGHTTP2_CONTINUATION;
    } while (block.len);
}

/* Begins a session, and reads a head: "name value\n" for each of its fields. */
static const struct ern_request *
read_head(struct ern_slice fields, bool ends)
{
    static char bytes[WIRE];
    struct out block = out_init(bytes, sizeof bytes);

    open_session();
    greet();
    while (fields.len) {
        struct ern_slice line = slice_first(fields, slice_find(fields, '\n'));
        size_t space = slice_find(line, ' ');

        add_field(&block, slice_first(line, space), slice_skip(line, space + 1));
        fields = slice_skip(fields, line.len + 1);
    }
    assert_false(block.full);
    feed_head(out_done(&block), ends);
    return &server.places[0].request;
}

#define PLAIN ":method GET\n:scheme http\n:path /kept\n"
#define USUAL PLAIN ":authority a.test\n"
#define CONNECT ":method CONNECT\n"
#define MALFORMED "closed:1 RESET:1=1" /* RFC 9113 8.1.1 */
#define EXTENDED CONNECT ":scheme http\n:path /chat\n:authority a.test\n:protocol "

static void
findings_name_what_is_wrong(void **state)
{
    static const struct {
        struct ern_slice fields;
        const char *story;
    } cases[] = {
        {ERN_SLICE(USUAL), "head:1"},
        {ERN_SLICE(PLAIN "host a.test\n"), "head:1"},
        {ERN_SLICE(USUAL "host A.test\n"), "head:1"},
        {ERN_SLICE(USUAL "host b.test\n"), "head:1:host_differs"},
        {ERN_SLICE(PLAIN ":authority a/b\n"), MALFORMED},
        {ERN_SLICE(PLAIN ":authority a@b\n"), "head:1:host_syntax"},
        {ERN_SLICE(USUAL "host a.test\nhost a.test\n"), MALFORMED},
        {ERN_SLICE(USUAL "content-length 1x\n"), MALFORMED},
        {ERN_SLICE(USUAL "if-match \"a\"\nif-match \"b\"\n"), "head:1"},
        {ERN_SLICE(USUAL "range bytes=0-1\nrange bytes=2-3\n"), "head:1:single_repeated:range"},
        {ERN_SLICE(":method GET\n:scheme http\n:authority a\n:path /%zz\n"),
         "head:1:target_encoding"},
        {ERN_SLICE(":method GET\n:scheme http\n:authority a\n:path *\n"), MALFORMED},
        {ERN_SLICE(":method OPTIONS\n:scheme http\n:authority a\n:path *\n"), "head:1"},
        {ERN_SLICE(":method GET\n:scheme x\n:authority a\n:path b\n"), "head:1:target_form"},
        {ERN_SLICE(CONNECT ":authority a.test:80\n"), "head:1"},
        {ERN_SLICE(CONNECT ":authority a.test\n"), "head:1:target_form"},
        {ERN_SLICE(CONNECT), MALFORMED},
        {ERN_SLICE(EXTENDED "websocket\n"), "head:1"},
        {ERN_SLICE(USUAL ":protocol websocket\n"), MALFORMED},
        {ERN_SLICE(USUAL "connection close\n"), MALFORMED},
        {ERN_SLICE(USUAL "transfer-encoding chunked\n"), MALFORMED},
        {ERN_SLICE(USUAL "te gzip\n"), MALFORMED},
        {ERN_SLICE(USUAL "te trailers\n"), "head:1"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        (void)read_head(cases[i].fields, true);
        if (server.story.len == 0)
            send_frames();
        close_session();
        if (!slice_eq(out_done(&server.story), slice_text(cases[i].story)))
            fail_msg("%.*s%.*s", (int)cases[i].fields.len, cases[i].fields.ptr,
                     (int)server.story.len, server.story_text);
    }
}

/* Reads a head: these fields, n_fields "x: y", and one that ends with n bytes more. Returns its
 * story. */
static struct ern_slice
story_of_size(const char *start, size_t n_fields, const char *last, size_t n)
{
    static char text[WIRE];
    struct out o = out_init(text, sizeof text);

    out_text(&o, start);
    while (n_fields--)
        out_literal(&o, "x y\n");
    out_text(&o, last);
    while (n--)
        out_char(&o, 'a');
    out_char(&o, '\n');
    (void)read_head(out_done(&o), true);
    close_session();
    return out_done(&server.story);
}

static void
expect_size(const char *start, size_t n_fields, const char *last, size_t n, const char *finding)
{
    struct ern_slice story = story_of_size(start, n_fields, last, n);

    if (!slice_eq(story, slice_text(finding)))
        fail_msg("%zu fields, %s %zu: %.*s", n_fields, last, n, (int)story.len, story.ptr);
}

/* What is just within a limit, and just beyond. */
static void
limits_are_those_of_http_1(void **state)
{
    enum { TARGET = 64, FIELD = 256, SECTION = 512, MANY = 60, LINE = 4 + 1, X = LINE + 1 };
    static const char no_path[] = ":method GET\n:scheme http\n:authority a\n";
    size_t path = TARGET - 4 - 2, field = FIELD - LINE;
    size_t section = SECTION - 2 - 45 * X - (sizeof "host: a\r\n" - 1) - LINE;

    (void)state;
    server.limits.target_bytes_max = TARGET;
    server.limits.field_bytes_max = FIELD;
    server.limits.fields_bytes_max = SECTION;
    server.limits.fields_max = MANY;
    expect_size(no_path, 0, ":path /", path, "head:1");
    expect_size(no_path, 0, ":path /", path + 1, "head:1:target_too_long");
    expect_size(no_path, 0, ":path /", 2 * TARGET, "head:1:target_too_long");
    expect_size(USUAL, 0, "y ", field, "head:1");
    expect_size(USUAL, 0, "y ", field + 1, "head:1:field_too_large:y");
    expect_size(PLAIN, 0, "host ", field - 3, "head:1");
    expect_size(PLAIN, 0, "host ", field - 2, "head:1:field_too_large:host");
    expect_size(PLAIN "host a\n", 45, "y ", section, "head:1");
    expect_size(PLAIN "host a\n", 45, "y ", section + 1, "head:1:fields_too_large:y");
    expect_size(USUAL, 45, "y ", section - 5, "head:1");
    expect_size(USUAL, 45, "y ", section - 5 + 1, "head:1:fields_too_large:y");
    expect_size(PLAIN "host a\n", MANY - 2, "y ", 1, "head:1");
    expect_size(PLAIN "host a\n", MANY - 1, "y ", 1, "head:1:fields_too_many:y");
    expect_size(USUAL, MANY - 2, "y ", 1, "head:1");
    expect_size(USUAL, MANY - 1, "y ", 1, "head:1:fields_too_many:y");
}

static void
cookies_are_joined(void **state)
{
    const struct ern_request *r =
        read_head(ERN_SLICE(USUAL "cookie a=b\nx y\ncookie c=d\ncookie e\nz 1\n"), true);
    struct ern_slice cookie;
    uint16_t at = 0;

    (void)state;
    assert_true(ern_request_next(r, ERN_FIELD_cookie, &at, &cookie));
    assert_true(slice_eq(cookie, ERN_SLICE("a=b; c=d; e")));
    assert_false(ern_request_next(r, ERN_FIELD_cookie, &at, &cookie));
    assert_int_equal(r->fields_n, 5);
    close_session();
}

/* rfc8441#4 "the :scheme and :path pseudo-header fields of the target URI (see Section 5) MUST also
 * be included" */
static void
an_extended_connect_is_a_get_with_upgrade(void **state)
{
    const struct ern_request *r = read_head(ERN_SLICE(EXTENDED "websocket\n"), false);

    (void)state;
    assert_int_equal(r->method, ERN_GET);
    assert_true(slice_eq(r->protocol, ERN_SLICE("websocket")));
    assert_true(slice_eq(r->path, ERN_SLICE("/chat")));
    assert_true(slice_eq(r->authority, ERN_SLICE("a.test")));
    close_session();
    r = read_head(ERN_SLICE(CONNECT ":authority b.test:443\n"), false);
    assert_int_equal(r->method, ERN_CONNECT);
    assert_false(slice_is_there(r->protocol));
    assert_int_equal(r->form, ERN_AUTHORITY_FORM);
    assert_true(slice_eq(r->authority, ERN_SLICE("b.test:443")));
    close_session();
}

static void
a_request_is_whole(void **state)
{
    const struct ern_request *r =
        read_head(ERN_SLICE(":method PUT\n:scheme https\n:authority a.test:8443\n:path /kept?q\n"
                            "accept */*\n"),
                  false);

    (void)state;
    assert_int_equal(r->method, ERN_PUT);
    assert_true(slice_eq(r->path, ERN_SLICE("/kept")));
    assert_true(slice_eq(r->query, ERN_SLICE("q")));
    assert_true(slice_eq(r->authority, ERN_SLICE("a.test:8443")));
    assert_int_equal(r->version_major * 10 + r->version_minor, 20);
    assert_int_equal(r->content_length, -1);
    assert_true(r->chunked); /* the length is not said */
    assert_int_equal(r->fields_n, 1);
    close_session();
    assert_false(read_head(ERN_SLICE(USUAL), true)->chunked);
    close_session();
    r = read_head(ERN_SLICE(":method PUT\n:scheme http\n:authority a\n:path /kept\n"
                            "content-length 7\n"),
                  false);
    assert_int_equal(r->content_length, 7);
    assert_false(r->chunked);
    close_session();
}

/* ---- what the server says ----------------------------------------------------------------------
 */

static void
an_answer_has_no_fields_of_its_connection(void **state)
{
    struct place *p = &server.places[0];

    (void)state;
    (void)read_head(ERN_SLICE(USUAL), true);
    server.story.len = 0;
    h2_answer(&server.h2, &p->stream, 101,
              lines_of("Connection: close\r\nKeep-Alive: timeout=1\r\nETag: \"a\"\r\n"
                       "Transfer-Encoding: chunked\r\nUpgrade: h2c\r\nX-Empty: \r\n"),
              false);
    send_frames();
    close_session();
    assert_true(slice_eq(out_done(&server.story),
                         ERN_SLICE("answered:1 closed:1 HEADERS:1:101,etag=\"a\",x-empty=.")));
}

/* More than the frame of an answer holds in fields: there is no answer. */
static void
an_answer_of_too_many_fields_is_none(void **state)
{
    static char text[2048];
    struct out lines = out_init(text, sizeof text);

    (void)state;
    (void)read_head(ERN_SLICE(USUAL), true);
    server.story.len = 0;
    for (unsigned i = 0; i < 200; i++)
        out_literal(&lines, "a: b\r\n");
    h2_answer(&server.h2, &server.places[0].stream, 200, &lines, false);
    send_frames();
    close_session();
    assert_true(slice_eq(out_done(&server.story), ERN_SLICE("closed:1 RESET:1=2")));
}

static void
what_waited_goes_on(void **state)
{
    (void)state;
    open_session();
    greet();
    assert_true(feed(ERN_SLICE(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/late")), 1));
    send_frames();
    assert_false(h2_has_more(&server.h2));
    server.story.len = 0;
    server.places[0].waits = false;
    h2_go_on(&server.h2, &server.places[0].stream);
    assert_true(h2_has_more(&server.h2));
    send_frames();
    close_session();
    assert_true(
        slice_eq(out_done(&server.story), ERN_SLICE("answered:1 closed:1 DATA:1:y DATA:1:y.")));
}

/* RFC 9113 6.8: the last stream is named when the client has seen that there is an end. */
static void
the_server_leaves_in_two_steps(void **state)
{
    (void)state;
    open_session();
    greet();
    h2_leave(&server.h2);
    h2_leave(&server.h2);
    send_frames();
    assert_true(feed(ERN_SLICE(FRAME("\x0c", "\1", "\5", "\1") TO("\5", "/kept")
                                   FRAME("\x08", "\6", "\1", "\0") "\0\0\0\0\0\0\0\0"),
                     1));
    send_frames();
    assert_false(h2_is_over(&server.h2));
    assert_true(feed(ERN_SLICE(FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08"), 1));
    send_frames();
    assert_true(h2_is_over(&server.h2));
    close_session();
    assert_true(slice_eq(out_done(&server.story),
                         ERN_SLICE("GOAWAY:2147483647=0 PING head:1 GOAWAY:1=0 closed:1")));
}

/* ---- h2c by Upgrade (RFC 7540 3.2) */

static void
an_upgrade_brings_settings(void **state)
{
    static const struct {
        const char *settings;
        bool good;
    } cases[] = {
        {"", true},         {"AAQAAABk", true},  {"AAQAAABkAAMAAAAB", true}, {"AAQA", false},
        {"AAQAAAB", false}, {"AAQAAAB*", false}, {"AAQA+ABk", false},        {"A", false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct place *p;
        bool good;

        open_session();
        p = place_of(begun(NULL));
        ern_request_method(&p->request, ERN_SLICE("GET"));
        good = h2_upgrade(&server.h2, slice_text(cases[i].settings), false, &p->stream);
        if (good != cases[i].good)
            fail_msg("%s is taken for %d", cases[i].settings, good);
        if (good) {
            answer(p);
            greet(); /* the client sends its preface all the same */
            assert_true(feed(ERN_SLICE(FRAME("\6", "\1", "\5", "\1") GET), 1));
            send_frames();
            assert_true(slice_eq(out_done(&server.story), ERN_SLICE("GOAWAY:1=5")));
        }
        close_session();
    }
}

/* ---- nuisances (RFC 9113 10.5) */

static void
nuisances_are_counted(void **state)
{
    static const struct {
        struct ern_slice once, again;
        unsigned most; /* times h2_nuisances_max, */
        unsigned less; /* without those that came before */
    } cases[] = {
        {ERN_SLICE(""), ERN_SLICE(FRAME("\0", "\4", "\0", "\0")), 1, 1},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\x08", "\6", "\0", "\0") "12345678"), 1, 0},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\5", "\2", "\0", "\3") "\0\0\0\0\5"), 1, 0},
        {ERN_SLICE(""), ERN_SLICE(FRAME("\4", "\x08", "\0", "\0") "\0\0\0\1"), 1, 0},
        {ERN_SLICE(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/kept")),
         ERN_SLICE(FRAME("\0", "\0", "\0", "\1")), 1, 0},
        {ERN_SLICE(FRAME("\x0c", "\1", "\4", "\1") POST_TO("\5", "/kept")),
         ERN_SLICE(FRAME("\4", "\3", "\0", "\1") "\0\0\0\x08"), 2, 0},
    };

    (void)state;
    server.limits.h2_nuisances_max = 10;
    for (size_t i = 0; i < LEN(cases); i++)
        for (unsigned pause = 0; pause < 2; pause++) {
            unsigned n = 0, most = 10 * cases[i].most - cases[i].less;
            int64_t now_ms = 0;

            open_session();
            greet();
            assert_true(feed(cases[i].once, 1));
            while (h2_feed(&server.h2, cases[i].again, now_ms) && !h2_is_over(&server.h2) &&
                   n++ < 3 * most) {
                now_ms += pause * (server.limits.h2_nuisance_ms / 5);
                send_frames();
            }
            close_session();
            if (!pause && n != most + 1)
                fail_msg("case %zu: %u frames", i, n);
            if (pause && n < 3 * most)
                fail_msg("case %zu, slowly: %u frames", i, n);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(frames_make_events, limits_setup),
        cmocka_unit_test_setup(findings_name_what_is_wrong, limits_setup),
        cmocka_unit_test_setup(limits_are_those_of_http_1, limits_setup),
        cmocka_unit_test_setup(cookies_are_joined, limits_setup),
        cmocka_unit_test_setup(an_extended_connect_is_a_get_with_upgrade, limits_setup),
        cmocka_unit_test_setup(a_request_is_whole, limits_setup),
        cmocka_unit_test_setup(an_answer_has_no_fields_of_its_connection, limits_setup),
        cmocka_unit_test_setup(an_answer_of_too_many_fields_is_none, limits_setup),
        cmocka_unit_test_setup(what_waited_goes_on, limits_setup),
        cmocka_unit_test_setup(the_server_leaves_in_two_steps, limits_setup),
        cmocka_unit_test_setup(an_upgrade_brings_settings, limits_setup),
        cmocka_unit_test_setup(nuisances_are_counted, limits_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
