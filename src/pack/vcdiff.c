/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/vcdiff.h"

#include <errno.h>
#include <stdlib.h>

#include "pack/match.h"

/* RFC 3284 4.1, 4.2, 4.3 */
#define MAGIC "\xd6\xc3\xc4\x00"
enum { HEADER_PLAIN = 0, WINDOW_SOURCE = 1, DELTA_PLAIN = 0 };

enum {
    WINDOW_BYTES = 1 << 22, /* of the target: what decoders are glad to keep in memory */
    /* the address cache: RFC 3284 5.1 */
    NEAR = 4,
    SAME = 3,
    SAME_SLOTS = SAME * 256,
    MODE_SELF = 0,
    MODE_HERE = 1,
    MODE_NEAR = 2,
    MODE_SAME = MODE_NEAR + NEAR,
    /* the default code table: RFC 3284 5.6 */
    CODE_ADD = 1, /* its size follows; then those of 1 to ADD_MAX */
    ADD_MAX = 17,
    CODE_COPY = 19, /* in each mode: its size follows; then those of COPY_MIN to COPY_MAX */
    COPY_MIN = 4,
    COPY_MAX = 18,
    COPIES = 1 + COPY_MAX - COPY_MIN + 1,
    CODE_ADD_COPY = 163,      /* adds of up to 4 with copies of 4 to 6, of modes up to near */
    CODE_ADD_COPY_SAME = 235, /* and with copies of 4, of the modes of same */
    PAIR_ADD_MAX = 4,
    PAIR_COPY_MAX = 6,
    NUMBER_BYTES = 10,
};

struct window {
    size_t source;           /* bytes of the base */
    struct ern_slice target; /* of this window */
    size_t done;             /* of it, by instructions before */
    size_t added;            /* by an instruction that is not written yet: it may make a pair */
    size_t near[NEAR];
    size_t same[SAME_SLOTS];
    unsigned next_near;
    struct out data, codes, addresses;
};

/* Integers: base 128, the highest digits first (RFC 3284 2). */
static void
put_number(struct out *o, size_t n)
{
    char digits[NUMBER_BYTES];
    unsigned i = NUMBER_BYTES;

    digits[--i] = (char)(n & 0x7f);
    while (n >>= 7)
        digits[--i] = (char)(0x80 | (n & 0x7f));
    out_slice(o, slice_from(digits + i, NUMBER_BYTES - i));
}

static size_t
number_bytes(size_t n)
{
    size_t bytes = 1;

    while (n >>= 7)
        bytes++;
    return bytes;
}

/* Writes the address in the mode that takes the fewest bytes, and returns the mode. */
static unsigned
put_address(struct window *w, size_t at)
{
    size_t here = w->source + w->done, best = number_bytes(at), value = at;
    size_t slot = at % SAME_SLOTS;
    unsigned mode = MODE_SELF;

    if (number_bytes(here - at) < best) {
        mode = MODE_HERE;
        value = here - at;
        best = number_bytes(value);
    }
    for (unsigned i = 0; i < NEAR; i++) {
        if (at >= w->near[i] && number_bytes(at - w->near[i]) < best) {
            mode = MODE_NEAR + i;
            value = at - w->near[i];
            best = number_bytes(value);
        }
    }
    if (best > 1 && w->same[slot] == at) {
        mode = MODE_SAME + (unsigned)(slot / 256);
        out_char(&w->addresses, (char)(slot % 256));
    } else {
        put_number(&w->addresses, value);
    }
    w->near[w->next_near] = at;
    w->next_near = (w->next_near + 1) % NEAR;
    w->same[slot] = at;
    return mode;
}

/* Writes the add that was held back. */
static void
flush_add(struct window *w)
{
    if (w->added == 0)
        return;
    out_char(&w->codes, (char)(w->added <= ADD_MAX ? CODE_ADD + w->added : CODE_ADD));
    if (w->added > ADD_MAX)
        put_number(&w->codes, w->added);
    w->added = 0;
}

