/* SPDX-License-Identifier: Apache-2.0 */
#include "res/once.h"

#include <stdlib.h>
#include <string.h>

bool
once_init(struct once *once, size_t max, int64_t keep_s)
{
    *once = (struct once){.done = calloc(max, sizeof *once->done), .max = max, .keep_s = keep_s};
    (void)pthread_mutex_init(&once->lock, NULL);
    return once->done != NULL;
}

void
once_free(struct once *once)
{
    free(once->done);
    once->done = NULL;
    (void)pthread_mutex_destroy(&once->lock);
}

static bool
is_same(const uint8_t a[ONCE_KEY_BYTES], const uint8_t b[ONCE_KEY_BYTES])
{
    return memcmp(a, b, ONCE_KEY_BYTES) == 0;
}

bool
once_claim(struct once *once, struct once_claim *claim)
{
    const struct once_claim *c;

    (void)pthread_mutex_lock(&once->lock);
    for (c = once->claims; c && !is_same(c->key, claim->key);)
        c = c->next;
    if (!c) {
        claim->next = once->claims;
        once->claims = claim;
        claim->held = true;
    }
    (void)pthread_mutex_unlock(&once->lock);
    return claim->held;
}

void
once_release(struct once *once, struct once_claim *claim)
{
    struct once_claim **link = &once->claims;

    if (!claim->held)
        return;
    (void)pthread_mutex_lock(&once->lock);
    while (*link != claim)
        link = &(*link)->next;
    *link = claim->next;
    claim->held = false;
    (void)pthread_mutex_unlock(&once->lock);
}

bool
once_find(struct once *once, const uint8_t key[ONCE_KEY_BYTES], int64_t now_s,
          uint8_t ret_content[DIGEST_BYTES])
{
    bool found = false;

    (void)pthread_mutex_lock(&once->lock);
    for (size_t i = 0; !found && i < once->n; i++) {
        const struct once_done *d = &once->done[i];

        found = is_same(d->key, key) && now_s - d->at_s <= once->keep_s;
        if (found)
            memcpy(ret_content, d->content, DIGEST_BYTES);
    }
    (void)pthread_mutex_unlock(&once->lock);
    return found;
}

void
once_keep(struct once *once, const struct once_done *done)
{
    (void)pthread_mutex_lock(&once->lock);
    once->done[once->next] = *done;
    once->next = (once->next + 1) % once->max;
    once->n += once->n < once->max;
    (void)pthread_mutex_unlock(&once->lock);
}
