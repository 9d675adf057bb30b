/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - links to servers behind us, which become paths of ours. */
#ifndef PACK_LINK_H
#define PACK_LINK_H

#include "base/out.h"

struct link_origins {
    const struct ern_slice *authorities; /* of http and https, and of links without a scheme */
    unsigned n;                          /* 0: all links are of others */
};

/* What of a URL comes after an authority that is one of the origins; absent: it is elsewhere. White
 * space before it is passed over. */
struct ern_slice link_path(const struct link_origins *origins, struct ern_slice url);

/* Writes what such a path needs before it to be one, at most two bytes. */
void link_write_slash(struct out *o, struct ern_slice path);

/* Takes a candidate off the front of the value of a srcset (HTML, 4.8.4.2.1). ret_url is within it.
 * Returns false if there is none left. */
bool link_candidate_next(struct ern_slice *rest, struct ern_slice *ret_url);

#endif
