/* SPDX-License-Identifier: Apache-2.0 */
#include "res/pot_resource.h"

#include "msg/list.h"
#include "msg/target.h"

struct pot_call { /* what a request asks of the pot, and what came of it */
    enum pot_command command;
    struct pot_order order;
    enum pot_reply reply;
    struct pot_view view;
};

static const struct pot_route *
route_of(const struct ern_decision *d)
{
    return ((const struct res_request *)d->self)->route;
}

/* RFC 2324 2.1.1: BREW and POST are the same. */
static bool
is_brew(const struct ern_decision *d)
{
    return d->request->method == ERN_BREW || d->request->method == ERN_POST;
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* The call of this request, made when it is first needed; NULL without memory. */
static struct pot_call *
call_of(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct pot_call *call = request->state;

    if (call)
        return call;
    call = request->state = arena_take(request->arena, sizeof *call);
    if (!call)
        return NULL;
    *call = (struct pot_call){.command = is_brew(d)                       ? POT_START
                                         : d->request->method == ERN_WHEN ? POT_WHEN
                                                                          : POT_LOOK};
    return call;
}

/* Is it the pot itself that is asked for, and not one of its teas? */
static bool
is_whole(const struct res_request *request)
{
    return slice_eq(request->below, ERN_SLICE("/"));
}

static bool
find_tea(const struct pot_route *route, struct ern_slice name, struct pot_order *order)
{
    for (order->kind = 0; order->kind < route->teas_n; order->kind++)
        if (slice_eq(route->teas[order->kind], name))
            return true;
    return false;
}

/* Has the member of a list the weight 0 (RFC 9110 12.4.2)? */
static bool
is_unwanted(struct ern_slice parameters)
{
    struct ern_slice name, value;
    bool zero = false;

    while (parameter_next(&parameters, &name, &value))
        if (slice_eq_nocase(name, ERN_SLICE("q")))
            zero = slice_starts(ERN_SLICE("0.000"), value) && value.len > 0;
    return zero;
}

static bool
is_milk(struct ern_slice addition)
{
    static const struct ern_slice milks[] = {
        {"Cream", 5},     {"Half-and-half", 13}, {"Whole-milk", 10},
        {"Part-Skim", 9}, {"Skim", 4},           {"Non-Dairy", 9},
    };

    for (size_t i = 0; i < sizeof milks / sizeof *milks; i++)
        if (slice_eq_nocase(addition, milks[i]))
            return true;
    return false;
}

/* Adds one member of Accept-Additions to the order. Returns false if the pot does not have it. */
static bool
add(const struct pot_route *route, struct ern_slice member, struct pot_order *order)
{
    struct ern_slice name = slice_trim(slice_first(member, slice_find(member, ';')));

    if (slice_eq(name, ERN_SLICE("*")) || is_unwanted(slice_skip(member, slice_find(member, ';'))))
        return true;
    for (unsigned i = 0; i < route->additions_n; i++) {
        if (!slice_eq_nocase(route->additions[i], name))
            continue;
        order->additions |= UINT32_C(1) << i;
        order->milk |= is_milk(name);
        return true;
    }
    return false;
}

/* ---- facts -------------------------------------------------------------------------------------
 */

static enum ern_answer
ask_available(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;
    const struct pot_route *route = route_of(d);
    struct pot_view view;

    (void)fact;
    (void)pot_do(route->pot, &route->settings, POT_LOOK, NULL, request->now.run_ms, &view);
    if (!is_brew(d) || view.phase != POT_OUT)
        return ERN_YES;
    d->evidence.retry_after_s = (view.left_ms + 999) / 1000;
    return ERN_NO;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS) | RES_ALLOW(POST) |
                             RES_ALLOW(PROPFIND) | RES_ALLOW(BREW) | RES_ALLOW(WHEN));
}

/* RFC 7168 2.1.1: who wants coffee should learn which teas there are. */
static enum ern_answer
ask_teapot(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (!route_of(d)->teapot)
        return ERN_NO;
    request->fields = pot_alternates(request);
    return slice_is_there(request->fields) ? ERN_YES : ERN_FAIL;
}

static enum ern_answer
ask_type_supported(struct ern_decision *d, enum ern_fact fact)
{
    struct ern_slice type = ern_request_field(d->request, ERN_FIELD_content_type);
    struct res_request *request = d->self;
    bool brews_tea = route_of(d)->teapot;

    (void)fact;
    type = slice_trim(slice_first(type, slice_find(type, ';')));
    if (d->request->method == ERN_PROPFIND) /* all properties, which is said without content */
        return ERN_NO;
    if (!is_brew(d))
        return ERN_YES;
    if (brews_tea ? slice_eq_nocase(type, ERN_SLICE("message/teapot"))
                  : slice_eq_nocase(type, ERN_SLICE("message/coffeepot")) ||
                        slice_eq_nocase(type, ERN_SLICE("application/coffee-pot-command")))
        return ERN_YES;
    request->fields =
        brews_tea ? ERN_SLICE("Accept-Post: message/teapot\r\n")
                  : ERN_SLICE("Accept-Post: message/coffeepot, application/coffee-pot-command\r\n");
    return ERN_NO;
}

