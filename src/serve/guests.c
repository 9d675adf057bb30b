/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/guests.h"

#include <stdatomic.h>
#include <stdlib.h>

/*
 * An address counts in the slot that its hash chooses, together with the few that share it: with
 * 65,536 slots and 10,000 connections that is rarely more than itself, and memory does not grow.
 */
enum { SLOTS = 65536, GUEST_LOCAL = SLOTS + 1 /* counted in all only */ };

struct guests {
    struct hash_key key;
    int64_t all_max, address_max;
    atomic_int_fast64_t all;
    atomic_uint slots[SLOTS];
};

struct guests *
guests_new(const struct limits *limits, struct hash_key key)
{
    struct guests *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->key = key;
    g->all_max = limits->connections_max;
    g->address_max = limits->connections_address_max;
    return g;
}

void
guests_free(struct guests *g)
{
    free(g);
}

static bool
is_local(const union address *a)
{
    const struct ip ip = address_ip(a);

    return ip_is_loopback(&ip);
}

bool
guests_enter(struct guests *g, const union address *peer, uint32_t *ret_guest)
{
    struct ip ip;
    uint32_t slot;

    *ret_guest = 0;
    if (g->all++ >= g->all_max) {
        g->all--;
        return false;
    }
    if (!peer || is_local(peer)) {
        *ret_guest = GUEST_LOCAL;
        return true;
    }
    ip = address_ip(peer);
    slot = (uint32_t)(hash_bytes(g->key, ip_client(&ip)) % SLOTS);
    if (g->slots[slot]++ >= g->address_max) {
        g->slots[slot]--;
        g->all--;
        return false;
    }
    *ret_guest = slot + 1;
    return true;
}

void
guests_leave(struct guests *g, uint32_t guest)
{
    if (guest == 0)
        return;
    if (guest != GUEST_LOCAL)
        g->slots[guest - 1]--;
    g->all--;
}

int64_t
guests_n(const struct guests *g)
{
    return g->all;
}
