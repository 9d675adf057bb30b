/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "msg/vary.h"

enum {
    MARKS = 4096,      /* counters of what was dropped: URLs share them */
    BARREN = 1024,     /* URLs, likewise */
    BARREN_MS = 10000, /* for so long nobody waits for an answer to them */
    FLIGHTS = 256,     /* lists of flights */
    BUCKETS_MIN = 16,
    SELECTED_BYTES = 4096, /* of what the fields say that Vary names */
    TOUCH_MS = 1000,       /* the order of use is as exact as that */
};

struct flight {
    struct flight *next;
    uint64_t hash;
    struct waiter *waiters;
    size_t key_len;
    char key[];
};

enum { IN_MEMORY, IN_FILE, PLACES };

struct shelf {
    const struct limits *limits;
    struct hash_key hash_key;
    struct ern_slice folder;
    atomic_int_fast64_t reserved; /* bytes of content that is still coming */
    atomic_uint marks[MARKS];
    pthread_mutex_t lock; /* for all that follows */
    struct shelved **buckets;
    uint64_t mask;
    struct {
        struct shelved *newest, *oldest; /* by when they were used */
    } rows[PLACES];
    int64_t answers_n, files_n;
    uint64_t bytes, files_bytes;
    struct flight *flights[FLIGHTS];
    struct {
        uint64_t hash;
        int64_t until_ms;
    } barren[BARREN];
};