/* Writes the add that was held back and a copy as one instruction, if there is such a pair. */
static bool
put_pair(struct window *w, unsigned mode, size_t n)
{
    size_t add = w->added - 1;

    if (w->added == 0 || w->added > PAIR_ADD_MAX || n < COPY_MIN)
        return false;
    if (mode < MODE_SAME && n <= PAIR_COPY_MAX)
        out_char(&w->codes, (char)(CODE_ADD_COPY + mode * 12 + add * 3 + (n - COPY_MIN)));
    else if (mode >= MODE_SAME && n == COPY_MIN)
        out_char(&w->codes, (char)(CODE_ADD_COPY_SAME + (mode - MODE_SAME) * 4 + add));
    else
        return false;
    w->added = 0;
    return true;
}

static bool
take(void *self, struct match_piece piece)
{
    struct window *w = self;
    unsigned mode, code;

    if (piece.copies) {
        mode = put_address(w, piece.at);
        if (!put_pair(w, mode, piece.n)) {
            bool fits = piece.n >= COPY_MIN && piece.n <= COPY_MAX;

            flush_add(w);
            code = CODE_COPY + mode * COPIES;
            out_char(&w->codes, (char)(fits ? code + 1 + (piece.n - COPY_MIN) : code));
            if (!fits)
                put_number(&w->codes, piece.n);
        }
    } else {
        flush_add(w);
        w->added = piece.n;
        out_slice(&w->data, slice_from(w->target.ptr + piece.at, piece.n));
    }
    w->done += piece.n;
    return !w->data.full && !w->codes.full && !w->addresses.full;
}

/* The window as it goes out: RFC 3284 4.2, 4.3. */
static void
put_window(const struct window *w, struct out *o)
{
    const struct out *sections[] = {&w->data, &w->codes, &w->addresses};
    size_t n = number_bytes(w->target.len) + 1;

    for (unsigned i = 0; i < 3; i++)
        n += number_bytes(sections[i]->len) + sections[i]->len;
    out_char(o, w->source ? WINDOW_SOURCE : 0);
    if (w->source) {
        put_number(o, w->source);
        put_number(o, 0); /* from its beginning */
    }
    put_number(o, n);
    put_number(o, w->target.len);
    out_char(o, DELTA_PLAIN);
    for (unsigned i = 0; i < 3; i++)
        put_number(o, sections[i]->len);
    for (unsigned i = 0; i < 3; i++)
        out_slice(o, out_done(sections[i]));
}

static int
write_window(struct window *w, struct ern_slice base, char *memory, size_t room, struct out *o)
{
    int error;

    memset(w->near, 0, sizeof w->near);
    memset(w->same, 0, sizeof w->same);
    w->next_near = 0;
    w->done = w->added = 0;
    w->data = out_init(memory, room);
    w->codes = out_init(memory + room, room);
    w->addresses = out_init(memory + 2 * room, room);
    error = match_walk(base, w->target, true, take, w);
    if (error)
        return error == -ECANCELED ? -ENOSPC : error;
    flush_add(w);
    if (w->codes.full)
        return -ENOSPC;
    put_window(w, o);
    return o->full ? -ENOSPC : 0;
}

int
vcdiff_write(struct ern_slice base, struct ern_slice target, struct out *o)
{
    size_t room = target.len < WINDOW_BYTES ? target.len : WINDOW_BYTES;
    struct window w;
    char *memory;
    int error = 0;

    room = (room < o->cap - o->len ? room : o->cap - o->len) + NUMBER_BYTES;
    memory = malloc(3 * room);
    if (!memory)
        return -ENOMEM;
    out_literal(o, MAGIC);
    out_char(o, HEADER_PLAIN);
    w.source = base.len;
    while (!error && target.len) {
        w.target = slice_first(target, target.len < WINDOW_BYTES ? target.len : WINDOW_BYTES);
        target = slice_skip(target, w.target.len);
        error = write_window(&w, base, memory, room, o);
    }
    free(memory);
    return !error && o->full ? -ENOSPC : error;
}
