/* SPDX-License-Identifier: Apache-2.0 */
#include "res/live_filter.h"

#include "base/chars.h"
#include "base/num.h"

enum { FIRST = ERN_100_CONTINUE, VALUE_MAX = 2048 };

void
live_filter_init(struct live_filter *f)
{
    f->path_len = 0;
    memset(f->statuses, 0xff, sizeof f->statuses);
}

bool
live_filter_path(struct live_filter *f, struct ern_slice path)
{
    if (path.len == 0 || path.len > sizeof f->path || path.ptr[0] != '/')
        return false;
    memcpy(f->path, path.ptr, path.len);
    f->path_len = path.len;
    return true;
}

static bool
has_status(const struct live_filter *f, unsigned place)
{
    return f->statuses[place / 64] >> place % 64 & 1;
}

/* "201", or "4xx" */
static bool
add_statuses(struct live_filter *f, struct ern_slice text)
{
    struct ern_slice digits = slice_first(text, slice_find(text, 'x'));
    bool is_class = digits.len == 1 && slice_eq(slice_skip(text, 1), ERN_SLICE("xx"));
    uint64_t first;

    if (text.len != 3 || (!is_class && digits.len != 3) || !u64_parse(digits, UINT16_MAX, &first))
        return false;
    first = is_class ? first * LIVE_CLASS : first;
    if (first < FIRST || first >= FIRST + LIVE_STATUSES)
        return false;
    for (unsigned i = 0; i < (is_class ? LIVE_CLASS : 1); i++) {
        unsigned place = (unsigned)first - FIRST + i;

        f->statuses[place / 64] |= UINT64_C(1) << place % 64;
    }
    return true;
}

bool
live_filter_statuses(struct live_filter *f, struct ern_slice list)
{
    memset(f->statuses, 0, sizeof f->statuses);
    for (;;) {
        size_t comma = slice_find(list, ',');

        if (!add_statuses(f, slice_trim(slice_first(list, comma))))
            return false;
        if (comma == list.len)
            return true;
        list = slice_skip(list, comma + 1);
    }
}

/* Writes a value of a form without its coding. Returns false if that is malformed. */
static bool
decode(struct ern_slice text, struct out *o)
{
    for (size_t i = 0; i < text.len; i++) {
        int high, low;

        if (text.ptr[i] != '%') {
            out_char(o, text.ptr[i] == '+' ? ' ' : text.ptr[i]);
            continue;
        }
        high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        out_char(o, (char)(high << 4 | low));
        i += 2;
    }
    return !o->full;
}

bool
live_filter_query(struct live_filter *ret, struct ern_slice query)
{
    live_filter_init(ret);
    while (query.len) {
        struct ern_slice pair = slice_first(query, slice_find(query, '&'));
        size_t equals = slice_find(pair, '=');
        struct ern_slice name = slice_first(pair, equals);
        char memory[VALUE_MAX];
        struct out value = out_init(memory, sizeof memory);

        if (equals == pair.len || !decode(slice_skip(pair, equals + 1), &value))
            return false;
        if (!(slice_eq(name, ERN_SLICE("path"))     ? live_filter_path(ret, out_done(&value))
              : slice_eq(name, ERN_SLICE("status")) ? live_filter_statuses(ret, out_done(&value))
                                                    : false))
            return false;
        query = slice_skip(query, pair.len < query.len ? pair.len + 1 : pair.len);
    }
    return true;
}

bool
live_filter_wants(const struct live_filter *f, struct ern_slice path, unsigned status)
{
    return status >= FIRST && status < FIRST + LIVE_STATUSES && has_status(f, status - FIRST) &&
           slice_starts(path, slice_from(f->path, f->path_len));
}

static bool
has_class(const struct live_filter *f, unsigned first)
{
    for (unsigned i = 0; i < LIVE_CLASS; i++)
        if (!has_status(f, first + i))
            return false;
    return true;
}

void
live_filter_write_statuses(struct out *o, const struct live_filter *f)
{
    const char *between = "";

    for (unsigned place = 0; place < LIVE_STATUSES; place++) {
        bool is_class = place % LIVE_CLASS == 0 && has_class(f, place);

        if (!has_status(f, place))
            continue;
        out_text(o, between);
        out_u64(o, is_class ? (place + FIRST) / LIVE_CLASS : place + FIRST);
        if (is_class) {
            out_literal(o, "xx");
            place += LIVE_CLASS - 1;
        }
        between = ",";
    }
}
