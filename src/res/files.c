/* SPDX-License-Identifier: Apache-2.0 */
#include "res/files.h"

#include <errno.h>
#include <stdlib.h>

#include "io/stage.h"
#include "msg/accept.h"
#include "msg/hop.h"
#include "msg/target.h"
#include "res/cache.h"
#include "res/choose.h"
#include "res/coded.h"
#include "res/delta.h"
#include "res/dictionary.h"
#include "res/integrity.h"
#include "res/listing.h"

enum { LOOKS = 8 /* at what does not hold still, before it is a failure */ };

struct files {
    struct cache *cache;
    struct encoders *encoders;
};

static uint64_t
changes_of(const struct files_route *route)
{
    return route->changes ? route->changes(route) : 0;
}

/* A look at the disk that may have to wait for it. */
struct files_job {
    struct job job;
    struct res_request *request;
    struct entry *known; /* pinned meanwhile; NULL if there is none */
    struct entry *found; /* NULL: known is still right */
    uint64_t changes;    /* before the look */
    int error;
};

struct files *
files_new(const struct limits *limits, struct hash_key key, struct encoders *encoders)
{
    struct files *files = malloc(sizeof *files);

    if (!files)
        return NULL;
    files->encoders = encoders;
    files->cache = cache_new(limits, key);
    if (!files->cache) {
        free(files);
        return NULL;
    }
    return files;
}

void
files_free(struct files *files)
{
    if (!files)
        return;
    cache_free(files->cache);
    free(files);
}

static void
release(struct res_request *request)
{
    cache_unpin(request->pinned);
    request->pinned = NULL;
}

/* The request answers from this entry from now on. */
static void
use(struct res_request *request, struct entry *entry)
{
    cache_pin(entry);
    request->pinned = entry;
    request->release = release;
}

/* The disk was looked at: entry is what there is, or NULL if known is still right. */
static void
arrived(struct res_request *request, struct entry *known, struct entry *entry, uint64_t changes)
{
    struct files *files = request->thread;

    (entry ? entry : known)->changes = changes;
    if (entry)
        cache_put(files->cache, entry, request->now.run_ms);
    else
        known->checked_ms = request->now.run_ms;
    use(request, entry ? entry : known);
}

static void
job_run(struct job *job)
{
    struct files_job *j = (struct files_job *)job;

    /* Again, if what it looks at is changed or moved meanwhile. */
    for (unsigned tries = 0; j->error == -EAGAIN && tries < LOOKS; tries++)
        j->error = entry_load(j->request->route, j->request->below, j->known,
                              j->request->now.unix_s, false, &j->found);
    if (j->error == 0 && j->found && j->found->route->past)
        past_keep(j->found->route->past, j->found);
}

static void
job_done(struct job *job)
{
    struct files_job *j = (struct files_job *)job;
    struct res_request *request = j->request;

    if (j->error == 0)
        arrived(request, j->known, j->found, j->changes);
    if (j->known)
        cache_unpin(j->known);
    request->error = j->error;
    request->resume(request);
}

/* Has the pool look, since it may take time. */
static enum ern_answer
look_later(struct res_request *request, struct entry *known)
{
    struct files_job *j = arena_take(request->arena, sizeof *j);

    if (!j)
        return ERN_FAIL;
    *j = (struct files_job){
        .job = {.mailbox = request->mailbox, .run = job_run, .done = job_done},
        .request = request,
        .known = known,
        .changes = changes_of(request->route),
        .error = -EAGAIN,
    };
    if (!pool_submit(request->pool, &j->job))
        return ERN_FAIL;
    if (known)
        cache_pin(known);
    return ERN_WAIT;
}

/* Makes request->pinned the entry of the path: YES once it is. */
static enum ern_answer
look(struct res_request *request)
{
    struct files *files = request->thread;
    struct entry *known = cache_find(files->cache, request->route, request->below);
    uint64_t changes = changes_of(request->route);
    struct entry *found;
    int error;

    if (request->error)
        return ERN_FAIL;
    if (known && known->last_modified_s > request->now.unix_s)
        known = NULL; /* the clock was set back, and it says a time that is not yet (8.8.2.1) */
    if (known && known->changes == changes &&
        cache_is_fresh(files->cache, known, request->now.run_ms)) {
        use(request, known);
        return ERN_YES;
    }
    error = entry_load(request->route, request->below, known, request->now.unix_s, true, &found);
    if (!error && found && found->route->past) { /* it is to be kept, which may take time */
        entry_free(found);
        error = -EAGAIN;
    }
    if (error == -EAGAIN)
        return look_later(request, known);
    if (error) {
        request->error = error;
        return ERN_FAIL;
    }
    arrived(request, known, found, changes);
    return ERN_YES;
}

