/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/error.h"

#include <stdlib.h>

#include "decide/sentence.h"
#include "earnest/status.h"
#include "msg/accept.h"
#include "msg/language.h"
#include "msg/problem.h"
#include "res/choices.h"
#include "res/page.h"
#include "serve/section.h"
#include "serve/why.h"

enum {
    DETAIL_BYTES = 768,
    NAME_BYTES = 64, /* of a field's name in a detail; a longer one is cut */
};

enum form { FORM_PROBLEM, FORM_HTML, FORM_TEXT, FORM_XML };

enum rule_row {
#define RULE(status, name, if_, unless, source) RULE_##name,
#include "rules.def"
#undef RULE
};

enum limit_index {
#define LIMIT(name, unit, standard, min, max, rule, bounds) LIMIT_##name,
#include "limits.def"
#undef LIMIT
    LIMITS
};

static const struct labels {
    struct ern_slice rule, source, why, yes, no, offset, limit, location, link, price, balance,
        incident, decided;
} labels[LANGUAGES] = {
#define L(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof text - 1                                                                   \
    }
    [LANGUAGE_EN] = {L("Rule"), L("Section"), L("Why"), L("yes"), L("no"), L("At byte"), L("Limit"),
                     L("Address"), L("Go on at"), L("Price"), L("Balance"), L("Incident"),
                     L("How it was decided")},
    [LANGUAGE_BN] = {L("নিয়ম"), L("ধারা"), L("কারণ"), L("হ্যাঁ"), L("না"), L("বাইট"), L("সীমা"),
                     L("ঠিকানা"), L("এগিয়ে যান"), L("দাম"), L("জমা"), L("ঘটনা"),
                     L("কীভাবে ঠিক হল")},
#undef L
};

/* What is said, and how. */
struct answer {
    enum language language;
    struct problem problem;
    struct ern_slice location;     /* where to go instead, or absent */
    const struct choices *choices; /* what to choose from, or NULL */
    struct ern_slice why;          /* where it is explained, to who may see it; or absent */
    struct ern_slice condition;    /* what a WebDAV client is told of it (RFC 4918 16), or absent */
};

/*
 * The rule to be named. What is hidden must not be told from what is missing (RFC 9110 15.5.4), so
 * the rule that hides gives its answer under the name of the one that would have decided.
 */
static const struct ern_rule *
rule_shown(const struct exchange *x)
{
    if (x->rule != &ern_rules[RULE_forbidden_hidden])
        return x->rule;
    return ern_bits_has(&x->decision.facts.yes, ERN_FACT_posts) ? &ern_rules[RULE_missing_post]
                                                                : &ern_rules[RULE_missing];
}

/*
 * The fact that decided: the last one of the rule that is not as anybody would expect of a
 * resource; where all are, the one that was asked last. Returns ERN_FACTS for a rule without
 * conditions.
 */
static enum ern_fact
deciding_fact(const struct ern_rule *rule)
{
    enum ern_fact last = ERN_FACTS, telling = ERN_FACTS;

    for (unsigned w = 0; w < 2; w++) {
        for (uint64_t left = rule->if_.word[w] | rule->unless.word[w]; left; left &= left - 1) {
            enum ern_fact fact = (enum ern_fact)(w * 64 + (unsigned)__builtin_ctzll(left));
            bool is_yes = ern_bits_has(&rule->if_, fact);

            last = fact;
            if (ern_fact_source(fact) >= ERN_ASK && is_yes != ern_fact_fallback(fact))
                telling = fact;
        }
    }
    return telling < ERN_FACTS ? telling : last;
}

static void
describe_fact(const struct ern_rule *rule, struct problem *p)
{
    enum ern_fact fact = deciding_fact(rule);

    if (fact == ERN_FACTS)
        return;
    p->fact = slice_text(ern_fact_name(fact));
    p->question = slice_text(ern_fact_question(fact));
    p->answer = ern_bits_has(&rule->if_, fact);
}

/* The limit whose passing is the finding, or LIMITS. Trailers are read while content is. */
static enum limit_index
limit_of_finding(enum finding finding, bool in_content)
{
    if (finding == FINDING_field_too_large)
        return LIMIT_field_bytes_max;
    if (finding == FINDING_fields_too_large)
        return in_content ? LIMIT_trailers_bytes_max : LIMIT_fields_bytes_max;
    if (finding == FINDING_fields_too_many)
        return in_content ? LIMIT_trailers_max : LIMIT_fields_max;
    if (finding == FINDING_chunk_size_too_large)
        return LIMIT_chunk_digits_max;
    if (finding == FINDING_chunk_extension_large)
        return LIMIT_chunk_extension_max;
    return LIMITS;
}

