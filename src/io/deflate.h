/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate.h - messages compressed one at a time (raw DEFLATE, RFC 1951), each ended on a byte, with
 * a window that may reach back into the messages before: what permessage-deflate needs
 * (RFC 7692 7.2). Output is bounded by the caller's memory, whatever the input promises.
 */
#ifndef IO_DEFLATE_H
#define IO_DEFLATE_H

#include "base/out.h"

enum { DEFLATE_WINDOW_MIN = 9, INFLATE_WINDOW_MIN = 8, DEFLATE_WINDOW_MAX = 15 };

/*
 * Memory of each: 2^(window_bits + 3) bytes to deflate, 2^window_bits and 10 KiB to inflate.
 *   window_bits   2^window_bits is how far back a message may refer
 *   keeps         may it refer to messages before it?
 * Return NULL when there is no memory.
 */
struct deflater *deflater_new(unsigned window_bits, bool keeps);
struct inflater *inflater_new(unsigned window_bits, bool keeps);
void deflater_free(struct deflater *d); /* NULL does nothing, here and below */
void inflater_free(struct inflater *f);

/* Room that a message of n bytes needs at most. */
size_t deflater_bound(struct deflater *d, size_t n);

/*
 * Writes a message compressed. Returns false if it does not fit into *o, which is then full; the
 * next message refers to none before it.
 */
bool deflater_message(struct deflater *d, struct ern_slice message, struct out *o);

enum inflated {
    INFLATED,
    INFLATE_TOO_BIG, /* the message does not fit into *o */
    INFLATE_WRONG,   /* it is no compressed message, or not a whole one */
    INFLATE_BROKE,   /* no memory */
};

/* Writes a message that was compressed. After anything but INFLATED the inflater is of no use. */
enum inflated inflater_message(struct inflater *f, struct ern_slice compressed, struct out *o);

#endif
