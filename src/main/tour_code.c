/* SPDX-License-Identifier: Apache-2.0 */
/* tour_code.c - the page of a code: what it means, an exchange that earns it, the rules behind it.
 */
#include "base/slice.h"
#include "code/text.h"
#include "decide/sentence.h"
#include "main/cause.h"
#include "main/tour_parts.h"
#include "main/words.h"

#include "vectors.inc"

enum { REQUEST_BYTES = 4096 };

static void
write_code(const struct tour_page *page, unsigned code)
{
    out_u64(page->o, code);
}

static void
write_paragraph(const struct tour_page *page, enum tour_word heading, struct ern_slice text)
{
    tour_heading(page, heading);
    out_literal(page->o, "<p>");
    tour_text(page, text);
    out_literal(page->o, "</p>\n");
}

/* Text of several lines. */
static void
write_lines(const struct tour_page *page, struct ern_slice text)
{
    while (text.len) {
        size_t end = slice_find(text, '\n');

        tour_text(page, slice_first(text, end));
        if (end < text.len)
            out_char(page->o, '\n');
        text = slice_skip(text, end < text.len ? end + 1 : end);
    }
}

static void
write_request(const struct tour_page *page, const struct tour_step *step)
{
    char text[REQUEST_BYTES];
    struct out o = out_init(text, sizeof text);

    tour_step_write(step, &o);
    write_lines(page, out_done(&o));
}

static void
write_answer(const struct tour_page *page, const struct tour_step *step)
{
    write_code(page, step->status);
    if (step->rule.len) {
        out_literal(page->o, " <code>");
        tour_text(page, step->rule);
        out_literal(page->o, "</code>");
    }
}

/* --- the exchange ----------------------------------------------------------------------------- */

static void
write_preparation(const struct tour_page *page, const struct tour_recipe *recipe)
{
    if (recipe->steps_n < 2)
        return;
    out_literal(page->o, "<details><summary>");
    tour_word(page, WORD_FIRST);
    out_literal(page->o, "</summary>\n");
    for (size_t i = 0; i + 1 < recipe->steps_n; i++) {
        out_literal(page->o, "<pre class=\"before\" tabindex=\"0\">\n");
        write_request(page, &recipe->steps[i]);
        out_literal(page->o, "</pre>\n");
    }
    out_literal(page->o, "</details>\n");
}

static void
write_form(const struct tour_page *page, const struct tour_recipe *recipe)
{
    static const char *const means[TOUR_MEANS] = {
        [TOUR_CLIENT] = "client", [TOUR_FETCH] = "fetch", [TOUR_WEBSOCKET] = "websocket"};
    const struct tour_step *last = &recipe->steps[recipe->steps_n - 1];
    struct out *o = page->o;

    out_literal(o, "<form id=\"exchange\" data-code=\"");
    write_code(page, recipe->code);
    out_literal(o, "\" data-means=\"");
    out_text(o, means[recipe->means]);
    out_literal(o, "\" data-expects=\"");
    write_code(page, last->status);
    out_literal(o, "\" data-rule=\"");
    tour_text(page, last->rule);
    if (last->unfinished)
        out_literal(o, "\" data-unfinished=\"");
    out_literal(o, "\">\n<label for=\"request\">");
    tour_word(page, WORD_REQUEST);
    out_literal(o, "</label>\n<textarea id=\"request\" maxlength=\"8192\" spellcheck=\"false\" "
                   "autocapitalize=\"off\" autocomplete=\"off\" rows=\"8\">\n");
    write_request(page, last);
    out_literal(o, "</textarea>\n<p class=\"script\"><button>");
    tour_word(page, WORD_SEND);
    out_literal(o, "</button>\n<button type=\"reset\">");
    tour_word(page, WORD_BACK);
    out_literal(o, "</button>\n<label class=\"switch\"><input type=\"checkbox\" name=\"h2\"> ");
    tour_word(page, WORD_FRAMES);
    out_literal(o, "</label></p>\n<noscript><p>");
    tour_word(page, WORD_NO_SCRIPT);
    out_literal(o, " <code>earnest explain ");
    write_code(page, recipe->code);
    out_literal(o, "</code></p></noscript>\n</form>\n");
}

static void
write_data(const struct tour_page *page, const char *name, enum tour_word word)
{
    out_literal(page->o, " data-");
    out_text(page->o, name);
    out_literal(page->o, "=\"");
    tour_word(page, word);
    out_char(page->o, '"');
}

