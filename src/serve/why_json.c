/* SPDX-License-Identifier: Apache-2.0 */
/* why_json.c - a decision, explained to a program. Names are English whatever the language is. */
#include "serve/why_parts.h"

#include "base/slice.h"
#include "decide/question.h"
#include "decide/sentence.h"

static void
text(struct out *o, const char *name, struct ern_slice value)
{
    out_char(o, '"');
    out_text(o, name);
    out_literal(o, "\":\"");
    out_json(o, value);
    out_char(o, '"');
}

static void
more_text(struct out *o, const char *name, struct ern_slice value)
{
    out_char(o, ',');
    text(o, name, value);
}

static void
number(struct out *o, const char *name, uint64_t value)
{
    out_literal(o, ",\"");
    out_text(o, name);
    out_literal(o, "\":");
    out_u64(o, value);
}

static void
flag(struct out *o, const char *name, bool value)
{
    out_literal(o, ",\"");
    out_text(o, name);
    out_text(o, value ? "\":true" : "\":false");
}

static void
write_request(const struct why *w, struct out *o)
{
    const struct trace *t = w->trace;

    out_literal(o, ",\"request\":{");
    text(o, "method", trace_method(t));
    more_text(o, "path", trace_path(t));
    flag(o, "query", t->has_query);
    more_text(o, "authority", trace_authority(t));
    out_literal(o, ",\"version\":\"");
    why_write_version(o, t);
    out_char(o, '"');
    flag(o, "tls", t->secure);
    out_literal(o, ",\"client\":\"");
    address_write_host(o, &t->client);
    out_literal(o, "\",\"time\":\"");
    why_write_time(o, t);
    out_literal(o, "\",\"fields\":\"");
    why_write_fields(o, t);
    out_literal(o, "\"}");
}

static void
write_written(const struct why *w, enum ern_fact fact, struct out *o)
{
    struct written written;

    if (!written_of(w->conf, w->trace->route, fact, &written))
        return;
    more_text(o, "key", written.key);
    if (written.line && w->conf->file)
        number(o, "line", written.line);
    flag(o, "written", written.line > 0);
}

static void
write_route(const struct why *w, struct out *o)
{
    uint32_t line = written_line(w->conf, w->trace->route);

    out_literal(o, ",\"route\":{");
    text(o, "path", w->trace->route->path);
    more_text(o, "resource", slice_text(w->trace->route->kind->name));
    if (line) {
        more_text(o, "file", written_file(w->conf));
        number(o, "line", line);
    }
    out_char(o, '}');
}

static void
write_facts(const struct why *w, struct out *o)
{
    static const char *const sources[] = {"wire", "conf", "ask", "body", "act"};
    enum ern_fact fact;

    out_literal(o, ",\"facts\":[");
    for (size_t i = 0; (fact = why_fact(w, i)) != ERN_FACTS; i++) {
        uint32_t us = why_wait_us(w, fact);

        out_text(o, i ? ",{" : "{");
        text(o, "name", slice_text(ern_fact_name(fact)));
        more_text(o, "question", question_of(fact, w->language));
        flag(o, "answer", ern_bits_has(&w->trace->facts.yes, fact));
        more_text(o, "source", slice_text(sources[ern_fact_source(fact)]));
        flag(o, "asked", ern_bits_has(&w->asked, fact));
        more_text(o, "by", why_who(w, fact));
        if (us)
            number(o, "waited_us", us);
        write_written(w, fact, o);
        out_char(o, '}');
    }
    out_char(o, ']');
}

static void
write_steps(const struct why *w, struct out *o)
{
    static const char *const groups[] = {"held", "asked", "folded"};

    out_literal(o, ",\"steps\":[");
    for (size_t i = 0; i < w->steps_n; i++) {
        const struct ern_step *step = &w->steps[i];

        out_text(o, i ? ",{" : "{");
        text(o, "rule", slice_text(step->rule->name));
        number(o, "status", why_status(w, step->rule));
        more_text(o, "group", slice_text(groups[insight_group(step, &w->asked)]));
        if (step->fact < ERN_FACTS) {
            more_text(o, "fact", slice_text(ern_fact_name(step->fact)));
            flag(o, "answer", step->yes);
        }
        out_char(o, '}');
    }
    out_char(o, ']');
}

static void
write_changes(const struct why *w, const char *name, const struct insight_change *changes, size_t n,
              struct out *o)
{
    out_literal(o, ",\"");
    out_text(o, name);
    out_literal(o, "\":[");
    for (size_t i = 0; i < n; i++) {
        out_text(o, i ? ",{" : "{");
        text(o, "fact", slice_text(ern_fact_name(changes[i].fact)));
        flag(o, "answer", changes[i].yes);
        more_text(o, "rule", slice_text(changes[i].rule->name));
        number(o, "status", why_status(w, changes[i].rule));
        flag(o, "succeeds", insight_succeeds(changes[i].rule));
        out_char(o, '}');
    }
    out_char(o, ']');
}

void
why_write_json(const struct why *w, struct out *o)
{
    const struct trace *t = w->trace;
    const struct ern_rule *held = w->steps[w->steps_n - 1].rule;

    out_char(o, '{');
    text(o, "id", w->id);
    number(o, "status", t->status);
    more_text(o, "phrase", why_phrase(w));
    more_text(o, "rule", slice_text(t->rule->name));
    more_text(o, "source", slice_text(t->rule->source));
    more_text(o, "sentence", sentence_of(t->rule, w->language));
    out_literal(o, ",\"replayed\":{");
    text(o, "rule", slice_text(held->name));
    number(o, "status", why_status(w, held));
    out_char(o, '}');
    number(o, "took_ms", (uint64_t)t->took_ms);
    write_request(w, o);
    write_route(w, o);
    write_steps(w, o);
    write_changes(w, "changes", w->changes, w->changes_n, o);
    write_changes(w, "way", w->way, w->way_n, o);
    write_facts(w, o);
    out_literal(o, "}\n");
}
