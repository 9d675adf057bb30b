/* SPDX-License-Identifier: Apache-2.0 */
/* h2_place.h - requests whose content is so many letters, for tests of wire/h2_client.h. */
#ifndef LIB_H2_PLACE_H
#define LIB_H2_PLACE_H

#include <assert.h>
#include <string.h>

#include "wire/h2_client.h"

struct h2_place {      /* of a request; first in what a test knows of it */
    struct h2_ask ask; /* first */
    size_t left;       /* bytes of its content */
};

/* As h2_client_events has them. */
static inline ssize_t
h2_place_offer(void *self, struct h2_ask *ask, size_t cap, bool *ret_end)
{
    const struct h2_place *p = (const struct h2_place *)ask;

    (void)self;
    *ret_end = p->left <= cap;
    return (ssize_t)(p->left < cap ? p->left : cap);
}

static inline void
h2_place_give(void *self, struct h2_ask *ask, char *bytes, size_t n)
{
    struct h2_place *p = (struct h2_place *)ask;

    (void)self;
    assert(n <= p->left);
    memset(bytes, 'a', n);
    p->left -= n;
}

#endif
