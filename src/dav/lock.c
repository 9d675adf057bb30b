/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - locks: which of them forbid a method, and LOCK and UNLOCK (RFC 4918 6, 7, 9.10, 9.11).
 */
#include "dav/lock.h"
#include "dav/live.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/slice.h"
#include "dav/journal.h"
#include "dav/multistatus.h"

enum {
    LOCKS_MAX = 64, /* that are looked at one by one; of more, those count that come first */
    TOKEN_BYTES = 45,
    SHORT_BYTES = 8192, /* of an answer to LOCK, as a rule */
    LONG_BYTES = 1 << 17,
};

/* What a method does to names: which locks it has to be allowed by (RFC 4918 7.4, 7.5). */
enum need {
    NEEDS_TARGET = 1, /* the resource itself */
    NEEDS_PARENT = 2, /* the collection that gets or loses a member */
    NEEDS_PARENT_IF_NEW = 4,
    NEEDS_BENEATH = 8,
    NEEDS_DESTINATION = 16, /* likewise, of the destination */
};

static unsigned
needs_of(enum ern_method method)
{
    switch ((unsigned)method) {
    case ERN_PUT:
    case ERN_MKCOL:
    case ERN_MKREDIRECTREF:
        return NEEDS_TARGET | NEEDS_PARENT_IF_NEW;
    case ERN_PATCH:
    case ERN_PROPPATCH:
    case ERN_POST:
    case ERN_BIND:
    case ERN_UNBIND:
    case ERN_REBIND:
    case ERN_UPDATEREDIRECTREF:
        return NEEDS_TARGET;
    case ERN_DELETE:
        return NEEDS_TARGET | NEEDS_PARENT | NEEDS_BENEATH;
    case ERN_MOVE:
        return NEEDS_TARGET | NEEDS_PARENT | NEEDS_BENEATH | NEEDS_DESTINATION;
    case ERN_COPY:
        return NEEDS_DESTINATION;
    case ERN_LOCK:
        return NEEDS_PARENT_IF_NEW;
    default:
        return 0;
    }
}

struct gather { /* the locks of one place, on their way to dav->locks */
    struct dav *dav;
    struct ern_slice place;
    bool itself_only; /* a collection whose members change: a lock on it, not one above */
    bool any, any_exclusive, any_submitted;
    struct ern_slice root; /* of a lock that is not submitted */
};

static struct ern_slice
keep(struct dav *dav, struct ern_slice text)
{
    struct out o = arena_out(dav->request->arena);

    out_slice(&o, text);
    return arena_keep(dav->request->arena, &o);
}

static int
gather_lock(void *self, const struct lock_row *lock)
{
    struct gather *g = self;
    struct dav *dav = g->dav;
    bool beneath = lock->path.len > g->place.len && path_is_within(lock->path, g->place);
    bool submitted = states_submit(dav, lock->token);

    if (!beneath) {
        g->any = true;
        g->any_submitted = g->any_submitted || submitted;
        if (!submitted)
            g->root = keep(dav, lock->path);
        return 0;
    }
    if (dav->locks_n < LOCKS_MAX)
        dav->locks[dav->locks_n++] = (struct dav_lock){
            keep(dav, lock->token), keep(dav, lock->path), lock->exclusive, submitted, true};
    return 0;
}

/* Is the place locked by others? One submitted token is enough: exclusive locks exclude each other,
 * and of shared ones any will do (RFC 4918 7). */
static int
look_at(struct dav *dav, struct ern_slice path, bool beneath)
{
    struct gather g = {.dav = dav, .place = path};
    int error = lock_walk(dav->session, (struct store_place){dav->share->id, path}, beneath,
                          dav->now, gather_lock, &g);

    if (error || !g.any || g.any_submitted)
        return error;
    if (!dav->locked)
        dav_condition(dav, ERN_FACT_locked, "lock-token-submitted", g.root);
    dav->locked = true;
    return 0;
}

int
dav_look_at_locks(struct dav *dav)
{
    const struct place *t = &dav->target, *d = &dav->destination;
    unsigned needs = needs_of(dav->method->method);
    bool is_new = t->kind == PLACE_NOTHING;
    int error = states_match(dav, &dav->states_match);

    dav->locked = false;
    dav->locks_n = 0;
    if (!dav->locks)
        dav->locks = arena_take(dav->request->arena, LOCKS_MAX * sizeof *dav->locks);
    if (error || !dav->locks)
        return error ? error : -ENOMEM;
    if (needs & NEEDS_TARGET)
        error = look_at(dav, t->path, needs & NEEDS_BENEATH);
    if (!error && ((needs & NEEDS_PARENT) || (needs & NEEDS_PARENT_IF_NEW && is_new)))
        error = look_at(dav, path_parent(t->asked), false);
    if (!error && needs & NEEDS_DESTINATION && slice_is_there(d->path)) {
        error = look_at(dav, d->path, true);
        if (!error && d->kind == PLACE_NOTHING)
            error = look_at(dav, path_parent(d->asked), false);
    }
    return error;
}

