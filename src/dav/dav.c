/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dav.c - the kind of resource of a writable folder: its asks, and the jobs that answer them. GET
 * and HEAD are answered by files.c; all other methods go through look, check and act (dav.h).
 */
#include "dav/dav.h"
#include "dav/live.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/journal.h"
#include "dav/upload.h"
#include "res/step.h"

enum {
    TRIES = 3,             /* decisions that are made anew, before it is a conflict */
    SPILL_BYTES = 1 << 16, /* content up to this stays in memory until it is staged */
    RETRY_AFTER_S = 5,     /* for the state to be reachable again */
    SHORT_BYTES = 4096, /* XML up to this is read on the loop: sooner than the pool would begin */
    SMALL_BYTES = 1 << 20, /* of a file that was replaced: up to this it is removed at once */
};

struct leftover { /* what lies in the staging folder and is not wanted any more */
    struct job job;
    struct stage stage;
    char staged[STAGE_NAME_BYTES], old[STAGE_NAME_BYTES];
};

/* ---- jobs --------------------------------------------------------------------------------------
 */

static void
remove_run(struct job *job)
{
    struct leftover *l = (struct leftover *)job;

    (void)!stage_remove(&l->stage, l->staged);
    (void)!stage_remove(&l->stage, l->old);
    free(l);
}

/* Gives back what the request holds; what it left in the staging folder is removed by the pool. */
static void
release(struct res_request *request)
{
    struct dav *dav = request->pinned;
    struct leftover *l;

    request->pinned = NULL;
    if (dav->has_body)
        body_free(&dav->body);
    if (dav->transfer) {
        transfer_leave(dav->transfer);
        /* rfc: an upload that grew over its length is not to be gone on with */
        if (request->sink.state == SINK_GREW)
            memcpy(dav->staged, dav->transfer->name, sizeof dav->staged);
    }
    if (!dav->staged[0] && !dav->old[0])
        return;
    l = malloc(sizeof *l);
    if (!l)
        return; /* the sweep after the next start finds it */
    l->job = (struct job){.run = remove_run};
    l->stage = dav->share->stage;
    memcpy(l->staged, dav->staged, sizeof l->staged);
    memcpy(l->old, dav->old, sizeof l->old);
    if (!pool_submit(request->pool, &l->job))
        free(l);
}

static bool
is_retrieval(const struct ern_decision *d)
{
    return d->request->method == ERN_GET || d->request->method == ERN_HEAD;
}

struct dav *
dav_new(struct ern_decision *d, struct share *share, const struct dav_method *method,
        struct ern_slice asked, bool slashed)
{
    struct res_request *request = d->self;
    struct dav *dav = arena_take(request->arena, sizeof *dav);

    if (!dav)
        return NULL;
    *dav = (struct dav){
        .share = share,
        .request = request,
        .decision = d,
        .evidence = &d->evidence,
        .method = method,
        .asked = asked,
        .states_match = true,
        .target.slashed = slashed,
        .wellformed = true,
        .valid = true,
    };
    request->state = dav;
    if (!is_retrieval(d)) { /* else what is pinned is the entry of files.c */
        request->pinned = dav;
        request->release = release;
    }
    request->processing_ms = share->processing_ms;
    return dav;
}

/* The state of the request, made the first time that it is asked for; NULL without memory. A POST
 * to a folder that may go on after a cut is the PUT of a member that has its name from the
 * beginning. */
static struct dav *
state_of(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct ern_slice below = request->below;
    bool slashed = below.ptr[below.len - 1] == '/';
    struct ern_slice asked = below.len > 1 ? slice_first(below, below.len - slashed) : below;
    enum ern_method method = d->request->method;
    struct dav *dav = request->state;

    if (dav)
        return dav;
    slashed = slashed && !request->unslashed;
    if (slashed && upload_adds(d->request)) {
        asked = dav_member(request->arena, d->request, asked);
        if (!slice_is_there(asked))
            return NULL;
        method = ERN_PUT;
        slashed = false;
    }
    dav = dav_new(d, (struct share *)(uintptr_t)request->route, /* its counters change */
                  dav_method_find(method), asked, slashed);
    if (dav && dav->method)
        dav_read_fields(dav);
    return dav;
}

static void
learn(struct ern_decision *d, enum ern_fact fact, bool yes)
{
    if (!ern_bits_has(&d->facts.known, fact))
        ern_learn(d, fact, yes);
}

