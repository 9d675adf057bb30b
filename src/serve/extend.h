/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extend.h - the HTTP Extension Framework (RFC 2774), with one extension: a price that the client
 * agrees to (doc/adr/0014).
 *
 *   M-GET /report HTTP/1.1
 *   Man: "urn:uuid:1c615cb3-9e49-4770-a82f-04292b9dc7b1"; ns=16
 *   16-Price-Max: 3
 *
 * It is fulfilled if the answer costs at most so many credits: a server that does not know the
 * extension, or asks for more, answers 510 and takes nothing.
 */
#ifndef SERVE_EXTEND_H
#define SERVE_EXTEND_H

#include "base/out.h"
#include "code/language.h"

#define EXTEND_PRICE "urn:uuid:1c615cb3-9e49-4770-a82f-04292b9dc7b1"

struct exchange;

/* What the declarations of a request that were understood are, by how far they go. */
struct extend {
    bool end_to_end, hop_by_hop;
};

/* States whether the request carries the extensions that are needed, and no unknown one. */
void extend_admit(struct exchange *exchange);

/* Adds to the sentence of a 510 what the client needs to ask again (RFC 2774 7). */
void extend_tell(const struct exchange *exchange, struct out *o);

/* Writes the fields that say that it was fulfilled, if it was (RFC 2774 5.1). */
void extend_write(const struct exchange *exchange, struct out *o);

#endif