/* The variant for this request; SIZE_MAX if it accepts none. */
static size_t
choose_coding(const struct ern_request *http, const struct entry *e)
{
    struct ern_variant variants[ENTRY_VARIANTS];
    bool strict = e->route->strict, plain = !slice_is_there(e->variants[0].coding);
    bool asks = ern_request_has(http, ERN_FIELD_accept_encoding);
    size_t n = 0, choice;

    if ((e->variants_n == 1 || !asks) && !strict)
        return 0;
    if (!asks) { /* the file as it is */
        variants[0] = (struct ern_variant){e->type, ERN_ABSENT, e->variants[0].coding, 1000};
        return ern_negotiate(http, variants, 1, &choice) ? 0 : SIZE_MAX;
    }
    /* Smaller ones first: on a tie the first is taken. */
    for (size_t i = plain; i < e->variants_n; i++)
        variants[n++] = (struct ern_variant){strict ? e->type : ERN_ABSENT, ERN_ABSENT,
                                             e->variants[i].coding, 1000};
    if (plain)
        variants[n++] =
            (struct ern_variant){strict ? e->type : ERN_ABSENT, ERN_ABSENT, ERN_ABSENT, 1000};
    if (!ern_negotiate(http, variants, n, &choice))
        return strict ? SIZE_MAX : 0;
    return choice + plain < n ? choice + plain : 0;
}

/* Returns ERN_YES, or what integrity_add() does. */
static enum ern_answer
represent(struct ern_decision *d, struct entry *e, struct entry_variant *v)
{
    struct res_request *request = d->self;
    struct files *files = request->thread;

    if (request->representation.stream) /* it was asked for before */
        return ERN_YES;
    d->evidence.etag = v->etag;
    d->evidence.last_modified_s = e->last_modified_s;
    d->evidence.content_bytes = (int64_t)v->stamp.bytes;
    request->has_representation = true;
    request->representation = (struct res_representation){
        .validators = v->validators,
        .description = v->description,
        .type = e->type,
        .length = v->stamp.bytes,
        .bytes = v->bytes,
        .front = v->front,
        .fd = v->fd,
        .original = {&e->variants[0].stamp, e->variants[0].bytes, e->variants[0].fd},
    };
    if (e->route->compresses_by) {
        enum ern_answer made = dictionary_represent(d, e, files->cache);

        if (made != ERN_NO)
            return made;
    }
    if (e->compresses && v == &e->variants[0]) {
        enum coding coding = coded_choose(d->request);

        if (coding < CODINGS)
            return coded_represent(d, e, coding, files->cache, files->encoders) ? ERN_YES
                                                                                : ERN_FAIL;
    }
    return integrity_is_wanted(d->request) ? integrity_add(d, v) : ERN_YES;
}

bool
files_add_slash(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    path_write(&o, request->path);
    out_char(&o, '/');
    if (slice_is_there(request->query)) {
        out_char(&o, '?');
        out_slice(&o, request->query);
    }
    d->evidence.location = arena_keep(request->arena, &o);
    return slice_is_there(d->evidence.location);
}

static void
learn(struct ern_decision *d, enum ern_fact fact, bool yes)
{
    if (!ern_bits_has(&d->facts.known, fact))
        ern_learn(d, fact, yes);
}

/* What only folders with variants, deltas or hints are asked; of others it is known. */
static void
learn_more(struct ern_decision *d, const struct entry *e, bool loops)
{
    struct res_request *request = d->self;
    const struct files_route *route = e->route;

    learn(d, ERN_FACT_variant_loops, loops);
    learn(d, ERN_FACT_choices, false);
    if (d->request->method == ERN_GET && (route->hints_all || hop_takes_hints(d->request)))
        request->hints = e->hints;
    learn(d, ERN_FACT_hinted, slice_is_there(request->hints));
}