/* ---- look
 * ---------------------------------------------------------------------------------------- */

/* OPTIONS says what is true of the resource: classes of WebDAV, and what else it takes. */
static void
announce(struct dav *dav)
{
    dav_field(dav, "DAV", ERN_SLICE("1, 2, 3, bind, redirectrefs, extended-mkcol"));
    dav_field(dav, "MS-Author-Via", ERN_SLICE("DAV"));
    if (dav->target.kind == PLACE_FILE)
        dav_field(dav, "Accept-Patch",
                  ERN_SLICE("application/json-patch+json, application/merge-patch+json"));
    if (dav->target.kind == PLACE_FILE || dav->target.kind == PLACE_NOTHING)
        upload_write_limit(dav, -1);
}

static void
look_run(struct res_request *request)
{
    struct dav *dav = request->state;

    dav->error = dav->share->failure;
    if (!dav->error)
        dav->error = store_begin(dav->share->store, STORE_READ, &dav->session);
    if (dav->error)
        return;
    dav->error = dav_look(dav);
    (void)store_end(dav->session, false);
    dav->session = NULL;
    if (!dav->error && dav->method->method == ERN_OPTIONS)
        announce(dav);
}

bool
dav_is_unreachable(int error)
{
    return error == -EIO || error == -EBUSY || error == -EACCES || error == -EROFS ||
           error == -ENOSPC;
}

