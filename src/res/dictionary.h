/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dictionary.h - files compressed with what the client has of before (RFC 9842): a past version of
 * the same file, or a file that the route names.
 */
#ifndef RES_DICTIONARY_H
#define RES_DICTIONARY_H

#include "res/cache.h"
#include "res/res.h"

/*
 * Makes the file of an entry, compressed with the dictionary that the request says it has, the
 * representation. The entry is pinned by the request, and its representation is the file as it is.
 * Returns ERN_YES; ERN_NO if it is not wanted so, not kept, or not smaller; ERN_WAIT while the pool
 * works it out: then ask again; or ERN_FAIL.
 */
enum ern_answer dictionary_represent(struct ern_decision *decision, struct entry *entry,
                                     struct cache *cache);

/* May the file be one itself, and for which requests? Writes the field that says so (RFC 9842 2.1),
 * or nothing. It takes at most DICTIONARY_BYTES and the length of both paths. */
enum { DICTIONARY_BYTES = 32 };
void dictionary_write_field(struct out *o, const struct entry *entry);

#endif