/* Where the outcome is shown; its words come along, so that the script has none. */
static void
write_outcome(const struct tour_page *page)
{
    struct out *o = page->o;

    out_literal(o, "<section id=\"outcome\" class=\"script\"");
    write_data(page, "earned", WORD_EARNED);
    write_data(page, "expected", WORD_EXPECTED);
    write_data(page, "otherwise", WORD_OTHERWISE);
    write_data(page, "sending", WORD_SENDING);
    write_data(page, "failed", WORD_FAILED);
    write_data(page, "browser", WORD_BROWSER);
    write_data(page, "sent", WORD_SENT);
    write_data(page, "got", WORD_GOT);
    write_data(page, "path", WORD_PATH);
    write_data(page, "decided", WORD_DECIDED);
    write_data(page, "why", WORD_WHY);
    out_literal(o,
                ">\n<p role=\"status\" id=\"verdict\"></p>\n<div id=\"wire\"></div>\n</section>\n");
}

static void
write_nears(const struct tour_page *page, const struct tour_recipe *recipe)
{
    if (recipe->nears_n == 0)
        return;
    tour_heading(page, WORD_NEARS);
    out_literal(page->o, "<ul class=\"nears\">\n");
    for (size_t i = 0; i < recipe->nears_n; i++) {
        const struct tour_near *near = &recipe->nears[i];

        out_literal(page->o, "<li><p>");
        tour_text(page, near->said[page->language]);
        out_literal(page->o, " → ");
        write_answer(page, &near->step);
        out_literal(page->o, "</p>\n<details><summary>");
        tour_word(page, WORD_TRY);
        out_literal(page->o, "</summary>\n<pre tabindex=\"0\">\n");
        write_request(page, &near->step);
        out_literal(page->o, "</pre>\n<p class=\"script\"><button type=\"button\" data-near=\"");
        out_u64(page->o, i);
        out_literal(page->o, "\" data-expects=\"");
        write_code(page, near->step.status);
        if (near->alone)
            out_literal(page->o, "\" data-alone=\"");
        out_literal(page->o, "\">");
        tour_word(page, WORD_SEND);
        out_literal(page->o, "</button></p>\n</details></li>\n");
    }
    out_literal(page->o, "</ul>\n");
}

static void
write_exchange(const struct tour_page *page, unsigned code)
{
    static const enum tour_word by[TOUR_MEANS] = {[TOUR_CLIENT] = WORD_BY_CLIENT,
                                                  [TOUR_FETCH] = WORD_BY_FETCH,
                                                  [TOUR_WEBSOCKET] = WORD_BY_WEBSOCKET};
    const struct tour_recipe *recipe = tour_recipe_find(page->table, code);
    bool earns = recipe && recipe->steps_n;

    tour_heading(page, WORD_EXCHANGE);
    if (recipe) {
        out_literal(page->o, "<p>");
        tour_text(page, recipe->said[page->language]);
        out_literal(page->o, "</p>\n");
    }
    out_literal(page->o, "<p class=\"soft\" id=\"means\">");
    tour_word(page, earns ? by[recipe->means] : WORD_BY_NOTHING);
    out_literal(page->o, "</p>\n");
    if (!earns)
        return;
    write_preparation(page, recipe);
    write_form(page, recipe);
    write_outcome(page);
    write_nears(page, recipe);
}

/* --- what is known of it ---------------------------------------------------------------------- */

static void
write_term(const struct tour_page *page, enum tour_word term, struct ern_slice text)
{
    out_literal(page->o, "<div><dt>");
    tour_word(page, term);
    out_literal(page->o, "</dt><dd>");
    if (term == WORD_SOURCE)
        tour_source(page, text);
    else
        tour_text(page, text);
    out_literal(page->o, "</dd></div>\n");
}

static void
write_company(const struct tour_page *page, const struct ern_status *status)
{
    char buffer[64];

    tour_heading(page, WORD_WITH);
    out_literal(page->o, "<dl>\n");
    write_term(page, WORD_KIND, words_kind(status->kind, page->language));
    write_term(page, WORD_SOURCE, slice_text(status->source));
    if (status->carry)
        write_term(page, WORD_FIELD, words_field(status->carry, buffer, sizeof buffer));
    if (status->kind != ERN_RESERVED) {
        write_term(page, WORD_CONTENT, words_content(status, page->language));
        write_term(page, WORD_CACHE, words_cacheable(status->cacheable, page->language));
    }
    out_literal(page->o, "</dl>\n");
}