void
lock_write(struct out *o, const struct share *share, const struct lock_row *lock,
           struct store_clock now)
{
    int64_t left = lock->until_s - now.unix_s;

    out_literal(o, "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope>");
    out_text(o, lock->exclusive ? "<D:exclusive/>" : "<D:shared/>");
    out_literal(o, "</D:lockscope><D:depth>");
    out_text(o, lock->infinite ? "infinity" : "0");
    out_literal(o, "</D:depth>");
    out_slice(o, lock->owner);
    out_literal(o, "<D:timeout>Second-");
    out_u64(o, (uint64_t)(left > 0 ? left : 0));
    out_literal(o, "</D:timeout><D:locktoken><D:href>");
    xml_text(o, lock->token);
    out_literal(o, "</D:href></D:locktoken><D:lockroot><D:href>");
    share_href(o, share, lock->path, false);
    out_literal(o, "</D:href></D:lockroot></D:activelock>");
}

struct discovery {
    struct out *o;
    const struct share *share;
    struct store_clock now;
};

static int
write_one(void *self, const struct lock_row *lock)
{
    const struct discovery *d = self;

    lock_write(d->o, d->share, lock, d->now);
    return 0;
}

int
lock_discovery(struct out *o, struct share *share, struct store_session *session,
               struct ern_slice path, struct store_clock now)
{
    struct discovery d = {o, share, now};

    return lock_walk(session, (struct store_place){share->id, path}, false, now, write_one, &d);
}

/* The answer to LOCK: what the lock is now. */
static int
tell_lock(struct dav *dav, size_t cap)
{
    char *text = malloc(cap);
    struct out o = out_init(text, text ? cap : 0);
    int error;

    if (!text)
        return -ENOMEM;
    out_literal(&o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                    "<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>");
    error = lock_discovery(&o, dav->share, dav->session, dav->target.path, dav->now);
    out_literal(&o, "</D:lockdiscovery></D:prop>\n");
    if (error || o.full) {
        free(text);
        return error ? error : cap < LONG_BYTES ? tell_lock(dav, LONG_BYTES) : -ENOSPC;
    }
    return xml_represent(dav, text, o.len) ? 0 : -ENOMEM;
}

static int
make_token(char *text, struct ern_slice *ret)
{
    unsigned char r[16];
    struct out o = out_init(text, TOKEN_BYTES);

    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
        return -EIO;
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40); /* version 4, RFC 4122 4.4 */
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    out_literal(&o, "urn:uuid:");
    out_uuid(&o, r);
    *ret = out_done(&o);
    return 0;
}

struct conflict { /* of a new lock with those that there are */
    struct dav *dav;
    bool shared, infinite;
    int64_t shared_n;
    bool here;                  /* one covers the target itself */
    struct ern_slice root;      /* its root */
    struct multistatus members; /* those beneath, which are reported one by one */
    bool beneath;
};

static int
find_conflict(void *self, const struct lock_row *lock)
{
    static const enum ern_fact locked[] = {ERN_FACT_locked, ERN_FACTS};
    struct conflict *c = self;
    bool beneath =
        lock->path.len > c->dav->target.path.len && path_is_within(lock->path, c->dav->target.path);

    c->shared_n += !lock->exclusive && !beneath;
    if (c->shared && !lock->exclusive)
        return 0;
    if (!beneath) {
        c->here = true;
        c->root = keep(c->dav, lock->path);
        return 0;
    }
    if (!c->beneath && !multistatus_begin(&c->members, c->dav))
        return -ENOMEM;
    c->beneath = true;
    multistatus_add(&c->members, lock->path, false, member_status(locked), NULL);
    return 0;
}

/* Does a living lock stand in the way? Says so in the outcome. */
static int
look_for_conflict(struct dav *dav)
{
    static const enum ern_fact depends[] = {ERN_FACT_dependency_ok, ERN_FACTS};
    struct conflict c = {.dav = dav,
                         .shared = dav->body.shared,
                         .infinite = dav->fields.depth == DAV_DEPTH_INFINITY};
    int error =
        lock_walk(dav->session, (struct store_place){dav->share->id, dav->target.path},
                  c.infinite && dav->target.kind == PLACE_COLLECTION, dav->now, find_conflict, &c);

    if (!error && (c.here || (c.shared && c.shared_n >= dav->share->limits->locks_max))) {
        dav_condition(dav, ERN_FACT_lock_conflicts, "no-conflicting-lock",
                      c.here ? c.root : dav->target.path);
        dav->outcome = DAV_LOCK_CONFLICTS;
        if (c.beneath)
            multistatus_drop(&c.members);
    } else if (!error && c.beneath) { /* RFC 4918 9.10.9: 423 for the member, 424 for the target */
        multistatus_add(&c.members, dav->target.asked, true, member_status(depends), NULL);
        return multistatus_end(&c.members) ? 0 : -ENOMEM;
    } else if (c.beneath) {
        multistatus_drop(&c.members);
    }
    return error;
}