static enum ern_answer
moves_to_slash(struct ern_decision *d)
{
    learn(d, ERN_FACT_readable, true);
    learn(d, ERN_FACT_exists, false);
    learn(d, ERN_FACT_acceptable, true);
    learn(d, ERN_FACT_gone, false);
    learn(d, ERN_FACT_for_good, true);
    return files_add_slash(d) ? ERN_YES : ERN_FAIL;
}

/* Where it is now, or what a redirect reference says (RFC 4437 12.1 wants that as it is, too). */
static bool
tell_target(struct ern_decision *d, const struct entry *e)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    if (e->kind == ENTRY_REFERENCE) {
        d->evidence.location = e->target;
        out_literal(&o, "Redirect-Ref: ");
        out_slice(&o, e->target);
        out_literal(&o, "\r\n");
        request->fields = arena_keep(request->arena, &o);
        return slice_is_there(request->fields);
    }
    path_write(&o, slice_first(request->path, request->path.len - request->below.len));
    path_write(&o, e->target);
    if (slice_ends(request->below, ERN_SLICE("/")))
        out_char(&o, '/');
    d->evidence.location = arena_keep(request->arena, &o);
    return slice_is_there(d->evidence.location);
}

static ern_ask ask_moved;

/* ---- variants ----------------------------------------------------------------------------------
 */

struct chosen {                /* stands for the resource: in the arena, for its entry may go */
    struct ern_slice before;   /* field lines: Content-Location, Vary, TCN, and the list if asked */
    struct ern_slice language; /* the line Content-Language, or nothing */
    struct ern_slice validator;    /* of the list */
    struct ern_slice type, coding; /* as a type map has them for a file that is coded */
};

/* What is said of the list itself. */
static void
write_list(struct out *o, const struct choices *c)
{
    out_literal(o, "TCN: list\r\n");
    out_slice(o, c->alternates);
    out_slice(o, c->vary);
}

/* What is said of the chosen variant, whatever it is (RFC 2295 10.2). */
static void
write_chosen(struct out *o, const struct choices *c, const struct variant *v, bool with_list)
{
    out_literal(o, "TCN: choice\r\nContent-Location: ");
    out_slice(o, v->uri);
    out_literal(o, "\r\n");
    if (with_list)
        out_slice(o, c->alternates);
    out_slice(o, c->vary);
}

static struct ern_slice
keep(struct res_request *request, struct ern_slice text)
{
    struct out o = arena_out(request->arena);

    out_slice(&o, text);
    return slice_is_there(text) ? arena_keep(request->arena, &o) : ERN_ABSENT;
}

/* The variant is looked at in the resource's place. */
static bool
go_to(struct ern_decision *d, const struct choices *c, const struct choice *choice)
{
    struct res_request *request = d->self;
    struct chosen *chosen = arena_take(request->arena, sizeof *chosen);
    const struct variant *v = &choice->variant;
    struct out o;

    if (!chosen)
        return false;
    o = arena_out(request->arena);
    write_chosen(&o, c, v, choose_wants_list(d->request));
    chosen->before = arena_keep(request->arena, &o);
    o = arena_out(request->arena);
    if (slice_is_there(v->language)) {
        out_literal(&o, "Content-Language: ");
        out_slice(&o, v->language);
        out_literal(&o, "\r\n");
    }
    chosen->language = arena_keep(request->arena, &o);
    chosen->validator = keep(request, c->validator);
    chosen->type = slice_is_there(v->coding) ? keep(request, v->type) : ERN_ABSENT;
    chosen->coding = keep(request, v->coding);
    request->below = keep(request, choice->path);
    request->chosen = chosen;
    return slice_is_there(request->below) && !request->arena->full;
}

/* The client is to choose: the answer is the list. */
static enum ern_answer
tell_choices(struct ern_decision *d, const struct choices *c, bool acceptable)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    write_list(&o, c);
    request->fields = arena_keep(request->arena, &o);
    request->choices = c;
    learn(d, ERN_FACT_readable, true);
    learn(d, ERN_FACT_exists, true);
    learn(d, ERN_FACT_gone, false);
    learn(d, ERN_FACT_for_good, true);
    learn(d, ERN_FACT_variant_loops, false);
    learn(d, ERN_FACT_acceptable, acceptable);
    learn(d, ERN_FACT_choices, acceptable);
    return slice_is_there(request->fields) ? ERN_NO : ERN_FAIL;
}

