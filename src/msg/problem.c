/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/problem.h"

/* Begins a member: a comma unless it is the first of its object, its name, and a colon. */
static void
write_name(struct out *o, struct ern_slice name)
{
    if (o->len && o->ptr[o->len - 1] != '{')
        out_char(o, ',');
    out_char(o, '"');
    out_slice(o, name);
    out_literal(o, "\":");
}

/* A member whose value is text; left out if that is absent. */
static void
write_text(struct out *o, struct ern_slice name, struct ern_slice text)
{
    if (!slice_is_there(text))
        return;
    write_name(o, name);
    out_char(o, '"');
    out_json(o, text);
    out_char(o, '"');
}

static void
write_number(struct out *o, struct ern_slice name, int64_t n)
{
    write_name(o, name);
    if (n < 0)
        out_char(o, '-');
    out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void
write_fact(struct out *o, const struct problem *problem)
{
    write_name(o, ERN_SLICE("fact"));
    out_char(o, '{');
    write_text(o, ERN_SLICE("name"), problem->fact);
    write_text(o, ERN_SLICE("question"), problem->question);
    write_name(o, ERN_SLICE("answer"));
    out_slice(o, problem->answer ? ERN_SLICE("true") : ERN_SLICE("false"));
    out_char(o, '}');
}

static void
write_limit(struct out *o, const struct problem *problem)
{
    write_name(o, ERN_SLICE("limit"));
    out_char(o, '{');
    write_text(o, ERN_SLICE("name"), problem->limit);
    write_number(o, ERN_SLICE("value"), problem->limit_value);
    out_char(o, '}');
}

/* A type that is absent means "about:blank" (RFC 9457 3.1.1). */
void
problem_write(struct out *o, const struct problem *problem,
              void (*more)(struct out *o, const void *self), const void *self)
{
    out_char(o, '{');
    write_text(o, ERN_SLICE("type"), problem->type);
    write_text(o, ERN_SLICE("title"), problem->title);
    write_number(o, ERN_SLICE("status"), problem->status);
    write_text(o, ERN_SLICE("detail"), problem->detail);
    write_text(o, ERN_SLICE("instance"), problem->instance);
    write_text(o, ERN_SLICE("rule"), problem->rule);
    write_text(o, ERN_SLICE("source"), problem->source);
    if (slice_is_there(problem->fact))
        write_fact(o, problem);
    if (problem->offset >= 0)
        write_number(o, ERN_SLICE("offset"), problem->offset);
    write_text(o, ERN_SLICE("link"), problem->link);
    if (problem->price > 0) {
        write_number(o, ERN_SLICE("price"), problem->price);
        write_number(o, ERN_SLICE("balance"), problem->balance);
    }
    if (slice_is_there(problem->limit))
        write_limit(o, problem);
    if (more)
        more(o, self);
    out_char(o, '}');
}
