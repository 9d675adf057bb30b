/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "store/store.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define PLACE(path) ((struct store_place){f->share, ERN_SLICE(path)})

struct fixture {
    char folder[64], file[96];
    struct store *store;
    struct store_session *session;
    int64_t share, other; /* two shares, of which the second is left alone */
    char told[4096];      /* what a walk has told */
    struct out o;
};

static struct store *
open_store(const char *folder, uint64_t boot)
{
    const struct store_options options = {.folder = folder, .busy_ms = 10, .boot = boot};
    struct store *store;
    const char *why;

    if (store_open(&options, &store, &why) != 0)
        fail_msg("%s", why);
    return store;
}

static void
begin(struct fixture *f, enum store_access access)
{
    assert_int_equal(store_begin(f->store, access, &f->session), 0);
}

static void
end(struct fixture *f)
{
    assert_int_equal(store_end(f->session, true), 0);
    f->session = NULL;
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    if (!f)
        return -1;
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/earnest-store-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    (void)snprintf(f->file, sizeof f->file, "%s/earnest.db", f->folder);
    f->store = open_store(f->folder, 1);
    f->o = out_init(f->told, sizeof f->told);
    begin(f, STORE_WRITE);
    assert_int_equal(store_share(f->session, ERN_SLICE("/srv/one"), &f->share), 0);
    assert_int_equal(store_share(f->session, ERN_SLICE("/srv/two"), &f->other), 0);
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    char path[128];

    if (f->session)
        (void)store_end(f->session, false);
    store_close(f->store);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", f->file, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
        (void)unlink(path);
    }
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static void
tell(struct fixture *f, struct ern_slice text)
{
    out_slice(&f->o, text);
    out_char(&f->o, ' ');
}

/* What was told since the last time is this. */
static void
told(struct fixture *f, const char *expected)
{
    if (!slice_eq(out_done(&f->o), slice_text(expected)))
        fail_msg("%.*s, not %s", (int)f->o.len, f->told, expected);
    f->o.len = 0;
}

/* ---- sessions --------------------------------------------------------------------------------*/

static void
shares_have_numbers(void **state)
{
    struct fixture *f = *state;
    int64_t again;

    assert_true(f->share != f->other);
    assert_int_equal(store_share(f->session, ERN_SLICE("/srv/one"), &again), 0);
    assert_int_equal(again, f->share);
}

static void
changes_are_counted(void **state)
{
    static const struct {
        enum store_access access;
        bool changes, commit;
        unsigned counts;
    } rows[] = {
        {STORE_WRITE, true, true, 1},  {STORE_WRITE, true, false, 0},
        {STORE_WRITE, false, true, 0}, {STORE_WRITE, false, false, 0},
        {STORE_READ, false, true, 0},  {STORE_READ, false, false, 0},
    };
    struct fixture *f = *state;
    const struct ghost ghost = {.kind = GHOST_GONE};
    struct ghost found;
    uint64_t before;

    end(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        before = store_generation(f->store);
        begin(f, rows[i].access);
        if (rows[i].changes)
            assert_int_equal(ghost_put(f->session, PLACE("/a"), &ghost), 0);
        assert_int_equal(store_generation(f->store), before); /* not before it is committed */
        assert_int_equal(store_end(f->session, rows[i].commit), 0);
        assert_int_equal(store_generation(f->store), before + rows[i].counts);
        begin(f, STORE_WRITE);
        assert_int_equal(ghost_get(f->session, PLACE("/a"), &found), 0);
        assert_int_equal(found.kind, rows[i].changes && rows[i].commit ? GHOST_GONE : GHOST_NONE);
        found.kind = GHOST_NONE;
        assert_int_equal(ghost_put(f->session, PLACE("/a"), &found), 0);
        end(f);
    }
    before = store_generation(f->store);
    store_touch(f->store);
    assert_int_equal(store_generation(f->store), before + 1);
}

/* A reader sees what was committed when it began; another writer is waited for, and not for ever.
 * Whoever only opens does not wait. */
