/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/handler.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/value.h"
#include "msg/target.h"
#include "res/step.h"
#include "serve/relay.h"

/* ---- the route ---------------------------------------------------------------------------------
 */

static int
read_names(const struct conf_route *from, struct origin_names *names)
{
    size_t n = from->kind == CONF_KIND_CGI ? 1 : from->fastcgi.n;

    names->name = calloc(n, sizeof *names->name);
    if (!names->name)
        return -ENOMEM;
    names->n = (unsigned)n;
    for (size_t i = 0; i < from->fastcgi.n; i++) {
        struct origin_name *to = &names->name[i];

        if (!value_socket(from->fastcgi.text[i], &to->path, &to->host, &to->port))
            return -EINVAL;
    }
    return 0;
}

static int
read_user(const struct conf_route *from, struct spawn_user *user)
{
    int error;

    if (!slice_is_there(from->run_as))
        return 0;
    error = spawn_user(from->run_as.ptr, user);
    if (!error && user->uid == getuid()) /* nothing to become */
        user->is_set = false;
    return error;
}

int
handler_open(const struct conf_route *from, const struct limits *limits, unsigned number,
             struct handler_route *route)
{
    bool is_cgi = from->kind == CONF_KIND_CGI;
    struct script_route *script = &route->script;

    if (!realpath(is_cgi ? from->cgi.ptr : from->root.ptr, route->folder))
        return -errno;
    script->folder = slice_text(route->folder);
    if (!is_cgi) {
        script->suffixes = from->script.text;
        script->suffixes_n = from->script.n;
        script->fallback = from->fallback;
    }
    route->names.number = number;
    route->names.speech = is_cgi ? &cgi_speech : &fastcgi_speech;
    route->names.requests_max = is_cgi ? limits->programs_max : limits->upstream_requests_max;
    route->program.limits = (struct spawn_limits){.cpu_s = limits->program_cpu_s,
                                                  .memory_bytes = limits->program_memory_bytes,
                                                  .files_n = limits->program_files_max};
    if (read_user(from, &route->program.user) != 0)
        return -EINVAL;
    return read_names(from, &route->names);
}

void
handler_close(struct handler_route *route)
{
    free(route->names.name);
}

bool
handler_yields(const struct site_route *route, struct ern_slice path)
{
    const struct handler_route *self = route->self;
    size_t prefix = route->path.len ? route->path.len - 1 : 0;

    if (!slice_ends(route->path, ERN_SLICE("/")) || path.len <= prefix)
        return false;
    return script_is_plain(&self->script, slice_skip(path, prefix));
}

/* ---- what is known before anything is asked ----------------------------------------------------
 */

/* What these ask, the script is asked: it has the resource. */
static const enum ern_fact others[] = {
    ERN_FACT_if_match,     ERN_FACT_if_unmodified, ERN_FACT_if_none_match, ERN_FACT_if_modified,
    ERN_FACT_if_states,    ERN_FACT_partial_put,   ERN_FACT_ranged,        ERN_FACT_wants_delta,
    ERN_FACT_asks_upgrade, ERN_FACT_options,
};

void
handler_state(struct exchange *x)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ern_state(&x->given, others[i], false);
    ern_state(&x->given, ERN_FACT_method_known, true); /* RFC 9110 9.1 */
    ern_state(&x->given, ERN_FACT_proxies, true);
}

void
handler_retract(struct exchange *x)
{
    struct ern_facts plain;

    ern_request_facts(&x->request, x->worker->now.unix_s, &plain);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ern_state(&x->given, others[i], ern_bits_has(&plain.yes, others[i]));
    ern_state(&x->given, ERN_FACT_proxies, false);
    ern_state(&x->given, ERN_FACT_method_known, ern_bits_has(&plain.yes, ERN_FACT_method_known));
}

/* ---- the script --------------------------------------------------------------------------------
 */

struct found { /* res_request.state */
    struct script script;
    struct out memory; /* what its name may be written to */
};

/* On the pool. */
static void
look(struct res_request *request)
{
    struct found *f = request->state;

    script_find(request->route, request->below, &f->memory, &f->script);
}

