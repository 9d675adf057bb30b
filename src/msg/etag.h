/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_ETAG_H
#define MSG_ETAG_H

#include "earnest/message.h"

/* Is the whole text an entity-tag (RFC 9110 8.8.3), with quotes and an optional W/? */
bool etag_is(struct ern_slice text);

/* Are they the same by strong comparison, by weak comparison (RFC 9110 8.8.3.2)? */
bool etag_same_strong(struct ern_slice a, struct ern_slice b);
bool etag_same_weak(struct ern_slice a, struct ern_slice b);

/* Is the field's value "*", on one line and alone? */
bool etag_is_any(const struct ern_request *request, enum ern_field_id list);

/*
 * Is the tag in a list of tags that may stand on several lines: If-Match, If-None-Match? A value of
 * "*" matches every tag, even an absent one; beside other members it matches nothing. Members that
 * are no entity-tag match nothing; a comma inside a tag's quotes belongs to the tag.
 */
bool etag_in(const struct ern_request *request, enum ern_field_id list, struct ern_slice etag,
             bool strong);

#endif
