/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding.h - the content codings gzip, br and zstd (RFC 1952, 7932, 8878): bytes in, bytes out, in
 * pieces of any size.
 */
#ifndef PACK_CODING_H
#define PACK_CODING_H

#include "base/out.h"

enum coding { CODING_BR, CODING_ZSTD, CODING_GZIP, CODINGS };

/* As in Content-Encoding. */
struct ern_slice coding_name(enum coding coding);

/* The coding of that name in any case; x-gzip is gzip (RFC 9110 8.4.1.3). CODINGS if it is none. */
enum coding coding_find(struct ern_slice name);

struct encoder;
struct decoder;

/*
 * Encoders that wait for the next content, of any thread: one that is free again goes there.
 *   spare_max  so many of each coding wait at most: 0 to 2^31
 *   bytes_max  bytes: what one that waits may hold; larger ones go back to the system
 * NULL without memory.
 */
struct encoders *encoders_new(int64_t spare_max, int64_t bytes_max);

/* When all of them are free. NULL is fine. */
void encoders_free(struct encoders *encoders);

/* Every while: gives back those that nobody needed since the last time. */
void encoders_trim(struct encoders *encoders);

/* How many wait now. */
unsigned encoders_waiting(struct encoders *encoders);

/*
 *   encoders  where it comes from and goes back to; NULL: from the system and to it
 *   level     how hard it tries, 1 to 9; each coding has its own measure
 * NULL without memory.
 */
struct encoder *encoder_new(struct encoders *encoders, enum coding coding, unsigned level);

/* Before its first content: there will be so many bytes of it. It then takes no more memory than
 * these need. */
void encoder_expect(struct encoder *encoder, uint64_t bytes);

/* ENCODER_ROOM bytes of its own, for content that is to be coded and has no other place. */
enum { ENCODER_ROOM = 1 << 14 };
char *encoder_room(struct encoder *encoder);

struct decoder *decoder_new(enum coding coding);
void encoder_free(struct encoder *encoder); /* NULL is fine, here and below */
void decoder_free(struct decoder *decoder);

/*
 * Takes bytes off the front of *in and writes what comes of them, as far as o has room; o is never
 * full afterwards. Call it again while there is something in *in, or o has no room left.
 *   last      no more comes after *in
 *   ret_end   all is written
 * Returns 0, or -ENOMEM.
 */
ERN_MUST_USE int encoder_run(struct encoder *encoder, struct ern_slice *in, bool last,
                             struct out *o, bool *ret_end);

/*
 * The other way. ret_end: the coded content has ended; what is left in *in is none of it.
 * Returns 0, -EINVAL if it is not what it should be, or -ENOMEM.
 */
ERN_MUST_USE int decoder_run(struct decoder *decoder, struct ern_slice *in, struct out *o,
                             bool *ret_end);

/* Writes all of content, coded. Returns 0; -ENOSPC if it does not fit, -ENOMEM. */
ERN_MUST_USE int coding_write(enum coding coding, unsigned level, struct ern_slice content,
                              struct out *o);

#endif
