/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/share.h"

#include <errno.h>
#include <time.h>

#include "base/slice.h"
#include "dav/dav.h"
#include "dav/journal.h"
#include "msg/target.h"

enum { REMEMBERED_S = 7 * 86400 /* what is gone is told to sync-collection at least so long */ };

struct store_clock
share_clock(void)
{
    struct timespec boot, wall;

    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct store_clock){.boot_ms = (int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000,
                                .unix_s = wall.tv_sec,
                                .wall_s = wall.tv_sec};
}

struct store_clock
share_now(const struct store *store)
{
    struct store_clock now = share_clock();

    if (store)
        now.unix_s = store_unix_s(store, now.boot_ms);
    return now;
}

void
share_write_number(struct out *o, const char *path, const struct share *share)
{
    out_text(o, path);
    out_u64(o, (uint64_t)share->id);
    out_char(o, '/');
}

void
share_write_path(struct out *o, const struct share *share, struct ern_slice path)
{
    path_write(o, share->prefix);
    if (path.len > 1 || share->prefix.len == 0)
        path_write(o, path);
    else
        out_char(o, '/');
}

static int
wants(void *self, const struct upload *upload)
{
    struct wanted {
        const char *name;
        bool found;
    } *w = self;

    w->found = w->found || (!upload->complete && slice_eq(upload->staged, slice_text(w->name)));
    return 0;
}

/* Is the staged file one of an upload that may go on? */
static bool
is_wanted(void *self, const char *name)
{
    struct share *share = self;
    struct {
        const char *name;
        bool found;
    } w = {name, false};
    struct store_session *s;

    if (store_begin(share->store, STORE_READ, &s))
        return true;
    if (upload_walk(s, share->id, wants, &w))
        w.found = true;
    (void)store_end(s, false);
    return w.found;
}

/* What stands in the place of a file, for files.c. */
static int
other(const struct files_route *route, struct ern_slice path, struct files_other *ret)
{
    enum { ARENA_BYTES = 8 * PATH_MAX };
    struct share *share = (struct share *)(uintptr_t)route;
    static const enum files_ghost kinds[] = {
        [GHOST_NONE] = FILES_MISSING,    [GHOST_GONE] = FILES_GONE,
        [GHOST_MOVED] = FILES_MOVED,     [GHOST_REFERENCE] = FILES_REFERENCE,
        [GHOST_BINDING] = FILES_MISSING,
    };
    _Alignas(max_align_t) char memory[ARENA_BYTES];
    struct arena arena;
    struct store_session *s;
    struct place p;
    struct ern_slice target;
    int error;

    *ret = (struct files_other){.kind = FILES_MISSING};
    if (share->failure)
        return 0;
    arena_init(&arena, memory, sizeof memory);
    error = store_begin(share->store, STORE_READ, &s);
    if (error)
        return error == -ENOMEM ? error
                                : 0; /* without its state, a folder is what is on the disk */
    error = place_find(share, s, &arena, path, false, &p);
    (void)store_end(s, false);
    if (error)
        return error;
    if (p.kind == PLACE_NOTHING || p.kind == PLACE_REFERENCE) {
        bool remembers = share_now(share->store).unix_s - p.ghost.made_s < share->tombstone_s;

        ret->kind = kinds[p.ghost.kind];
        if ((ret->kind == FILES_GONE || ret->kind == FILES_MOVED) && !remembers)
            ret->kind = FILES_MISSING;
        ret->for_good = p.ghost.for_good;
        target = p.ghost.target;
    } else {
        ret->kind = slice_eq(p.path, path) ? FILES_MISSING : FILES_BOUND;
        target = p.path;
    }
    if (target.len >= sizeof ret->target)
        return -ENAMETOOLONG;
    if (target.len)
        memcpy(ret->target, target.ptr, target.len);
    return 0;
}

static uint64_t
changes(const struct files_route *route)
{
    const struct share *share = (const struct share *)(const void *)route;

    return share->store ? store_generation(share->store) : 0;
}

/* The share's number, and an end of what is remembered for too long. */
static int
register_share(struct share *share, const char *name)
{
    struct store_session *s;
    struct store_clock now = share_now(share->store);
    int64_t keep_s = share->tombstone_s > REMEMBERED_S ? share->tombstone_s : REMEMBERED_S;
    int error = store_begin(share->store, STORE_WRITE, &s);

    if (error)
        return error;
    error = store_share(s, slice_text(name), &share->id);
    if (!error)
        error = ghost_expire(s, share->id, now.unix_s - keep_s);
    if (!error)
        error = lock_expire(s, now);
    return error ? (void)store_end(s, false), error : store_end(s, true);
}

/* What a crash has left is put right, by whoever comes first. */
static int
put_right(struct share *share)
{
    int error = 0;

    if (stage_is_alone(&share->stage)) {
        error = journal_recover(share);
        if (!error)
            stage_sweep(&share->stage, is_wanted, share);
    }
    return error ? error : stage_join(&share->stage);
}

int
share_open(struct share *share, const struct share_settings *settings, const char *name,
           struct store *store, int failure)
{
    int error;

    share->prefix = settings->prefix;
    share->quota_bytes = settings->quota_bytes;
    share->tombstone_s = settings->tombstone_s;
    share->processing_ms = settings->processing_ms;
    share->conditional = settings->conditional;
    share->infinite = settings->infinite;
    share->durable = settings->durable;
    share->limits = settings->limits;
    share->store = store;
    share->failure = failure;
    share->used_bytes = -1;
    share->stage.folder = -1;
    pthread_mutex_init(&share->writing, NULL);
    pthread_mutex_init(&share->transfers.lock, NULL);
    share->files.writable = true;
    share->files.other = other;
    share->files.changes = changes;
    if (failure)
        return 0;
    error = stage_open(share->files.root, share->durable, &share->stage);
    if (!error)
        error = register_share(share, name);
    if (!error)
        error = put_right(share);
    return error;
}

void
share_close(struct share *share)
{
    if (!share->limits)
        return; /* it was never opened */
    if (share->stage.folder >= 0)
        stage_close(&share->stage);
    pthread_mutex_destroy(&share->transfers.lock);
    pthread_mutex_destroy(&share->writing);
}
