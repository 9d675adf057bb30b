/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why_svg.c - the path of a decision as a picture: one line down through the rules. What most
 * requests pass is folded to dots; what was asked is a ring; the rule that held is lit, and below
 * it stand its facts.
 */
#include "serve/why_parts.h"

#include "base/slice.h"
#include "decide/question.h"
#include "res/page.h"

enum { /* pixels */
       WIDTH = 720,
       TOP = 16,
       LINE_X = 24,
       TEXT_X = 52,
       FOLDED_HIGH = 40,
       ASKED_HIGH = 58,
       HELD_HIGH = 74,
       FACT_HIGH = 22,
       BOTTOM = 12,
};

struct pen {
    const struct why *why;
    struct out *o;
    unsigned y; /* of the top of what is drawn next */
};

static bool
is_of_rule(const struct ern_rule *rule, enum ern_fact fact)
{
    return ern_bits_has(&rule->if_, fact) || ern_bits_has(&rule->unless, fact);
}

static unsigned
facts_n(const struct ern_rule *rule)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ERN_FACTS; i++)
        n += is_of_rule(rule, (enum ern_fact)i);
    return n;
}

static unsigned
height(const struct why *w)
{
    static const unsigned high[] = {
        [INSIGHT_HELD] = HELD_HIGH, [INSIGHT_ASKED] = ASKED_HIGH, [INSIGHT_FOLDED] = FOLDED_HIGH};
    unsigned sum = TOP + BOTTOM;
    struct why_run run;

    for (size_t i = 0; i < w->steps_n; i += run.n) {
        run = why_run(w, i);
        sum += high[run.group];
    }
    return sum + FACT_HIGH * facts_n(w->steps[w->steps_n - 1].rule);
}

static void
number(struct out *o, const char *before, unsigned n)
{
    out_text(o, before);
    out_u64(o, n);
}

static void
circle(struct pen *p, unsigned y, unsigned r, const char *class)
{
    number(p->o, "<circle cx=\"", LINE_X);
    number(p->o, "\" cy=\"", y);
    number(p->o, "\" r=\"", r);
    out_literal(p->o, "\" class=\"");
    out_text(p->o, class);
    out_literal(p->o, "\"/>");
}

static void
text(struct pen *p, unsigned x, unsigned y, const char *class)
{
    number(p->o, "<text x=\"", x);
    number(p->o, "\" y=\"", y);
    out_literal(p->o, "\" class=\"");
    out_text(p->o, class);
    out_literal(p->o, "\">");
}

static void
text_end(struct pen *p)
{
    out_literal(p->o, "</text>\n");
}

static void
draw_folded(struct pen *p, size_t i, struct why_run run)
{
    for (unsigned dot = 0; dot < 3; dot++)
        circle(p, p->y + 10 + 8 * dot, 2, "dot");
    text(p, TEXT_X, p->y + 23, "s");
    why_write_run(p->why, i, run, p->o);
    text_end(p);
    p->y += FOLDED_HIGH;
}

static void
draw_fact(struct pen *p, unsigned y, enum ern_fact fact, bool yes)
{
    text(p, TEXT_X, y, "s");
    out_html(p->o, question_of(fact, p->why->language));
    out_literal(p->o, " <tspan class=\"m\">");
    out_slice(p->o, why_answer(p->why, yes));
    out_literal(p->o, "</tspan>");
    text_end(p);
}

static void
draw_asked(struct pen *p, size_t i, struct why_run run)
{
    const struct ern_step *step = &p->why->steps[i];

    circle(p, p->y + 20, 7, "no");
    text(p, TEXT_X, p->y + 20, "m");
    why_write_run(p->why, i, run, p->o);
    text_end(p);
    draw_fact(p, p->y + 40, step->fact, step->yes);
    p->y += ASKED_HIGH;
}

static void
draw_held(struct pen *p, const struct ern_rule *rule)
{
    circle(p, p->y + 30, 12, "held");
    text(p, TEXT_X, p->y + 43, "status");
    out_u64(p->o, why_status(p->why, rule));
    text_end(p);
    text(p, TEXT_X + 84, p->y + 27, "m");
    out_text(p->o, rule->name);
    text_end(p);
    text(p, TEXT_X + 84, p->y + 45, "s");
    out_text(p->o, rule->source);
    text_end(p);
    p->y += HELD_HIGH;
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;

        if (!is_of_rule(rule, fact))
            continue;
        draw_fact(p, p->y + 4, fact, ern_bits_has(&rule->if_, fact));
        p->y += FACT_HIGH;
    }
}

static void
draw(struct pen *p)
{
    const struct why *w = p->why;
    struct why_run run;

    for (size_t i = 0; i < w->steps_n; i += run.n) {
        run = why_run(w, i);
        if (run.group == INSIGHT_FOLDED)
            draw_folded(p, i, run);
        else if (run.group == INSIGHT_ASKED)
            draw_asked(p, i, run);
        else
            draw_held(p, w->steps[i].rule);
    }
}

/* Where the rule that held is drawn: the line ends there. */
static unsigned
end_of_line(const struct why *w, unsigned high)
{
    return high - BOTTOM - FACT_HIGH * facts_n(w->steps[w->steps_n - 1].rule) - HELD_HIGH + 30;
}

/* In words, for who does not see it. */
static void
describe(const struct why *w, struct out *o)
{
    out_literal(o, "<title id=\"path-title\">");
    out_slice(o, why_word(w, WHY_PATH));
    out_literal(o, ": ");
    out_u64(o, w->trace->status);
    out_char(o, ' ');
    out_slice(o, why_phrase(w));
    out_literal(o, "</title>\n<desc id=\"path-desc\">");
    for (size_t i = 0; i < w->steps_n; i++) {
        const struct ern_step *step = &w->steps[i];

        if (insight_group(step, &w->asked) == INSIGHT_FOLDED)
            continue;
        out_u64(o, why_status(w, step->rule));
        out_char(o, ' ');
        out_text(o, step->rule->name);
        out_char(o, ' ');
        out_slice(o, why_word(w, step->fact < ERN_FACTS ? WHY_HELD_NOT : WHY_HELD));
        out_text(o, i + 1 < w->steps_n ? "; " : "");
    }
    out_literal(o, "</desc>\n");
}

static void
write(const struct why *w, bool alone, struct out *o)
{
    unsigned high = height(w);
    struct pen pen = {w, o, TOP};

    number(o, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", WIDTH);
    number(o, " ", high);
    number(o, "\" width=\"", WIDTH);
    number(o, "\" height=\"", high);
    out_literal(o,
                "\" class=\"path\" role=\"img\" aria-labelledby=\"path-title path-desc\" lang=\"");
    out_slice(o, language_tag(w->language));
    out_literal(o, "\">\n");
    describe(w, o);
    if (alone) {
        out_literal(o, "<style>");
        out_slice(o, page_style.text);
        out_literal(o, "</style>\n<style>");
        out_slice(o, page_path.text);
        out_literal(o, "</style>\n");
    }
    number(o, "<path class=\"way\" d=\"M", LINE_X);
    number(o, " ", TOP);
    number(o, "V", end_of_line(w, high));
    out_literal(o, "\"/>\n");
    draw(&pen);
    out_literal(o, "</svg>\n");
}

void
why_write_svg(const struct why *w, struct out *o)
{
    write(w, true, o);
}

void
why_write_figure(const struct why *w, struct out *o)
{
    write(w, false, o);
}
