/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/why.h"

#include "base/civil.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "serve/why_parts.h"

static const struct ern_slice words[WHY_WORDS][LANGUAGES] = {
#define WORD(id, english, bengali) {{english, sizeof english - 1}, {bengali, sizeof bengali - 1}},
#include "serve/why_words.def"
#undef WORD
};

void
why_look(const struct trace *t, const struct conf *conf, struct ern_slice id,
         enum language language, struct why *ret)
{
    const struct ern_rule *held;

    ret->id = id;
    ret->language = language;
    ret->trace = t;
    ret->conf = conf;
    ret->asked = (struct ern_bits){{0, 0}};
    for (unsigned i = 0; i < t->asked_n; i++)
        ret->asked.word[t->asked[i] / 64] |= UINT64_C(1) << (t->asked[i] % 64);
    ret->steps_n = ern_why(&t->facts, ret->steps, ERN_RULES_MAX);
    held = ret->steps[ret->steps_n - 1].rule;
    ret->changes_n = ret->way_n = 0;
    if (insight_succeeds(held))
        return;
    ret->changes_n = insight_changes(&t->facts, ret->changes);
    ret->way_n = insight_way(&t->facts, ret->way);
    if (ret->way_n == 1)
        ret->way_n = 0; /* it is the first of the changes */
}

static const struct {
    const char *name;
    void (*write)(const struct why *why, struct out *o);
} forms[WHY_FORMS] = {
    [WHY_TEXT] = {"txt", why_write_text},
    [WHY_HTML] = {"html", why_write_html},
    [WHY_JSON] = {"json", why_write_json},
    [WHY_SVG] = {"svg", why_write_svg},
};

void
why_write(const struct why *w, enum why_form form, struct out *o)
{
    forms[form].write(w, o);
}

bool
why_form_find(struct ern_slice name, enum why_form *ret)
{
    for (unsigned i = 0; i < WHY_FORMS; i++)
        if (slice_eq(name, slice_text(forms[i].name))) {
            *ret = (enum why_form)i;
            return true;
        }
    return false;
}

/* ---- what the forms share ----------------------------------------------------------------------
 */

struct ern_slice
why_word(const struct why *w, enum why_word word)
{
    return words[word][w->language];
}

struct ern_slice
why_answer(const struct why *w, bool yes)
{
    return why_word(w, yes ? WHY_YES : WHY_NO);
}

/* Who answered a fact before the resource could be asked: the route, if a key of it has a say. */
static enum why_word
who_gave(const struct why *w, enum ern_fact fact)
{
    struct written written;

    return written_of(w->conf, w->trace->route, fact, &written) ? WHY_BY_POLICY : WHY_BY_REQUEST;
}

struct ern_slice
why_who(const struct why *w, enum ern_fact fact)
{
    const struct site_route *route = w->trace->route;

    switch (ern_fact_source(fact)) {
    case ERN_WIRE:
        return why_word(w, WHY_BY_REQUEST);
    case ERN_CONF:
        return why_word(w, WHY_BY_SERVER);
    case ERN_ASK:
        if (!ern_bits_has(&w->asked, fact))
            return why_word(w, why_is_telling(w, fact) ? who_gave(w, fact) : WHY_BY_NOBODY);
        return route->resource->ask[fact] != route->kind->ask[fact] ? why_word(w, WHY_BY_POLICY)
                                                                    : slice_text(route->kind->name);
    case ERN_BODY:
        return why_word(w, ern_bits_has(&w->asked, fact) ? WHY_BY_CONTENT : WHY_BY_NOBODY);
    case ERN_ACT:
        return why_word(w, ern_bits_has(&w->asked, fact) ? WHY_BY_ACT : WHY_BY_NOBODY);
    }
    return why_word(w, WHY_BY_NOBODY);
}

bool
why_is_telling(const struct why *w, enum ern_fact fact)
{
    const struct ern_facts *f = &w->trace->facts;

    return ern_bits_has(&w->asked, fact) ||
           (ern_bits_has(&f->known, fact) &&
            ern_bits_has(&f->yes, fact) != ern_fact_fallback(fact));
}