/* What can be said without the state. */
static enum ern_answer
unreachable(struct ern_decision *d, enum ern_fact fact)
{
    d->evidence.retry_after_s = RETRY_AFTER_S;
    learn(d, ERN_FACT_state_reachable, false);
    return fact == ERN_FACT_state_reachable ? ERN_NO : ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

static enum ern_answer ask_look(struct ern_decision *d, enum ern_fact fact);

/* All that the look found becomes known at once; but for that which others have a say in. */
static void
learn_answers(struct ern_decision *d, const struct ern_facts *answers)
{
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (ern_bits_has(&answers->known, (enum ern_fact)f) && d->resource->ask[f] == ask_look)
            learn(d, (enum ern_fact)f, ern_bits_has(&answers->yes, (enum ern_fact)f));
}

/* GET and HEAD are for files.c; only a condition on states needs the look (RFC 4918 10.4). */
static enum ern_answer
ask_files(struct ern_decision *d, enum ern_fact fact)
{
    ern_ask *ask = files_resource.ask[fact];

    if (ask)
        return ask(d, fact);
    return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_look(struct ern_decision *d, enum ern_fact fact)
{
    bool retrieves = is_retrieval(d);
    struct dav *dav;

    if (retrieves && fact != ERN_FACT_states_match)
        return ask_files(d, fact);
    dav = state_of(d);
    if (!dav)
        return ERN_FAIL;
    if (!dav->method) /* one that nobody here knows */
        return fact == ERN_FACT_method_allowed ? res_allows(d, 0) : ask_files(d, fact);
    if (!dav->looked) {
        dav->looked = true;
        return res_step(dav->request, look_run);
    }
    if (dav->error)
        return dav_is_unreachable(dav->error) ? unreachable(d, fact) : ERN_FAIL;
    if (retrieves)
        return dav->states_match ? ERN_YES : ERN_NO;
    learn_answers(d, &dav->answers);
    if (!ern_bits_has(&dav->answers.known, fact))
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    return ern_bits_has(&dav->answers.yes, fact) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer answer = ask_look(d, fact);
    const struct dav *dav = ((struct res_request *)d->self)->state;

    if (answer == ERN_YES && !is_retrieval(d) && dav && dav->method && !dav->error)
        return dav_may(dav) ? ERN_YES : ERN_NO;
    return answer;
}

/* Names that are never served, at both ends. */
static enum ern_answer
ask_withheld(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;
    const struct dav *dav = request->state;

    (void)fact;
    if (dav && slice_is_there(dav->fields.destination) &&
        files_withhold(&dav->share->files, dav->fields.destination))
        return ERN_YES;
    return files_withhold(request->route, request->below) ? ERN_YES : ERN_NO;
}

/* ---- content
 * --------------------------------------------------------------------------------------- */

static int
open_staged(struct res_sink *sink)
{
    struct dav *dav = sink->self;
    int fd = stage_create(&dav->share->stage, dav->staged);

    if (fd < 0)
        return fd;
    sink->fd = fd;
    return 0;
}

static void
begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct dav *dav = request->state;
    const struct limits *limits = request->limits;
    struct res_sink *sink = &request->sink;

    sink->max = (uint64_t)*dav_content_max(d->request, limits);
    sink->memory_max = dav->method->takes_file ? SPILL_BYTES : (size_t)sink->max;
    sink->open = dav->method->takes_file ? open_staged : NULL;
    sink->self = dav;
    sink->state = SINK_OPEN;
}

enum ern_answer
dav_ask_resumes(struct ern_decision *d, enum ern_fact fact)
{
    const struct dav *dav = ((struct res_request *)d->self)->state;

    (void)fact;
    return dav && dav->transfer && upload_resumes(d->request) ? ERN_YES : ERN_NO;
}

enum ern_answer
dav_ask_content(struct ern_decision *d, enum ern_fact fact)
{
    struct dav *dav = ((struct res_request *)d->self)->state;

    if (is_retrieval(d) || d->request->method == ERN_OPTIONS)
        return ERN_YES;
    if (!dav)
        return ERN_FAIL;
    if (!dav->transfer) {
        enum ern_answer came = res_ask_content(d, fact, begin_content);

        if (came != ERN_YES || fact != ERN_FACT_content_bounded || !dav_is_coded(dav))
            return came;
        return dav_ask_decoded(dav);
    }
    if (!dav->transfer->begun)
        return res_step(dav->request, upload_begin_run);
    learn(d, ERN_FACT_resumes, dav_ask_resumes(d, ERN_FACT_resumes) == ERN_YES);
    return res_ask_content(d, fact, upload_begin_content);
}

static void
check_run(struct res_request *request)
{
    struct dav *dav = request->state;

    dav->error = dav->method->check(dav);
}

static bool
is_short(const struct dav *dav)
{
    return dav->method->takes_xml && dav->request->sink.len <= SHORT_BYTES;
}

enum ern_answer
dav_ask_check(struct ern_decision *d, enum ern_fact fact)
{
    struct dav *dav = ((struct res_request *)d->self)->state;

    if (is_retrieval(d) || !dav)
        return ERN_YES;
    if (!dav->method->check && !dav->transfer)
        return fact == ERN_FACT_content_wellformed && dav->undecodable ? ERN_NO : ERN_YES;
    if (dav->transfer) {
        dav->wellformed = dav->request->sink.state == SINK_FAILED || upload_is_whole(dav);
    } else if (!dav->checked) {
        dav->checked = true;
        if (!is_short(dav))
            return res_step(dav->request, check_run);
        check_run(dav->request);
    }
    if (dav->error)
        return ERN_FAIL;
    learn(d, ERN_FACT_content_wellformed, dav->wellformed);
    learn(d, ERN_FACT_content_valid, dav->valid);
    return ern_bits_has(&d->facts.yes, fact) ? ERN_YES : ERN_NO;
}

/* ---- act
 * ------------------------------------------------------------------------------------------- */

/* Has anything changed since the look that the decision was made on? */
static int
look_again(struct dav *dav, bool *ret_changed)
{
    const struct ern_facts before = dav->answers;
    const struct file_stamp stamp = dav->target.info.stamp;
    int error;

    *ret_changed = false;
    error = dav_look(dav);
    if (error)
        return error;
    *ret_changed =
        !dav_may(dav) || before.yes.word[0] != dav->answers.yes.word[0] ||
        before.yes.word[1] != dav->answers.yes.word[1] ||
        (ern_bits_has(&dav->answers.yes, ERN_FACT_exists) && dav->target.kind == PLACE_FILE &&
         !file_stamp_same(&stamp, &dav->target.info.stamp));
    return 0;
}

/* The decision is to be made anew: what was prepared for the old one goes. */
static void
decide_anew(struct dav *dav)
{
    bool keeps = dav->method->takes_file; /* the content itself, which is as good as before */

    if (++dav->tries >= TRIES) {
        dav->outcome = DAV_CONFLICTS;
        return;
    }
    dav->request->again = true;
    dav->looked = dav->done = false;
    if (!keeps && dav->staged[0]) {
        (void)!stage_remove(&dav->share->stage, dav->staged);
        dav->staged[0] = '\0';
        dav->prepared = false;
    }
}

/* Looks again and acts. */
static void
act(struct dav *dav)
{
    bool changed = false;

    if (!dav->method->reads)
        dav->error = look_again(dav, &changed);
    if (dav->error)
        return;
    if (changed) {
        decide_anew(dav);
        return;
    }
    dav->outcome = 0;
    dav->error = dav->transfer ? upload_end(dav) : dav->method->act(dav);
}

/* What was replaced or deleted is removed after the answer, unless that takes less time than to
 * hand it over. */
static void
remove_small(struct dav *dav)
{
    if (!dav->old[0] || dav->method->has_destination || dav->target.kind != PLACE_FILE ||
        dav->target.info.stamp.bytes > SMALL_BYTES)
        return;
    (void)!stage_remove(&dav->share->stage, dav->old);
    dav->old[0] = '\0';
}

static void
act_in_session(struct dav *dav)
{
    struct share *share = dav->share;
    bool reads = dav->method->reads;
    int error = reads ? store_begin(share->store, STORE_READ, &dav->session)
                      : journal_begin(share, &dav->session);

    if (!error) {
        act(dav);
        if (!dav->session)
            dav->error = 0; /* the state was lost, and that is what counts */
        error = reads ? store_end(dav->session, false)
                      : journal_end(share, dav->session,
                                    !dav->error && !dav->request->again && !dav->dropped);
        dav->session = NULL;
        if (share->intent) /* it may have to be put back */
            dav->old[0] = '\0';
    }
    if (dav->error || !error)
        return;
    dav->error = error;
    if (dav_is_unreachable(error)) { /* decided anew, with that as a fact */
        dav->request->again = true;
        dav->looked = true;
    }
}

static void
act_run(struct res_request *request)
{
    struct dav *dav = request->state;
    dav->error = 0;
    if (dav->transfer)
        dav->error = upload_prepare(dav);
    else if (dav->method->prepare && !dav->prepared)
        dav->error = dav->method->prepare(dav);
    dav->prepared = true;
    if (dav->error || dav->outcome)
        return;
    act_in_session(dav);
    if (!dav->method->reads)
        store_touch(dav->share->store);
    remove_small(dav);
}

static bool
is_one_of(int error, const int *errors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (errors[i] == error)
            return true;
    return false;
}
#define IS_ONE_OF(error, ...)                                                                      \
    is_one_of(error, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* What act() ended with, as facts. */
static void
learn_outcome(struct ern_decision *d, const struct dav *dav)
{
    const int e = dav->error;
    bool no_room = IS_ONE_OF(e, -ENOSPC, -EDQUOT);
    bool forbidden = IS_ONE_OF(e, -EACCES, -EPERM, -EROFS, -EXDEV, -ENAMETOOLONG);
    /* Someone else changed the folder since the second look. */
    bool changed = IS_ONE_OF(e, -EEXIST, -ENOENT, -ENOTDIR, -EISDIR, -ENOTEMPTY, -ELOOP);

    learn(d, ERN_FACT_acted, e == 0 || no_room || forbidden || changed);
    learn(d, ERN_FACT_act_permitted, !forbidden && !(dav->outcome & DAV_FORBIDDEN));
    learn(d, ERN_FACT_conflicts, changed || dav->outcome & DAV_CONFLICTS);
    learn(d, ERN_FACT_lock_conflicts, dav->outcome & DAV_LOCK_CONFLICTS);
    learn(d, ERN_FACT_no_room, no_room);
    learn(d, ERN_FACT_redirects, dav->outcome & DAV_ELSEWHERE);
    learn(d, ERN_FACT_mixed, dav->outcome & DAV_MIXED);
    learn(d, ERN_FACT_later, dav->outcome & DAV_LATER);
    learn(d, ERN_FACT_created, dav->outcome & DAV_CREATED);
    learn(d, ERN_FACT_empty, dav->outcome & DAV_EMPTY);
}

enum ern_answer
dav_ask_act(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct dav *dav = request->state;

    if (is_retrieval(d) || !dav || !dav->method->act)
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    if (!dav->done) {
        dav->done = true;
        if (request->sink.state == SINK_FAILED) { /* the disk was full while it came */
            dav->error = request->sink.error == -ECANCELED ? 0 : request->sink.error;
            dav->outcome = request->sink.error == -ECANCELED ? DAV_CONFLICTS : 0;
        } else
            return res_step(dav->request, act_run);
    }
    if (dav->error == -ENOSPC || (dav->error == -EDQUOT && !dav->passes_quota)) /* RFC 4331 6 */
        dav_condition(dav, ERN_FACT_no_room, "sufficient-disk-space", ERN_ABSENT);
    learn_outcome(d, dav);
    return ern_bits_has(&d->facts.yes, fact) ? ERN_YES : ERN_NO;
}

/* ---- what the acts use
 * ------------------------------------------------------------------------------- */

void
dav_condition(struct dav *dav, enum ern_fact fact, const char *name, struct ern_slice href)
{
    struct res_request *r = dav->request;
    struct out o = arena_out(r->arena);
    unsigned i = 0;

    while (i < r->conditions_n && r->conditions[i].fact != fact)
        i++;
    if (i == RES_CONDITIONS)
        return;

    out_literal(&o, "<D:");
    out_text(&o, name);
    if (slice_is_there(href)) {
        out_literal(&o, "><D:href>");
        share_href(&o, dav->share, href, false);
        out_literal(&o, "</D:href></D:");
        out_text(&o, name);
        out_char(&o, '>');
    } else {
        out_literal(&o, "/>");
    }
    r->conditions[i] = (struct res_condition){fact, arena_keep(r->arena, &o)};
    r->conditions_n += i == r->conditions_n;
}

void
dav_field(struct dav *dav, const char *name, struct ern_slice value)
{
    struct out o = arena_out(dav->request->arena);

    out_slice(&o, dav->request->fields);
    out_text(&o, name);
    out_literal(&o, ": ");
    out_slice(&o, value);
    out_literal(&o, "\r\n");
    dav->request->fields = arena_keep(dav->request->arena, &o);
}

struct ern_resource dav_resource = {
    .name = "writable folder",
    .ask =
        {
            ERN_ASKS_CONDITIONAL,
            ERN_ASKS_RANGE,
            [ERN_FACT_state_reachable] = ask_look,
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_withheld] = ask_withheld,
            [ERN_FACT_method_allowed] = ask_look,
            [ERN_FACT_fields_valid] = ask_look,
            [ERN_FACT_moved] = ask_look,
            [ERN_FACT_for_good] = ask_look,
            [ERN_FACT_keeps_method] = ask_look,
            [ERN_FACT_length_needed] = ask_look,
            [ERN_FACT_type_supported] = ask_look,
            [ERN_FACT_readable] = ask_look,
            [ERN_FACT_exists] = ask_look,
            [ERN_FACT_posts_to_missing] = ask_look,
            [ERN_FACT_gone] = ask_look,
            [ERN_FACT_depth_served] = ask_look,
            [ERN_FACT_binding_loops] = ask_look,
            [ERN_FACT_destination_here] = ask_look,
            [ERN_FACT_destination_apart] = ask_look,
            [ERN_FACT_parent_exists] = ask_look,
            [ERN_FACT_onto_collection] = ask_look,
            [ERN_FACT_acceptable] = ask_look,
            [ERN_FACT_conditional_only] = ask_look,
            [ERN_FACT_states_match] = ask_look,
            [ERN_FACT_destination_exists] = ask_look,
            [ERN_FACT_overwrites] = ask_look,
            [ERN_FACT_over_quota] = ask_look,
            [ERN_FACT_locked] = ask_look,
            [ERN_FACT_resumes] = dav_ask_resumes,
            [ERN_FACT_content_framed] = dav_ask_content,
            [ERN_FACT_content_in_time] = dav_ask_content,
            [ERN_FACT_content_bounded] = dav_ask_content,
            [ERN_FACT_content_wellformed] = dav_ask_check,
            [ERN_FACT_content_valid] = dav_ask_check,
            [ERN_FACT_acted] = dav_ask_act,
            [ERN_FACT_act_permitted] = dav_ask_act,
            [ERN_FACT_conflicts] = dav_ask_act,
            [ERN_FACT_lock_conflicts] = dav_ask_act,
            [ERN_FACT_no_room] = dav_ask_act,
            [ERN_FACT_later] = dav_ask_act,
            [ERN_FACT_created] = dav_ask_act,
            [ERN_FACT_redirects] = dav_ask_act,
            [ERN_FACT_mixed] = dav_ask_act,
            [ERN_FACT_empty] = dav_ask_act,
        },
};
