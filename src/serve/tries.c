/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tries.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/ip.h"
#include "base/out.h"

/*
 * A key lies in one of the few slots of its set. Where all are taken by others, the one that would
 * be forgotten first makes room: who guesses pushes out those that waited longest.
 */
enum {
    SETS = 4096,
    WAYS = 4,
    ANY_FACTOR = 8, /* failures as any user, for one as the same */
    WAIT_MS = 1000, /* the first time; it doubles up to */
    DOUBLINGS = 6,
    FORGET_MS = 900000, /* after the wait, failures are forgotten */
    USER_BYTES = 256,   /* of a name count */
    CLIENT_BYTES = 9,   /* of an address, at most, and a space */
};

struct slot {
    uint64_t key;
    int64_t until_ms; /* the next try is due */
    uint32_t failed;  /* 0: free */
};

struct tries {
    struct hash_key key;
    int64_t failed_max;
    pthread_mutex_t lock;
    struct slot slots[SETS][WAYS];
};

struct tries *
tries_new(int64_t failed_max, struct hash_key key)
{
    struct tries *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->key = key;
    t->failed_max = failed_max;
    (void)pthread_mutex_init(&t->lock, NULL);
    return t;
}

void
tries_free(struct tries *t)
{
    if (!t)
        return;
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

struct try_keys
tries_keys(const struct tries *t, const struct ip *client, struct ern_slice user)
{
    char text[CLIENT_BYTES + USER_BYTES];
    struct out o = out_init(text, sizeof text);
    struct try_keys keys;

    out_slice(&o, ip_client(client));
    keys.as_any = hash_bytes(t->key, out_done(&o));
    out_char(&o, ' ');
    out_slice(&o, user.len < USER_BYTES ? user : slice_first(user, USER_BYTES));
    keys.as_user = hash_bytes(t->key, out_done(&o));
    return keys;
}

/* Its slot, or the one to take for it; a forgotten one counts as free. */
static struct slot *
slot_of(struct tries *t, uint64_t key, int64_t now_ms)
{
    struct slot *set = t->slots[key % SETS], *found = set;

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].failed && now_ms - set[i].until_ms > FORGET_MS)
            set[i] = (struct slot){0, 0, 0};
        if (set[i].failed && set[i].key == key)
            return &set[i];
        if (set[i].until_ms < found->until_ms)
            found = &set[i];
    }
    return found;
}

static int64_t
wait_of(struct tries *t, uint64_t key, int64_t now_ms)
{
    const struct slot *s = slot_of(t, key, now_ms);

    return s->failed && s->key == key && s->until_ms > now_ms ? s->until_ms - now_ms : 0;
}

int64_t
tries_wait_ms(struct tries *t, struct try_keys keys, int64_t now_ms)
{
    int64_t as_user, as_any;

    (void)pthread_mutex_lock(&t->lock);
    as_user = wait_of(t, keys.as_user, now_ms);
    as_any = wait_of(t, keys.as_any, now_ms);
    (void)pthread_mutex_unlock(&t->lock);
    return as_user > as_any ? as_user : as_any;
}

static void
count(struct tries *t, uint64_t key, int64_t failed_max, int64_t now_ms)
{
    struct slot *s = slot_of(t, key, now_ms);
    int64_t over;

    if (s->failed == 0 || s->key != key)
        *s = (struct slot){.key = key};
    s->failed += s->failed < UINT32_MAX;
    over = s->failed - failed_max;
    s->until_ms = now_ms;
    if (over >= 0)
        s->until_ms += (int64_t)WAIT_MS << (over < DOUBLINGS ? over : DOUBLINGS);
}

void
tries_fail(struct tries *t, struct try_keys keys, int64_t now_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    count(t, keys.as_user, t->failed_max, now_ms);
    count(t, keys.as_any, t->failed_max * ANY_FACTOR, now_ms);
    (void)pthread_mutex_unlock(&t->lock);
}

void
tries_succeed(struct tries *t, struct try_keys keys)
{
    struct slot *set = t->slots[keys.as_user % SETS];

    (void)pthread_mutex_lock(&t->lock);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].key == keys.as_user)
            set[i] = (struct slot){0, 0, 0};
    (void)pthread_mutex_unlock(&t->lock);
}
