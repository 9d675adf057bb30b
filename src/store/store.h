/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - what the server must remember beside the files: locks, dead properties, names that
 * stand for something else, uploads, jobs, and what it was about to do when it stopped.
 *
 * No HTTP here, and no SQL above it: a share is a number, a path is text that begins with a slash
 * and ends without one ("/" alone is the share itself), time is passed in. Every call may block.
 * Errors are negative errnos: -ENOENT nothing there, -EEXIST something there, -ENOSPC no room for
 * the state, -EIO the database is damaged or cannot be read, -EBUSY it is held by someone else for
 * too long, -ENOMEM.
 *
 * Slices that a call gives back live in the session until store_end().
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

struct store;         /* shared by all threads */
struct store_session; /* a transaction of one thread */

struct store_clock { /* now */
    int64_t boot_ms; /* CLOCK_BOOTTIME */
    int64_t unix_s;  /* Unix time that no setting of the clock changes: by store_unix_s() */
    int64_t wall_s;  /* Unix time as the clock is set */
};

struct store_options {
    const char *folder;     /* the state directory, made (0700) if it is not there; the database is
                               FOLDER/earnest.db */
    bool durable;           /* store_end() returns when the change survives a power cut */
    int64_t busy_ms;        /* how long to wait for another writer before -EBUSY */
    uint64_t boot;          /* names this boot of the machine: the clock of lock_row.until_ms */
    struct store_clock now; /* unix_s is not asked for */
};

/*
 * Opens the database, makes or migrates its tables, and looks whether it is whole.
 * Returns 0, or a negative errno with a sentence in *ret_why (static text).
 */
ERN_MUST_USE int store_open(const struct store_options *options, struct store **ret_store,
                            const char **ret_why);

/*
 * Copies the database of one folder to another, which is there and has none. A server may write to
 * the first meanwhile; it is not changed. If there is none, there is no copy.
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int store_copy(const char *from, const char *to);
void store_close(struct store *store); /* NULL is fine */

/*
 * The Unix time that rows are dated with, at this moment of CLOCK_BOOTTIME. It is the clock's when
 * the database is first opened in a boot, and goes on from there: who sets the clock makes nothing
 * older or younger. It never goes back, in another boot neither.
 */
int64_t store_unix_s(const struct store *store, int64_t boot_ms);

/* Counts the changes that sessions of this process have committed; wait-free. What was read at one
 * value is still right while it is the same (for changes of this process). */
uint64_t store_generation(const struct store *store);

/* Counts as a change, for what is not in the database: a file was written. */
void store_touch(struct store *store);

enum store_access { STORE_READ, STORE_WRITE };

/* Begins a transaction; STORE_WRITE waits for other writers, of other processes too. */
ERN_MUST_USE int store_begin(struct store *store, enum store_access access,
                             struct store_session **ret_session);

/*
 * Ends it. With commit, 0 says that all changes are kept (and are on the disk, if durable); on an
 * error none is. Without commit they are dropped and it cannot fail.
 */
int store_end(struct store_session *session, bool commit);

/* The number of the share with this name (the real path of its folder); made when it is new. */
ERN_MUST_USE int store_share(struct store_session *session, struct ern_slice name,
                             int64_t *ret_share);

/* A place in a share, or (below) it and all beneath it. */
struct store_place {
    int64_t share;
    struct ern_slice path;
};

/* ---- names that are not files ------------------------------------------------------------------
 */

enum ghost_kind {
    GHOST_NONE,
    GHOST_GONE,      /* it was deleted: 410 */
    GHOST_MOVED,     /* it was moved to target, a path in the share */
    GHOST_REFERENCE, /* a redirect reference: target is a URI reference, as the client wrote it */
    GHOST_BINDING,   /* another binding of the resource whose home is target, a path in the share */
};

struct ghost {
    enum ghost_kind kind;
    struct ern_slice path; /* in rows of a walk: whose it is */
    struct ern_slice target;
    bool for_good;  /* of a reference: its lifetime is permanent */
    int64_t made_s; /* Unix time */
};

/* What stands at this path; kind GHOST_NONE (and 0) when nothing does. */
ERN_MUST_USE int ghost_get(struct store_session *session, struct store_place place,
                           struct ghost *ret_ghost);