/* A plain file is answered by another kind: it is decided anew, by that. */
static enum ern_answer
yield(struct res_request *request)
{
    request->yields = request->again = request->at_once = true;
    return ERN_WAIT;
}

/* Looks for it, if that was not done. Returns ERN_YES, ERN_WAIT or ERN_FAIL. */
static enum ern_answer
find(struct res_request *request)
{
    size_t room = request->below.len + NAME_MAX + 1;
    struct found *f = request->state;
    char *memory;

    if (f)
        return f->script.kind == SCRIPT_PLAIN ? yield(request) : ERN_YES;
    f = arena_take(request->arena, sizeof *f);
    memory = arena_take(request->arena, room);
    if (!f || !memory)
        return ERN_FAIL;
    f->memory = out_init(memory, room);
    f->script = (struct script){SCRIPT_UNSLASHED, ERN_SLICE(""), ERN_SLICE("")};
    request->state = f;
    return request->unslashed ? ERN_YES : res_step(request, look);
}

const struct script *
handler_script(const struct exchange *x)
{
    const struct found *f = x->res.state;

    return &f->script;
}

/* A script takes all methods but two: TRACE shows what gateways add, and CONNECT leads elsewhere.
 * What is no script takes none that could make one. */
static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    enum ern_answer found = find(request);
    uint64_t many = RES_ALLOW_ALL & ~(RES_ALLOW(TRACE) | RES_ALLOW(CONNECT));
    uint64_t few = RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(POST) | RES_ALLOW(OPTIONS);
    const struct found *f = request->state;
    enum ern_answer allowed;

    (void)fact;
    if (found != ERN_YES)
        return found;
    allowed = res_allows(d, f->script.kind == SCRIPT_RUNS ? many : few);
    return d->request->method == ERN_METHODS && f->script.kind == SCRIPT_RUNS ? ERN_YES : allowed;
}

static enum ern_answer
ask_withheld(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;
    const struct script_route *route = request->route;

    (void)fact;
    return files_withhold(&route->files, request->below) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask_script(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    enum ern_answer found = find(request);
    const struct found *f = request->state;

    if (found != ERN_YES)
        return found;
    if (fact == ERN_FACT_readable)
        return f->script.kind != SCRIPT_UNREADABLE ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_exists)
        return f->script.kind == SCRIPT_RUNS ? ERN_YES : ERN_NO;
    if (f->script.kind != SCRIPT_UNSLASHED)
        return ERN_NO;
    return files_add_slash(d) ? ERN_YES : ERN_FAIL;
}

/* What asks for a folder goes on to it as it is, unless it can do with GET. */
static enum ern_answer
ask_keeps_method(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return d->request->method == ERN_GET || d->request->method == ERN_HEAD ? ERN_NO : ERN_YES;
}

/* RFC 3875 4.1.2: a script is told how much content there is before it has the first of it. */
static enum ern_answer
ask_length_needed(struct ern_decision *d, enum ern_fact fact)
{
    (void)d;
    (void)fact;
    return ERN_YES;
}

/* ---- its answer --------------------------------------------------------------------------------
 */

static enum ern_answer
ask_answer(struct ern_decision *d, enum ern_fact fact)
{
    const struct handler_route *route = exchange_of_decision(d)->route->self;

    return relay_answer_of(route->names.number, d, fact);
}

#define ASKS                                                                                       \
    [ERN_FACT_method_allowed] = ask_method_allowed, [ERN_FACT_withheld] = ask_withheld,            \
    [ERN_FACT_moved] = ask_script, [ERN_FACT_keeps_method] = ask_keeps_method,                     \
    [ERN_FACT_length_needed] = ask_length_needed, [ERN_FACT_readable] = ask_script,                \
    [ERN_FACT_exists] = ask_script, RELAY_ASKS(ask_answer)

struct ern_resource fastcgi_resource = {.name = "fastcgi", .ask = {ASKS}};
struct ern_resource cgi_resource = {.name = "cgi", .ask = {ASKS}};