static void
sessions_are_apart(void **state)
{
    struct fixture *f = *state;
    const struct ghost ghost = {.kind = GHOST_GONE};
    struct store_session *reader, *writer;
    struct ghost found;
    struct store *other;

    end(f);
    begin(f, STORE_WRITE);
    other = open_store(f->folder, 1);
    assert_int_equal(ghost_put(f->session, PLACE("/a"), &ghost), 0);
    assert_int_equal(store_begin(f->store, STORE_READ, &reader), 0);
    assert_int_equal(ghost_get(reader, PLACE("/a"), &found), 0);
    assert_int_equal(found.kind, GHOST_NONE);
    assert_int_equal(store_begin(other, STORE_WRITE, &writer), -EBUSY);
    end(f);
    assert_int_equal(ghost_get(reader, PLACE("/a"), &found), 0);
    assert_int_equal(found.kind, GHOST_NONE);
    assert_int_equal(store_end(reader, true), 0);
    assert_int_equal(store_begin(other, STORE_WRITE, &writer), 0);
    assert_int_equal(ghost_get(writer, PLACE("/a"), &found), 0);
    assert_int_equal(found.kind, GHOST_GONE);
    assert_int_equal(store_end(writer, true), 0);
    store_close(other);
}

/* ---- migrations -------------------------------------------------------------------------------*/

static const char *const steps[] = {
#define STEP(text) text,
#include "store/schema.def"
#undef STEP
};

static void
run_sql(const char *file, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
close_all(struct fixture *f)
{
    end(f);
    store_close(f->store);
    f->store = NULL;
    (void)unlink(f->file);
}

/* From every version there was to this one, and what was known then is known still. */
static void
every_version_migrates(void **state)
{
    struct fixture *f = *state;
    const struct ghost ghost = {.kind = GHOST_GONE};

    for (size_t version = 1; version <= COUNT(steps); version++) {
        char pragma[64];

        close_all(f);
        for (size_t i = 0; i < version; i++)
            run_sql(f->file, steps[i]);
        run_sql(f->file, "insert into share (id, name) values (77, cast('/srv/one' as blob))");
        (void)snprintf(pragma, sizeof pragma, "pragma user_version = %zu", version);
        run_sql(f->file, pragma);
        f->store = open_store(f->folder, 1);
        begin(f, STORE_WRITE);
        assert_int_equal(store_share(f->session, ERN_SLICE("/srv/one"), &f->share), 0);
        assert_int_equal(f->share, 77);
        assert_int_equal(ghost_put(f->session, PLACE("/a"), &ghost), 0);
    }
}

static int
open_error(const struct fixture *f, const char **ret_why)
{
    const struct store_options options = {.folder = f->folder, .busy_ms = 10};
    struct store *store = NULL;
    int error = store_open(&options, &store, ret_why);

    if (!error)
        store_close(store);
    return error;
}

static void
what_is_no_database_of_ours_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *why;
    FILE *file;

    close_all(f);
    run_sql(f->file, "pragma user_version = 1000");
    assert_int_equal(open_error(f, &why), -EIO);
    assert_true(slice_starts(slice_text(why), ERN_SLICE("A newer Earnest")));
    file = fopen(f->file, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++)
        (void)fputs("this is no database", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_error(f, &why), -EIO);
    assert_true(slice_starts(slice_text(why), ERN_SLICE("The database is damaged")));
    (void)unlink(f->file);
    assert_int_equal(open_error(f, &why), 0);
}

/* ---- ghosts -----------------------------------------------------------------------------------*/

static int
tell_ghost(void *self, const struct ghost *ghost)
{
    tell(self, ghost->path);
    return 0;
}

static void
put_ghost(struct fixture *f, enum ghost_kind kind, const char *path, const char *target,
          int64_t made_s)
{
    const struct ghost ghost = {
        .kind = kind, .target = slice_text(target), .for_good = made_s % 2, .made_s = made_s};
    const struct store_place place = {f->share, slice_text(path)};

    assert_int_equal(ghost_put(f->session, place, &ghost), 0);
}

