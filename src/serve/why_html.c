/* SPDX-License-Identifier: Apache-2.0 */
/* why_html.c - a decision, explained as a page: no script, and all style within it. */
#include "serve/why_parts.h"

#include "base/slice.h"
#include "decide/question.h"
#include "decide/sentence.h"
#include "res/page.h"
#include "serve/section.h"

static void
heading(const struct why *w, enum why_word word, struct out *o)
{
    out_literal(o, "<h2>");
    out_slice(o, why_word(w, word));
    out_literal(o, "</h2>\n");
}

static void
term(const struct why *w, enum why_word word, struct out *o)
{
    page_term(o, why_word(w, word));
}

static void
write_head(const struct why *w, struct out *o)
{
    page_begin(o, w->language);
    out_slice(o, why_word(w, WHY_WHY));
    out_char(o, ' ');
    out_u64(o, w->trace->status);
    out_literal(o, ": ");
    out_html(o, trace_method(w->trace));
    out_char(o, ' ');
    out_html(o, trace_path(w->trace));
    out_literal(o, "</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    page_write_style(o, &page_style);
    page_write_style(o, &page_path);
    page_write_style(o, &page_why);
    out_literal(o, "</head>\n<body>\n<main>\n<h1 lang=\"en\"><b>");
    out_u64(o, w->trace->status);
    out_literal(o, "</b> ");
    out_html(o, why_phrase(w));
    out_literal(o, "</h1>\n<p class=\"says\">");
    out_html(o, sentence_of(w->trace->rule, w->language));
    out_literal(o, "</p>\n<p class=\"soft\"><code>");
    out_text(o, w->trace->rule->name);
    out_literal(o, "</code>, ");
    section_write_link(o, slice_text(w->trace->rule->source));
    out_literal(o, "</p>\n");
}

/* "412 if_match" */
static void
write_rule(const struct why *w, const struct ern_rule *rule, struct out *o)
{
    out_u64(o, why_status(w, rule));
    out_literal(o, " <code>");
    out_text(o, rule->name);
    out_literal(o, "</code>");
}

static void
write_written(const struct why *w, const struct written *written, struct out *o)
{
    out_literal(o, " <small><code>");
    out_slice(o, written->key);
    if (written->line == 0) {
        out_literal(o, " = ");
        out_slice(o, written->standard);
        out_literal(o, "</code>, ");
        out_slice(o, why_word(w, WHY_BY_DEFAULT));
    } else if (!w->conf->file) {
        out_literal(o, "</code>");
    } else {
        out_literal(o, "</code>, ");
        out_html(o, written_file(w->conf));
        out_literal(o, ", ");
        out_slice(o, why_word(w, WHY_LINE));
        out_char(o, ' ');
        out_u64(o, written->line);
    }
    out_literal(o, "</small>");
}

static void
write_change(const struct why *w, const struct insight_change *change, struct out *o)
{
    bool good = insight_succeeds(change->rule);

    out_literal(o, "<li><span>");
    out_html(o, question_of(change->fact, w->language));
    out_literal(o, " <b>");
    out_slice(o, why_answer(w, change->yes));
    out_literal(o, "</b></span> <span class=\"soft then\">");
    out_slice(o, why_word(w, WHY_THEN));
    out_text(o, good ? " <span class=\"good\">" : " <span>");
    write_rule(w, change->rule, o);
    out_literal(o, "</span></span></li>\n");
}

static void
write_list(const struct why *w, const char *list, const struct insight_change *changes, size_t n,
           struct out *o)
{
    if (n == 0)
        return;
    out_char(o, '<');
    out_text(o, list);
    out_literal(o, ">\n");
    for (size_t i = 0; i < n; i++)
        write_change(w, &changes[i], o);
    out_literal(o, "</");
    out_text(o, list);
    out_literal(o, ">\n");
}

static void
write_changes(const struct why *w, struct out *o)
{
    size_t good = why_good_changes(w);

    heading(w, WHY_CHANGE, o);
    out_literal(o, "<p>");
    out_slice(o, why_word(w, why_change_word(w)));
    out_literal(o, "</p>\n");
    write_list(w, "ol", w->way, w->way_n, o);
    write_list(w, "ul", w->changes, good, o);
    if (good == w->changes_n)
        return;
    out_literal(o, "<p class=\"soft\">");
    out_slice(o, why_word(w, WHY_ELSE));
    out_literal(o, "</p>\n");
    write_list(w, "ul", w->changes + good, w->changes_n - good, o);
}

static void
write_fact(const struct why *w, enum ern_fact fact, struct out *o)
{
    uint32_t us = why_wait_us(w, fact);
    struct written written;

    out_literal(o, "<tr><td>");
    out_html(o, question_of(fact, w->language));
    out_literal(o, " <small><code>");
    out_text(o, ern_fact_name(fact));
    out_literal(o, "</code></small></td><td>");
    out_slice(o, why_answer(w, ern_bits_has(&w->trace->facts.yes, fact)));
    out_literal(o, "</td><td>");
    out_slice(o, why_who(w, fact));
    if (us) {
        out_literal(o, " <small>");
        out_slice(o, why_word(w, WHY_WAITED));
        out_char(o, ' ');
        why_write_us(o, us);
        out_literal(o, "</small>");
    }
    if (written_of(w->conf, w->trace->route, fact, &written))
        write_written(w, &written, o);
    out_literal(o, "</td></tr>\n");
}

static void
write_facts(const struct why *w, struct out *o)
{
    static const enum why_word columns[] = {WHY_QUESTION, WHY_ANSWER, WHY_WHO};
    enum ern_fact fact;

    heading(w, WHY_FACTS, o);
    out_literal(o, "<div class=\"facts\" tabindex=\"0\" role=\"region\" aria-label=\"");
    out_slice(o, why_word(w, WHY_FACTS));
    out_literal(o, "\"><table>\n<thead><tr>");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        out_literal(o, "<th scope=\"col\">");
        out_slice(o, why_word(w, columns[i]));
        out_literal(o, "</th>");
    }
    out_literal(o, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; (fact = why_fact(w, i)) != ERN_FACTS; i++)
        write_fact(w, fact, o);
    out_literal(o, "</tbody>\n</table></div>\n");
}

