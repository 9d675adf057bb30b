/* SPDX-License-Identifier: Apache-2.0 */
/* peer_seq.c - statuses that are asked for: one, one of several, or one after another. */
#include "base/hash.h"
#include "base/num.h"
#include "earnest/status.h"
#include "res/peer_parts.h"

enum { TURN_BITS = 16, WEIGHT_MAX = 1000000 };

bool
peer_can_be_asked(uint64_t n)
{
    const struct ern_status *status = n < UINT16_MAX ? ern_status_find((unsigned)n) : NULL;

    return status && status->kind == ERN_FINAL && n != ERN_101_SWITCHING_PROTOCOLS &&
           n != ERN_206_PARTIAL_CONTENT;
}

/* Takes what stands before the next comma. */
static struct ern_slice
next_of(struct ern_slice *list)
{
    size_t end = slice_find(*list, ',');
    struct ern_slice member = slice_first(*list, end);

    *list = slice_skip(*list, end < list->len ? end + 1 : end);
    return member;
}

/* Reads a status, and its weight. */
static bool
weighted(struct ern_slice member, uint64_t *status, uint64_t *weight)
{
    size_t colon = slice_find(member, ':');

    *weight = 1;
    return u64_parse(slice_first(member, colon), UINT16_MAX, status) &&
           peer_can_be_asked(*status) &&
           (colon == member.len ||
            (u64_parse(slice_skip(member, colon + 1), WEIGHT_MAX, weight) && *weight > 0));
}

uint16_t
peer_choose_status(struct ern_slice list, uint64_t random)
{
    uint64_t status = 0, weight, sum = 0;
    struct ern_slice left;

    for (left = list; left.len; sum += weight)
        if (!weighted(next_of(&left), &status, &weight))
            return 0;
    if (sum == 0)
        return 0;
    random %= sum;
    for (left = list; left.len && weighted(next_of(&left), &status, &weight) && random >= weight;)
        random -= weight;
    return (uint16_t)status;
}

uint16_t
peer_status_of_turn(struct ern_slice sequence, uint64_t n)
{
    uint64_t status = 0;

    while (sequence.len) {
        if (!u64_parse(next_of(&sequence), UINT16_MAX, &status) || !peer_can_be_asked(status))
            return 0;
        if (n-- == 0)
            break;
    }
    return (uint16_t)status;
}

/* Whose turn it is in a sequence: by its path and its client. */
static uint64_t
take_turn(struct res_request *request)
{
    const struct peer_route *route = request->route;
    struct ern_slice key = peer_argument(request->query, ERN_SLICE("key"));
    struct out o = arena_out(request->arena); /* not kept */
    _Atomic uint64_t *turn;
    uint64_t hash, was, next;

    out_slice(&o, request->below);
    out_char(&o, '?');
    if (slice_is_there(key))
        out_slice(&o, key);
    else
        address_write_host(&o, &request->peer);
    hash = hash_bytes((struct hash_key){1, 2}, out_done(&o)) >> TURN_BITS;
    turn = &route->turns[hash % PEER_TURNS];
    was = atomic_load(turn);
    do
        next = (was >> TURN_BITS) == hash ? (was & ((1 << TURN_BITS) - 1)) + 1 : 1;
    while (!atomic_compare_exchange_weak(turn, &was, hash << TURN_BITS | next % (1 << TURN_BITS)));
    return next - 1;
}

bool
peer_ask_status(struct ern_decision *d, struct peer_call *call)
{
    if (call->row->act == PEER_status)
        call->status = peer_choose_status(call->text[0], peer_random());
    else if (peer_status_of_turn(call->text[0], UINT16_MAX))
        call->status = peer_status_of_turn(call->text[0], take_turn(d->self));
    return call->status != 0;
}