/* The vector that causes a rule. */
static void
write_vector(const struct tour_page *page, struct ern_slice rule)
{
    for (unsigned i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        if (!slice_eq(vectors[i].rule, rule))
            continue;
        out_literal(page->o, "<details><summary>");
        tour_word(page, WORD_VECTOR);
        out_literal(page->o, " <code>");
        tour_text(page, vectors[i].path);
        out_literal(page->o, "</code></summary>\n<pre tabindex=\"0\">\n");
        write_lines(page, vectors[i].text);
        out_literal(page->o, "</pre></details>\n");
        return;
    }
}

static void
write_cause(const struct tour_page *page, const struct cause *cause)
{
    const struct ern_rule *rule = cause->interim ? NULL : ern_rule_find(cause->name);
    struct out *o = page->o;

    out_literal(o, "<section class=\"rule\">\n<h3>");
    if (rule) {
        out_literal(o, "<a href=\"rules.");
        out_slice(o, language_tag(page->language));
        out_literal(o, ".html#");
        tour_text(page, cause->name);
        out_literal(o, "\">");
    }
    out_literal(o, "<code>");
    tour_text(page, cause->name);
    out_literal(o, "</code>");
    if (rule)
        out_literal(o, "</a>");
    out_literal(o, " <small>");
    tour_source(page, cause->source);
    out_literal(o, "</small></h3>\n");
    if (rule) {
        out_literal(o, "<p>");
        tour_text(page, sentence_of(rule, page->language));
        out_literal(o, "</p>\n");
    }
    tour_facts(page, &cause->if_, &cause->unless);
    write_vector(page, cause->name);
    out_literal(o, "</section>\n");
}

static void
write_causes(const struct tour_page *page, const struct ern_status *status)
{
    struct cause cause;
    size_t i = 0, n = 0;

    tour_heading(page, WORD_LEADS);
    for (; cause_next(status->code, &i, &cause); n++)
        write_cause(page, &cause);
    if (n == 0) {
        out_literal(page->o, "<p>");
        tour_word(page, status->kind == ERN_RESERVED ? WORD_RESERVED : WORD_ON_THE_WAY);
        out_literal(page->o, "</p>\n");
    }
}

static void
write_neighbour(const struct tour_page *page, const struct ern_status *status, const char *rel,
                enum tour_word word)
{
    if (!status)
        return;
    out_literal(page->o, "<a rel=\"");
    out_text(page->o, rel);
    out_literal(page->o, "\" href=\"");
    write_code(page, status->code);
    out_char(page->o, '.');
    out_slice(page->o, language_tag(page->language));
    out_literal(page->o, ".html\"><small>");
    tour_word(page, word);
    out_literal(page->o, "</small> ");
    write_code(page, status->code);
    out_char(page->o, ' ');
    tour_text(page, status->phrase);
    out_literal(page->o, "</a>\n");
}

static void
write_neighbours(const struct tour_page *page, const struct ern_status *status)
{
    unsigned i = 0;

    while (ern_status_at(i) != status)
        i++;
    out_literal(page->o, "<nav class=\"neighbours\" aria-label=\"");
    tour_word(page, WORD_CODES);
    out_literal(page->o, "\">\n");
    write_neighbour(page, i ? ern_status_at(i - 1) : NULL, "prev", WORD_PREVIOUS);
    write_neighbour(page, ern_status_at(i + 1), "next", WORD_NEXT);
    out_literal(page->o, "</nav>\n");
}

void
tour_code_write(const struct tour_page *page, const struct ern_status *status)
{
    const struct status_text *text = status_text(status->code, page->language);
    char name[8], title[128];
    struct out n = out_init(name, sizeof name), t = out_init(title, sizeof title);
    struct out *o = page->o;

    out_u64(&n, status->code);
    out_u64(&t, status->code);
    out_char(&t, ' ');
    out_html(&t, status->phrase);
    tour_begin(page, out_done(&n), out_done(&t));
    out_literal(o, "<h1 lang=\"en\"><b>");
    write_code(page, status->code);
    out_literal(o, "</b> ");
    tour_text(page, status->phrase);
    out_literal(o, "</h1>\n");
    if (text) {
        out_literal(o, "<p class=\"says\">");
        tour_text(page, text->meaning);
        out_literal(o, "</p>\n");
    }
    write_exchange(page, status->code);
    if (text) {
        write_paragraph(page, WORD_WHEN, text->when);
        write_paragraph(page, WORD_CLIENT, text->client);
    }
    write_company(page, status);
    write_causes(page, status);
    write_neighbours(page, status);
    tour_end(page);
}