static void
ghosts_are_found(void **state)
{
    static const struct {
        const char *path, *at;
        enum ghost_kind kind;
    } rows[] = {
        {"/a", "/a", GHOST_MOVED},   {"/a/b/c", "/a/b/c", GHOST_REFERENCE},
        {"/a/b", "/a", GHOST_MOVED}, {"/a/b/c/d/e", "/a/b/c", GHOST_REFERENCE},
        {"/ab", NULL, GHOST_NONE},   {"/", NULL, GHOST_NONE},
    };
    struct fixture *f = *state;
    struct ghost g;

    put_ghost(f, GHOST_GONE, "/a", NULL, 4);
    put_ghost(f, GHOST_MOVED, "/a", "/z", 5); /* in its place */
    put_ghost(f, GHOST_REFERENCE, "/a/b/c", "http://example.org/", 6);
    assert_int_equal(ghost_get(f->session, PLACE("/a"), &g), 0);
    assert_true(g.kind == GHOST_MOVED && g.for_good && g.made_s == 5);
    assert_true(slice_eq(g.target, ERN_SLICE("/z")));
    assert_int_equal(ghost_get(f->session, PLACE("/a/b"), &g), 0);
    assert_int_equal(g.kind, GHOST_NONE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct store_place place = {f->share, slice_text(rows[i].path)};

        assert_int_equal(ghost_nearest(f->session, place, &g), 0);
        assert_int_equal(g.kind, rows[i].kind);
        assert_true(slice_eq(g.path, slice_text(rows[i].at)));
    }
    assert_int_equal(ghost_nearest(f->session, (struct store_place){f->other, ERN_SLICE("/a")}, &g),
                     0);
    assert_int_equal(g.kind, GHOST_NONE);
    put_ghost(f, GHOST_GONE, "/", NULL, 1);
    assert_int_equal(ghost_nearest(f->session, PLACE("/x/y"), &g), 0);
    assert_true(slice_eq(g.path, ERN_SLICE("/")));
}

static int
stop(void *self, const struct ghost *ghost)
{
    (void)tell_ghost(self, ghost);
    return 7;
}

static void
ghosts_are_walked_and_cleared(void **state)
{
    struct fixture *f = *state;

    put_ghost(f, GHOST_GONE, "/a", NULL, 10);
    put_ghost(f, GHOST_MOVED, "/a/c", "/z", 20);
    put_ghost(f, GHOST_GONE, "/a/b", NULL, 30);
    put_ghost(f, GHOST_REFERENCE, "/a\xff", "u", 5);
    put_ghost(f, GHOST_BINDING, "/a.x", "/a/t", 40);
    put_ghost(f, GHOST_BINDING, "/a0", "/a/t", 40);
    assert_int_equal(ghost_walk(f->session, PLACE("/a"), GHOST_NONE, 0, tell_ghost, f), 0);
    told(f, "/a /a/b /a/c ");
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 0, tell_ghost, f), 0);
    told(f, "/a /a.x /a/b /a/c /a0 /a\xff ");
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_GONE, 0, tell_ghost, f), 0);
    told(f, "/a /a/b ");
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 20, tell_ghost, f), 0);
    told(f, "/a.x /a/b /a/c /a0 ");
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 0, stop, f), 7);
    told(f, "/a ");
    assert_int_equal(binding_walk(f->session, PLACE("/a/t"), tell_ghost, f), 0);
    told(f, "/a.x /a0 ");
    assert_int_equal(ghost_expire(f->session, f->other, 1000), 0);
    assert_int_equal(ghost_expire(f->session, f->share, 30), 0);
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 0, tell_ghost, f), 0);
    told(f, "/a.x /a/b /a0 /a\xff "); /* a reference and a binding do not end by age */
    assert_int_equal(ghost_clear(f->session, PLACE("/"), GHOST_BINDING), 0);
    assert_int_equal(ghost_clear(f->session, PLACE("/a"), GHOST_NONE), 0);
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 0, tell_ghost, f), 0);
    told(f, "/a\xff ");
}

static int
tell_leads(void *self, const struct ghost *ghost)
{
    tell(self, ghost->path);
    tell(self, ghost->target);
    return 0;
}

static void
ghosts_move_with_a_tree(void **state)
{
    struct fixture *f = *state;

    put_ghost(f, GHOST_GONE, "/a/gone", NULL, 1); /* stays: it says what was at that URL */
    put_ghost(f, GHOST_REFERENCE, "/a/ref", "u", 1);
    put_ghost(f, GHOST_BINDING, "/a/bind", "/elsewhere", 1);
    put_ghost(f, GHOST_BINDING, "/b1", "/a", 1);
    put_ghost(f, GHOST_BINDING, "/b2", "/a/t\xff", 1);
    put_ghost(f, GHOST_BINDING, "/b3", "/ab", 1);
    put_ghost(f, GHOST_REFERENCE, "/ab", "/a", 1); /* no binding: its target is the client's */
    assert_int_equal(ghost_move(f->session, PLACE("/a"), PLACE("/long/name")), 0);
    assert_int_equal(ghost_walk(f->session, PLACE("/"), GHOST_NONE, 0, tell_leads, f), 0);
    told(f, "/a/gone  /ab /a /b1 /long/name /b2 /long/name/t\xff /b3 /ab "
            "/long/name/bind /elsewhere /long/name/ref u ");
}

