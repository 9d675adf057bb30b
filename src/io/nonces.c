/* SPDX-License-Identifier: Apache-2.0 */
#include "io/nonces.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/num.h"
#include "base/slice.h"
#include "io/crypto.h"

/*
 * Nonces are numbered as they are made. What was used of one lies in the slot that the lower bits
 * of its number choose; the upper bits, its round, say whose the slot is. A slot is one word: the
 * round, the largest count, and of the counts before that which were used, for HTTP/2 brings
 * requests out of order; a count of 0 is an empty slot. A newer round takes the slot, an older one
 * never gets it back: what can not be told any more counts as used.
 */
enum {
    SLOT_BITS = 14,
    ROUND_BITS = 32 - SLOT_BITS,
    COUNT_BITS = 20,
    BEFORE_BITS = 64 - ROUND_BITS - COUNT_BITS,
    NUMBER_DIGITS = 8, /* hexadecimal, of number and of time */
    MAC_DIGITS = 32,   /* of it so much is sent */
};

_Static_assert(NONCE_BYTES == 2 * NUMBER_DIGITS + MAC_DIGITS, "a nonce fits");

struct nonces {
    unsigned char key[CRYPTO_BYTES];
    atomic_uint_least32_t made;
    _Atomic uint64_t slots[1 << SLOT_BITS];
};

struct slot {
    uint32_t round, count, before; /* before: bit i is the count count - 1 - i */
};

struct nonces *
nonces_new(void)
{
    struct nonces *n = calloc(1, sizeof *n);

    if (n && getrandom(n->key, sizeof n->key, 0) != sizeof n->key) {
        free(n);
        return NULL;
    }
    return n;
}

void
nonces_free(struct nonces *n)
{
    free(n);
}

static void
write_digits(struct out *o, uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        out_char(o, "0123456789abcdef"[value >> shift & 15]);
}

static void
write_mac(const struct nonces *n, struct ern_slice text, struct out *o)
{
    unsigned char mac[CRYPTO_BYTES];

    crypto_mac(slice_from((const char *)n->key, sizeof n->key), text, mac);
    out_hex_bytes(o, mac, MAC_DIGITS / 2);
}

void
nonces_write(struct nonces *n, int64_t now_s, struct out *o)
{
    size_t begin = o->len;

    write_digits(o, atomic_fetch_add(&n->made, 1));
    write_digits(o, (uint32_t)now_s);
    write_mac(n, slice_skip(out_done(o), begin), o);
}

static uint32_t
read_digits(struct ern_slice text)
{
    uint32_t value = 0;

    for (size_t i = 0; i < NUMBER_DIGITS; i++)
        value = value << 4 | (uint32_t)hex_value(text.ptr[i]);
    return value;
}

bool
nonces_read(const struct nonces *n, struct ern_slice text, int64_t now_s, struct nonce *ret)
{
    char memory[MAC_DIGITS];
    struct out mac = out_init(memory, sizeof memory);

    if (text.len != NONCE_BYTES)
        return false;
    write_mac(n, slice_first(text, 2 * NUMBER_DIGITS), &mac);
    if (!crypto_same(memory, text.ptr + 2 * NUMBER_DIGITS, MAC_DIGITS))
        return false;
    ret->number = read_digits(text);
    ret->age_s = (uint32_t)now_s - read_digits(slice_skip(text, NUMBER_DIGITS));
    return true;
}

static struct slot
slot_from(uint64_t word)
{
    return (struct slot){
        .round = (uint32_t)(word >> (COUNT_BITS + BEFORE_BITS)),
        .count = (uint32_t)(word >> BEFORE_BITS) & ((1U << COUNT_BITS) - 1),
        .before = (uint32_t)(word & ((1U << BEFORE_BITS) - 1)),
    };
}

static uint64_t
slot_word(struct slot s)
{
    return ((uint64_t)s.round << COUNT_BITS | s.count) << BEFORE_BITS |
           (s.before & ((1U << BEFORE_BITS) - 1));
}

/* Adds a count. Returns false if it is there, or may be. */
static bool
add(struct slot *s, uint32_t round, uint32_t count)
{
    uint32_t newer = (round - s->round) & ((1U << ROUND_BITS) - 1), ahead, behind;

    if (newer >> (ROUND_BITS - 1) && s->count > 0) /* numbers begin again after the last */
        return false;
    if (newer)
        *s = (struct slot){.round = round};
    if (count > s->count) {
        ahead = count - s->count;
        s->before = ahead > BEFORE_BITS ? 0 : s->before << ahead;
        if (s->count > 0 && ahead <= BEFORE_BITS)
            s->before |= 1U << (ahead - 1);
        s->count = count;
        return true;
    }
    behind = s->count - count;
    if (behind == 0 || behind > BEFORE_BITS || s->before >> (behind - 1) & 1)
        return false;
    s->before |= 1U << (behind - 1);
    return true;
}

bool
nonces_use(struct nonces *n, uint32_t number, uint32_t count)
{
    _Atomic uint64_t *word = &n->slots[number & ((1U << SLOT_BITS) - 1)];
    uint64_t before = atomic_load(word);
    struct slot slot;

    if (count == 0 || count >> COUNT_BITS)
        return false;
    do {
        slot = slot_from(before);
        if (!add(&slot, number >> SLOT_BITS, count))
            return false;
    } while (!atomic_compare_exchange_weak(word, &before, slot_word(slot)));
    return true;
}