/* The limit on content that its resource goes by: one that it found to be passed, or the one on
 * all of the content. */
static enum limit_index
limit_of_content(const struct exchange *x)
{
    for (unsigned i = 0; i < LIMITS; i++)
        if (slice_eq(limits_row(i)->name, x->res.limit))
            return (enum limit_index)i;
    return (enum limit_index)limits_index(x->worker->limits, x->content_max);
}

/* The limit that the request passed, or LIMITS. */
static enum limit_index
limit_passed(const struct exchange *x)
{
    enum limit_index limit = limit_of_finding(x->finding, x->content_state != PARSE_DONE);

    if (limit != LIMITS)
        return limit;
    switch (x->rule - ern_rules) {
    case RULE_request_timeout:
        return LIMIT_header_timeout_ms;
    case RULE_target_too_long:
        return LIMIT_target_bytes_max;
    case RULE_fields_too_large:
        return LIMIT_fields_bytes_max;
    case RULE_content_too_large:
    case RULE_content_grew:
        return limit_of_content(x);
    case RULE_overloaded:
        return x->shed == SHED_POOL       ? LIMIT_pool_queue_max
               : x->shed == SHED_REQUESTS ? LIMIT_requests_max
                                          : LIMIT_connections_max;
    default:
        return LIMITS;
    }
}

static void
describe_limit(const struct exchange *x, struct problem *p)
{
    enum limit_index limit = limit_passed(x);

    if (limit == LIMITS)
        return;
    p->limit = limits_row(limit)->name;
    p->limit_value = limits_value(x->worker->limits, limit);
}

/* The sentence, and what this very request adds to it. o is room for both. */
static struct ern_slice
detail_of(const struct exchange *x, enum language language, struct out *o)
{
    const struct finding_row *row = finding_row(x->finding);
    struct ern_slice name = x->finding_field, text;

    if (slice_is_there(x->decision.evidence.detail))
        return x->decision.evidence.detail;
    if (x->rule == &ern_rules[RULE_not_extended]) {
        out_slice(o, sentence_of(x->rule, language));
        extend_tell(x, o);
        return out_done(o);
    }
    if (!x->finding)
        return sentence_of(x->rule, language);
    text = language == LANGUAGE_BN ? row->bengali : row->english;
    if (row->kind == FINDING_VERSION) {
        out_slice(o, text);
        out_text(o, language == LANGUAGE_BN ? " এখানে HTTP/1.0, HTTP/1.1 ও HTTP/2 চলে।"
                                            : " HTTP/1.0, HTTP/1.1 and HTTP/2 are.");
        return out_done(o);
    }
    if (row->kind != FINDING_TOO_LARGE || name.len == 0)
        return text;
    out_slice(o, text);
    out_text(o, language == LANGUAGE_BN ? " ফিল্ডটির নাম " : " The field is ");
    out_slice(o, slice_first(name, name.len < NAME_BYTES ? name.len : NAME_BYTES));
    if (name.len > NAME_BYTES)
        out_literal(o, "...");
    out_text(o, language == LANGUAGE_BN ? "।" : ".");
    return out_done(o);
}

/* What a WebDAV client is told of the rule that decided; absent: nothing. */
static struct ern_slice
condition_of(const struct res_request *res, const struct ern_rule *rule)
{
    for (unsigned i = 0; i < res->conditions_n; i++) {
        const struct res_condition *c = &res->conditions[i];

        if (ern_bits_has(&rule->if_, c->fact) || ern_bits_has(&rule->unless, c->fact))
            return c->text;
    }
    return ERN_ABSENT;
}

/* Gathers what there is to say. detail and incident are room for texts of it. */
static void
describe(const struct exchange *x, struct answer *a, struct out *detail, struct out *incident,
         struct out *why)
{
    const struct ern_status *status = ern_status_find(x->status);
    const struct ern_rule *rule = rule_shown(x);

