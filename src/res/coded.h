/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coded.h - content coded while it is sent, for files that have no coded sibling; what was coded
 * whole stays with the file's entry, as long as that is right.
 */
#ifndef RES_CODED_H
#define RES_CODED_H

#include "pack/coding.h"
#include "res/cache.h"
#include "res/res.h"

/*
 * The coding that a request likes as well as the file as it is, or better; CODINGS if there is
 * none, or the client wants nothing done to the content (RFC 9111 5.2.1.6).
 */
enum coding coded_choose(const struct ern_request *request);

/*
 * Makes the file of an entry in that coding the representation: from memory if it was coded before,
 * else a stream, by one of the encoders. The entry is pinned by the request.
 * Returns false without memory.
 */
ERN_MUST_USE bool coded_represent(struct ern_decision *decision, struct entry *entry,
                                  enum coding coding, struct cache *cache,
                                  struct encoders *encoders);

#endif
