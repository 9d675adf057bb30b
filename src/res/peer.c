/* SPDX-License-Identifier: Apache-2.0 */
#include "res/peer.h"

#include <errno.h>
#include <stdlib.h>

#include "earnest/status.h"
#include "res/peer_parts.h"

enum { RETRY_AFTER_S = 1 };

#define ASKED "Earnest-Status: asked\r\n"

/* ---- the call ---------------------------------------------------------------------------------*/

/* The call of this request, made when it is first needed; NULL without memory. */
static struct peer_call *
call_of(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct peer_call *call = request->state;

    if (call)
        return call;
    call = request->state = arena_take(request->arena, sizeof *call);
    if (!call)
        return NULL;
    (void)peer_find(request->below, call); /* without a row it is not there */
    return call;
}

typedef enum ern_answer call_ask(struct ern_decision *d, const struct peer_call *call,
                                 enum ern_fact fact);

/* Who answers what is asked of an act; NULL: it has but a representation. */
static call_ask *const asks[PEER_ACTS] = {
    [PEER_redirect] = peer_move_ask, [PEER_sends] = peer_move_ask,
    [PEER_links] = peer_move_ask,    [PEER_cookie] = peer_move_ask,
    [PEER_uncookie] = peer_move_ask, [PEER_basic] = peer_login_ask,
    [PEER_hidden] = peer_login_ask,  [PEER_bearer] = peer_login_ask,
    [PEER_digest] = peer_login_ask,  [PEER_earn] = peer_earn_ask,
};

bool
peer_represent(struct ern_decision *d, struct ern_slice text, struct ern_slice fields)
{
    struct res_request *request = d->self;

    request->has_representation = slice_is_there(text) && slice_is_there(fields);
    request->representation = (struct res_representation){
        .validators = ERN_SLICE(""),
        .description = fields,
        .type = ERN_SLICE("application/octet-stream"),
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    d->evidence.content_bytes = (int64_t)text.len;
    return request->has_representation;
}

/* ---- those that wait --------------------------------------------------------------------------*/

static bool
waits(enum peer_act act)
{
    return act == PEER_delay || act == PEER_drip || act == PEER_events;
}

static void
release(struct res_request *request)
{
    const struct peer_route *route = request->route;

    atomic_fetch_sub(route->waiting, 1);
}

/* ---- facts ------------------------------------------------------------------------------------*/

/* Any that only acts with an ask of their own have an opinion of. */
static enum ern_answer
ask(struct ern_decision *d, enum ern_fact fact)
{
    const struct peer_call *call = call_of(d);

    if (!call)
        return ERN_FAIL;
    return call->row && asks[call->row->act] ? asks[call->row->act](d, call, fact)
                                             : peer_fallback(fact);
}

/* Is there room for one more that waits? */
static enum ern_answer
ask_available(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct peer_route *route = request->route;
    struct peer_call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (!call->row || !waits(call->row->act))
        return ERN_YES;
    if (atomic_fetch_add(route->waiting, 1) < request->limits->peer_waits_max) {
        request->pinned = call;
        request->release = release;
        return ERN_YES;
    }
    atomic_fetch_sub(route->waiting, 1);
    d->evidence.retry_after_s = RETRY_AFTER_S;
    return ERN_NO;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    const struct peer_call *call = call_of(d);
    enum ern_answer answer;

    if (!call)
        return ERN_FAIL;
    if (!call->row)
        return ERN_YES; /* what is not there has no methods either */
    answer = res_allows(d, call->row->methods);
    return answer == ERN_YES ? ask(d, fact) : answer;
}

/* Is there such a thing, and such a number of it? */
static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    struct peer_call *call = call_of(d);

    if (!call)
        return ERN_FAIL;
    if (!call->row)
        return ERN_NO;
    if (asks[call->row->act])
        return ask(d, fact);
    if (call->row->act == PEER_status || call->row->act == PEER_sequence)
        return peer_answer(peer_ask_status(d, call));
    return peer_answer(peer_make(d, call));
}

static enum ern_answer
ask_acceptable(struct ern_decision *d, enum ern_fact fact)
{
    const struct peer_call *call = call_of(d);

    if (!call)
        return ERN_FAIL;
    return call->row && call->row->act == PEER_image ? peer_answer(peer_has_image(d->request))
                                                     : ask(d, fact);
}

static void
begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;
    uint64_t max = (uint64_t)*peer_content_max(d->request, request->limits);

    request->sink = (struct res_sink){.max = max, .memory_max = max, .state = SINK_OPEN, .fd = -1};
}