/* ---- properties, identities, trees ------------------------------------------------------------*/

static int
tell_property(void *self, const struct property *p)
{
    tell(self, p->space);
    tell(self, p->name);
    tell(self, p->xml);
    return 0;
}

static void
put_property(struct fixture *f, const char *path, const char *space, const char *name,
             const char *xml)
{
    const struct property p = {slice_text(space), slice_text(name), slice_text(xml)};
    const struct store_place place = {f->share, slice_text(path)};

    assert_int_equal(property_put(f->session, place, &p), 0);
}

static void
properties_are_kept(void **state)
{
    struct fixture *f = *state;
    struct property p;
    int64_t bytes;
    bool any;

    put_property(f, "/a", "u:1", "x", "<x/>");
    put_property(f, "/a", "u:1", "x", "<x>2</x>"); /* in its place */
    put_property(f, "/a", "", "x", "<x/>");
    put_property(f, "/a", NULL, "y", "");
    assert_int_equal(property_get(f->session, PLACE("/a"), ERN_SLICE("u:1"), ERN_SLICE("x"), &p),
                     0);
    assert_true(slice_eq(p.xml, ERN_SLICE("<x>2</x>")));
    assert_int_equal(property_get(f->session, PLACE("/a"), ERN_ABSENT, ERN_SLICE("x"), &p), 0);
    assert_true(slice_eq(p.xml, ERN_SLICE("<x/>")));
    assert_int_equal(property_get(f->session, PLACE("/a"), ERN_SLICE("u:1"), ERN_SLICE("y"), &p),
                     -ENOENT);
    assert_int_equal(property_get(f->session, PLACE("/"), ERN_SLICE("u:1"), ERN_SLICE("x"), &p),
                     -ENOENT);
    assert_int_equal(property_bytes(f->session, PLACE("/a"), &bytes), 0);
    assert_int_equal(bytes, 4 + 8 + 1 + 4 + 1);
    assert_int_equal(property_bytes(f->session, PLACE("/b"), &bytes), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(property_any(f->session, PLACE("/"), &any), 0);
    assert_true(any);
    assert_int_equal(property_any(f->session, PLACE("/a/b"), &any), 0);
    assert_false(any);
    assert_int_equal(property_any(f->session, (struct store_place){f->other, ERN_SLICE("/")}, &any),
                     0);
    assert_false(any);
    for (unsigned i = 0; i < 2; i++) /* taking away what is not there is no error */
        assert_int_equal(property_remove(f->session, PLACE("/a"), ERN_SLICE(""), ERN_SLICE("y")),
                         0);
    assert_int_equal(property_walk(f->session, PLACE("/a"), tell_property, f), 0);
    told(f, " x <x/> u:1 x <x>2</x> ");
}

static void
identity_of(struct fixture *f, const char *path, unsigned char fresh, int expected)
{
    unsigned char bytes[16], found[16] = {0};
    const struct store_place place = {f->share, slice_text(path)};

    memset(bytes, fresh, sizeof bytes);
    if (fresh)
        assert_int_equal(identity_get(f->session, place, bytes, found), 0);
    else
        assert_int_equal(identity_find(f->session, place, found), expected ? 0 : -ENOENT);
    assert_int_equal(found[0], expected);
    assert_int_equal(found[15], expected);
}

/* Which of the places have a property, as letters. */
static void
tell_places(struct fixture *f, const char *const *places, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct store_place place = {f->share, slice_text(places[i])};
        struct property p;
        int error = property_get(f->session, place, ERN_SLICE(""), ERN_SLICE("x"), &p);

        assert_true(error == 0 || error == -ENOENT);
        if (!error) {
            tell(f, place.path);
            tell(f, p.xml);
        }
    }
}

