/* SPDX-License-Identifier: Apache-2.0 */
/* admin_state.c - the verbs of the admin socket about what the store keeps. */
#include <errno.h>

#include "base/num.h"
#include "base/slice.h"
#include "dav/share.h"
#include "io/clock.h"
#include "serve/admin_parts.h"
#include "serve/incident.h"
#include "serve/legal.h"
#include "serve/meter.h"
#include "serve/shares.h"
#include "store/store.h"

/* ---- credit ------------------------------------------------------------------------------------
 */

/* The account is named by the first digits of its digest: enough to tell it, and no key. */
static void
write_account(struct out *o, struct ern_slice account)
{
    enum { SHOWN_BYTES = 8 };

    out_hex_bytes(o, account.ptr, account.len < SHOWN_BYTES ? account.len : SHOWN_BYTES);
}

static void
say_account(struct admin_call *c, struct ern_slice account, int64_t balance)
{
    char text[32];
    struct out o = out_init(text, sizeof text);

    write_account(&o, account);
    admin_text(c, "account", out_done(&o));
    admin_number(c, "balance", balance);
    admin_line(c);
}

static int
tell_account(void *call, struct ern_slice account, int64_t balance)
{
    struct admin_call *c = call;

    say_account(c, account, balance);
    return c->cut;
}

/* Says why it could not be done. */
static void
say_why(struct admin_call *c, int error)
{
    admin_error(c, error == -ENOENT   ? "there is no such account"
                   : error == -ERANGE ? "an account has at most 1000000000000000 credits"
                                      : "the state cannot be reached");
}

void
admin_credit(struct admin_call *c)
{
    struct meter *m = c->options->meter;
    uint8_t account[DIGEST_BYTES];
    int64_t balance = 0;
    uint64_t n;
    int error;

    if (!m) {
        admin_error(c, "no route has a price");
        return;
    }
    if (c->words_n == 1) {
        error = meter_walk(m, tell_account, c);
        if (error < 0)
            say_why(c, error);
        return;
    }
    if (c->words_n == 2) {
        meter_account(c->word[1], account);
        error = meter_balance(m, account, &balance);
    } else if (c->words_n == 4 && slice_eq(c->word[1], ERN_SLICE("add")) &&
               u64_parse(c->word[3], CREDIT_MAX, &n) && n > 0) {
        struct out what = out_init(c->what_text, sizeof c->what_text);

        meter_account(c->word[2], account);
        write_account(&what, slice_from((const char *)account, sizeof account));
        out_literal(&what, " +");
        out_u64(&what, n);
        c->what = out_done(&what);
        error = meter_add(m, account, (int64_t)n, &balance);
    } else {
        admin_error(c, "write credit, credit KEY, or credit add KEY N");
        return;
    }
    if (error)
        say_why(c, error);
    else
        say_account(c, slice_from((const char *)account, sizeof account), balance);
}

/* ---- locks and jobs ----------------------------------------------------------------------------
 */

/* A walk over all writable folders. */
struct walk {
    struct admin_call *call;
    const struct share *share; /* whose rows these are */
    struct store_clock now;
};

/* "name": the URL path of what is at this path of the share */
static void
say_path(const struct walk *w, const char *name, struct ern_slice path)
{
    char text[4096];
    struct out o = out_init(text, sizeof text);

    share_write_path(&o, w->share, path);
    admin_text(w->call, name, o.full ? path : out_done(&o));
}

static int
tell_lock(void *walk, const struct lock_row *lock)
{
    const struct walk *w = walk;
    struct admin_call *c = w->call;

    say_path(w, "path", lock->path);
    admin_text(c, "token", lock->token);
    admin_text(c, "scope", lock->exclusive ? ERN_SLICE("exclusive") : ERN_SLICE("shared"));
    admin_text(c, "depth", lock->infinite ? ERN_SLICE("infinity") : ERN_SLICE("0"));
    if (slice_is_there(lock->owner))
        admin_text(c, "owner", lock->owner);
    if (lock->principal.len > 0)
        admin_text(c, "principal", lock->principal);
    admin_number(c, "seconds", lock->until_s - w->now.unix_s);
    admin_line(c);
    return c->cut;
}

