/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/incident.h"

#include <pthread.h>
#include <stdlib.h>

#include "serve/exchange.h"

enum { KEPT = 256, ID_BYTES = 16 };

struct incidents {
    pthread_mutex_t lock;
    uint64_t n; /* so many there were */
    struct incident latest[KEPT];
};

struct incidents *
incidents_new(void)
{
    struct incidents *i = calloc(1, sizeof *i);

    if (i)
        (void)pthread_mutex_init(&i->lock, NULL);
    return i;
}

void
incidents_free(struct incidents *i)
{
    if (!i)
        return;
    (void)pthread_mutex_destroy(&i->lock);
    free(i);
}

/* As a string, cut if it is longer. */
static void
keep_text(char *to, size_t cap, struct ern_slice text)
{
    size_t n = text.len < cap ? text.len : cap - 1;

    if (n)
        memcpy(to, text.ptr, n);
    to[n] = '\0';
}

void
incident_keep(struct incidents *all, const struct exchange *x)
{
    const struct ern_decision *d = &x->decision;
    struct incident *i;
    struct ern_slice target = x->request.target;

    if (!all || pthread_mutex_trylock(&all->lock) != 0)
        return;
    i = &all->latest[all->n++ % KEPT];
    *i = (struct incident){
        .id = x->incident,
        .unix_s = x->worker->now.unix_s,
        .resource = d->resource->name,
        .rule = x->rule->name,
        .fact = d->asked_n ? ern_fact_name((enum ern_fact)d->asked[d->asked_n - 1]) : NULL,
        .error = x->res.error ? x->res.error : x->charge.error,
    };
    keep_text(i->method, sizeof i->method, x->request.method_text);
    keep_text(i->target, sizeof i->target, slice_first(target, slice_find(target, '?')));
    (void)pthread_mutex_unlock(&all->lock);
}

bool
incident_find(struct incidents *all, struct ern_slice id, struct incident *ret)
{
    bool found = false;

    (void)pthread_mutex_lock(&all->lock);
    for (unsigned i = 0; !found && i < KEPT && i < all->n; i++) {
        char text[ID_BYTES];
        struct out o = out_init(text, sizeof text);

        out_hex(&o, all->latest[i].id);
        found = slice_eq(out_done(&o), id);
        if (found)
            *ret = all->latest[i];
    }
    (void)pthread_mutex_unlock(&all->lock);
    return found;
}
