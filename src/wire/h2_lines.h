/* SPDX-License-Identifier: Apache-2.0 */
/* h2_lines.h - field lines that we have written, as nghttp2 wants them. */
#ifndef WIRE_H2_LINES_H
#define WIRE_H2_LINES_H

#include <nghttp2/nghttp2.h>

#include "base/out.h"

/* The next line from *at on, its name in lower case: changed where it stands. Sets all of the pair
 * but its flags. Returns false at the end: of the lines, or before an empty one. */
bool h2_next_line(struct out *lines, size_t *at, nghttp2_nv *ret_nv);

/* Is it a field that only HTTP/1.1 has (RFC 9113 8.2.2)? name: in lower case */
bool h2_is_of_connection(struct ern_slice name);

#endif
