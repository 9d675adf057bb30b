/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_H1_WRITE_H
#define WIRE_H1_WRITE_H

#include "base/out.h"

/* Writes the status line, with the registered phrase, or none for a code without one. */
void h1_write_status(struct out *o, uint16_t status);

/* Writes one field line. The value is ours, or was read by the strict parser: it has no CR or LF.
 */
void h1_write_field(struct out *o, struct ern_slice name, struct ern_slice value);
void h1_write_field_u64(struct out *o, struct ern_slice name, uint64_t value);

/* Most bytes that a chunk has besides its data, at its beginning and at its end. */
enum { H1_CHUNK_BEFORE = 10, H1_CHUNK_AFTER = 2 };

/*
 * Makes a chunk of n bytes at piece + H1_CHUNK_BEFORE, n at most UINT32_MAX, writing around them.
 * Returns the chunk; n = 0 gives the last chunk, with an empty trailer section.
 */
struct ern_slice h1_write_chunk(char *piece, size_t n);

#endif
