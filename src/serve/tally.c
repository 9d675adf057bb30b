/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tally.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "earnest/status.h"
#include "serve/exchange.h"

enum { STATUS_MIN = ERN_100_CONTINUE, STATUSES = 500 }; /* not a status */

struct tally { /* written by one thread, read by all */
    _Atomic uint64_t rules[ERN_RULES_MAX];
    _Atomic uint64_t relayed[STATUSES]; /* of those who passed another's status on, by status */
    _Atomic uint64_t cut, content_bytes;
};

struct tallies {
    unsigned workers_n;
    struct tally workers[];
};

struct tallies *
tallies_new(unsigned workers_n)
{
    struct tallies *t = calloc(1, sizeof *t + workers_n * sizeof *t->workers);

    if (t)
        t->workers_n = workers_n;
    return t;
}

void
tallies_free(struct tallies *t)
{
    free(t);
}

struct tally *
tally_of(struct tallies *t, unsigned worker)
{
    return &t->workers[worker];
}

/* Nobody else writes it: no more than a load and a store. */
static void
add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void
tally_count(struct tally *t, const struct exchange *x)
{
    if (!t)
        return;
    add(&t->rules[x->rule - ern_rules], 1);
    if (x->rule->status == 0 && x->status >= STATUS_MIN && x->status < STATUS_MIN + STATUSES)
        add(&t->relayed[x->status - STATUS_MIN], 1);
    if (x->aborted)
        add(&t->cut, 1);
    add(&t->content_bytes, x->sent_bytes);
}

/* The sum of a counter, by its place in the tally of a worker. */
static uint64_t
sum(const struct tallies *t, size_t offset)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < t->workers_n; i++)
        all += atomic_load_explicit(
            (const _Atomic uint64_t *)(const void *)((const char *)&t->workers[i] + offset),
            memory_order_relaxed);
    return all;
}

static void
write_answers(struct out *o, unsigned status, const char *rule, uint64_t n)
{
    out_literal(o, "earnest_answers_total{status=\"");
    out_u64(o, status);
    out_literal(o, "\",rule=\"");
    out_text(o, rule);
    out_literal(o, "\"} ");
    out_u64(o, n);
    out_char(o, '\n');
}

static void
write_rule(const struct tallies *t, const struct ern_rule *rule, struct out *o)
{
    size_t i = (size_t)(rule - ern_rules);

    if (rule->status) {
        write_answers(o, rule->status, rule->name,
                      sum(t, offsetof(struct tally, rules) + i * sizeof(_Atomic uint64_t)));
        return;
    }
    for (unsigned s = 0; s < STATUSES; s++) {
        uint64_t n = sum(t, offsetof(struct tally, relayed) + s * sizeof(_Atomic uint64_t));

        if (n > 0)
            write_answers(o, STATUS_MIN + s, rule->name, n);
    }
}

void
tallies_write(const struct tallies *t, struct out *o)
{
    out_literal(o, "# TYPE earnest_answers counter\n"
                   "# HELP earnest_answers Answers, by status and the rule that decided.\n");
    for (size_t i = 0; i < ern_rules_n; i++)
        write_rule(t, &ern_rules[i], o);
    out_literal(o, "# TYPE earnest_answers_cut counter\n"
                   "# HELP earnest_answers_cut Answers that did not come to their end.\n"
                   "earnest_answers_cut_total ");
    out_u64(o, sum(t, offsetof(struct tally, cut)));
    out_literal(o, "\n# TYPE earnest_content_bytes counter\n# UNIT earnest_content_bytes bytes\n"
                   "# HELP earnest_content_bytes Content of answers that was sent.\n"
                   "earnest_content_bytes_total ");
    out_u64(o, sum(t, offsetof(struct tally, content_bytes)));
    out_char(o, '\n');
}