struct shelf *
shelf_new(const struct limits *limits, struct ern_slice folder, struct hash_key key)
{
    struct shelf *s = calloc(1, sizeof *s);
    uint64_t n = BUCKETS_MIN;

    if (!s)
        return NULL;
    while (n < (uint64_t)limits->stored_answers_max)
        n *= 2;
    s->limits = limits;
    s->hash_key = key;
    s->folder = folder;
    s->mask = n - 1;
    s->buckets = calloc(n, sizeof(struct shelved *));
    if (!s->buckets) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

uint64_t
shelf_hash(const struct shelf *s, struct ern_slice key)
{
    return hash_bytes(s->hash_key, key);
}

/* ---- what is there -----------------------------------------------------------------------------
 */

/* What it takes in memory, and in a file. */
static uint64_t
memory_of(const struct shelved *a)
{
    return a->bytes + (a->content->fd < 0 ? a->content->length : 0);
}

static uint64_t
file_of(const struct shelved *a)
{
    return a->content->fd < 0 ? 0 : a->content->length;
}

static unsigned
place_of(const struct shelved *a)
{
    return a->content->fd < 0 ? IN_MEMORY : IN_FILE;
}

static void
push(struct shelf *s, struct shelved *a)
{
    unsigned place = place_of(a);

    a->newer = NULL;
    a->older = s->rows[place].newest;
    if (a->older)
        a->older->newer = a;
    else
        s->rows[place].oldest = a;
    s->rows[place].newest = a;
}

static void
pull(struct shelf *s, struct shelved *a)
{
    unsigned place = place_of(a);

    if (a->newer)
        a->newer->older = a->older;
    else
        s->rows[place].newest = a->older;
    if (a->older)
        a->older->newer = a->newer;
    else
        s->rows[place].oldest = a->newer;
}

/* Takes one away, into the list of those that are to be given back once the lock is. */
static void
take_away(struct shelf *s, struct shelved *a, struct shelved **gone)
{
    struct shelved **at = &s->buckets[a->hash & s->mask];

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    pull(s, a);
    a->is_there = false;
    s->answers_n--;
    s->files_n -= a->content->fd >= 0;
    s->bytes -= memory_of(a);
    s->files_bytes -= file_of(a);
    a->older = *gone;
    *gone = a;
}

static void
leave_all(struct shelved *gone)
{
    while (gone) {
        struct shelved *next = gone->older;

        shelved_leave(gone);
        gone = next;
    }
}

void
shelf_free(struct shelf *s)
{
    struct shelved *gone = NULL;

    if (!s)
        return;
    for (unsigned i = 0; i < PLACES; i++)
        while (s->rows[i].oldest)
            take_away(s, s->rows[i].oldest, &gone);
    leave_all(gone);
    pthread_mutex_destroy(&s->lock);
    free(s->buckets);
    free(s);
}

static bool
answers(const struct shelved *a, uint64_t hash, struct ern_slice key)
{
    return a->hash == hash && slice_eq(a->key, key);
}

struct shelved *
shelf_find(struct shelf *s, struct ern_slice key, uint64_t hash, const struct ern_request *request,
           int64_t now_ms, bool *ret_is_known)
{
    char text[SELECTED_BYTES];
    struct shelved *a;

    *ret_is_known = false;
    pthread_mutex_lock(&s->lock);
    for (a = s->buckets[hash & s->mask]; a; a = a->next) {
        struct out selected = out_init(text, sizeof text);

        if (!answers(a, hash, key))
            continue;
        *ret_is_known = true;
        vary_write(request, a->vary, &selected);
        if (!selected.full && slice_eq(out_done(&selected), a->selected))
            break;
    }
    if (a) {
        atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
        if (now_ms - a->used_ms >= TOUCH_MS) {
            a->used_ms = now_ms;
            pull(s, a);
            push(s, a);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return a;
}

uint32_t
shelf_mark(const struct shelf *s, uint64_t hash)
{
    return atomic_load(&s->marks[hash % MARKS]);
}

/* What is to go so that the bounds are kept: what was used longest ago, of what there is too much
 * of; NULL: nothing. */
static struct shelved *
victim(const struct shelf *s)
{
    const struct limits *l = s->limits;
    struct shelved *memory = s->rows[IN_MEMORY].oldest, *file = s->rows[IN_FILE].oldest;

    if (s->files_bytes > (uint64_t)l->stored_files_bytes_max || s->files_n > l->stored_files_max)
        return file;
    if (s->bytes > (uint64_t)l->stored_bytes_max)
        return memory ? memory : file;
    if (s->answers_n <= l->stored_answers_max)
        return NULL;
    return !file || (memory && memory->used_ms < file->used_ms) ? memory : file;
}

/* Is there room for it, if all others go? */
static bool
fits(const struct shelf *s, const struct shelved *a)
{
    const struct limits *l = s->limits;

    return memory_of(a) <= (uint64_t)l->stored_bytes_max &&
           file_of(a) <= (uint64_t)l->stored_files_bytes_max &&
           (a->content->fd < 0 || l->stored_files_max > 0);
}

/* Takes away what answers the same, and of too many that answer the same URL the oldest. */
static void
make_way(struct shelf *s, const struct shelved *a, struct shelved **gone)
{
    struct shelved *other, *next, *last = NULL;
    int64_t n = 0;

    for (other = s->buckets[a->hash & s->mask]; other; other = next) {
        next = other->next;
        if (!answers(other, a->hash, a->key))
            continue;
        if (slice_eq(other->vary, a->vary) && slice_eq(other->selected, a->selected)) {
            take_away(s, other, gone);
            continue;
        }
        n++;
        last = other;
    }
    if (n >= s->limits->stored_variants_max)
        take_away(s, last, gone);
}

void
shelf_put(struct shelf *s, struct shelved *a, uint32_t mark, int64_t now_ms)
{
    struct shelved *gone = NULL, *old;

    pthread_mutex_lock(&s->lock);
    if (!a->is_there && fits(s, a) && shelf_mark(s, a->hash) == mark) {
        make_way(s, a, &gone);
        atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
        a->is_there = true;
        a->used_ms = now_ms;
        a->next = s->buckets[a->hash & s->mask];
        s->buckets[a->hash & s->mask] = a;
        push(s, a);
        s->answers_n++;
        s->files_n += a->content->fd >= 0;
        s->bytes += memory_of(a);
        s->files_bytes += file_of(a);
        s->barren[a->hash % BARREN].until_ms = 0;
        while ((old = victim(s)))
            take_away(s, old, &gone);
    }
    pthread_mutex_unlock(&s->lock);
    leave_all(gone);
}

void
shelf_drop(struct shelf *s, struct ern_slice key, uint64_t hash)
{
    struct shelved *gone = NULL, *a, *next;

    pthread_mutex_lock(&s->lock);
    atomic_fetch_add(&s->marks[hash % MARKS], 1);
    for (a = s->buckets[hash & s->mask]; a; a = next) {
        next = a->next;
        if (answers(a, hash, key))
            take_away(s, a, &gone);
    }
    pthread_mutex_unlock(&s->lock);
    leave_all(gone);
}

void
shelf_remove(struct shelf *s, struct shelved *a)
{
    struct shelved *gone = NULL;

    pthread_mutex_lock(&s->lock);
    if (a->is_there)
        take_away(s, a, &gone);
    pthread_mutex_unlock(&s->lock);
    leave_all(gone);
}

struct shelf_sizes
shelf_sizes(struct shelf *s)
{
    struct shelf_sizes sizes;

    pthread_mutex_lock(&s->lock);
    sizes = (struct shelf_sizes){(uint64_t)s->answers_n, s->bytes, s->files_bytes};
    pthread_mutex_unlock(&s->lock);
    return sizes;
}

int64_t
shelf_content_max(const struct shelf *s)
{
    return slice_is_there(s->folder) ? s->limits->stored_answer_bytes_max
                                     : s->limits->stored_memory_bytes_max;
}

bool
shelf_reserve(struct shelf *s, size_t bytes)
{
    int64_t now = atomic_fetch_add(&s->reserved, (int64_t)bytes) + (int64_t)bytes;

    if (now <= s->limits->stored_bytes_max)
        return true;
    shelf_release(s, bytes);
    return false;
}

void
shelf_release(struct shelf *s, size_t bytes)
{
    atomic_fetch_sub(&s->reserved, (int64_t)bytes);
}

int
shelf_file(const struct shelf *s)
{
    int fd;

    if (!slice_is_there(s->folder))
        return -ENOENT;
    fd = open(s->folder.ptr, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* ---- answers that are on their way -------------------------------------------------------------
 */

static struct flight *
find_flight(const struct shelf *s, struct ern_slice key, uint64_t hash)
{
    struct flight *f = s->flights[hash % FLIGHTS];

    while (f && (f->hash != hash || !slice_eq(slice_from(f->key, f->key_len), key)))
        f = f->next;
    return f;
}

static struct flight *
new_flight(struct shelf *s, struct ern_slice key, uint64_t hash)
{
    struct flight *f = malloc(sizeof *f + key.len);

    if (!f)
        return NULL;
    f->hash = hash;
    f->waiters = NULL;
    f->key_len = key.len;
    memcpy(f->key, key.ptr, key.len);
    f->next = s->flights[hash % FLIGHTS];
    s->flights[hash % FLIGHTS] = f;
    return f;
}

struct flight *
shelf_fly(struct shelf *s, struct ern_slice key, uint64_t hash, int64_t now_ms,
          struct waiter *waiter, bool *ret_waits)
{
    struct flight *other, *mine = NULL;
    bool is_barren;

    pthread_mutex_lock(&s->lock);
    is_barren = s->barren[hash % BARREN].hash == hash && now_ms < s->barren[hash % BARREN].until_ms;
    other = is_barren ? NULL : find_flight(s, key, hash);
    *ret_waits = other != NULL && waiter != NULL;
    if (*ret_waits) {
        waiter->flight = other;
        waiter->next = other->waiters;
        other->waiters = waiter;
    } else if (!other && !is_barren) {
        mine = new_flight(s, key, hash);
    }
    pthread_mutex_unlock(&s->lock);
    return mine;
}

void
shelf_land(struct shelf *s, struct flight *f)
{
    struct flight **at;
    struct waiter *w, *next;

    if (!f)
        return;
    pthread_mutex_lock(&s->lock);
    for (at = &s->flights[f->hash % FLIGHTS]; *at != f; at = &(*at)->next)
        ;
    *at = f->next;
    for (w = f->waiters; w; w = w->next)
        w->flight = NULL;
    pthread_mutex_unlock(&s->lock);
    for (w = f->waiters; w; w = next) {
        next = w->next; /* it may be gone once its job is put */
        mailbox_put(w->job.mailbox, &w->job);
    }
    free(f);
}

bool
shelf_unwait(struct shelf *s, struct waiter *w)
{
    struct waiter **at;
    bool waited;

    pthread_mutex_lock(&s->lock);
    waited = w->flight != NULL;
    if (waited) {
        for (at = &w->flight->waiters; *at != w; at = &(*at)->next)
            ;
        *at = w->next;
        w->flight = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    return waited;
}

void
shelf_barren(struct shelf *s, uint64_t hash, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    s->barren[hash % BARREN].hash = hash;
    s->barren[hash % BARREN].until_ms = now_ms + BARREN_MS;
    pthread_mutex_unlock(&s->lock);
}
