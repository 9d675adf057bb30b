/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hints.h - what a page will ask for as soon as it is read: stylesheets, modules of scripts, and
 * what its own links preload or connect to. It is said beforehand, in Link (RFC 8297, RFC 8288).
 */
#ifndef PACK_HINTS_H
#define PACK_HINTS_H

#include "base/out.h"

/*
 * Writes the value of a field Link with what the page links to, each once, in its order; what does
 * not fit into o is left out. What can not be said for certain is not said: links of a page with
 * <base>, within <template> or <noscript>, for some media alone, with integrity or several sources,
 * and URLs with anything but visible ASCII.
 *   page  HTML, or as much of its beginning as is there
 * Returns how many links that are.
 */
unsigned hints_write(struct ern_slice page, struct out *o);

#endif
