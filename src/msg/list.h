/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_LIST_H
#define MSG_LIST_H

#include "earnest/message.h"

/*
 * Takes the next member of a #element list (RFC 9110 5.6.1) off the front of *list: up to a comma
 * that is not inside quotes, trimmed; empty members are passed over (5.6.1.2).
 * Returns false at the end of the list. A quoted-string that does not end takes all the rest.
 */
bool list_next(struct ern_slice *list, struct ern_slice *ret_member);

/* Is token, in any case, a member of the list field, which may stand on several lines? */
bool list_has(const struct ern_request *request, enum ern_field_id id, struct ern_slice token);

/*
 * Takes the next ";" name [ "=" value ] off the front of *parameters (RFC 9110 5.6.6), white space
 * allowed around ";", empty ones passed over. A quoted value comes without its quotes but with its
 * backslashes; without a value *ret_value is absent.
 * Returns false at the end, where *parameters is empty, and at the first thing that is no
 * parameter, where *parameters stays.
 */
bool parameter_next(struct ern_slice *parameters, struct ern_slice *ret_name,
                    struct ern_slice *ret_value);

/* The same without the ";" in front: false where no parameter stands, and *text stays. */
bool parameter_take(struct ern_slice *text, struct ern_slice *ret_name,
                    struct ern_slice *ret_value);

/* Writes a value from these with its backslashes resolved (RFC 9110 5.6.4). */
struct out;
void parameter_write(struct out *o, struct ern_slice value);

/* Are two such values the same, with backslashes resolved; in any case? */
bool parameter_same(struct ern_slice a, struct ern_slice b);
bool parameter_same_nocase(struct ern_slice a, struct ern_slice b);

/* Is the whole text a token (RFC 9110 5.6.2)? */
bool token_is(struct ern_slice text);

#endif
