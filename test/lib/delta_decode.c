/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/delta_decode.h"

enum type { NOOP, ADD, RUN, COPY };

struct half {
    enum type type;
    unsigned size, mode;
};

struct code { /* an entry of the code table */
    struct half half[2];
};

/* RFC 3284 5.6, line by line. */
static void
make_table(struct code table[256])
{
    unsigned at = 0;

    memset(table, 0, 256 * sizeof *table);
    table[at++].half[0] = (struct half){RUN, 0, 0};
    for (unsigned size = 0; size <= 17; size++)
        table[at++].half[0] = (struct half){ADD, size, 0};
    for (unsigned mode = 0; mode <= 8; mode++) {
        table[at++].half[0] = (struct half){COPY, 0, mode};
        for (unsigned size = 4; size <= 18; size++)
            table[at++].half[0] = (struct half){COPY, size, mode};
    }
    for (unsigned mode = 0; mode <= 8; mode++) {
        for (unsigned add = 1; add <= 4; add++) {
            for (unsigned copy = 4; copy <= (mode < 6 ? 6U : 4U); copy++) {
                table[at].half[0] = (struct half){ADD, add, 0};
                table[at++].half[1] = (struct half){COPY, copy, mode};
            }
        }
    }
    for (unsigned mode = 0; mode <= 8; mode++) {
        table[at].half[0] = (struct half){COPY, 4, mode};
        table[at++].half[1] = (struct half){ADD, 1, 0};
    }
}

/* ---- bytes -----------------------------------------------------------------------------------*/

static bool
take_byte(struct ern_slice *from, unsigned *ret)
{
    if (from->len == 0)
        return false;
    *ret = (unsigned char)from->ptr[0];
    *from = slice_skip(*from, 1);
    return true;
}

static bool
take_bytes(struct ern_slice *from, size_t n, struct ern_slice *ret)
{
    if (from->len < n)
        return false;
    *ret = slice_first(*from, n);
    *from = slice_skip(*from, n);
    return true;
}

static bool
take_number(struct ern_slice *from, size_t *ret)
{
    unsigned byte;

    *ret = 0;
    do {
        if (!take_byte(from, &byte) || *ret >> 40)
            return false;
        *ret = *ret << 7 | (byte & 0x7f);
    } while (byte & 0x80);
    return true;
}

/* ---- VCDIFF ----------------------------------------------------------------------------------*/

struct window {
    struct ern_slice source, data, codes, addresses;
    size_t target_n; /* bytes that it makes, */
    size_t begin;    /* from here on in the output */
    size_t near[4], same[3 * 256], next;
};

static bool
take_address(struct window *w, size_t here, unsigned mode, size_t *ret)
{
    unsigned byte;

    if (mode >= 6) {
        if (!take_byte(&w->addresses, &byte))
            return false;
        *ret = w->same[(mode - 6) * 256 + byte];
    } else {
        if (!take_number(&w->addresses, ret))
            return false;
        if (mode == 1)
            *ret = here - *ret;
        else if (mode >= 2)
            *ret += w->near[mode - 2];
    }
    w->near[w->next] = *ret;
    w->next = (w->next + 1) % 4;
    w->same[*ret % (3 * 256)] = *ret;
    return *ret < here;
}

static bool
run_half(struct window *w, const struct half *half, struct out *o)
{
    size_t n = half->size, made = o->len - w->begin, at;
    struct ern_slice bytes;

    if (half->type == NOOP)
        return true;
    if (n == 0 && !take_number(&w->codes, &n))
        return false;
    if (n > w->target_n - made)
        return false;
    if (half->type == ADD) {
        if (!take_bytes(&w->data, n, &bytes))
            return false;
        out_slice(o, bytes);
        return !o->full;
    }
    if (half->type == RUN && !take_bytes(&w->data, 1, &bytes))
        return false;
    if (half->type == COPY && !take_address(w, w->source.len + made, half->mode, &at))
        return false;
    for (; n; n--) {
        if (half->type == RUN)
            out_char(o, bytes.ptr[0]);
        else if (at < w->source.len)
            out_char(o, w->source.ptr[at++]);
        else
            out_char(o, o->ptr[w->begin + at++ - w->source.len]);
    }
    return !o->full;
}

static bool
read_window(struct window *w, struct ern_slice base, struct ern_slice *delta)
{
    size_t n, source_n = 0, source_at = 0, lengths[3];
    unsigned indicator;
    struct ern_slice rest;

    memset(w, 0, sizeof *w);
    if (!take_byte(delta, &indicator) || indicator > 1)
        return false;
    if (indicator && (!take_number(delta, &source_n) || !take_number(delta, &source_at)))
        return false;
    if (source_at > base.len || source_n > base.len - source_at)
        return false;
    w->source = slice_first(slice_skip(base, source_at), source_n);
    if (!take_number(delta, &n) || !take_bytes(delta, n, &rest) ||
        !take_number(&rest, &w->target_n) || !take_byte(&rest, &indicator) || indicator)
        return false;
    for (unsigned i = 0; i < 3; i++)
        if (!take_number(&rest, &lengths[i]))
            return false;
    return take_bytes(&rest, lengths[0], &w->data) && take_bytes(&rest, lengths[1], &w->codes) &&
           take_bytes(&rest, lengths[2], &w->addresses) && rest.len == 0;
}

bool
vcdiff_decode(struct ern_slice base, struct ern_slice delta, struct out *o)
{
    struct code table[256];
    struct ern_slice header;
    struct window w;
    unsigned code;

    make_table(table);
    if (!take_bytes(&delta, 5, &header) || !slice_eq(header, slice_from("\xd6\xc3\xc4\x00\x00", 5)))
        return false;
    while (delta.len) {
        if (!read_window(&w, base, &delta))
            return false;
        w.begin = o->len;
        while (take_byte(&w.codes, &code))
            if (!run_half(&w, &table[code].half[0], o) || !run_half(&w, &table[code].half[1], o))
                return false;
        if (o->len - w.begin != w.target_n || w.data.len || w.addresses.len)
            return false;
    }
    return true;
}

/* ---- GDIFF -----------------------------------------------------------------------------------*/

static bool
take_int(struct ern_slice *from, unsigned bytes, size_t *ret)
{
    unsigned byte;

    for (*ret = 0; bytes; bytes--) {
        if (!take_byte(from, &byte))
            return false;
        *ret = *ret << 8 | byte;
    }
    return true;
}

bool
gdiff_decode(struct ern_slice base, struct ern_slice delta, struct out *o)
{
    static const struct {
        unsigned at, n; /* bytes of the position and of the length; at 0: of data */
    } forms[] = {{0, 2}, {0, 4}, {2, 1}, {2, 2}, {2, 4}, {4, 1}, {4, 2}, {4, 4}, {8, 4}};
    struct ern_slice part;
    unsigned command;
    size_t at = 0, n;

    if (!take_bytes(&delta, 5, &part) || !slice_eq(part, slice_from("\xd1\xff\xd1\xff\x04", 5)))
        return false;
    while (take_byte(&delta, &command) && command) {
        bool copies = command >= 249;

        n = command;
        if (copies && !take_int(&delta, forms[command - 247].at, &at))
            return false;
        if (command >= 247 && !take_int(&delta, forms[command - 247].n, &n))
            return false;
        if (copies && (at > base.len || n > base.len - at))
            return false;
        if (!copies && !take_bytes(&delta, n, &part))
            return false;
        out_slice(o, copies ? slice_from(base.ptr + at, n) : part);
        if (o->full)
            return false;
    }
    return command == 0 && delta.len == 0;
}
