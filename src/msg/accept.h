/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h - how much a request likes a representation: qualities in thousandths (RFC 9110 12.4.2).
 */
#ifndef MSG_ACCEPT_H
#define MSG_ACCEPT_H

#include "earnest/message.h"

/*
 * Each returns 0 (not acceptable) to 1000, and 1000 when the field is absent or has no well-formed
 * member. The most specific matching member decides, of equal ones the one with the greater weight.
 * A member that is malformed is passed over; a malformed weight counts as 1.
 */

/* Accept (RFC 9110 12.5.1). type is a media type, its parameters included. */
unsigned accept_type(const struct ern_request *request, struct ern_slice type);

/* The same of n types, at most ACCEPT_TYPES_MAX, in one reading of the field. */
enum { ACCEPT_TYPES_MAX = 8 };
void accept_types(const struct ern_request *request, const struct ern_slice *types, unsigned n,
                  unsigned *ret_qualities);

/*
 * Accept-Encoding (RFC 9110 12.5.3). coding is "gzip", "br" ..., or "identity", which is acceptable
 * unless excluded by "identity;q=0" or by "*;q=0" without an identity member; x-gzip is gzip
 * and x-compress is compress (8.4.1). A coding that is listed was asked for, so identity, where
 * only the default speaks for it, comes a thousandth after the least acceptable one of the list.
 * Without the field every coding is acceptable; with an empty one, identity alone.
 */
unsigned accept_coding(const struct ern_request *request, struct ern_slice coding);

/*
 * Accept-Language (RFC 9110 12.5.4) by basic filtering (RFC 4647 3.3.1). tag as in "bn-BD".
 * Of an absent tag, a representation in no particular language, only a member "*" can speak, and it
 * can make it less wanted but not exclude it: the result is 1 to 1000.
 */
unsigned accept_language(const struct ern_request *request, struct ern_slice tag);

/* Is it a language-range, "*" or as in "bn-BD" (RFC 4647 2.1)? */
bool language_range_is(struct ern_slice range);

/* Does the range match the tag by basic filtering: "en" does "en-GB"? An absent tag, "*" alone. */
bool language_range_matches(struct ern_slice range, struct ern_slice tag);

/*
 * The same with lookup (RFC 4647 3.4) for a range that matches nothing there is: cut short, subtag
 * by subtag, until something is found, "bn-BD" finds "bn", and speaks of it when nothing else does.
 *   tags         of the representation: one, or a list of which the best counts
 *   all, all_n   those of all there are to choose from
 */
unsigned accept_language_lookup(const struct ern_request *request, struct ern_slice tags,
                                const struct ern_slice *all, size_t all_n);

/* Reads a member that is a name and a weight, as in Accept-Encoding; a malformed weight counts
 * as 1. Returns false if it is none. */
bool weighted_read(struct ern_slice member, struct ern_slice *ret_name, unsigned *ret_quality);

struct accepted {
    unsigned quality;
    bool definite; /* a member said so that is no wildcard (RFC 2296 3.4) */
};

/* What the remote variant selection algorithm asks. charset is compared in any case; tags is one
 * language tag, or a list of which the best counts, by filtering alone. */
struct accepted accepted_type(const struct ern_request *request, struct ern_slice type);
struct accepted accepted_charset(const struct ern_request *request, struct ern_slice charset);
struct accepted accepted_language(const struct ern_request *request, struct ern_slice tags);

#endif
