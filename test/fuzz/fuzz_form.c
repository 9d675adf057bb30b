/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form. The first line is the boundary, the rest the content, which is read in both types.
 * urlencoded: names and values, decoded and encoded again, are read as the same. multipart: parts
 * stand in the content in order; joined again, with the same boundary, they are the same parts.
 */
#include <stdlib.h>

#include "msg/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 4096, PARTS_MAX = 64 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct ern_slice
decode(struct ern_slice encoded, char *room)
{
    struct out o = out_init(room, encoded.len);

    urlencoded_write(&o, encoded);
    check(!o.full);
    return out_done(&o);
}

static void
encode(struct out *o, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];

        out_char(o, '%');
        out_char(o, "0123456789abcdef"[byte >> 4]);
        out_char(o, "0123456789ABCDEF"[byte & 15]);
    }
}

static void
check_urlencoded(struct ern_slice text)
{
    static char room[2][BYTES_MAX], again_room[2][BYTES_MAX], buffer[8 * BYTES_MAX];
    struct out o = out_init(buffer, sizeof buffer);
    struct ern_slice rest = text, again, name, value, again_name, again_value;

    while (urlencoded_next(&rest, &name, &value)) {
        encode(&o, decode(name, room[0]));
        out_char(&o, '=');
        encode(&o, decode(value, room[1]));
        out_literal(&o, "&&");
    }
    check(!o.full && rest.len == 0);
    again = out_done(&o);
    while (urlencoded_next(&text, &name, &value)) {
        check(urlencoded_next(&again, &again_name, &again_value));
        check(slice_eq(decode(name, room[0]), decode(again_name, again_room[0])));
        check(slice_eq(decode(value, room[1]), decode(again_value, again_room[1])));
    }
    check(!urlencoded_next(&again, &again_name, &again_value));
}

static void
check_head(struct ern_slice head)
{
    static char room[BYTES_MAX];
    struct out o = out_init(room, sizeof room);
    struct form_part part;

    if (!form_part_read(head, &part))
        return;
    check(slice_is_there(part.name));
    form_part_write(&o, part.name);
    check(!o.full && o.len <= part.name.len);
}

static void
check_multipart(struct ern_slice boundary, struct ern_slice content)
{
    static char buffer[2 * BYTES_MAX + PARTS_MAX * 80];
    struct out o = out_init(buffer, sizeof buffer);
    struct multipart_part parts[PARTS_MAX], again;
    enum multipart_step step = MULTIPART_BAD;
    const char *at = content.ptr;
    struct multipart m;
    size_t n = 0;

    if (!multipart_begin(&m, content, boundary))
        return;
    while (n < PARTS_MAX && (step = multipart_next(&m, &parts[n])) == MULTIPART_PART) {
        check(parts[n].head.ptr >= at);
        check(parts[n].content.ptr >= parts[n].head.ptr + parts[n].head.len);
        at = parts[n].content.ptr + parts[n].content.len;
        check(at <= content.ptr + content.len);
        check_head(parts[n++].head);
    }
    if (step != MULTIPART_END)
        return;
    for (size_t i = 0; i < n; i++) {
        out_literal(&o, "\r\n--");
        out_slice(&o, boundary);
        out_literal(&o, "\t\r\n");
        out_slice(&o, parts[i].head);
        out_text(&o, parts[i].head.len ? "\r\n\r\n" : "\r\n");
        out_slice(&o, parts[i].content);
    }
    out_literal(&o, "\r\n--");
    out_slice(&o, boundary);
    out_literal(&o, "-- \r\nnobody's");
    check(!o.full);
    check(multipart_begin(&m, out_done(&o), boundary));
    for (size_t i = 0; i < n; i++) {
        check(multipart_next(&m, &again) == MULTIPART_PART);
        check(slice_eq(again.head, parts[i].head));
        check(slice_eq(again.content, parts[i].content));
    }
    check(multipart_next(&m, &again) == MULTIPART_END);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = slice_from((const char *)data, size), type, boundary;
    size_t n = slice_find(text, '\n');
    char buffer[256];
    struct out o = out_init(buffer, sizeof buffer);

    if (size > BYTES_MAX)
        return 0;
    check_urlencoded(text);
    if (n == size)
        return 0;
    out_literal(&o, "multipart/form-data; boundary=\"");
    out_slice(&o, slice_first(text, n));
    out_literal(&o, "\"");
    type = out_done(&o);
    if (!o.full && multipart_boundary(type, &boundary))
        check_multipart(boundary, slice_skip(text, n + 1));
    return 0;
}