static enum ern_answer
ask_content(struct ern_decision *d, enum ern_fact fact)
{
    return res_ask_content(d, fact, begin_content);
}

static enum ern_answer
ask_acted(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct peer_call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (call->wait_ms) {
        request->wait_ms = call->wait_ms;
        call->wait_ms = 0;
        return ERN_WAIT;
    }
    if (request->has_representation || call->status)
        return ERN_YES;
    return peer_represent(d, peer_echo(d, call->row->shows, ERN_SLICE("")), PEER_JSON) ? ERN_YES
                                                                                       : ERN_FAIL;
}

/* What a status must carry is there, whoever asked for it; and it says that it was asked for. */
static enum ern_answer
ask_relays(struct ern_decision *d, enum ern_fact fact)
{
    const struct peer_call *call = call_of(d);
    struct res_request *request = d->self;
    bool keeps_method;

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (!call->status)
        return ERN_NO;
    keeps_method =
        call->status == ERN_307_TEMPORARY_REDIRECT || call->status == ERN_308_PERMANENT_REDIRECT;
    request->fields = ERN_SLICE(ASKED);
    if (call->status == ERN_226_IM_USED)
        request->fields = ERN_SLICE(ASKED "IM: identity\r\n");
    if (call->status == ERN_426_UPGRADE_REQUIRED)
        request->upgrade = ERN_SLICE("h2c");
    d->evidence.challenge = ERN_ABSENT;
    if (call->status == ERN_401_UNAUTHORIZED ||
        call->status == ERN_407_PROXY_AUTHENTICATION_REQUIRED)
        d->evidence.challenge = ERN_SLICE("Basic realm=\"peer\"");
    if (call->status / 100 == 3 && call->status != ERN_304_NOT_MODIFIED &&
        call->status != ERN_300_MULTIPLE_CHOICES)
        d->evidence.location =
            peer_locate(d, keeps_method ? ERN_SLICE("/anything") : ERN_SLICE("/get"));
    d->relayed = call->status;
    return ERN_YES;
}

/* Who has all events need not ask again (HTML 9.2.3). */
static enum ern_answer
ask_empty(struct ern_decision *d, enum ern_fact fact)
{
    const struct peer_call *call = call_of(d);

    (void)fact;
    return call ? peer_answer(call->is_over) : ERN_FAIL;
}

struct ern_resource peer_resource = {
    .name = "peer",
    .ask =
        {
            ERN_ASKS_CONDITIONAL,
            ERN_ASKS_RANGE,
            [ERN_FACT_available] = ask_available,
            [ERN_FACT_upgrade_required] = ask,
            [ERN_FACT_authenticated] = ask,
            [ERN_FACT_permitted] = ask,
            [ERN_FACT_hidden] = ask,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_teapot] = ask,
            [ERN_FACT_elsewhere] = ask,
            [ERN_FACT_moved] = ask,
            [ERN_FACT_for_good] = ask,
            [ERN_FACT_keeps_method] = ask,
            [ERN_FACT_length_needed] = ask,
            [ERN_FACT_type_supported] = ask,
            [ERN_FACT_exists] = ask_exists,
            [ERN_FACT_gone] = ask,
            [ERN_FACT_acceptable] = ask_acceptable,
            [ERN_FACT_conditional_only] = ask,
            [ERN_FACT_content_framed] = ask_content,
            [ERN_FACT_content_in_time] = ask_content,
            [ERN_FACT_content_bounded] = ask_content,
            [ERN_FACT_content_wellformed] = ask,
            [ERN_FACT_content_valid] = ask,
            [ERN_FACT_acted] = ask_acted,
            [ERN_FACT_relays] = ask_relays,
            [ERN_FACT_empty] = ask_empty,
        },
};

int
peer_route_open(struct peer_route *route)
{
    route->turns = calloc(PEER_TURNS, sizeof *route->turns);
    route->waiting = calloc(1, sizeof *route->waiting);
    route->nonces = nonces_new();
    return route->turns && route->waiting && route->nonces ? 0 : -ENOMEM;
}

void
peer_route_close(struct peer_route *route)
{
    free(route->turns);
    free(route->waiting);
    nonces_free(route->nonces);
}

const int64_t *
peer_content_max(const struct ern_request *request, const struct limits *limits)
{
    (void)request;
    return &limits->peer_content_max;
}