/*
 * The nearest of the path and its ancestors that has a ghost, the path itself first: a member of a
 * moved or bound collection is found through it. ret_ghost->path says which.
 */
ERN_MUST_USE int ghost_nearest(struct store_session *session, struct store_place place,
                               struct ghost *ret_ghost);

/* Puts one there, in the place of what was; kind GHOST_NONE takes it away. */
ERN_MUST_USE int ghost_put(struct store_session *session, struct store_place place,
                           const struct ghost *ghost);

/* Takes away those of the place and beneath it of this kind (GHOST_NONE: of every kind). */
ERN_MUST_USE int ghost_clear(struct store_session *session, struct store_place below,
                             enum ghost_kind kind);

/*
 * Calls each() for ghosts of this kind (GHOST_NONE: every kind) at or beneath the place, in the
 * order of paths, made at or after since_s; a returned value other than 0 ends the walk and is
 * returned. each() must not begin a session.
 */
ERN_MUST_USE int ghost_walk(struct store_session *session, struct store_place below,
                            enum ghost_kind kind, int64_t since_s,
                            int (*each)(void *self, const struct ghost *ghost), void *self);

/* The bindings whose target is exactly this path. */
ERN_MUST_USE int binding_walk(struct store_session *session, struct store_place target,
                              int (*each)(void *self, const struct ghost *ghost), void *self);

/* References and bindings beneath a tree that moved go along, and bindings to what is in it lead to
 * where that is now. */
ERN_MUST_USE int ghost_move(struct store_session *session, struct store_place from,
                            struct store_place to);

/* Forgets what is gone and moved since before this time. */
ERN_MUST_USE int ghost_expire(struct store_session *session, int64_t share, int64_t before_s);

/* ---- dead properties (RFC 4918 4) ------------------------------------------------------------ */

struct property {
    struct ern_slice space; /* namespace; empty: none */
    struct ern_slice name;
    struct ern_slice xml; /* the whole property element, with all namespaces it needs */
};

ERN_MUST_USE int property_get(struct store_session *session, struct store_place place,
                              struct ern_slice space, struct ern_slice name,
                              struct property *ret_property); /* -ENOENT */
ERN_MUST_USE int property_put(struct store_session *session, struct store_place place,
                              const struct property *property);
/* Taking away what is not there is no error (RFC 4918 14.23). */
ERN_MUST_USE int property_remove(struct store_session *session, struct store_place place,
                                 struct ern_slice space, struct ern_slice name);
ERN_MUST_USE int property_walk(struct store_session *session, struct store_place place,
                               int (*each)(void *self, const struct property *property),
                               void *self);
/* Has anything at or beneath the place a dead property? Is there a lock in the share, be it over?
 */
ERN_MUST_USE int property_any(struct store_session *session, struct store_place below,
                              bool *ret_any);
ERN_MUST_USE int lock_any(struct store_session *session, int64_t share, bool *ret_any);

/* Bytes that the properties of one resource take, for its limit. */
ERN_MUST_USE int property_bytes(struct store_session *session, struct store_place place,
                                int64_t *ret_bytes);

/* ---- locks (RFC 4918 6) ---------------------------------------------------------------------- */

struct lock_row {
    struct ern_slice token; /* "urn:uuid:..." */
    int64_t share;
    struct ern_slice path; /* its root */
    bool exclusive, infinite;
    struct ern_slice owner;     /* the owner element as it came, or absent */
    struct ern_slice principal; /* who took it; empty: nobody was authenticated */
    int64_t seconds;            /* what it was given at the last refresh */
    int64_t until_ms;           /* CLOCK_BOOTTIME of the boot named by boot: when it ends */
    uint64_t boot;              /* store_options.boot of whoever wrote it */
    int64_t until_s;            /* Unix time of the same moment, for another boot */
};

ERN_MUST_USE int lock_put(struct store_session *session, const struct lock_row *lock);
ERN_MUST_USE int lock_get(struct store_session *session, struct ern_slice token,
                          struct store_clock now, struct lock_row *ret_lock); /* -ENOENT */
