/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_h1.c - heads of requests. However the bytes are split, the outcome is the same; a prefix
 * says "more" or the same finding, and never reads past its end; what was read, written again,
 * reads the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "base/slice.h"
#include "wire/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 128, INPUT_MAX = 65536 };

struct reading {
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct h1_head head;
    enum parse parse;
};

static void
begin(struct reading *r, const struct limits *limits)
{
    ern_request_init(&r->request, r->fields, FIELDS);
    h1_head_init(&r->head, limits);
    r->parse = PARSE_MORE;
}

static void
feed(struct reading *r, struct ern_slice bytes)
{
    if (r->parse == PARSE_MORE)
        r->parse = h1_head_feed(&r->head, bytes, &r->request);
}

static bool
same_slice(struct ern_slice a, struct ern_slice b)
{
    return a.ptr == b.ptr && a.len == b.len;
}

/* The same outcome over the same memory. */
static void
compare(const struct reading *a, const struct reading *b)
{
    assert(a->parse == b->parse);
    assert(a->head.at == b->head.at);
    assert(a->head.finding == b->head.finding);
    assert(a->head.finding_at == b->head.finding_at);
    assert(same_slice(a->head.finding_field, b->head.finding_field));
    assert(a->request.fields_n == b->request.fields_n);
    for (unsigned i = 0; i < a->request.fields_n; i++) {
        assert(same_slice(a->fields[i].name, b->fields[i].name));
        assert(same_slice(a->fields[i].value, b->fields[i].value));
        assert(a->fields[i].id == b->fields[i].id);
    }
    if (a->parse != PARSE_DONE)
        return;
    assert(same_slice(a->request.method_text, b->request.method_text));
    assert(same_slice(a->request.target, b->request.target));
    assert(same_slice(a->request.authority, b->request.authority));
    assert(a->request.chunked == b->request.chunked);
    assert(a->request.content_length == b->request.content_length);
    assert(a->request.version_minor == b->request.version_minor);
}

/* A prefix in memory of just its size. */
static void
check_prefix(const struct reading *whole, const struct limits *limits, struct ern_slice prefix)
{
    char *copy = malloc(prefix.len ? prefix.len : 1);
    struct reading r;

    assert(copy);
    memcpy(copy, prefix.ptr, prefix.len);
    begin(&r, limits);
    feed(&r, slice_from(copy, prefix.len));
    if (r.parse == PARSE_BAD) {
        assert(whole->parse == PARSE_BAD && r.head.finding == whole->head.finding);
        assert(r.head.finding_at == whole->head.finding_at);
    } else if (r.parse == PARSE_DONE) {
        assert(whole->parse == PARSE_DONE && r.head.at == whole->head.at);
    }
    free(copy);
}

static void
write_again(struct out *o, const struct reading *r)
{
    out_slice(o, r->request.method_text);
    out_char(o, ' ');
    out_slice(o, r->request.target);
    out_literal(o, " HTTP/1.");
    out_u64(o, r->request.version_minor);
    out_literal(o, "\r\n");
    for (unsigned i = 0; i < r->request.fields_n; i++) {
        out_slice(o, r->fields[i].name);
        out_char(o, ':');
        out_slice(o, r->fields[i].value);
        out_literal(o, "\r\n");
    }
    out_literal(o, "\r\n");
}

static void
check_round_trip(const struct reading *r, const struct limits *limits)
{
    static char memory[INPUT_MAX + 1024];
    struct out o = out_init(memory, sizeof memory);
    struct reading again;

    write_again(&o, r);
    assert(!o.full);
    begin(&again, limits);
    feed(&again, out_done(&o));
    assert(again.parse == PARSE_DONE && again.head.at == o.len);
    assert(slice_eq(again.request.target, r->request.target));
    assert(again.request.content_length == r->request.content_length);
    assert(again.request.chunked == r->request.chunked);
    assert(again.request.fields_n == r->request.fields_n);
    for (unsigned i = 0; i < again.request.fields_n; i++) {
        assert(slice_eq(again.fields[i].name, r->fields[i].name));
        assert(slice_eq(again.fields[i].value, r->fields[i].value));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice bytes = slice_from((const char *)data, size);
    struct limits limits = limits_standard();
    struct reading whole, split, slow;
    uint32_t random = 2166136261;

    if (size > INPUT_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        random = (random ^ data[i]) * 16777619;
    if (random & 0x10000) {
        limits.target_bytes_max = 64;
        limits.field_bytes_max = 256;
        limits.fields_bytes_max = 1024;
        limits.fields_max = 8;
    }
    begin(&whole, &limits);
    feed(&whole, bytes);
    begin(&split, &limits);
    feed(&split, slice_first(bytes, (random >> 8) % (size + 1)));
    feed(&split, bytes);
    compare(&whole, &split);
    begin(&slow, &limits);
    for (size_t n = 1; n <= size; n++)
        feed(&slow, slice_first(bytes, n));
    if (size)
        compare(&whole, &slow);
    check_prefix(&whole, &limits, slice_first(bytes, (random >> 8) % (size + 1)));
    if (whole.parse == PARSE_DONE)
        check_round_trip(&whole, &limits);
    return 0;
}
