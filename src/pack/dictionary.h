/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dictionary.h - content compressed with other content that the client has: the coding dcz (RFC
 * 9842 5). What the two have in common costs nearly nothing.
 */
#ifndef PACK_DICTIONARY_H
#define PACK_DICTIONARY_H

#include "base/out.h"
#include "pack/digest.h"

/*
 * Writes the content.
 *   digest  SHA-256 of the dictionary, by which the client knows it
 * Returns 0; -ENOSPC if it does not fit, -ENOMEM.
 */
ERN_MUST_USE int dictionary_write(struct ern_slice dictionary,
                                  const char digest[static DIGEST_SHA256_BYTES],
                                  struct ern_slice content, struct out *o);

#endif
