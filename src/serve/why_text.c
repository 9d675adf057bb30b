/* SPDX-License-Identifier: Apache-2.0 */
/* why_text.c - a decision, explained as plain text: for terminals. */
#include "serve/why_parts.h"

#include "base/slice.h"
#include "decide/question.h"
#include "decide/sentence.h"

static void
heading(const struct why *w, enum why_word word, struct out *o)
{
    out_char(o, '\n');
    out_slice(o, why_word(w, word));
    out_char(o, '\n');
}

static void
term(const struct why *w, enum why_word word, struct out *o)
{
    out_literal(o, "  ");
    out_slice(o, why_word(w, word));
    out_literal(o, ": ");
}

/* "412 if_match" */
static void
write_rule(const struct why *w, const struct ern_rule *rule, struct out *o)
{
    out_u64(o, why_status(w, rule));
    out_char(o, ' ');
    out_text(o, rule->name);
}

static void
write_line(const struct why *w, uint32_t line, struct out *o)
{
    if (!line || !w->conf->file)
        return;
    out_literal(o, ", ");
    out_plain(o, written_file(w->conf));
    out_char(o, ':');
    out_u64(o, line);
}

static void
write_written(const struct why *w, const struct written *written, struct out *o)
{
    out_slice(o, written->key);
    if (written->line == 0) {
        out_literal(o, " = ");
        out_slice(o, written->standard);
        out_literal(o, ", ");
        out_slice(o, why_word(w, WHY_BY_DEFAULT));
    }
    write_line(w, written->line, o);
}

static void
write_exchange(const struct why *w, struct out *o)
{
    const struct trace *t = w->trace;

    heading(w, WHY_EXCHANGE, o);
    out_literal(o, "  ");
    out_plain(o, trace_method(t));
    out_char(o, ' ');
    out_plain(o, trace_path(t));
    if (t->has_query)
        out_literal(o, "?...");
    out_char(o, ' ');
    why_write_version(o, t);
    out_char(o, '\n');
    term(w, WHY_HOST, o);
    out_plain(o, trace_authority(t));
    out_text(o, t->secure ? " (TLS)\n" : "\n");
    term(w, WHY_FIELDS, o);
    why_write_fields(o, t);
    out_char(o, '\n');
    term(w, WHY_CLIENT, o);
    address_write_host(o, &t->client);
    out_literal(o, ", ");
    why_write_time(o, t);
    out_char(o, '\n');
    term(w, WHY_ROUTE, o);
    out_plain(o, t->route->path);
    write_line(w, written_line(w->conf, t->route), o);
    out_literal(o, ", ");
    out_text(o, t->route->kind->name);
    out_char(o, '\n');
    term(w, WHY_TOOK, o);
    out_u64(o, (uint64_t)t->took_ms);
    out_literal(o, " ms\n");
}

static void
write_run(const struct why *w, size_t i, struct why_run run, struct out *o)
{
    const struct ern_step *step = &w->steps[i];
    static const char *const marks[] = {
        [INSIGHT_HELD] = "  = ", [INSIGHT_ASKED] = "  - ", [INSIGHT_FOLDED] = "    "};

    out_text(o, marks[run.group]);
    why_write_run(w, i, run, o);
    if (run.group == INSIGHT_HELD) {
        out_char(o, ' ');
        out_slice(o, why_word(w, WHY_HELD));
        out_literal(o, ": ");
        out_text(o, step->rule->source);
    } else if (run.group == INSIGHT_ASKED) {
        out_literal(o, ": ");
        out_slice(o, question_of(step->fact, w->language));
        out_char(o, ' ');
        out_slice(o, why_answer(w, step->yes));
    }
    out_char(o, '\n');
}

static void
write_path(const struct why *w, struct out *o)
{
    struct why_run run;

    heading(w, WHY_PATH, o);
    for (size_t i = 0; i < w->steps_n; i += run.n) {
        run = why_run(w, i);
        write_run(w, i, run, o);
    }
}

static void
write_facts(const struct why *w, struct out *o)
{
    enum ern_fact fact;
    struct written written;

    heading(w, WHY_FACTS, o);
    for (size_t i = 0; (fact = why_fact(w, i)) != ERN_FACTS; i++) {
        uint32_t us = why_wait_us(w, fact);

        out_literal(o, "  ");
        out_slice(o, question_of(fact, w->language));
        out_char(o, ' ');
        out_slice(o, why_answer(w, ern_bits_has(&w->trace->facts.yes, fact)));
        out_literal(o, "  (");
        out_text(o, ern_fact_name(fact));
        out_literal(o, "; ");
        out_slice(o, why_who(w, fact));
        if (us) {
            out_literal(o, ", ");
            out_slice(o, why_word(w, WHY_WAITED));
            out_char(o, ' ');
            why_write_us(o, us);
        }
        if (written_of(w->conf, w->trace->route, fact, &written)) {
            out_literal(o, "; ");
            write_written(w, &written, o);
        }
        out_literal(o, ")\n");
    }
}

static void
write_change(const struct why *w, const struct insight_change *change, struct out *o)
{
    out_literal(o, "  ");
    out_slice(o, question_of(change->fact, w->language));
    out_char(o, ' ');
    out_slice(o, why_answer(w, change->yes));
    out_literal(o, "  -> ");
    write_rule(w, change->rule, o);
    out_char(o, '\n');
}

static void
write_changes(const struct why *w, struct out *o)
{
    size_t good = why_good_changes(w);

    heading(w, WHY_CHANGE, o);
    out_literal(o, "  ");
    out_slice(o, why_word(w, why_change_word(w)));
    out_char(o, '\n');
    for (size_t i = 0; i < w->way_n; i++)
        write_change(w, &w->way[i], o);
    for (size_t i = 0; i < good; i++)
        write_change(w, &w->changes[i], o);
    if (good == w->changes_n)
        return;
    out_literal(o, "  ");
    out_slice(o, why_word(w, WHY_ELSE));
    out_char(o, '\n');
    for (size_t i = good; i < w->changes_n; i++)
        write_change(w, &w->changes[i], o);
}

void
why_write_text(const struct why *w, struct out *o)
{
    out_u64(o, w->trace->status);
    out_char(o, ' ');
    out_slice(o, why_phrase(w));
    out_literal(o, "  (");
    out_text(o, w->trace->rule->name);
    out_literal(o, ", ");
    out_text(o, w->trace->rule->source);
    out_literal(o, ")\n");
    out_slice(o, sentence_of(w->trace->rule, w->language));
    out_char(o, '\n');
    write_exchange(w, o);
    write_path(w, o);
    write_changes(w, o);
    write_facts(w, o);
}
