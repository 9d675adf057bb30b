/* SPDX-License-Identifier: Apache-2.0 */
/* h1_parts.h - what the readers of both kinds of head share: h1.c, h1_answer.c,
 * cgi_answer.c. */
#ifndef WIRE_H1_PARTS_H
#define WIRE_H1_PARTS_H

#include "wire/h1.h"

/* Is this a status that an answer can have? 306 is reserved, and has no meaning (RFC 9110 15.4.7).
 */
bool h1_is_status(unsigned status);

/* Keeps what is wrong, at which offset. Returns PARSE_BAD. */
enum parse h1_bad(struct h1_head *head, enum finding finding, size_t at, struct ern_slice field);

/* A CR came where a line may end, at offset cr. Is it followed by LF? */
enum parse h1_line_end(struct h1_head *head, struct ern_slice bytes, size_t cr);

/* Reads field lines, from head->at up to and with the empty line after them. */
enum parse h1_fields_feed(struct h1_head *head, struct ern_slice bytes,
                          struct ern_request *message);

#endif
