/* SPDX-License-Identifier: Apache-2.0 */
/* A request over HTTP/2: its frame is read, and those of its answer are written. */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "bench.h"
#include "code/limits.h"
#include "earnest/status.h"
#include "wire/h2.h"

enum {
    AT_ONCE = 16,
    CONTENT_BYTES = 1024,
    FIELDS = 64,
    TEXT_BYTES = 4096,
    OUT_BYTES = 65536,
    HEAD_BYTES = 9
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                              "\0\0\0\4\0\0\0\0\0"                   /* SETTINGS */
                              "\0\0\4\10\0\0\0\0\0\x3f\xff\xff\xff"; /* WINDOW_UPDATE */
static const char block[] = "\x82\x86\x04\x07/1k.txt\x01\x0e"
                            "be.example.org";
static const char lines[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Server: Earnest\r\n"
                            "ETag: \"0123456789abcdef\"\r\n"
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Accept-Ranges: bytes\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "X-Content-Type-Options: nosniff\r\n"
                            "Content-Length: 1024\r\n";

static struct h2 h2;
static struct limits limits;
static struct h2_stream stream;
static struct ern_request request;
static struct ern_field fields[FIELDS];
static char text[TEXT_BYTES], out_bytes[OUT_BYTES], content[CONTENT_BYTES];
static char heads[AT_ONCE][sizeof lines]; /* of the answers that are under way */
static unsigned answered_n;

static void *
allocate(size_t n, void *self)
{
    (void)self;
    return malloc(n);
}

static void
release(void *memory, void *self)
{
    (void)self;
    free(memory);
}

static void *
allocate_clear(size_t n, size_t size, void *self)
{
    (void)self;
    return calloc(n, size);
}

static void *
resize(void *memory, size_t n, void *self)
{
    (void)self;
    return realloc(memory, n);
}

static const struct h2_memory memory = {NULL, allocate, release, allocate_clear, resize};

static struct h2_stream *
begin(void *self)
{
    (void)self;
    ern_request_init(&request, fields, FIELDS);
    stream = (struct h2_stream){.request = &request, .text = out_init(text, sizeof text)};
    return &stream;
}

static void
head(void *self, struct h2_stream *s)
{
    struct out o = out_init(heads[s->id / 2 % AT_ONCE], sizeof heads[0]);

    (void)self;
    bench_must(s->finding == FINDING_none, "the request is good");
    out_slice(&o, slice_from(lines, sizeof lines - 1));
    h2_answer(&h2, s, ERN_200_OK, &o, true, true);
}

static ssize_t
offer(void *self, struct h2_stream *s, size_t cap, bool *ret_end)
{
    (void)self, (void)s;
    bench_must(cap >= sizeof content, "there is room for the content");
    *ret_end = true;
    return sizeof content;
}

static bool
give(void *self, struct h2_stream *s, char *bytes, size_t n)
{
    (void)self, (void)s;
    memcpy(bytes, content, n);
    return true;
}

static void
answered(void *self, struct h2_stream *s)
{
    (void)self, (void)s;
    answered_n++;
}

static void
ignore(void *self, struct h2_stream *s)
{
    (void)self, (void)s;
}

static const struct h2_events events = {
    .begin = begin,
    .head = head,
    .end = ignore,
    .offer = offer,
    .give = give,
    .answered = answered,
    .closed = ignore,
};

static void
feed(struct ern_slice bytes)
{
    bench_must(h2_feed(&h2, bytes, 0), "the session goes on");
}

/* Sends what there is. */
static void
send_all(void)
{
    struct out out = out_init(out_bytes, sizeof out_bytes);

    bench_must(h2_send(&h2, &out) && out.len > 0, "something is sent");
    bench_use(out_bytes);
}

static void
put_id(char *frame, uint32_t id)
{
    for (int i = 0; i < 4; i++)
        frame[5 + i] = (char)(id >> (24 - 8 * i));
}

/* As many requests at a time as a browser makes, each answered with a kilobyte. */
static void
answer_h2(size_t times)
{
    enum { BLOCK_BYTES = sizeof block - 1 };
    static const char open[] = "\0\0\4\10\0\0\0\0\0\0\1\0\0"; /* 64 KiB more */
    char frame[HEAD_BYTES + BLOCK_BYTES] = {0, 0, BLOCK_BYTES, 1, 5};
    uint32_t id = 1;

    limits = limits_standard();
    answered_n = 0;
    bench_must(h2_begin(&h2, &limits, &memory, &events, NULL, 0) == 0, "a session begins");
    feed(slice_from(preface, sizeof preface - 1));
    memcpy(frame + HEAD_BYTES, block, BLOCK_BYTES);
    for (size_t i = 0; i < times; i++, id += 2) {
        put_id(frame, id);
        feed(slice_from(frame, sizeof frame));
        if (i % AT_ONCE == AT_ONCE - 1) {
            send_all();
            feed(slice_from(open, sizeof open - 1));
        }
    }
    if (times % AT_ONCE)
        send_all();
    bench_must(answered_n == times, "all are answered");
    h2_end(&h2);
}

static const struct bench benches[] = {{"answer_h2", answer_h2}};

int
main(int argc, char **argv)
{
    return bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
}