/* A lock of a name that nothing has makes an empty file of it (RFC 4918 7.3): both are there, or
 * neither is. */
static int
make_locked(struct dav *dav, const struct lock_row *lock)
{
    struct intent intent = {.kind = INTENT_MAKE,
                            .share = dav->share->id,
                            .to = dav->target.path,
                            .made_s = dav->now.unix_s};
    const struct stage *stage = &dav->share->stage;
    int fd = stage_create(stage, dav->staged), error;

    if (fd < 0)
        return fd;
    error = stage_sync(stage, fd);
    (void)close(fd);
    if (!error)
        error = memory_forget(dav->session, (struct store_place){lock->share, lock->path});
    if (!error)
        error = lock_put(dav->session, lock);
    if (!error)
        error = journal_keep(dav->share, &dav->session, &intent);
    if (!error)
        error = stage_place(stage, dav->staged, dav->target.file, (struct stage_put){.fresh = true},
                            dav->old);
    if (error)
        return error;
    dav->staged[0] = '\0';
    return journal_follow(dav->session, &intent, dav->now.unix_s);
}

static void
set_end(struct lock_row *lock, const struct dav *dav)
{
    lock->seconds = dav->fields.timeout_s;
    lock->until_ms = dav->now.boot_ms + lock->seconds * 1000;
    lock->until_s = dav->now.unix_s + lock->seconds;
}

struct refresh {
    const struct dav *dav;
    struct ern_slice token;
};

static int
find_submitted(void *self, const struct lock_row *lock)
{
    struct refresh *r = self;

    if (!slice_is_there(r->token) && states_submit(r->dav, lock->token))
        r->token = lock->token;
    return 0;
}

/* LOCK without content: the lock whose token If names lives on (RFC 4918 9.10.2). */
static int
refresh(struct dav *dav)
{
    struct refresh r = {dav, ERN_ABSENT};
    struct lock_row lock;
    int error = lock_walk(dav->session, (struct store_place){dav->share->id, dav->target.path},
                          false, dav->now, find_submitted, &r);

    if (error)
        return error;
    if (!slice_is_there(r.token)) {
        dav_condition(dav, ERN_FACT_conflicts, "lock-token-matches-request-uri", ERN_ABSENT);
        dav->decision->evidence.detail =
            ERN_SLICE("LOCK without content refreshes a lock, and If names none of this resource.");
        dav->outcome = DAV_CONFLICTS;
        return 0;
    }
    error = lock_get(dav->session, r.token, dav->now, &lock);
    if (error)
        return error;
    set_end(&lock, dav);
    error = lock_put(dav->session, &lock);
    return error ? error : tell_lock(dav, SHORT_BYTES);
}

int
dav_lock(struct dav *dav)
{
    struct lock_row lock = {.share = dav->share->id,
                            .path = dav->target.path,
                            .exclusive = !dav->body.shared,
                            .infinite = dav->fields.depth == DAV_DEPTH_INFINITY,
                            .owner = dav->body.owner,
                            .principal = dav->request->user};
    bool is_new = dav->target.kind == PLACE_NOTHING;
    char token[TOKEN_BYTES], coded[TOKEN_BYTES + 2];
    struct out o = out_init(coded, sizeof coded);
    int error;

    if (!dav->has_body || !dav->body.has_lockinfo)
        return refresh(dav);
    error = look_for_conflict(dav);
    if (error || dav->outcome)
        return error;
    error = make_token(token, &lock.token);
    set_end(&lock, dav);
    if (!error)
        error = is_new ? make_locked(dav, &lock) : lock_put(dav->session, &lock);
    if (!error)
        error = tell_lock(dav, SHORT_BYTES);
    out_char(&o, '<');
    out_slice(&o, lock.token);
    out_char(&o, '>');
    if (!error)
        dav_field(dav, "Lock-Token", out_done(&o));
    if (!error && is_new)
        dav->outcome = DAV_CREATED;
    return error;
}

int
dav_unlock(struct dav *dav)
{
    struct lock_row lock;
    int error = lock_get(dav->session, dav->fields.lock_token, dav->now, &lock);
    bool covers = !error && lock.share == dav->share->id &&
                  (slice_eq(lock.path, dav->target.path) ||
                   (lock.infinite && path_is_within(dav->target.path, lock.path)));

    if (error && error != -ENOENT)
        return error;
    if (!covers) {
        /* RFC 4918 9.11.1 */
        dav_condition(dav, ERN_FACT_conflicts, "lock-token-matches-request-uri", ERN_ABSENT);
        dav->decision->evidence.detail = ERN_SLICE("Lock-Token names no lock of this resource.");
        dav->outcome = DAV_CONFLICTS;
        return 0;
    }
    /* It ends where it began, too, and on all that is beneath. */
    if (!res_may(dav->request, lock.path, RES_LOCK)) {
        dav->outcome = DAV_FORBIDDEN;
        return 0;
    }
    dav->outcome = DAV_EMPTY;
    return lock_remove(dav->session, dav->fields.lock_token);
}