    a->language = language_preferred(&x->request);
    a->location = x->decision.evidence.location;
    a->condition = condition_of(&x->res, rule);
    a->choices = x->res.choices;
    a->why = ERN_ABSENT;
    if (x->told) {
        trace_write_path(x->worker->trace, why);
        a->why = out_done(why);
    }
    a->problem = (struct problem){
        .status = x->status,
        .title = status ? status->phrase : ERN_SLICE("Unregistered"),
        .detail = detail_of(x, a->language, detail),
        .rule = slice_text(rule->name),
        .source = slice_text(x->finding ? finding_row(x->finding)->source : rule->source),
        .offset = x->finding ? x->finding_at : -1,
        .link = x->res.link,
    };
    describe_fact(rule, &a->problem);
    describe_limit(x, &a->problem);
    if (x->rule == &ern_rules[RULE_payment] || x->rule == &ern_rules[RULE_credit_gone]) {
        a->problem.price = x->charge.hold.price;
        a->problem.balance = x->charge.hold.balance;
    }
    if (x->incident) {
        out_hex(incident, x->incident);
        a->problem.instance = out_done(incident);
    }
}

static const struct ern_slice style = {
#define TEXT                                                                                       \
    "main,header "                                                                                 \
    "nav{max-width:44rem}h1{font-size:1.5rem;font-weight:500;line-height:1.2;margin:0}"            \
    "h1 b{display:block;font-size:clamp(4.5rem,18vw,8rem);font-weight:700;line-height:1;"          \
    "letter-spacing:-.04em;color:var(--mark);font-variant-numeric:tabular-nums}"                   \
    "p{font-size:1.2rem;margin:1.5rem 0 2.5rem;overflow-wrap:anywhere}"                            \
    "dl{margin:0;color:var(--soft);font-size:.9rem}"                                               \
    "div{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.5rem 0;border-top:1px solid var(--line)}" \
    "dt{flex:0 0 6rem}dd{flex:1 1 14rem;margin:0;color:var(--ink);overflow-wrap:anywhere}"         \
    "figure{margin:2.5rem 0 0;overflow-x:auto}"                                                    \
    "svg{display:block;width:100%;min-width:34rem;height:auto}"
    TEXT, sizeof TEXT - 1
#undef TEXT
};