ERN_MUST_USE int lock_remove(struct store_session *session, struct ern_slice token);

/*
 * Calls each() for the living locks that cover the place: on itself, and those of infinite depth
 * on what is above it; with below, those on what is beneath it, too. A lock is over when its clock
 * says so: by until_ms in the boot it was made, by until_s in another.
 */
ERN_MUST_USE int lock_walk(struct store_session *session, struct store_place place, bool below,
                           struct store_clock now,
                           int (*each)(void *self, const struct lock_row *lock), void *self);
ERN_MUST_USE int lock_count(struct store_session *session, struct store_place place,
                            struct store_clock now, int64_t *ret_n); /* rooted exactly there */
ERN_MUST_USE int lock_expire(struct store_session *session, struct store_clock now);

/* ---- identities (RFC 5842 3.1) --------------------------------------------------------------- */

/* The resource-id that what lives at the path has: -ENOENT if nobody has asked for it yet. */
ERN_MUST_USE int identity_find(struct store_session *session, struct store_place place,
                               unsigned char *ret_uuid);

/* The resource-id of what lives at the path: 16 bytes of a UUID, written as urn:uuid:... Made of
 * fresh (16 random bytes that the caller brings) when it has none yet; needs STORE_WRITE then. */
ERN_MUST_USE int identity_get(struct store_session *session, struct store_place place,
                              const unsigned char *fresh, unsigned char *ret_uuid);

/* ---- trees ----------------------------------------------------------------------------------- */

/* What is remembered of the place and all beneath it (properties, identities; locks are not moved,
 * RFC 4918 7.5: they are removed) goes to another path, whose own memory is forgotten first. */
ERN_MUST_USE int memory_move(struct store_session *session, struct store_place from,
                             struct store_place to);
/* Properties are copied; identities and locks are not. */
ERN_MUST_USE int memory_copy_tree(struct store_session *session, struct store_place from,
                                  struct store_place to);
/* Properties, identities and locks at and beneath the place are forgotten; ghosts are not. */
ERN_MUST_USE int memory_forget(struct store_session *session, struct store_place below);

/* ---- intents: what is about to be done to the files -------------------------------------------
 */

enum intent_kind {
    INTENT_MOVE,
    INTENT_DELETE,
    INTENT_COPY,
    INTENT_MAKE,   /* something new at `to`, whose rows are kept with the intent */
    INTENT_UPLOAD, /* the staged file of an upload, which is complete, goes to `to` */
};

struct intent {
    int64_t id; /* 0: it has none yet */
    enum intent_kind kind;
    int64_t share;
    struct ern_slice from, to; /* paths; absent where the kind has none */
    struct ern_slice staged;   /* a name in the staging folder, of what comes from there or goes to
                                  it; absent where there is none */
    int64_t inode;             /* number of what is moved, deleted or placed */
    int64_t replaced;          /* number of what was at `to`; 0: nothing was */
    int64_t made_s;
};

ERN_MUST_USE int intent_put(struct store_session *session, struct intent *intent); /* sets id */
ERN_MUST_USE int intent_remove(struct store_session *session, int64_t id);
ERN_MUST_USE int intent_walk(struct store_session *session, int64_t share,
                             int (*each)(void *self, const struct intent *intent), void *self);

/* ---- uploads (draft-ietf-httpbis-resumable-upload) --------------------------------------------
 */

struct upload {
    struct ern_slice id; /* 32 hexadecimal digits */
    int64_t share;
    struct ern_slice path;   /* what it becomes when it is complete */
    struct ern_slice staged; /* its file in the staging folder; the offset is the file's size */
    struct ern_slice type;   /* Content-Type of the upload */
    int64_t length;          /* of the whole, or -1 while nobody has said it */
    bool complete;           /* all is there, and was put in its place */
    bool created;            /* that made a new resource */
    struct ern_slice etag;   /* what If-Match said at the creation, or absent */
    int64_t until_s;         /* forgotten after this time */
};

ERN_MUST_USE int upload_put(struct store_session *session, const struct upload *upload);
ERN_MUST_USE int upload_get(struct store_session *session, struct ern_slice id,
                            struct upload *ret_upload); /* -ENOENT */