/* The entity tag gets the validator of the list (RFC 2295 9.2), the fields what the choice says. */
static bool
represent_chosen(struct ern_decision *d, const struct chosen *chosen)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    struct ern_slice etag = d->evidence.etag, validators = r->validators;
    size_t at = (size_t)(etag.ptr - validators.ptr), end = at + etag.len - 1;
    struct out o = arena_out(request->arena);

    out_slice(&o, slice_first(validators, end));
    out_char(&o, ';');
    out_slice(&o, chosen->validator);
    etag = slice_from(o.ptr + at, o.len + 1 - at);
    out_slice(&o, slice_skip(validators, end));
    out_slice(&o, chosen->before);
    r->validators = arena_keep(request->arena, &o);
    d->evidence.etag = etag;
    o = arena_out(request->arena);
    if (slice_is_there(chosen->coding)) {
        out_literal(&o, "Content-Encoding: ");
        out_slice(&o, chosen->coding);
        out_literal(&o, "\r\n");
    }
    if (slice_is_there(chosen->type)) {
        out_literal(&o, "Content-Type: ");
        out_slice(&o, chosen->type);
        out_slice(&o, slice_skip(r->description, slice_find(r->description, '\r')));
        r->type = chosen->type;
    } else {
        out_slice(&o, r->description);
    }
    out_slice(&o, chosen->language);
    r->description = arena_keep(request->arena, &o);
    return slice_is_there(r->validators) && slice_is_there(r->description);
}

/* The variant that was chosen is what there is. */
static enum ern_answer
settle(struct ern_decision *d, struct entry *e, const struct chosen *chosen)
{
    bool loops = e->kind == ENTRY_CHOICES, is_file = e->kind == ENTRY_FILE;
    size_t choice = 0;

    if (is_file) {
        choice = choose_coding(d->request, e);
        if (choice < e->variants_n) {
            enum ern_answer represented = represent(d, e, &e->variants[choice]);

            if (represented != ERN_YES)
                return represented;
            if (!represent_chosen(d, chosen))
                return ERN_FAIL;
        }
    }
    learn(d, ERN_FACT_readable, e->kind != ENTRY_UNREADABLE);
    learn(d, ERN_FACT_exists, is_file || loops);
    learn(d, ERN_FACT_gone, false);
    learn(d, ERN_FACT_for_good, true);
    learn(d, ERN_FACT_acceptable, choice < ENTRY_VARIANTS);
    learn_more(d, e, loops);
    return ERN_NO;
}

/* There are several variants, or one was chosen already. */
static enum ern_answer
ask_variant(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct entry *e = request->pinned;
    const struct files_route *route = request->route;
    size_t choice;

    if (request->chosen)
        return settle(d, e, request->chosen);
    switch (choose(d->request, e->choices, route->strict, route->lists_ties, &choice)) {
    case CHOOSE_LIST:
        return tell_choices(d, e->choices, true);
    case CHOOSE_NONE:
        return tell_choices(d, e->choices, false);
    case CHOOSE_ONE:
        break;
    }
    if (!go_to(d, e->choices, &e->choices->choice[choice]))
        return ERN_FAIL;
    release(request);
    return ask_moved(d, fact);
}

/* ---- the file --------------------------------------------------------------------------------*/

/* Is it elsewhere, and may this client know where? */
static bool
is_elsewhere(const struct res_request *request, const struct entry *e)
{
    return e->kind == ENTRY_REFERENCE ||
           (e->kind == ENTRY_MOVED && res_may(request, e->target, RES_READ));
}