static void
trees_are_remembered(void **state)
{
    static const char *const places[] = {"/a", "/a/b", "/ab", "/c", "/c/b", "/c/d"};
    struct fixture *f = *state;

    put_property(f, "/a", "", "x", "1");
    put_property(f, "/a/b", "", "x", "2");
    put_property(f, "/ab", "", "x", "3");
    put_property(f, "/c/d", "", "x", "4");
    identity_of(f, "/a/b", 0, 0);
    identity_of(f, "/a/b", 7, 7);
    identity_of(f, "/a/b", 8, 7); /* it has one */
    identity_of(f, "/c/d", 9, 9);
    assert_int_equal(memory_copy_tree(f->session, PLACE("/a"), PLACE("/c")), 0);
    tell_places(f, places, COUNT(places));
    told(f, "/a 1 /a/b 2 /ab 3 /c 1 /c/b 2 ");
    identity_of(f, "/c/b", 0, 0); /* a copy is another resource */
    identity_of(f, "/c/d", 0, 0);
    put_property(f, "/c/d", "", "x", "5");
    assert_int_equal(memory_move(f->session, PLACE("/a"), PLACE("/c")), 0);
    tell_places(f, places, COUNT(places));
    told(f, "/ab 3 /c 1 /c/b 2 ");
    identity_of(f, "/c/b", 0, 7); /* what moved is the same */
    identity_of(f, "/a/b", 0, 0);
    assert_int_equal(memory_forget(f->session, PLACE("/c")), 0);
    tell_places(f, places, COUNT(places));
    told(f, "/ab 3 ");
    identity_of(f, "/c/b", 0, 0);
    assert_int_equal(memory_forget(f->session, PLACE("/")), 0);
    tell_places(f, places, COUNT(places));
    told(f, "");
}

/* ---- locks ------------------------------------------------------------------------------------*/

static const struct store_clock now = {.boot_ms = 1000000, .unix_s = 2000000};

static void
put_lock(struct fixture *f, const char *token, const char *path, bool infinite, int64_t until_ms,
         int64_t until_s)
{
    const struct lock_row lock = {.token = slice_text(token),
                                  .share = f->share,
                                  .path = slice_text(path),
                                  .exclusive = !infinite,
                                  .infinite = infinite,
                                  .owner = ERN_SLICE("<o/>"),
                                  .principal = ERN_SLICE(""),
                                  .seconds = 60,
                                  .until_ms = until_ms,
                                  .until_s = until_s};

    assert_int_equal(lock_put(f->session, &lock), 0);
}

static int
tell_lock(void *self, const struct lock_row *lock)
{
    tell(self, lock->token);
    return 0;
}

