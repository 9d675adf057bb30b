/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_DATE_H
#define MSG_DATE_H

#include "base/out.h"
#include "earnest/message.h"

enum { DATE_BYTES = 29 }; /* of an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT" */

/*
 * Parses an HTTP-date in any of its three forms (RFC 9110 5.6.7).
 *   text        the field value, trimmed
 *   now_s       the current time, to place two-digit years (not more than 50 years ahead)
 *   ret_time_s  seconds since 1970-01-01T00:00:00Z; written on success only
 * Returns false if it is none: the caller then treats the field as absent (RFC 9110 13.1.3).
 * The name of the day must be one, but need not be right.
 */
ERN_MUST_USE bool date_parse(struct ern_slice text, int64_t now_s, int64_t *ret_time_s);

/*
 * Reads a field that is one HTTP-date. Returns false if there is none, if it is malformed, and if
 * it is repeated with another value (RFC 9110 13.1.3: more than one member).
 */
ERN_MUST_USE bool date_field(const struct ern_request *request, enum ern_field_id id, int64_t now_s,
                             int64_t *ret_time_s);

/* Writes an IMF-fixdate; years 1970 to 9999. */
void date_write(struct out *o, int64_t time_s);

#endif