static void
write_number(struct out *o, int64_t n)
{
    if (n < 0)
        out_char(o, '-');
    out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void
html_link(struct out *o, struct ern_slice term, struct ern_slice url)
{
    if (!slice_is_there(url))
        return;
    page_term(o, term);
    out_literal(o, "<a href=\"");
    out_html(o, url);
    out_literal(o, "\">");
    out_html(o, url);
    out_literal(o, "</a>");
    page_term_end(o);
}

static void
html_why(struct out *o, const struct answer *a)
{
    const struct labels *l = &labels[a->language];
    const struct problem *p = &a->problem;

    page_term(o, l->rule);
    out_html(o, p->rule);
    page_term_end(o);
    page_term(o, l->source);
    section_write_link(o, p->source);
    page_term_end(o);
    if (slice_is_there(p->fact)) {
        page_term(o, l->why);
        out_literal(o, "<span lang=\"en\">");
        out_html(o, p->question);
        out_literal(o, "</span> ");
        out_slice(o, p->answer ? l->yes : l->no);
        page_term_end(o);
    }
}

static void
html_number(struct out *o, struct ern_slice term, int64_t n)
{
    page_term(o, term);
    write_number(o, n);
    page_term_end(o);
}

static void
html_more(struct out *o, const struct answer *a)
{
    const struct labels *l = &labels[a->language];
    const struct problem *p = &a->problem;

    if (p->offset >= 0)
        html_number(o, l->offset, p->offset);
    if (slice_is_there(p->limit)) {
        page_term(o, l->limit);
        out_html(o, p->limit);
        out_literal(o, " = ");
        out_u64(o, (uint64_t)p->limit_value);
        page_term_end(o);
    }
    html_link(o, l->location, a->location);
    html_link(o, l->link, p->link);
    if (p->price > 0) {
        html_number(o, l->price, p->price);
        html_number(o, l->balance, p->balance);
    }
    if (slice_is_there(p->instance)) {
        page_term(o, l->incident);
        out_html(o, p->instance);
        page_term_end(o);
    }
}

/* Of those who may see it. */
static void
html_decided(struct out *o, const struct answer *a)
{
    if (!slice_is_there(a->why))
        return;
    out_literal(o, "\n<a href=\"");
    out_html(o, a->why);
    out_literal(o, "\">");
    out_slice(o, labels[a->language].decided);
    out_literal(o, "</a>");
}

static void
write_html(struct out *o, const struct exchange *x, const struct answer *a)
{
    const struct problem *p = &a->problem;

    page_begin(o, a->language);
    out_u64(o, p->status);
    out_char(o, ' ');
    out_html(o, p->title);
    out_literal(o, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>");
    out_slice(o, page_style.text);
    out_slice(o, style);
    if (x->told)
        out_slice(o, page_path.text);
    out_literal(o, "</style>\n");
    page_header(o, a->language);
    page_site(o, x->request.authority, ERN_SLICE("/"), a->language);
    html_decided(o, a);
    page_main(o);
    out_literal(o, "<h1 lang=\"en\"><b>");
    out_u64(o, p->status);
    out_literal(o, "</b> ");
    out_html(o, p->title);
    out_literal(o, "</h1>\n<p>");
    out_html(o, p->detail);
    out_literal(o, "</p>\n");
    if (a->choices) {
        out_literal(o, "<ul>\n");
        choices_write_html(o, a->choices);
        out_literal(o, "</ul>\n");
    }
    out_literal(o, "<dl>\n");
    html_why(o, a);
    html_more(o, a);
    out_literal(o, "</dl>\n");
    if (x->told)
        why_write_own(x, a->language, o);
    out_literal(o, "</main>\n</body>\n</html>\n");
}

static void
text_line(struct out *o, struct ern_slice label, struct ern_slice value)
{
    if (!slice_is_there(value))
        return;
    out_slice(o, label);
    out_literal(o, ": ");
    out_plain(o, value);
    out_char(o, '\n');
}

static void
text_number(struct out *o, struct ern_slice label, int64_t n)
{
    out_slice(o, label);
    out_literal(o, ": ");
    write_number(o, n);
    out_char(o, '\n');
}

static void
write_text(struct out *o, const struct answer *a)
{
    const struct labels *l = &labels[a->language];
    const struct problem *p = &a->problem;

    out_u64(o, p->status);
    out_char(o, ' ');
    out_slice(o, p->title);
    out_literal(o, "\n\n");
    out_plain(o, p->detail);
    out_literal(o, "\n\n");
    if (a->choices) {
        choices_write_text(o, a->choices);
        out_char(o, '\n');
    }
    text_line(o, l->rule, p->rule);
    text_line(o, l->source, p->source);
    if (slice_is_there(p->fact)) {
        out_slice(o, l->why);
        out_literal(o, ": ");
        out_slice(o, p->question);
        out_char(o, ' ');
        out_slice(o, p->answer ? l->yes : l->no);
        out_char(o, '\n');
    }
    if (p->offset >= 0)
        text_number(o, l->offset, p->offset);
    if (slice_is_there(p->limit)) {
        out_slice(o, l->limit);
        out_literal(o, ": ");
        out_slice(o, p->limit);
        out_literal(o, " = ");
        out_u64(o, (uint64_t)p->limit_value);
        out_char(o, '\n');
    }
    text_line(o, l->location, a->location);
    text_line(o, l->link, p->link);
    if (p->price > 0) {
        text_number(o, l->price, p->price);
        text_number(o, l->balance, p->balance);
    }
    text_line(o, l->decided, a->why);
    text_line(o, l->incident, p->instance);
}

/* rfc4918#16 "the precondition/postcondition XML element MUST be returned as the child of a
 * top-level 'error' element in the response body" */
static void
write_xml(struct out *o, const struct answer *a)
{
    out_literal(o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"DAV:\">");
    out_slice(o, a->condition);
    out_literal(o, "<D:responsedescription xml:lang=\"");
    out_slice(o, language_tag(a->language));
    out_literal(o, "\">");
    out_html(o, a->problem.detail);
    out_literal(o, "</D:responsedescription></D:error>\n");
}

/*
 * The best form: what is said in XML, where there is a condition to say, comes first. Whoever asks
 * for JSON by name wants problem details, too; a wildcard that takes in application/json is not its
 * name.
 */
static enum form
form_wanted(const struct ern_request *request, bool has_condition)
{
    enum { PROBLEM, JSON, APPLICATION, HTML, TEXT, XML, ALL };
    static const struct ern_slice types[ALL] = {
        [PROBLEM] = {"application/problem+json", 24},
        [JSON] = {"application/json", 16},
        [APPLICATION] = {"application/*", 13},
        [HTML] = {"text/html", 9},
        [TEXT] = {"text/plain", 10},
        [XML] = {"application/xml", 15},
    };
    enum form first = has_condition ? FORM_XML : FORM_PROBLEM;
    unsigned wanted[ALL], problem;
    bool one;

    if (!ern_request_has(request, ERN_FIELD_accept))
        return first;
    one = request->first[ERN_FIELD_accept] + 1 == request->fields_n;
    if (one && slice_eq(ern_request_field(request, ERN_FIELD_accept), ERN_SLICE("*/*")))
        return first; /* as the rest finds out, but sooner */
    accept_types(request, types, has_condition ? ALL : XML, wanted);
    problem = wanted[PROBLEM];
    if (wanted[JSON] > problem && wanted[JSON] != wanted[APPLICATION])
        problem = wanted[JSON];
    if (has_condition && wanted[XML] > 0 && wanted[XML] >= problem && wanted[XML] >= wanted[HTML] &&
        wanted[XML] >= wanted[TEXT])
        return FORM_XML;
    if (problem >= wanted[HTML] && problem >= wanted[TEXT])
        return FORM_PROBLEM;
    return wanted[HTML] >= wanted[TEXT] ? FORM_HTML : FORM_TEXT;
}

/* The member "choices" of a problem that has them. */
static void
write_choices(struct out *o, const void *choices)
{
    if (!choices)
        return;
    out_literal(o, ",\"choices\":");
    choices_write_json(o, choices);
}

/* Is the problem the same for whoever meets the rule, and reads this language? */
static bool
is_common(const struct exchange *x, const struct answer *a)
{
    const struct problem *p = &a->problem;

    return x->rule->status && rule_shown(x) == x->rule && p->offset < 0 && p->price == 0 &&
           !a->choices && !slice_is_there(p->limit) && !slice_is_there(p->link) &&
           !slice_is_there(p->instance) && p->detail.ptr == sentence_of(x->rule, a->language).ptr;
}

/* Writes a problem, or takes it as it was written for somebody before. */
static struct ern_slice
write_problem(struct exchange *x, const struct answer *a, struct out *o)
{
    struct ern_slice *known = &x->worker->problems[x->rule - ern_rules][a->language];
    bool common = is_common(x, a);
    char *copy;

    if (common && slice_is_there(*known))
        return *known;
    problem_write(o, &a->problem, write_choices, a->choices);
    copy = common && !o->full ? malloc(o->len) : NULL;
    if (copy) {
        memcpy(copy, o->ptr, o->len);
        *known = slice_from(copy, o->len);
    }
    return arena_keep(&x->arena, o);
}

void
error_forget(struct worker *w)
{
    for (size_t rule = 0; rule < ERN_RULES_MAX; rule++)
        for (size_t language = 0; language < LANGUAGES; language++)
            free((void *)(uintptr_t)w->problems[rule][language].ptr);
}

struct error_content
error_write(struct exchange *x)
{
    static const struct ern_slice types[] = {
        [FORM_PROBLEM] = {"application/problem+json", 24},
        [FORM_HTML] = {"text/html; charset=utf-8", 24},
        [FORM_TEXT] = {"text/plain; charset=utf-8", 25},
        [FORM_XML] = {"application/xml; charset=utf-8", 30},
    };
    char detail_text[DETAIL_BYTES], incident_text[16], why_text[TRACE_LINK_BYTES];
    struct out detail = out_init(detail_text, sizeof detail_text);
    struct out incident = out_init(incident_text, sizeof incident_text);
    struct out why = out_init(why_text, sizeof why_text), o = arena_out(&x->arena);
    enum form form;
    struct error_content content;
    struct ern_slice text;
    struct answer a;

    describe(x, &a, &detail, &incident, &why);
    form = form_wanted(&x->request, slice_is_there(a.condition));
    if (form == FORM_HTML)
        write_html(&o, x, &a);
    else if (form == FORM_TEXT)
        write_text(&o, &a);
    else if (form == FORM_XML)
        write_xml(&o, &a);
    text = form == FORM_PROBLEM ? write_problem(x, &a, &o) : arena_keep(&x->arena, &o);
    content = (struct error_content){types[form], a.language, text};
    if (!slice_is_there(content.text)) /* the request has used up its memory: the phrase will do */
        content = (struct error_content){types[FORM_TEXT], LANGUAGE_EN, a.problem.title};
    return content;
}