/* All is there, and was put in its place. Of an upload that nobody knows it is no error. */
ERN_MUST_USE int upload_complete(struct store_session *session, struct ern_slice id, bool created);
ERN_MUST_USE int upload_remove(struct store_session *session, struct ern_slice id);
ERN_MUST_USE int upload_walk(struct store_session *session, int64_t share,
                             int (*each)(void *self, const struct upload *upload), void *self);

/* ---- jobs: what was accepted and is done later (RFC 7240 4.1) ----------------------------------
 */

enum work_state { WORK_WAITING, WORK_RUNNING, WORK_DONE, WORK_FAILED, WORK_CANCELLED };

struct work {
    struct ern_slice id; /* 32 hexadecimal digits */
    int64_t share;
    struct ern_slice method;   /* COPY, MOVE or DELETE */
    struct ern_slice path, to; /* in the share; to is absent for DELETE */
    bool overwrite, shallow;   /* Overwrite is not F; Depth is 0 */
    struct ern_slice tokens;   /* lock tokens submitted, with spaces between them */
    enum work_state state;
    int64_t done, total;     /* members; total is -1 until they are counted */
    struct ern_slice result; /* rule that ended it, by name */
    int64_t made_s, ended_s; /* Unix time; ended_s is 0 until it ended */
};

ERN_MUST_USE int work_put(struct store_session *session, const struct work *work);
ERN_MUST_USE int work_get(struct store_session *session, struct ern_slice id,
                          struct work *ret_work); /* -ENOENT */
ERN_MUST_USE int work_remove(struct store_session *session, struct ern_slice id);
ERN_MUST_USE int work_walk(struct store_session *session, int64_t share,
                           int (*each)(void *self, const struct work *work), void *self);

/* ---- credit: what was paid in advance ----------------------------------------------------------
 *
 * An account and a receipt are named by bytes that tell nothing of the key behind them.
 */

#define CREDIT_MAX INT64_C(1000000000000000) /* of one account */

ERN_MUST_USE int credit_get(struct store_session *session, struct ern_slice name,
                            int64_t *ret_balance); /* -ENOENT */

/* Adds n, which may be negative, to what the account has; makes it if it is new. Returns -ERANGE,
 * with nothing done, if it would have more than CREDIT_MAX, or less than least. */
ERN_MUST_USE int credit_add(struct store_session *session, struct ern_slice name, int64_t n,
                            int64_t least, int64_t *ret_balance);
ERN_MUST_USE int credit_walk(struct store_session *session,
                             int (*each)(void *self, struct ern_slice name, int64_t balance),
                             void *self);

/* Was this paid already, and is the receipt still good? Unix times are those of store_unix_s(). */
ERN_MUST_USE int receipt_find(struct store_session *session, struct ern_slice name, int64_t now_s,
                              bool *ret_found);

/* Keeps a receipt until then, and forgets those whose time is over. */
ERN_MUST_USE int receipt_put(struct store_session *session, struct ern_slice name, int64_t now_s,
                             int64_t until_s);

/* ---- instances: what files were before (RFC 3229) ----------------------------------------------
 */

struct instance_row {
    struct store_place place;
    struct ern_slice etag;   /* with its quotes */
    struct ern_slice digest; /* of the content, by which it is kept once */
    struct ern_slice bytes;  /* the content */
};

/*
 * Keeps an instance, as the latest of its place.
 *   keep        of a place so many are kept, the latest
 *   bytes_max   content of all together; what is older goes
 */
ERN_MUST_USE int instance_put(struct store_session *session, const struct instance_row *instance,
                              int64_t keep, int64_t bytes_max);
/* The content of an instance, or whether it is kept: -ENOENT. */
ERN_MUST_USE int instance_get(struct store_session *session, struct store_place place,
                              struct ern_slice etag, struct ern_slice *ret_bytes);
/* Likewise, by the digest of its content. */
ERN_MUST_USE int instance_find(struct store_session *session, struct store_place place,
                               struct ern_slice digest, struct ern_slice *ret_bytes);
ERN_MUST_USE int instance_has(struct store_session *session, struct store_place place,
                              struct ern_slice etag);

#endif