static int
tell_job(void *walk, const struct work *job)
{
    static const struct ern_slice states[] = {
        [WORK_WAITING] = {"waiting", 7},     [WORK_RUNNING] = {"running", 7},
        [WORK_DONE] = {"done", 4},           [WORK_FAILED] = {"failed", 6},
        [WORK_CANCELLED] = {"cancelled", 9},
    };
    const struct walk *w = walk;
    struct admin_call *c = w->call;

    admin_text(c, "job", job->id);
    admin_text(c, "method", job->method);
    say_path(w, "path", job->path);
    if (slice_is_there(job->to))
        say_path(w, "to", job->to);
    admin_text(c, "state", states[job->state]);
    admin_number(c, "done", job->done);
    if (job->total >= 0)
        admin_number(c, "total", job->total);
    admin_line(c);
    return c->cut;
}

/* Calls walk_one() for each writable folder, in one look at the store. */
static void
walk_shares(struct admin_call *c, int (*walk_one)(struct store_session *session, struct walk *walk))
{
    struct store *store = shares_store(c->options->shares);
    struct walk walk = {.call = c, .now = share_now(store)};
    struct store_session *session;
    int error = store ? store_begin(store, STORE_READ, &session) : -EIO;

    if (error) {
        admin_error(c, "there is no state, or it cannot be reached");
        return;
    }
    for (unsigned i = 0; error == 0 && i < shares_n(c->options->shares); i++) {
        walk.share = shares_at(c->options->shares, i);
        error = walk_one(session, &walk);
    }
    (void)store_end(session, false);
    if (error < 0)
        admin_error(c, "the state cannot be read");
}

static int
walk_locks(struct store_session *session, struct walk *w)
{
    const struct store_place all = {w->share->id, ERN_SLICE("/")};

    return lock_walk(session, all, true, w->now, tell_lock, w);
}

static int
walk_jobs(struct store_session *session, struct walk *w)
{
    return work_walk(session, w->share->id, tell_job, w);
}

void
admin_locks(struct admin_call *c)
{
    walk_shares(c, walk_locks);
}

void
admin_jobs(struct admin_call *c)
{
    walk_shares(c, walk_jobs);
}

void
admin_unlock(struct admin_call *c)
{
    struct store *store = shares_store(c->options->shares);
    struct store_session *session;
    struct lock_row lock;
    int error = store ? store_begin(store, STORE_WRITE, &session) : -EIO;

    c->what = c->word[1];
    if (!error) {
        int kept;

        error = lock_get(session, c->word[1], share_now(store), &lock);
        if (!error)
            error = lock_remove(session, c->word[1]);
        kept = store_end(session, error == 0);
        error = error ? error : kept;
    }
    if (error) {
        admin_error(c, error == -ENOENT ? "there is no such lock" : "the state cannot be reached");
        return;
    }
    admin_text(c, "unlocked", c->word[1]);
    admin_line(c);
}

/* ---- demands and incidents ---------------------------------------------------------------------
 */

static void
say_demand(struct admin_call *c, const struct conf_demand *d)
{
    const struct {
        const char *name;
        struct ern_slice text;
    } parts[] = {
        {"demand", d->reference}, {"host", d->host},           {"path", d->path},
        {"sha256", d->sha256},    {"authority", d->authority}, {"jurisdiction", d->jurisdiction},
        {"from", d->from},        {"until", d->until},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (slice_is_there(parts[i].text))
            admin_text(c, parts[i].name, parts[i].text);
    admin_line(c);
}

void
admin_legal(struct admin_call *c)
{
    struct legal *legal = c->options->legal;
    const struct legal_record *record = legal_take(legal, NULL);
    int64_t now_s = clock_read().unix_s;

    if (!record) {
        admin_error(c, "the configuration names no file of demands");
        return;
    }
    for (size_t i = 0; i < legal_demands(record)->demands_n; i++) {
        const struct conf_demand *d = &legal_demands(record)->demands[i];

        if (now_s >= d->from_s && now_s < d->until_s)
            say_demand(c, d);
    }
    legal_give(legal, record);
}

void
admin_incident(struct admin_call *c)
{
    struct incident incident;

    if (!incident_find(c->options->incidents, c->word[1], &incident)) {
        admin_error(c, "no incident with this id is remembered");
        return;
    }
    admin_text(c, "incident", c->word[1]);
    admin_number(c, "ts", incident.unix_s);
    admin_text(c, "method", slice_text(incident.method));
    admin_text(c, "target", slice_text(incident.target));
    admin_text(c, "resource", slice_text(incident.resource));
    admin_text(c, "rule", slice_text(incident.rule));
    if (incident.fact)
        admin_text(c, "fact", slice_text(incident.fact));
    if (incident.error)
        admin_text(c, "error", slice_text(strerror(-incident.error)));
    admin_line(c);
}
