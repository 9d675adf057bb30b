/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_h1_answer.c - heads of answers, and the content after them. However the bytes are split, the
 * outcome is the same; a prefix says "more" or the same; what was read is a status that an answer
 * can have, with one end.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "wire/h1_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 64, INPUT_MAX = 32768 };

struct reading {
    struct ern_field fields[FIELDS];
    struct h1_answer answer;
    enum parse parse;
};

static void
begin(struct reading *r, const struct limits *limits)
{
    h1_answer_init(&r->answer, limits, r->fields, FIELDS);
    r->parse = PARSE_MORE;
}

static void
feed(struct reading *r, struct ern_slice bytes, enum ern_method method)
{
    if (r->parse == PARSE_MORE)
        r->parse = h1_answer_feed(&r->answer, bytes, method);
}

static void
compare(const struct reading *a, const struct reading *b)
{
    assert(a->parse == b->parse);
    assert(a->answer.head.finding == b->answer.head.finding);
    assert(a->answer.head.finding_at == b->answer.head.finding_at);
    assert(a->answer.status == b->answer.status);
    assert(a->answer.end == b->answer.end);
    assert(a->answer.is_last == b->answer.is_last);
    assert(a->answer.message.fields_n == b->answer.message.fields_n);
    assert(a->answer.message.chunked == b->answer.message.chunked);
    assert(a->answer.message.content_length == b->answer.message.content_length);
}

/* What must hold of every head that was taken. */
static void
check_answer(const struct h1_answer *a, enum ern_method method)
{
    const struct ern_request *m = &a->message;

    assert(a->status >= 100 && a->status <= 599 && a->status != 306);
    assert(!m->chunked || m->content_length < 0);
    assert(!m->chunked || m->version_minor > 0);
    assert(a->end != H1_END_SAID || m->chunked || m->content_length > 0);
    assert(method != ERN_HEAD || a->end == H1_END_NONE || a->end == H1_END_TUNNEL);
    assert(a->end <= H1_END_SAID || a->is_last);
    for (unsigned i = 0; i < m->fields_n; i++) {
        const struct ern_field *f = &m->fields[i];

        assert(f->name.len > 0 && !memchr(f->name.ptr, ':', f->name.len));
        assert(!memchr(f->value.ptr, '\r', f->value.len));
        assert(!memchr(f->value.ptr, '\n', f->value.len));
        assert(!memchr(f->value.ptr, 0, f->value.len));
    }
}

/* Its content never gives more than came, and ends once. */
static void
check_content(const struct h1_answer *a, const struct limits *limits, struct ern_slice rest)
{
    struct h1_content content;
    struct ern_slice in = rest, piece;
    enum parse parse;
    size_t got = 0;

    h1_answer_content(a, limits, &content);
    do {
        parse = h1_content_feed(&content, &in, &piece);
        got += piece.len;
    } while (parse == PARSE_MORE && in.len);
    assert(got + in.len <= rest.len);
    if (a->end == H1_END_NONE)
        assert(parse == PARSE_DONE && got == 0 && in.len == rest.len);
    if (a->end >= H1_END_CLOSE)
        assert(parse == PARSE_MORE && got == rest.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ern_method methods[] = {ERN_GET, ERN_HEAD, ERN_CONNECT, ERN_METHODS};
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct limits limits = limits_standard();
    struct reading whole, split, slow;
    uint32_t random = 2166136261;
    enum ern_method method;

    if (size == 0 || size > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        random = (random ^ data[i]) * 16777619;
    method = methods[random >> 30];
    if (random & 0x10000) {
        limits.upstream_field_bytes_max = 256;
        limits.upstream_fields_bytes_max = 1024;
        limits.upstream_fields_max = 8;
    }
    limits = h1_answer_limits(&limits);
    begin(&whole, &limits);
    feed(&whole, bytes, method);
    begin(&split, &limits);
    feed(&split, slice_first(bytes, (random >> 8) % (size + 1)), method);
    feed(&split, bytes, method);
    compare(&whole, &split);
    begin(&slow, &limits);
    for (size_t n = 1; n <= size; n++)
        feed(&slow, slice_first(bytes, n), method);
    compare(&whole, &slow);
    if (whole.parse != PARSE_DONE)
        return 0;
    check_answer(&whole.answer, method);
    check_content(&whole.answer, &limits, slice_skip(bytes, whole.answer.head.at));
    return 0;
}
