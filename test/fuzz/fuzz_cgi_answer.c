/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cgi_answer.c - heads that scripts write. However the bytes are split, the outcome is the
 * same; what was read is a status that an answer can have, or a path of this server, with one end.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "wire/cgi_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 64, INPUT_MAX = 32768 };

struct reading {
    struct ern_field fields[FIELDS];
    struct h1_answer answer;
    enum parse parse;
};

static void
feed(struct reading *r, struct ern_slice bytes, enum ern_method method)
{
    if (r->parse == PARSE_MORE)
        r->parse = cgi_answer_feed(&r->answer, bytes, method);
}

static void
begin(struct reading *r, const struct limits *limits)
{
    h1_answer_init(&r->answer, limits, r->fields, FIELDS);
    r->parse = PARSE_MORE;
}

static void
compare(const struct reading *a, const struct reading *b)
{
    assert(a->parse == b->parse);
    assert(a->answer.head.finding == b->answer.head.finding);
    assert(a->answer.head.finding_at == b->answer.head.finding_at);
    assert(a->answer.head.at == b->answer.head.at);
    assert(a->answer.status == b->answer.status);
    assert(a->answer.end == b->answer.end);
    assert(a->answer.message.fields_n == b->answer.message.fields_n);
    assert(a->answer.message.content_length == b->answer.message.content_length);
}

static void
check_answer(const struct h1_answer *a, struct ern_slice bytes, enum ern_method method)
{
    const struct ern_request *m = &a->message;

    assert(a->status == 0 || (a->status >= 100 && a->status <= 599));
    assert(a->status != 306 && a->status != 101);
    assert(a->is_last && !m->chunked && a->end != H1_END_TUNNEL);
    assert(a->end != H1_END_SAID || m->content_length > 0);
    assert(method != ERN_HEAD || a->end == H1_END_NONE);
    assert(a->head.at <= bytes.len && bytes.ptr[a->head.at - 1] == '\n');
    for (unsigned i = 0; i < m->fields_n; i++) {
        const struct ern_field *f = &m->fields[i];

        assert(f->name.len > 0 && !memchr(f->name.ptr, ':', f->name.len));
        assert(!memchr(f->value.ptr, '\r', f->value.len));
        assert(!memchr(f->value.ptr, '\n', f->value.len));
        assert(!memchr(f->value.ptr, 0, f->value.len));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct limits limits = limits_standard();
    struct reading whole, split, slow;
    uint32_t random = 2166136261;
    enum ern_method method;

    if (size == 0 || size > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        random = (random ^ data[i]) * 16777619;
    method = random >> 31 ? ERN_HEAD : ERN_GET;
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
    if (whole.parse == PARSE_DONE)
        check_answer(&whole.answer, bytes, method);
    return 0;
}
