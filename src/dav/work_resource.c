/* SPDX-License-Identifier: Apache-2.0 */
/* work_resource.c - the monitor of a job: how far it is, where its outcome lives, and its end. */
#include "dav/work.h"

#include <errno.h>

#include "base/slice.h"
#include "res/step.h"

enum { RETRY_AFTER_S = 1 /* for the next look at a job that is not done */ };

struct monitor {         /* state of a request */
    struct share *share; /* of the job */
    struct work work;
    struct ern_slice id;
    int64_t now_s;
    int error;
    bool looked, done;
};

/* ---- look
 * ------------------------------------------------------------------------------------------------
 */

static struct ern_slice
keep(struct res_request *request, struct ern_slice text)
{
    struct out o = arena_out(request->arena);

    if (!slice_is_there(text))
        return text;
    out_slice(&o, text);
    return arena_keep(request->arena, &o);
}

static int
look(struct res_request *request, struct monitor *m, struct store_session *session)
{
    const struct work_route *route = request->route;
    int error = work_get(session, m->id, &m->work);

    if (error)
        return error;
    m->work.id = m->id;
    m->work.method = keep(request, m->work.method);
    m->work.path = keep(request, m->work.path);
    m->work.to = keep(request, m->work.to);
    m->work.tokens = ERN_SLICE("");
    m->work.result = keep(request, m->work.result);
    m->share = route->share;
    return m->work.share == route->share->id ? 0 : -ENOENT;
}

static void
look_run(struct res_request *request)
{
    const struct work_route *route = request->route;
    struct monitor *m = request->state;
    struct store_session *s;

    m->now_s = share_now(route->store).unix_s;
    m->error = route->store ? store_begin(route->store, STORE_READ, &s) : -EIO;
    if (m->error)
        return;
    m->error = look(request, m, s);
    (void)store_end(s, false);
}

static bool
is_over(const struct work *w)
{
    return w->state != WORK_WAITING && w->state != WORK_RUNNING;
}

/* Its outcome is not told any more. */
static bool
is_gone(const struct res_request *request, const struct monitor *m)
{
    return is_over(&m->work) && m->now_s - m->work.ended_s >= request->limits->work_seconds_max;
}

/* What it does to its path, as rights have it. */
static unsigned
access_of(const struct work *w)
{
    return slice_eq(w->method, ERN_SLICE("COPY")) ? RES_READ : RES_DELETE;
}

/* Where the outcome lives: what was made, or the collection that something is gone from. */
static struct ern_slice
outcome_of(struct res_request *request, const struct monitor *m)
{
    const struct work *w = &m->work;
    struct ern_slice path = w->to.len ? w->to : path_parent(w->path);
    struct out o = arena_out(request->arena);

    share_write_path(&o, m->share, path);
    if (path.len > 1)
        out_char(&o, '/');
    return arena_keep(request->arena, &o);
}

/* ---- asks
 * --------------------------------------------------------------------------------------------------
 */

static bool
is_retrieval(const struct ern_decision *d)
{
    return d->request->method == ERN_GET || d->request->method == ERN_HEAD;
}

static struct monitor *
state_of(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct monitor *m = request->state;

    if (m)
        return m;
    m = arena_take(request->arena, sizeof *m);
    if (m)
        *m = (struct monitor){.id = slice_skip(request->below, 1)};
    request->state = m;
    return m;
}

static enum ern_answer
answer(struct ern_decision *d, struct monitor *m, enum ern_fact fact)
{
    struct res_request *request = d->self;
    bool gone = m->error == 0 && is_gone(request, m);
    bool elsewhere = is_retrieval(d) && m->error == 0 && !gone && m->work.state == WORK_DONE;

    switch ((unsigned)fact) {
    case ERN_FACT_state_reachable:
        return dav_is_unreachable(m->error) ? ERN_NO : ERN_YES;
    case ERN_FACT_exists:
        return m->error || gone ? ERN_NO : ERN_YES;
    case ERN_FACT_gone:
        return gone ? ERN_YES : ERN_NO;
    case ERN_FACT_redirects:
        if (elsewhere)
            d->evidence.location = outcome_of(request, m);
        return elsewhere ? ERN_YES : ERN_NO;
    default:
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    }
}

static enum ern_answer
ask_look(struct ern_decision *d, enum ern_fact fact)
{
    struct monitor *m = state_of(d);

    if (!m)
        return ERN_FAIL;
    if (!m->looked) {
        m->looked = true;
        return res_step(d->self, look_run);
    }
    if (m->error && m->error != -ENOENT && !dav_is_unreachable(m->error))
        return ERN_FAIL;
    return answer(d, m, fact);
}

/* Rights are those to what it is done to: who may not see that does not see the job, and who may
 * not do it can not cancel it. */
static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer answer = ask_look(d, fact);
    const struct res_request *request = d->self;
    const struct monitor *m = request->state;
    bool cancels = d->request->method == ERN_DELETE;

    if (answer != ERN_YES || m->error)
        return answer;
    if (!res_may(request, m->work.path, cancels ? access_of(&m->work) : RES_READ) ||
        (slice_is_there(m->work.to) &&
         !res_may(request, m->work.to, cancels ? RES_WRITE : RES_READ)))
        return ERN_NO;
    return ERN_YES;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS) | RES_ALLOW(DELETE));
}

/* DELETE: a job that is not done is cancelled; one that is over is forgotten. */
static void
delete_run(struct res_request *request)
{
    const struct work_route *route = request->route;
    struct monitor *m = request->state;
    struct store_session *s;
    struct work now;
    int error = store_begin(route->store, STORE_WRITE, &s);

    m->error = error;
    if (error)
        return;
    error = work_get(s, m->id, &now); /* it may have ended meanwhile */
    if (!error && is_over(&now)) {
        error = work_remove(s, m->id);
    } else if (!error) {
        now.state = WORK_CANCELLED;
        now.ended_s = m->now_s;
        error = work_put(s, &now);
    }
    m->error = error ? (void)store_end(s, false), error : store_end(s, true);
}

static enum ern_answer
ask_act(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct monitor *m = request->state;
    bool deletes = d->request->method == ERN_DELETE;

    if (!m)
        return ERN_FAIL;
    if (deletes && !m->done) {
        m->done = true;
        return res_step(request, delete_run);
    }
    if (fact == ERN_FACT_acted)
        return m->error ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_empty)
        return deletes ? ERN_YES : ERN_NO;
    if (is_retrieval(d) && m->work.state != WORK_DONE && !m->done) {
        m->done = true;
        if (!is_over(&m->work))
            d->evidence.retry_after_s = RETRY_AFTER_S;
        if (!work_represent(request, d->request, m->share, &m->work))
            return ERN_FAIL;
    }
    return answer(d, m, fact);
}

/* Its state changes all the time: no part of it is of use. */
static enum ern_answer
ask_range(struct ern_decision *d, enum ern_fact fact)
{
    (void)d, (void)fact;
    return ERN_NO;
}

struct ern_resource work_resource = {
    .name = "job",
    .ask =
        {
            [ERN_FACT_state_reachable] = ask_look,
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_exists] = ask_look,
            [ERN_FACT_gone] = ask_look,
            [ERN_FACT_range_modest] = ask_range,
            [ERN_FACT_acted] = ask_act,
            [ERN_FACT_redirects] = ask_act,
            [ERN_FACT_empty] = ask_act,
        },
};
