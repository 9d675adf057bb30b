/* SPDX-License-Identifier: Apache-2.0 */
/* work_run.c - the thread that does jobs, one after another. */
#include "dav/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "dav/journal.h"
#include "dav/multistatus.h"
#include "dav/tree.h"

enum {
    MEMORY_BYTES = 1 << 18, /* of one job */
    LOOK_AROUND_S = 1,      /* without being woken */
    TELL_MS = 250,          /* progress is written no more often */
};

struct work_runner {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stop, awake;
    struct store *store;
    struct share **shares;
    unsigned shares_n;
    int *owned; /* of each share: a descriptor whose lock says that we do its jobs, or -1 */
};

struct run {                        /* one job that is done */
    struct stage_progress progress; /* first */
    struct work_runner *runner;
    struct share *share;
    struct work work; /* slices in the arena */
    bool again;       /* a crashed process had begun it */
    int64_t told_ms;
    struct store_session *session;
    struct place target, destination;
    char staged[STAGE_NAME_BYTES];
    char old[STAGE_NAME_BYTES];
    struct arena arena;
};

static bool
must_stop(struct work_runner *r)
{
    bool stop;

    pthread_mutex_lock(&r->lock);
    stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

/* ---- rows
 * --------------------------------------------------------------------------------------------- */

static struct ern_slice
keep(struct arena *arena, struct ern_slice text)
{
    struct out o = arena_out(arena);

    if (!slice_is_there(text))
        return text;
    out_slice(&o, text);
    return arena_keep(arena, &o);
}

static int
take_first(void *self, const struct work *w)
{
    struct run *run = self;

    if (w->state != WORK_WAITING && w->state != WORK_RUNNING)
        return 0;
    run->work = *w;
    run->work.id = keep(&run->arena, w->id);
    run->work.method = keep(&run->arena, w->method);
    run->work.path = keep(&run->arena, w->path);
    run->work.to = keep(&run->arena, w->to);
    run->work.tokens = keep(&run->arena, w->tokens);
    run->again = w->state == WORK_RUNNING;
    return 1;
}

/* Changes the row, unless it was cancelled or deleted meanwhile: -ECANCELED. */
static int
write_row(struct run *run)
{
    struct work now;
    int error = work_get(run->session, run->work.id, &now);

    if (error == -ENOENT || (!error && now.state == WORK_CANCELLED))
        return -ECANCELED;
    return error ? error : work_put(run->session, &run->work);
}

static int
save(struct run *run)
{
    int error = store_begin(run->runner->store, STORE_WRITE, &run->session);

    if (error)
        return error;
    error = write_row(run);
    error = error ? (void)store_end(run->session, false), error : store_end(run->session, true);
    run->session = NULL;
    return error;
}

/* The next one of the folder. Returns 1 if there is one, 0, or a negative errno. */
static int
find_next(struct run *run)
{
    struct store_session *s;
    int found;

    pthread_mutex_lock(&run->share->writing); /* whoever accepted one has committed it */
    found = store_begin(run->runner->store, STORE_READ, &s);
    if (!found) {
        found = work_walk(s, run->share->id, take_first, run);
        (void)store_end(s, false);
    }
    pthread_mutex_unlock(&run->share->writing);
    return found;
}

/* ---- doing
 * ---------------------------------------------------------------------------------------------- */

/* Counts; saves how far it is now and then, and learns whether it is still wanted. */
static int
tell(struct stage_progress *progress, const char *path, int error)
{
    struct run *run = (struct run *)progress;
    int64_t now_ms = share_clock().boot_ms;

    (void)path;
    if (error)
        return error; /* whole or not at all: a copy with holes is reported as failed */
    run->work.done++;
    if (now_ms - run->told_ms < TELL_MS)
        return 0;
    run->told_ms = now_ms;
    if (must_stop(run->runner))
        return -EINTR;
    error = save(run);
    return error == -EBUSY ? 0 : error;
}

static bool
is_there(const struct place *p)
{
    return p->kind != PLACE_NOTHING && p->kind != PLACE_OTHER;
}

struct search { /* for a lock that forbids it */
    struct run *run;
    bool found;
};

static int
find_lock(void *self, const struct lock_row *lock)
{
    struct search *s = self;
    struct ern_slice tokens = s->run->work.tokens;

    while (tokens.len) {
        size_t n = slice_find(tokens, ' ');

        if (slice_eq(slice_first(tokens, n), lock->token))
            return 0;
        tokens = slice_skip(tokens, n < tokens.len ? n + 1 : n);
    }
    s->found = true;
    return 0;
}

static int
look_for_locks(struct run *run, bool *ret_locked)
{
    bool copies = slice_eq(run->work.method, ERN_SLICE("COPY"));
    struct store_place from = {run->share->id, run->work.path}, to = {run->share->id, run->work.to};
    struct search search = {.run = run};
    int error = 0;

    if (!copies)
        error =
            lock_walk(run->session, from, true, share_now(run->runner->store), find_lock, &search);
    if (!error && run->work.to.len)
        error =
            lock_walk(run->session, to, true, share_now(run->runner->store), find_lock, &search);
    *ret_locked = search.found;
    return error;
}

/* What stands in its way now: a rule, by the same facts as those of a request. */
static int
judge(struct run *run, const struct ern_rule **ret_rule)
{
    enum ern_fact odd[4];
    unsigned n = 0;
    bool locked;
    int error = look_for_locks(run, &locked);

    if (!is_there(&run->target))
        odd[n++] = ERN_FACT_exists;
    if (locked)
        odd[n++] = ERN_FACT_locked;
    if (run->work.to.len && is_there(&run->destination) && !run->work.overwrite) {
        odd[n++] = ERN_FACT_destination_exists;
        odd[n++] = ERN_FACT_overwrites;
    } else if (run->work.to.len && !run->destination.parent) {
        odd[n++] = ERN_FACT_parent_exists;
    }
    odd[n < 4 ? n : 3] = ERN_FACTS;
    *ret_rule = n ? member_rule(odd) : NULL;
    return error;
}

static int
find_places(struct run *run)
{
    int error =
        place_find(run->share, run->session, &run->arena, run->work.path, false, &run->target);

    if (!error && run->work.to.len)
        error = place_find(run->share, run->session, &run->arena, run->work.to, false,
                           &run->destination);
    return error;
}

/* One rename, by the row's method. */
static int
change_tree(struct run *run)
{
    struct tree_change change = {.share = run->share,
                                 .session = &run->session,
                                 .now_s = share_now(run->runner->store).unix_s};
    int error;

    if (slice_eq(run->work.method, ERN_SLICE("DELETE")))
        error = tree_delete(&change, &run->target);
    else if (slice_eq(run->work.method, ERN_SLICE("MOVE")))
        error = tree_move(&change, &run->target, &run->destination);
    else
        error = tree_copy(&change, &run->target, &run->destination, run->staged);
    if (!error)
        run->staged[0] = '\0';
    memcpy(run->old, change.old, sizeof run->old);
    return error;
}

/* In a session: looks at what is there now, and does it or says what is in the way. */
static int
act(struct run *run)
{
    const struct ern_rule *rule;
    int error = find_places(run);

    if (!error)
        error = judge(run, &rule);
    if (error)
        return error;
    run->work.state = WORK_DONE;
    run->work.ended_s = share_now(run->runner->store).unix_s;
    /* It was done by the process that had begun it, which did not live to say so. */
    if (run->again && !is_there(&run->target) && !slice_eq(run->work.method, ERN_SLICE("COPY")))
        return write_row(run);
    if (rule) {
        run->work.state = WORK_FAILED;
        run->work.result = slice_text(rule->name);
        return write_row(run);
    }
    error = write_row(run); /* not if it was cancelled; counts when the rest is committed */
    return error ? error : change_tree(run);
}

static int
act_in_session(struct run *run)
{
    int error = journal_begin(run->share, &run->session), end;

    if (!error) {
        error = act(run);
        end = journal_end(run->share, run->session, !error);
        error = error ? error : end;
        run->session = NULL;
        if (run->share->intent) /* it may have to be put back */
            run->old[0] = '\0';
    }
    store_touch(run->runner->store);
    return error;
}

/* The part that takes long and that nobody sees. */
static int
prepare(struct run *run)
{
    const struct stage *stage = &run->share->stage;
    int error, known;

    if (!slice_eq(run->work.method, ERN_SLICE("COPY")))
        return 0;
    known = store_begin(run->runner->store, STORE_READ, &run->session);
    if (known)
        return known;
    error = find_places(run);
    (void)store_end(run->session, false);
    run->session = NULL;
    if (error || !is_there(&run->target))
        return error;
    run->work.total = stage_count(stage, run->target.file);
    run->work.done = 0;
    return stage_copy(stage, run->target.file, false, &run->progress, run->staged);
}

/* It cannot be done: says by which rule. */
static void
fail(struct run *run, int error)
{
    run->work.state = WORK_FAILED;
    run->work.ended_s = share_now(run->runner->store).unix_s;
    run->work.result = slice_text(member_rule_of_error(error)->name);
    (void)!save(run);
}

static void
do_work(struct run *run)
{
    int error;

    run->work.state = WORK_RUNNING;
    error = save(run);
    if (!error)
        error = prepare(run);
    if (!error)
        error = act_in_session(run);
    (void)!stage_remove(&run->share->stage, run->staged);
    (void)!stage_remove(&run->share->stage, run->old);
    if (error && error != -ECANCELED && error != -EINTR && error != -EBUSY)
        fail(run, error);
}

/* ---- the thread
 * ------------------------------------------------------------------------------------------- */

/* Only one process does the jobs of a folder: the one that has its lock, which ends with it. */
static bool
owns(struct work_runner *r, unsigned i)
{
    if (r->owned[i] < 0) {
        r->owned[i] = openat(r->shares[i]->files.root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r->owned[i] >= 0 && flock(r->owned[i], LOCK_EX | LOCK_NB) < 0) {
            (void)close(r->owned[i]);
            r->owned[i] = -1;
        }
    }
    return r->owned[i] >= 0;
}

/* Does one job of a folder. Returns whether there was one. */
static bool
do_next(struct work_runner *r, struct share *share, char *memory)
{
    struct run run = {.progress = {tell}, .runner = r, .share = share};

    arena_init(&run.arena, memory, MEMORY_BYTES);
    if (find_next(&run) != 1)
        return false;
    do_work(&run);
    return run.work.state != WORK_RUNNING;
}

static void
wait_for_work(struct work_runner *r)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_AROUND_S;
    pthread_mutex_lock(&r->lock);
    if (!r->stop && !r->awake)
        (void)pthread_cond_timedwait(&r->woken, &r->lock, &until);
    r->awake = false;
    pthread_mutex_unlock(&r->lock);
}