static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;
    struct pot_call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    return is_whole(request) || find_tea(route_of(d), slice_skip(request->below, 1), &call->order)
               ? ERN_YES
               : ERN_NO;
}

static enum ern_answer
ask_acceptable(struct ern_decision *d, enum ern_fact fact)
{
    struct pot_call *call = call_of(d);
    struct ern_slice line, member;
    bool has_all = true;

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (call->command != POT_START)
        return ERN_YES;
    for (uint16_t at = 0; ern_request_named(d->request, ERN_SLICE("Accept-Additions"), &at, &line);)
        while (list_next(&line, &member))
            has_all &= add(route_of(d), member, &call->order);
    if (!has_all)
        d->evidence.detail = pot_tell_additions(d);
    return has_all ? ERN_YES : ERN_NO;
}

static void
begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;
    uint64_t max = (uint64_t)*pot_content_max(d->request, request->limits);

    request->sink = (struct res_sink){.max = max, .memory_max = max, .state = SINK_OPEN, .fd = -1};
}

static enum ern_answer
ask_content(struct ern_decision *d, enum ern_fact fact)
{
    return res_ask_content(d, fact, begin_content);
}

/* RFC 2324 4: a coffee-message-body is "start" or "stop". */
static enum ern_answer
ask_content_valid(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct ern_slice content = slice_from(request->sink.bytes, request->sink.len);
    struct pot_call *call = call_of(d);

    (void)fact;
    if (!call || request->sink.state == SINK_FAILED)
        return ERN_FAIL;
    if (!is_brew(d))
        return ERN_YES;
    while (slice_ends(content, ERN_SLICE("\n")) || slice_ends(content, ERN_SLICE("\r")))
        content.len--;
    if (slice_eq(content, ERN_SLICE("stop")))
        call->command = POT_STOP;
    return call->command == POT_STOP || slice_eq(content, ERN_SLICE("start")) ? ERN_YES : ERN_NO;
}

/* ---- the act -----------------------------------------------------------------------------------
 */

/* RFC 7168 2.1.1: with all teas to choose from "brewing will not commence". */
static bool
has_choice(const struct ern_decision *d)
{
    return is_brew(d) && route_of(d)->teapot && is_whole(d->self);
}

/* Where to ask how it goes on: here. */
static bool
tell_progress(struct ern_decision *d, const struct pot_view *view)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    path_write(&o, request->path);
    d->evidence.location = arena_keep(request->arena, &o);
    d->evidence.retry_after_s = (view->left_ms + 999) / 1000;
    return slice_is_there(d->evidence.location);
}

static enum ern_answer
ask_acted(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct pot_route *route = route_of(d);
    struct pot_call *call = call_of(d);
    bool told = true;

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (has_choice(d)) {
        request->fields = pot_alternates(request);
        d->evidence.detail = pot_tell_teas(d);
        return slice_is_there(request->fields) ? ERN_YES : ERN_FAIL;
    }
    call->reply = pot_do(route->pot, &route->settings, call->command, &call->order,
                         request->now.run_ms, &call->view);
    if (d->request->method == ERN_PROPFIND)
        told = pot_describe(
            request, is_whole(request) &&
                         !slice_eq(ern_request_field(d->request, ERN_FIELD_depth), ERN_SLICE("0")));
    else
        told = pot_represent(request, &call->view, call->reply == POT_SERVES);
    if (told && call->command == POT_START && call->reply == POT_BREWS)
        told = tell_progress(d, &call->view);
    return told ? ERN_YES : ERN_FAIL;
}

/* What the act brought; it was asked before. */
static enum ern_answer
ask_outcome(struct ern_decision *d, enum ern_fact fact)
{
    const struct pot_call *call = ((struct res_request *)d->self)->state;
    bool choice = has_choice(d), commands = call->command != POT_LOOK && !choice;

    if (fact == ERN_FACT_choices)
        return choice ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_mixed)
        return d->request->method == ERN_PROPFIND ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_later)
        return commands && call->reply == POT_BREWS ? ERN_YES : ERN_NO;
    return commands && (call->reply == POT_BUSY || call->reply == POT_EMPTY) ? ERN_YES : ERN_NO;
}

struct ern_resource pot_resource = {
    .name = "pot",
    .ask =
        {
            [ERN_FACT_available] = ask_available,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_teapot] = ask_teapot,
            [ERN_FACT_type_supported] = ask_type_supported,
            [ERN_FACT_exists] = ask_exists,
            [ERN_FACT_acceptable] = ask_acceptable,
            [ERN_FACT_content_framed] = ask_content,
            [ERN_FACT_content_in_time] = ask_content,
            [ERN_FACT_content_bounded] = ask_content,
            [ERN_FACT_content_valid] = ask_content_valid,
            [ERN_FACT_acted] = ask_acted,
            [ERN_FACT_conflicts] = ask_outcome,
            [ERN_FACT_mixed] = ask_outcome,
            [ERN_FACT_later] = ask_outcome,
            [ERN_FACT_choices] = ask_outcome,
        },
};

const int64_t *
pot_content_max(const struct ern_request *request, const struct limits *limits)
{
    (void)request;
    return &limits->pot_bytes_max;
}