/* The first question about the file itself: the look at it answers the others too. */
static enum ern_answer
ask_moved(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    enum ern_answer represented = ERN_YES;
    struct entry *e;
    size_t choice = 0;

    if (!request->pinned) {
        enum ern_answer looked = look(request);

        if (looked != ERN_YES)
            return looked;
    }
    e = request->pinned;
    if (e->kind == ENTRY_CHOICES || request->chosen)
        return ask_variant(d, fact);
    if (e->kind == ENTRY_UNSLASHED || request->unslashed)
        return moves_to_slash(d);
    if (is_elsewhere(request, e) && !tell_target(d, e))
        return ERN_FAIL;
    if (slice_is_there(e->home))
        request->below = e->home; /* the listing reads the folder where it lies */
    if (e->kind == ENTRY_FILE) {
        choice = choose_coding(d->request, e);
        if (choice < e->variants_n)
            represented = represent(d, e, &e->variants[choice]);
        if (represented != ERN_YES)
            return represented;
    }
    if (e->kind == ENTRY_LISTING && !listing_open(d))
        return ERN_FAIL;
    learn(d, ERN_FACT_readable,
          e->kind != ENTRY_UNREADABLE &&
              (!slice_is_there(e->home) || res_may(request, e->home, RES_READ)));
    learn(d, ERN_FACT_exists, e->kind == ENTRY_FILE || e->kind == ENTRY_LISTING);
    learn(d, ERN_FACT_acceptable, choice < ENTRY_VARIANTS);
    learn(d, ERN_FACT_gone, e->kind == ENTRY_GONE);
    learn(d, ERN_FACT_for_good, e->kind != ENTRY_REFERENCE || e->for_good);
    if (e->route->variants || e->route->past || e->route->hints)
        learn_more(d, e, false);
    return is_elsewhere(request, e) ? ERN_YES : ERN_NO;
}

/* Only GET and HEAD come so far, and they stay what they are: 301 says all that is needed. */
static enum ern_answer
ask_keeps_method(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_NO;
}

/* What ask_moved() learned; a rule may need it without having asked that first. */
static enum ern_answer
ask_file(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer moved = ask_moved(d, ERN_FACT_moved);

    if (moved == ERN_WAIT || moved == ERN_FAIL)
        return moved;
    return ern_bits_has(&d->facts.yes, fact) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS));
}

/* A name that begins with a dot is for the server's owner; ".well-known" is not (RFC 8615 3). */
bool
files_withhold(const struct files_route *route, struct ern_slice path)
{
    size_t at;

    if (slice_eq(path, ERN_SLICE("/" STAGE_FOLDER)) ||
        slice_starts(path, ERN_SLICE("/" STAGE_FOLDER "/")))
        return true; /* what is being written lies there: never anybody's */
    if (route->hidden)
        return false;
    for (; (at = slice_find(path, '/')) < path.len; path = slice_skip(path, 1)) {
        path = slice_skip(path, at);
        if (slice_starts(path, ERN_SLICE("/.")) &&
            !slice_starts(path, ERN_SLICE("/.well-known/")) &&
            !slice_eq(path, ERN_SLICE("/.well-known")))
            return true;
    }
    return false;
}

static enum ern_answer
ask_withheld(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;

    (void)fact;
    return files_withhold(request->route, request->below) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_delta(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct files_route *route = request->route;

    (void)fact;
    return request->pinned ? delta_ask(d, route->past, request->pinned) : ERN_NO;
}

/* There is nothing to do; but whoever is to be told something before is told it now (103). */
static enum ern_answer
ask_acted(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_YES;
}

#define ASKS                                                                                       \
    ERN_ASKS_CONDITIONAL, ERN_ASKS_RANGE, /* a listing, whose length is not known, has none */     \
        [ERN_FACT_method_allowed] = ask_method_allowed, [ERN_FACT_withheld] = ask_withheld,        \
        [ERN_FACT_moved] = ask_moved, [ERN_FACT_keeps_method] = ask_keeps_method,                  \
        [ERN_FACT_for_good] = ask_file, [ERN_FACT_gone] = ask_file,                                \
        [ERN_FACT_readable] = ask_file, [ERN_FACT_exists] = ask_file,                              \
        [ERN_FACT_acceptable] = ask_file

struct ern_resource files_resource = {.name = "files", .ask = {ASKS}};

struct ern_resource variants_resource = {
    .name = "files with variants",
    .ask =
        {ASKS, [ERN_FACT_variant_loops] = ask_file, [ERN_FACT_choices] = ask_file,
         [ERN_FACT_hinted] = ask_file, [ERN_FACT_acted] = ask_acted, [ERN_FACT_delta] = ask_delta},
};