static void *
run_all(void *self)
{
    struct work_runner *r = self;
    char *memory = malloc(MEMORY_BYTES);

    while (memory && !must_stop(r)) {
        bool busy = false;

        for (unsigned i = 0; i < r->shares_n && !must_stop(r); i++)
            if (!r->shares[i]->failure && owns(r, i))
                busy = do_next(r, r->shares[i], memory) || busy;
        if (!busy)
            wait_for_work(r);
    }
    free(memory);
    return NULL;
}

static void
free_runner(struct work_runner *r)
{
    for (unsigned i = 0; r->owned && i < r->shares_n; i++)
        if (r->owned[i] >= 0)
            (void)close(r->owned[i]);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->woken);
    free(r->owned);
    free(r);
}

int
work_runner_open(struct share **shares, unsigned shares_n, struct store *store,
                 struct work_runner **ret_runner)
{
    struct work_runner *r = calloc(1, sizeof *r);
    pthread_condattr_t steady; /* a clock that is set back is not to keep it waiting */
    int error;

    if (!r)
        return -ENOMEM;
    pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&r->woken, &steady);
    (void)pthread_condattr_destroy(&steady);
    r->store = store;
    r->shares = shares;
    r->shares_n = shares_n;
    r->owned = calloc(shares_n, sizeof *r->owned);
    for (unsigned i = 0; r->owned && i < shares_n; i++)
        r->owned[i] = -1;
    error = r->owned ? -pthread_create(&r->thread, NULL, run_all, r) : -ENOMEM;
    if (error) {
        free_runner(r);
        return error;
    }
    for (unsigned i = 0; i < shares_n; i++)
        shares[i]->runner = r;
    *ret_runner = r;
    return 0;
}

void
work_runner_wake(struct work_runner *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->awake = true;
    pthread_cond_signal(&r->woken);
    pthread_mutex_unlock(&r->lock);
}

void
work_runner_close(struct work_runner *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->woken);
    pthread_mutex_unlock(&r->lock);
    (void)pthread_join(r->thread, NULL);
    free_runner(r);
}
