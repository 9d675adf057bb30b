/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines: an entity-tag, then lines of If-None-Match. What has the grammar of a list is searched by
 * a naive reader, too; strong comparison never finds more than weak; a tag is the same as itself.
 */
#include <stdlib.h>

#include "base/slice.h"
#include "msg/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* The length of the entity-tag at the front; 0 if there is none. */
static size_t
tag_len(struct ern_slice s)
{
    size_t i = s.len >= 2 && s.ptr[0] == 'W' && s.ptr[1] == '/' ? 2 : 0;

    if (i >= s.len || s.ptr[i++] != '"')
        return 0;
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c == '"')
            return i + 1;
        if (c < 0x21 || c == 0x7f)
            return 0;
    }
    return 0;
}

static bool
same(struct ern_slice a, struct ern_slice b, bool strong)
{
    bool weak_a = a.ptr[0] == 'W', weak_b = b.ptr[0] == 'W';

    if (strong && (weak_a || weak_b))
        return false;
    return slice_eq(slice_skip(a, weak_a ? 2 : 0), slice_skip(b, weak_b ? 2 : 0));
}

/* [ element ] *( OWS "," OWS [ element ] ); false if the line is something else. */
static bool
naive_in(struct ern_slice line, struct ern_slice etag, bool strong, bool *found)
{
    bool may_be_tag = true;

    while (line.len) {
        size_t n = tag_len(line);

        if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
            n = 1;
        } else if (line.ptr[0] == ',') {
            n = 1;
            may_be_tag = true;
        } else if (n && may_be_tag) {
            *found |= same(slice_first(line, n), etag, strong);
            may_be_tag = false;
        } else {
            return false;
        }
        line = slice_skip(line, n);
    }
    return true;
}

static struct ern_slice
take_line(struct ern_slice *text)
{
    size_t end = slice_find(*text, '\n');
    struct ern_slice line = slice_first(*text, end);

    *text = slice_skip(*text, end < text->len ? end + 1 : end);
    return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = slice_from((const char *)data, size), etag = take_line(&text);
    struct ern_field fields[4];
    struct ern_request r;
    bool is = etag_is(etag), clean = true, found[2] = {false, false}, in[2];

    check(is == (etag.len > 0 && tag_len(etag) == etag.len));
    check(etag_same_weak(etag, etag) == is);
    check(etag_same_strong(etag, etag) == (is && etag.ptr[0] == '"'));
    if (!is)
        return 0;
    ern_request_init(&r, fields, 4);
    while (text.len && r.fields_n < 4) {
        struct ern_slice line = slice_trim(take_line(&text));

        for (int strong = 0; strong < 2; strong++)
            clean &= naive_in(line, etag, strong, &found[strong]);
        check(ern_request_add(&r, ERN_SLICE("If-None-Match"), line));
    }
    for (int strong = 0; strong < 2; strong++) {
        in[strong] = etag_in(&r, ERN_FIELD_if_none_match, etag, strong);
        check(!clean || in[strong] == found[strong]);
    }
    check(!in[1] || in[0]);
    return 0;
}
