/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgi_answer.h - the head that a CGI script writes (RFC 3875 6), over whatever it comes: bytes in,
 * an answer out. No I/O, no clock.
 *
 * Lines end with LF or CRLF (RFC 3875 6.2: NL); all else is as strict as h1.h is.
 */
#ifndef WIRE_CGI_ANSWER_H
#define WIRE_CGI_ANSWER_H

#include "wire/h1_answer.h"

/*
 * Reads on, as h1_answer_feed() does, after h1_answer_init(). On PARSE_DONE the status is the one
 * that Status says, or the one that RFC 3875 6.2 has where it says none; 0: the answer is what
 * Location, a path of this server, stands for (RFC 3875 6.2.2). The content ends with what it comes
 * by, or where Content-Length says.
 */
enum parse cgi_answer_feed(struct h1_answer *answer, struct ern_slice bytes,
                           enum ern_method method);

/* Is the field for the server, and no part of the answer (RFC 3875 6.3.3)? */
bool cgi_answer_is_ours(const struct ern_field *field);

#endif
