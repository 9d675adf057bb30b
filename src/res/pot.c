/* SPDX-License-Identifier: Apache-2.0 */
#include "res/pot.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

enum {
    POTS = 1024,
    CUP_MS = 30000, /* after so long a cup is full of milk, whoever says when */
};

struct pot {
    pthread_mutex_t lock; /* robust: what a crash leaves half written is over with its time */
    uint64_t name;
    struct pot_state {
        enum pot_phase phase;
        int64_t since_ms, until_ms; /* of the phase; until_ms says nothing when IDLE */
        unsigned servings, strength;
        struct pot_order order;
    } state;
};

struct pots {
    size_t n;
    struct pot pot[POTS];
};

int
pots_open(struct pots **ret_pots)
{
    void *memory = mmap(NULL, sizeof(struct pots), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return -errno;
    *ret_pots = memory;
    return 0;
}

void
pots_close(struct pots *p)
{
    if (p)
        (void)munmap(p, sizeof *p);
}

struct pot *
pot_of(struct pots *p, uint64_t name, const struct pot_settings *settings)
{
    pthread_mutexattr_t shared;
    struct pot *pot;

    for (size_t i = 0; i < p->n; i++)
        if (p->pot[i].name == name)
            return &p->pot[i];
    if (p->n == POTS)
        return NULL;
    pot = &p->pot[p->n];
    (void)pthread_mutexattr_init(&shared);
    (void)pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    (void)pthread_mutex_init(&pot->lock, &shared);
    (void)pthread_mutexattr_destroy(&shared);
    pot->name = name;
    pot->state = (struct pot_state){.phase = POT_IDLE, .servings = settings->servings};
    p->n++;
    return pot;
}

static void
lock(struct pot *pot)
{
    if (pthread_mutex_lock(&pot->lock) == EOWNERDEAD)
        (void)pthread_mutex_consistent(&pot->lock);
}

/* ---- what happens ------------------------------------------------------------------------------
 */

static void
enter(struct pot_state *s, enum pot_phase phase, int64_t at_ms, int64_t for_ms)
{
    s->phase = phase;
    s->since_ms = at_ms;
    s->until_ms = at_ms + for_ms;
}

/* The drink is gone, drunk or not. */
static void
finish(struct pot_state *s, const struct pot_settings *settings, int64_t at_ms)
{
    if (s->servings)
        enter(s, POT_IDLE, at_ms, 0);
    else
        enter(s, POT_OUT, at_ms, settings->refill_ms);
}

/* How strong it has become by now: a function of time (RFC 7168 2.1.2). */
static unsigned
strength(const struct pot_state *s, int64_t now_ms)
{
    if (s->phase != POT_BREWING)
        return s->strength;
    if (now_ms <= s->since_ms) /* the clocks of threads are read at different moments */
        return 0;
    return (unsigned)((now_ms - s->since_ms) * 100 / (s->until_ms - s->since_ms));
}

/* What time has done to it since it was looked at last: each phase ends when its time is over. */
static void
let_time_pass(struct pot_state *s, const struct pot_settings *settings, int64_t now_ms)
{
    if (s->servings > settings->servings) /* the configuration is another one */
        s->servings = settings->servings;
    while (s->phase != POT_IDLE && now_ms >= s->until_ms) {
        if (s->phase == POT_BREWING) {
            s->strength = strength(s, s->until_ms);
            enter(s, POT_READY, s->until_ms, settings->keep_ms);
        } else if (s->phase == POT_OUT) {
            s->servings = settings->servings;
            enter(s, POT_IDLE, s->until_ms, 0);
        } else {
            finish(s, settings, s->until_ms);
        }
    }
}

static bool
is_same(const struct pot_order *a, const struct pot_order *b)
{
    return a->kind == b->kind && a->additions == b->additions;
}

static void
view(const struct pot_state *s, int64_t now_ms, struct pot_view *ret)
{
    *ret = (struct pot_view){
        .phase = s->phase,
        .left_ms = s->phase == POT_IDLE ? 0 : s->until_ms - now_ms,
        .servings = s->servings,
        .strength = strength(s, now_ms),
        .order = s->order,
    };
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* RFC 2324 2.1.4: milk is poured until somebody says when. */
static void
serve(struct pot_state *s, const struct pot_settings *settings, int64_t now_ms,
      struct pot_view *ret_view)
{
    s->strength = strength(s, now_ms);
    if (s->order.milk)
        enter(s, POT_POURING, now_ms, CUP_MS);
    else
        finish(s, settings, now_ms);
    view(s, now_ms, ret_view);
}

static enum pot_reply
start(struct pot_state *s, const struct pot_settings *settings, const struct pot_order *order,
      int64_t now_ms, struct pot_view *ret_view)
{
    enum pot_reply reply = POT_BREWS;

    if (s->phase == POT_OUT)
        reply = POT_EMPTY;
    else if (s->phase == POT_POURING || (s->phase != POT_IDLE && !is_same(&s->order, order)))
        reply = POT_BUSY;
    else if (s->phase == POT_READY)
        reply = POT_SERVES;
    if (s->phase == POT_IDLE) {
        s->servings--;
        s->order = *order;
        s->strength = 0;
        enter(s, POT_BREWING, now_ms, settings->brew_ms);
    }
    if (reply == POT_SERVES)
        serve(s, settings, now_ms, ret_view);
    else
        view(s, now_ms, ret_view);
    return reply;
}

/* RFC 7168 2.1.2: what is stopped too early is served at lesser strength. */
static enum pot_reply
stop(struct pot_state *s, const struct pot_settings *settings, int64_t now_ms,
     struct pot_view *ret_view)
{
    if (s->phase == POT_BREWING || s->phase == POT_READY) {
        serve(s, settings, now_ms, ret_view);
        return POT_SERVES;
    }
    view(s, now_ms, ret_view);
    return POT_EMPTY;
}

static enum pot_reply
when(struct pot_state *s, const struct pot_settings *settings, int64_t now_ms,
     struct pot_view *ret_view)
{
    bool pours = s->phase == POT_POURING;

    if (pours)
        finish(s, settings, now_ms);
    view(s, now_ms, ret_view);
    return pours ? POT_SERVES : POT_EMPTY;
}

enum pot_reply
pot_do(struct pot *pot, const struct pot_settings *settings, enum pot_command command,
       const struct pot_order *order, int64_t now_ms, struct pot_view *ret_view)
{
    enum pot_reply reply = POT_EMPTY;
    struct pot_state s;

    lock(pot);
    s = pot->state;
    let_time_pass(&s, settings, now_ms);
    if (command == POT_START)
        reply = start(&s, settings, order, now_ms, ret_view);
    else if (command == POT_STOP)
        reply = stop(&s, settings, now_ms, ret_view);
    else if (command == POT_WHEN)
        reply = when(&s, settings, now_ms, ret_view);
    else
        view(&s, now_ms, ret_view);
    pot->state = s;
    (void)pthread_mutex_unlock(&pot->lock);
    return reply;
}