enum ern_fact
why_fact(const struct why *w, size_t i)
{
    if (i < w->trace->asked_n)
        return (enum ern_fact)w->trace->asked[i];
    i -= w->trace->asked_n;
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (!ern_bits_has(&w->asked, (enum ern_fact)f) && why_is_telling(w, (enum ern_fact)f) &&
            i-- == 0)
            return (enum ern_fact)f;
    return ERN_FACTS;
}

struct why_run
why_run(const struct why *w, size_t i)
{
    struct why_run run = {insight_group(&w->steps[i], &w->asked), 1};

    while (i + run.n < w->steps_n && run.group != INSIGHT_HELD &&
           insight_group(&w->steps[i + run.n], &w->asked) == run.group &&
           (run.group == INSIGHT_FOLDED || w->steps[i + run.n].fact == w->steps[i].fact))
        run.n++;
    return run;
}

/* "412 if_match" */
static void
write_rule(const struct why *w, const struct ern_rule *rule, struct out *o)
{
    out_u64(o, why_status(w, rule));
    out_char(o, ' ');
    out_text(o, rule->name);
}

void
why_write_run(const struct why *w, size_t i, struct why_run run, struct out *o)
{
    if (run.group == INSIGHT_FOLDED) {
        out_u64(o, run.n);
        out_text(o, w->language == LANGUAGE_BN ? "" : " "); /* a classifier follows at once */
        out_slice(o, why_word(w, run.n == 1 ? WHY_FOLDED_ONE : WHY_FOLDED));
        return;
    }
    write_rule(w, w->steps[i].rule, o);
    if (run.n > 1) {
        out_text(o, run.n > 2 ? " ... " : ", ");
        write_rule(w, w->steps[i + run.n - 1].rule, o);
    }
}

size_t
why_good_changes(const struct why *w)
{
    size_t n = 0;

    while (n < w->changes_n && insight_succeeds(w->changes[n].rule))
        n++;
    return n;
}

enum why_word
why_change_word(const struct why *w)
{
    if (insight_succeeds(w->steps[w->steps_n - 1].rule))
        return WHY_CHANGE_NOT;
    if (why_good_changes(w))
        return WHY_CHANGE_ONE;
    return w->way_n ? WHY_CHANGE_ALL : WHY_CHANGE_NO;
}

uint32_t
why_wait_us(const struct why *w, enum ern_fact fact)
{
    for (unsigned i = 0; i < w->trace->waits_n; i++)
        if (w->trace->wait[i].fact == (uint8_t)fact)
            return w->trace->wait[i].us;
    return 0;
}

void
why_write_fields(struct out *o, const struct trace *t)
{
    const char *between = "";

    for (unsigned i = 0; i < ERN_FIELDS; i++) {
        if (!(t->present >> i & 1))
            continue;
        out_text(o, between);
        out_slice(o, ern_field_name((enum ern_field_id)i));
        between = ", ";
    }
}

void
why_write_us(struct out *o, uint32_t us)
{
    out_u64(o, us / 1000);
    out_char(o, '.');
    out_digits(o, us / 100 % 10, 1);
    out_literal(o, " ms");
}

unsigned
why_status(const struct why *w, const struct ern_rule *rule)
{
    return rule->status ? rule->status : w->trace->status;
}

struct ern_slice
why_phrase(const struct why *w)
{
    const struct ern_status *status = ern_status_find(w->trace->status);

    return status ? status->phrase : ERN_SLICE("Unregistered");
}

void
why_write_version(struct out *o, const struct trace *t)
{
    out_literal(o, "HTTP/");
    out_u64(o, t->version_major);
    if (t->version_major < 2) {
        out_char(o, '.');
        out_u64(o, t->version_minor);
    }
}

void
why_write_time(struct out *o, const struct trace *t)
{
    civil_write_utc(o, t->unix_s);
}
