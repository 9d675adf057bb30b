/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conditional.c - preconditions (RFC 9110 13.1), each by itself. In which order they are looked at,
 * and what follows from them, is said in rules.def.
 */
#include "base/slice.h"
#include "earnest/decide.h"
#include "msg/date.h"
#include "msg/etag.h"

static enum ern_answer
answer(bool yes)
{
    return yes ? ERN_YES : ERN_NO;
}

/* Is the representation no newer than the date of the field? Where either is missing: otherwise. */
static enum ern_answer
not_newer(const struct ern_decision *d, enum ern_field_id id, bool otherwise)
{
    int64_t date_s;

    if (d->evidence.last_modified_s == -1 || !date_field(d->request, id, d->now_s, &date_s))
        return answer(otherwise);
    return answer(d->evidence.last_modified_s <= date_s);
}

enum ern_answer
ern_ask_etag_in_match(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    /* rfc9110#13.1.1 "An origin server MUST use the strong comparison function" */
    return answer(etag_in(d->request, ERN_FIELD_if_match, d->evidence.etag, true));
}

enum ern_answer
ern_ask_unmodified(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    /* rfc9110#13.1.4 "MUST ignore the If-Unmodified-Since header field if the resource does not" */
    return not_newer(d, ERN_FIELD_if_unmodified_since, true);
}

enum ern_answer
ern_ask_etag_in_none(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    /* rfc9110#13.1.2 "A recipient MUST use the weak comparison function" */
    return answer(etag_in(d->request, ERN_FIELD_if_none_match, d->evidence.etag, false));
}

enum ern_answer
ern_ask_not_modified(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    /* rfc9110#13.1.3 "MUST ignore the If-Modified-Since header field if the resource does not" */
    return not_newer(d, ERN_FIELD_if_modified_since, false);
}