static void
locks_cover(void **state)
{
    static const struct {
        const char *path;
        bool below;
        const char *tokens;
    } rows[] = {
        {"/", false, "root0 rootI "},     {"/", true, "root0 rootI aI ab0 ad0 abI "},
        {"/a", false, "aI rootI "},       {"/a", true, "aI rootI ab0 ad0 "},
        {"/a/b", false, "ab0 aI rootI "}, {"/a/b/c", true, "aI rootI "}, /* ab0 is of depth 0 */
        {"/ab", true, "abI rootI "},      {"/x/y/z", true, "rootI "},
    };
    struct fixture *f = *state;
    struct lock_row lock;
    int64_t n;
    bool any;

    assert_int_equal(lock_any(f->session, f->share, &any), 0);
    assert_false(any);
    put_lock(f, "root0", "/", false, INT64_MAX, INT64_MAX);
    put_lock(f, "rootI", "/", true, INT64_MAX, INT64_MAX);
    put_lock(f, "aI", "/a", true, INT64_MAX, INT64_MAX);
    put_lock(f, "ab0", "/a/b", false, INT64_MAX, INT64_MAX);
    put_lock(f, "ad0", "/a/d", false, INT64_MAX, INT64_MAX);
    put_lock(f, "abI", "/ab", true, INT64_MAX, INT64_MAX);
    put_lock(f, "over", "/a", true, now.boot_ms, now.unix_s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct store_place place = {f->share, slice_text(rows[i].path)};

        assert_int_equal(lock_walk(f->session, place, rows[i].below, now, tell_lock, f), 0);
        told(f, rows[i].tokens);
    }
    assert_int_equal(lock_walk(f->session, (struct store_place){f->other, ERN_SLICE("/a")}, true,
                               now, tell_lock, f),
                     0);
    told(f, "");
    assert_int_equal(lock_any(f->session, f->share, &any), 0);
    assert_true(any);
    assert_int_equal(lock_count(f->session, PLACE("/"), now, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(lock_count(f->session, PLACE("/a"), now, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(lock_get(f->session, ERN_SLICE("ab0"), now, &lock), 0);
    assert_true(lock.exclusive && !lock.infinite && lock.seconds == 60 && lock.boot == 1);
    assert_true(slice_eq(lock.owner, ERN_SLICE("<o/>")) && slice_is_there(lock.principal));
    assert_int_equal(lock_remove(f->session, ERN_SLICE("ab0")), 0);
    assert_int_equal(lock_get(f->session, ERN_SLICE("ab0"), now, &lock), -ENOENT);
    assert_int_equal(memory_move(f->session, PLACE("/a"), PLACE("/ab")), 0);
    assert_int_equal(lock_walk(f->session, PLACE("/"), true, now, tell_lock, f), 0);
    told(f, "root0 rootI "); /* locks do not move: RFC 4918 7.5 */
}

/* In the boot that it was made in, a lock ends by the clock of the boot; in another, by the time of
 * day. */
static void
locks_live_by_two_clocks(void **state)
{
    enum { SAME = 1, OTHER = 2 };
    static const struct {
        uint64_t boot; /* of whoever looks */
        int64_t left_ms, left_s;
        bool alive;
    } rows[] = {
        {SAME, 1, -100, true},  {SAME, 0, 100, false},  {SAME, -1, 100, false},
        {OTHER, -100, 1, true}, {OTHER, 100, 0, false}, {OTHER, 100, -1, false},
    };
    struct fixture *f = *state;

    end(f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store *store = open_store(f->folder, rows[i].boot);
        struct store_session *session;
        struct lock_row lock;
        int64_t n;

        begin(f, STORE_WRITE);
        put_lock(f, "t", "/a", true, now.boot_ms + rows[i].left_ms, now.unix_s + rows[i].left_s);
        end(f);
        assert_int_equal(store_begin(store, STORE_WRITE, &session), 0);
        assert_int_equal(lock_get(session, ERN_SLICE("t"), now, &lock),
                         rows[i].alive ? 0 : -ENOENT);
        assert_int_equal(lock_count(session, PLACE("/a"), now, &n), 0);
        assert_int_equal(n, rows[i].alive);
        assert_int_equal(lock_walk(session, PLACE("/a/b"), false, now, tell_lock, f), 0);
        assert_int_equal(lock_walk(session, PLACE("/"), true, now, tell_lock, f), 0);
        told(f, rows[i].alive ? "t t " : "");
        assert_int_equal(lock_expire(session, now), 0);
        assert_int_equal(store_end(session, true), 0);
        begin(f, STORE_WRITE); /* what expired is no more; what lives was not taken */
        assert_int_equal(lock_get(f->session, ERN_SLICE("t"),
                                  (struct store_clock){INT64_MIN, INT64_MIN, 0}, &lock),
                         rows[i].alive ? 0 : -ENOENT);
        end(f);
        store_close(store);
    }
}

/* ---- records ----------------------------------------------------------------------------------*/

static int
tell_intent(void *self, const struct intent *i)
{
    tell(self, i->from);
    tell(self, slice_is_there(i->to) ? i->to : ERN_SLICE("none"));
    tell(self, slice_is_there(i->staged) ? i->staged : ERN_SLICE("none"));
    out_u64(&((struct fixture *)self)->o, (uint64_t)i->inode);
    tell(self, i->replaced == 8 ? ERN_SLICE("/8") : ERN_SLICE(""));
    return i->kind == INTENT_DELETE || i->kind == INTENT_MOVE ? 0 : -EINVAL;
}

static void
intents_are_kept_in_order(void **state)
{
    struct fixture *f = *state;
    struct intent intents[] = {
        {.kind = INTENT_MOVE,
         .from = ERN_SLICE("/z"),
         .to = ERN_SLICE("/y"),
         .inode = 7,
         .replaced = 8,
         .made_s = 5},
        {.kind = INTENT_DELETE,
         .from = ERN_SLICE("/a"),
         .staged = ERN_SLICE("00ff"),
         .inode = INT64_MAX,
         .made_s = 4},
    };

    for (size_t i = 0; i < COUNT(intents); i++) {
        intents[i].share = f->share;
        assert_int_equal(intent_put(f->session, &intents[i]), 0);
    }
    assert_true(intents[0].id != 0 && intents[1].id != intents[0].id);
    assert_int_equal(intent_walk(f->session, f->share, tell_intent, f), 0);
    told(f, "/z /y none 7/8 /a none 00ff 9223372036854775807 ");
    assert_int_equal(intent_walk(f->session, f->other, tell_intent, f), 0);
    told(f, "");
    assert_int_equal(intent_remove(f->session, intents[0].id), 0);
    assert_int_equal(intent_walk(f->session, f->share, tell_intent, f), 0);
    told(f, "/a none 00ff 9223372036854775807 ");
}

static int
tell_upload(void *self, const struct upload *u)
{
    tell(self, u->id);
    return 0;
}

static void
uploads_are_kept(void **state)
{
    struct fixture *f = *state;
    struct upload u = {.id = ERN_SLICE("0123"),
                       .share = f->share,
                       .path = ERN_SLICE("/a\xff"),
                       .staged = ERN_SLICE("4567"),
                       .type = ERN_SLICE(""),
                       .length = -1,
                       .created = true,
                       .until_s = INT64_MAX};
    struct upload found;

    assert_int_equal(upload_put(f->session, &u), 0);
    assert_int_equal(upload_get(f->session, u.id, &found), 0);
    assert_true(slice_eq(found.path, u.path) && slice_eq(found.staged, u.staged));
    assert_int_equal(found.staged.ptr[found.staged.len], '\0'); /* it names a file */
    assert_true(slice_is_there(found.type) && !slice_is_there(found.etag));
    assert_true(found.length == -1 && !found.complete && found.created);
    assert_int_equal(found.until_s, INT64_MAX);
    u.complete = true;
    u.length = 7;
    assert_int_equal(upload_put(f->session, &u), 0); /* in its place */
    assert_int_equal(upload_get(f->session, u.id, &found), 0);
    assert_true(found.complete && found.length == 7);
    assert_int_equal(upload_walk(f->session, f->share, tell_upload, f), 0);
    told(f, "0123 ");
    assert_int_equal(upload_walk(f->session, f->other, tell_upload, f), 0);
    told(f, "");
    assert_int_equal(upload_remove(f->session, u.id), 0);
    assert_int_equal(upload_get(f->session, u.id, &found), -ENOENT);
}

static int
tell_work(void *self, const struct work *w)
{
    tell(self, w->id);
    return 0;
}

static void
jobs_are_kept(void **state)
{
    struct fixture *f = *state;
    struct work w = {.id = ERN_SLICE("b"),
                     .share = f->share,
                     .method = ERN_SLICE("DELETE"),
                     .path = ERN_SLICE("/a"),
                     .shallow = true,
                     .state = WORK_RUNNING,
                     .done = 3,
                     .total = -1,
                     .made_s = 9};
    struct work found;

    assert_int_equal(work_put(f->session, &w), 0);
    assert_int_equal(work_get(f->session, w.id, &found), 0);
    assert_true(slice_eq(found.method, w.method) && slice_eq(found.path, w.path));
    assert_true(!slice_is_there(found.to) && !slice_is_there(found.result));
    assert_true(found.shallow && !found.overwrite && found.state == WORK_RUNNING);
    assert_true(found.done == 3 && found.total == -1 && found.made_s == 9 && found.ended_s == 0);
    w.id = ERN_SLICE("c");
    w.made_s = 8;
    assert_int_equal(work_put(f->session, &w), 0);
    assert_int_equal(work_walk(f->session, f->share, tell_work, f), 0);
    told(f, "c b "); /* in the order they were made */
    assert_int_equal(work_remove(f->session, w.id), 0);
    assert_int_equal(work_get(f->session, w.id, &found), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shares_have_numbers),
        TEST(changes_are_counted),
        TEST(sessions_are_apart),
        TEST(every_version_migrates),
        TEST(what_is_no_database_of_ours_is_refused),
        TEST(ghosts_are_found),
        TEST(ghosts_are_walked_and_cleared),
        TEST(ghosts_move_with_a_tree),
        TEST(properties_are_kept),
        TEST(trees_are_remembered),
        TEST(locks_cover),
        TEST(locks_live_by_two_clocks),
        TEST(intents_are_kept_in_order),
        TEST(uploads_are_kept),
        TEST(jobs_are_kept),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