static void
write_step(const struct why *w, const struct ern_step *step, struct out *o)
{
    bool holds = step->fact == ERN_FACTS;

    out_text(o, holds ? "<li class=\"good\">" : "<li>");
    out_literal(o, "<span>");
    write_rule(w, step->rule, o);
    out_char(o, ' ');
    out_slice(o, why_word(w, holds ? WHY_HELD : WHY_HELD_NOT));
    out_literal(o, "</span><span class=\"soft then\">");
    if (!holds) {
        out_literal(o, "<code>");
        out_text(o, ern_fact_name(step->fact));
        out_literal(o, "</code> ");
        out_slice(o, why_answer(w, step->yes));
    }
    out_literal(o, "</span></li>\n");
}

static void
write_steps(const struct why *w, size_t i, size_t n, struct out *o)
{
    out_literal(o, "<ul>\n");
    for (size_t j = 0; j < n; j++)
        write_step(w, &w->steps[i + j], o);
    out_literal(o, "</ul>\n");
}

static void
write_rules(const struct why *w, struct out *o)
{
    struct why_run run;

    heading(w, WHY_RULES, o);
    for (size_t i = 0; i < w->steps_n; i += run.n) {
        run = why_run(w, i);
        if (run.group == INSIGHT_FOLDED) {
            out_literal(o, "<details><summary>");
            why_write_run(w, i, run, o);
            out_literal(o, "</summary>\n");
        }
        write_steps(w, i, run.n, o);
        if (run.group == INSIGHT_FOLDED)
            out_literal(o, "</details>\n");
    }
}

static void
write_exchange(const struct why *w, struct out *o)
{
    const struct trace *t = w->trace;
    uint32_t line = written_line(w->conf, t->route);

    heading(w, WHY_EXCHANGE, o);
    out_literal(o, "<dl>\n");
    term(w, WHY_REQUEST, o);
    out_literal(o, "<code>");
    out_html(o, trace_method(t));
    out_char(o, ' ');
    out_html(o, trace_path(t));
    out_char(o, ' ');
    why_write_version(o, t);
    out_literal(o, "</code>");
    if (t->has_query) {
        out_char(o, ' ');
        out_slice(o, why_word(w, WHY_WITH_QUERY));
    }
    page_term_end(o);
    term(w, WHY_HOST, o);
    out_html(o, trace_authority(t));
    out_text(o, t->secure ? " (TLS)" : "");
    page_term_end(o);
    term(w, WHY_FIELDS, o);
    why_write_fields(o, t);
    page_term_end(o);
    term(w, WHY_CLIENT, o);
    address_write_host(o, &t->client);
    page_term_end(o);
    term(w, WHY_TIME, o);
    why_write_time(o, t);
    page_term_end(o);
    term(w, WHY_ROUTE, o);
    out_literal(o, "<code>");
    out_html(o, t->route->path);
    out_literal(o, "</code>");
    if (line)
        write_written(w, &(struct written){.key = ERN_SLICE("route"), .line = line}, o);
    page_term_end(o);
    term(w, WHY_RESOURCE, o);
    out_text(o, t->route->kind->name);
    page_term_end(o);
    term(w, WHY_TOOK, o);
    out_u64(o, (uint64_t)t->took_ms);
    out_literal(o, " ms");
    page_term_end(o);
    out_literal(o, "</dl>\n");
}

static void
write_foot(const struct why *w, struct out *o)
{
    static const char *const forms[] = {"json", "svg", "txt"};

    out_literal(o, "<footer>");
    out_slice(o, why_word(w, WHY_AS));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        out_literal(o, " <a href=\"" TRACE_PATH);
        out_html(o, w->id);
        out_char(o, '.');
        out_text(o, forms[i]);
        out_literal(o, "\">");
        out_text(o, forms[i]);
        out_literal(o, "</a>");
    }
    out_literal(o, "</footer>\n");
}

void
why_write_html(const struct why *w, struct out *o)
{
    write_head(w, o);
    write_changes(w, o);
    heading(w, WHY_PATH, o);
    out_literal(o, "<figure tabindex=\"0\">");
    why_write_figure(w, o);
    out_literal(o, "</figure>\n");
    write_facts(w, o);
    write_rules(w, o);
    write_exchange(w, o);
    if (slice_is_there(w->id))
        write_foot(w, o);
    out_literal(o, "</main>\n</body>\n</html>\n");
}
