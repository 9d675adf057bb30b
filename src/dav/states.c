/* SPDX-License-Identifier: Apache-2.0 */
/*
 * states.c - the If field (RFC 4918 10.4): lists of conditions on the states of resources. It holds
 * when one of its lists does; a list holds when all its conditions do.
 */
#include "base/slice.h"
#include "dav/lock.h"

struct match { /* of a token with the locks of a resource */
    struct ern_slice token;
    bool found;
};

static int
compare_token(void *self, const struct lock_row *lock)
{
    struct match *m = self;

    m->found = m->found || slice_eq(lock->token, m->token);
    return 0;
}

/* What an If field is about at the moment. */
struct subject {
    bool here; /* it is a resource of this share */
    struct place place;
};

static int
condition_holds(struct dav *dav, const struct subject *subject, const struct dav_if_step *step,
                bool *ret_holds)
{
    struct match m = {step->text, false};
    int error = 0;

    if (subject->here && step->kind == DAV_IF_ETAG)
        m.found = slice_is_there(subject->place.etag) && slice_eq(subject->place.etag, step->text);
    else if (subject->here)
        error = lock_walk(dav->session, (struct store_place){dav->share->id, subject->place.path},
                          false, dav->now, compare_token, &m);
    *ret_holds = m.found != step->is_not;
    return error;
}

/* The resource that a tag names. */
static int
take_tag(struct dav *dav, struct ern_slice tag, struct subject *subject)
{
    bool slashed = false, wrong;
    struct ern_slice path = dav_resolve(dav, tag, &slashed, &wrong);

    subject->here = slice_is_there(path) && res_may(dav->request, path, RES_READ);
    return subject->here ? place_find(dav->share, dav->session, dav->request->arena, path, slashed,
                                      &subject->place)
                         : 0;
}

int
states_match(struct dav *dav, bool *ret_match)
{
    struct dav_if walk = {.rest = ern_request_field(dav->decision->request, ERN_FIELD_if)};
    struct subject subject = {true, dav->target};
    struct dav_if_step step;
    bool in_list = false, list_holds = false;
    int error = 0;

    *ret_match = !dav->fields.has_if;
    if (!dav->fields.has_if || dav->fields.wrong)
        return 0;
    do {
        bool holds = true;

        step = dav_if_next(&walk);
        if (step.kind == DAV_IF_TOKEN || step.kind == DAV_IF_ETAG) {
            if (list_holds)
                error = condition_holds(dav, &subject, &step, &holds);
            list_holds = list_holds && holds;
            continue;
        }
        *ret_match = *ret_match || (in_list && list_holds); /* a list has ended */
        in_list = list_holds = step.kind == DAV_IF_LIST;
        if (step.kind == DAV_IF_TAG)
            error = take_tag(dav, step.text, &subject);
    } while (!error && step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    return error;
}

bool
states_submit(const struct dav *dav, struct ern_slice token)
{
    struct dav_if walk = {.rest = ern_request_field(dav->decision->request, ERN_FIELD_if)};
    struct dav_if_step step;

    if (!dav->fields.has_if)
        return false;
    do {
        step = dav_if_next(&walk);
        if (step.kind == DAV_IF_TOKEN && slice_eq(step.text, token))
            return true;
    } while (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    return false;
}
