/* SPDX-License-Identifier: Apache-2.0 */
/* tour_page.c - the pages that there is one of, and all pages as files. */
#include "main/tour_page.h"

#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"
#include "decide/sentence.h"
#include "main/tour_parts.h"
#include "main/tour_world.h"
#include "res/page.h"

#include "tour.inc"

enum { PAGE_BYTES = 1 << 19, CODES_A_CLASS = ERN_200_OK - ERN_100_CONTINUE };

static void
write_title(const struct tour_page *page, enum tour_word title, enum tour_word intro)
{
    out_literal(page->o, "<h1>");
    tour_word(page, title);
    out_literal(page->o, "</h1>\n<p class=\"says\">");
    tour_word(page, intro);
    out_literal(page->o, "</p>\n");
}

static void
write_card(const struct tour_page *page, const struct ern_status *status)
{
    struct out *o = page->o;

    out_literal(o, "<li><a href=\"");
    out_u64(o, status->code);
    out_char(o, '.');
    out_slice(o, language_tag(page->language));
    out_literal(o, ".html\"><b>");
    out_u64(o, status->code);
    out_literal(o, "</b> <span lang=\"en\">");
    tour_text(page, status->phrase);
    out_literal(o, "</span></a> <small>");
    tour_text(page, tour_summary(status->code, page->language));
    out_literal(o, "</small></li>\n");
}

static void
write_search(const struct tour_page *page)
{
    struct out *o = page->o;

    out_literal(o, "<form role=\"search\" class=\"script\"><label for=\"search\">");
    tour_word(page, WORD_SEARCH);
    out_literal(o, "</label><input id=\"search\" type=\"search\" autocomplete=\"off\"> "
                   "<span role=\"status\" id=\"found\" data-found=\"");
    tour_word(page, WORD_FOUND);
    out_literal(o, "\"></span></form>\n");
}

void
tour_index_write(const struct tour_page *page)
{
    static const enum tour_word classes[] = {WORD_CLASS_1, WORD_CLASS_2, WORD_CLASS_3, WORD_CLASS_4,
                                             WORD_CLASS_5};
    const struct ern_status *status;
    unsigned class = 0;

    tour_begin(page, ERN_SLICE("index"), ERN_SLICE("HTTP"));
    write_title(page, WORD_TITLE, WORD_INTRO);
    write_search(page);
    for (unsigned i = 0; (status = ern_status_at(i)) != NULL; i++) {
        if (status->code / CODES_A_CLASS != class) {
            out_text(page->o, class ? "</ul></section>\n<section>" : "<section>");
            class = status->code / CODES_A_CLASS;
            tour_heading(page, classes[class - 1]);
            out_literal(page->o, "<ul class=\"cards\">\n");
        }
        write_card(page, status);
    }
    out_literal(page->o, "</ul></section>\n");
    tour_end(page);
}

static void
write_rule(const struct tour_page *page, const struct ern_rule *rule)
{
    struct out *o = page->o;

    out_literal(o, "<li id=\"");
    out_text(o, rule->name);
    out_literal(o, "\"><h2>");
    if (rule->status) {
        out_literal(o, "<a href=\"");
        out_u64(o, rule->status);
        out_char(o, '.');
        out_slice(o, language_tag(page->language));
        out_literal(o, ".html\"><b>");
        out_u64(o, rule->status);
        out_literal(o, "</b></a> ");
    } else {
        out_literal(o, "<small>");
        tour_word(page, WORD_RELAYED);
        out_literal(o, "</small> ");
    }
    out_literal(o, "<code>");
    out_text(o, rule->name);
    out_literal(o, "</code> <small>");
    tour_source(page, slice_text(rule->source));
    out_literal(o, "</small></h2>\n<p>");
    tour_text(page, sentence_of(rule, page->language));
    out_literal(o, "</p>\n");
    tour_facts(page, &rule->if_, &rule->unless);
    out_literal(o, "</li>\n");
}

/* The parts of rules.def, each with its first rule. */
static const struct {
    const char *first;
    enum tour_word word;
} stages[] = {
    {"broke", WORD_STAGE_MESSAGE},        {"misdirected", WORD_STAGE_SERVER},
    {"unavailable", WORD_STAGE_WHO},      {"failed_dependency", WORD_STAGE_MEMBERS},
    {"use_proxy", WORD_STAGE_WHERE},      {"variant_loop", WORD_STAGE_WHICH},
    {"if_states", WORD_STAGE_CONDITIONS}, {"content_malformed", WORD_STAGE_CONTENT},
    {"act_failed", WORD_STAGE_ACT},
};
enum { STAGES = sizeof stages / sizeof *stages };

/* Does a part of the rules begin with this one? */
static bool
begins_stage(const struct ern_rule *rule, unsigned stage)
{
    return stage < STAGES && slice_eq(slice_text(rule->name), slice_text(stages[stage].first));
}

static void
write_spot(const struct tour_page *page, const struct ern_rule *rule)
{
    struct out *o = page->o;

    out_literal(o, "<li><a href=\"#");
    out_text(o, rule->name);
    out_literal(o, "\" class=\"class-");
    out_u64(o, rule->status / CODES_A_CLASS);
    out_literal(o, "\" title=\"");
    out_text(o, rule->name);
    out_literal(o, "\">");
    if (rule->status)
        out_u64(o, rule->status);
    else
        out_literal(o, "…");
    out_literal(o, "<span> ");
    out_text(o, rule->name);
    out_literal(o, "</span>");
    out_literal(o, "</a></li>\n");
}

/* All rules at a glance, each a link to itself. */
static void
write_map(const struct tour_page *page)
{
    unsigned stage = 0;

    tour_heading(page, WORD_MAP);
    out_literal(page->o, "<dl class=\"map\">\n");
    for (size_t i = 0; i < ern_rules_n; i++) {
        if (begins_stage(&ern_rules[i], stage)) {
            out_text(page->o, stage ? "</ol></dd></div>\n<div><dt>" : "<div><dt>");
            tour_word(page, stages[stage++].word);
            out_literal(page->o, "</dt><dd><ol>\n");
        }
        write_spot(page, &ern_rules[i]);
    }
    out_literal(page->o, "</ol></dd></div>\n</dl>\n");
}

void
tour_rules_write(const struct tour_page *page)
{
    tour_begin(page, ERN_SLICE("rules"), ERN_SLICE("rules.def"));
    write_title(page, WORD_RULES, WORD_RULES_INTRO);
    write_map(page);
    write_search(page);
    out_literal(page->o, "<ol class=\"rules\">\n");
    for (size_t i = 0; i < ern_rules_n; i++)
        write_rule(page, &ern_rules[i]);
    out_literal(page->o, "</ol>\n");
    tour_end(page);
}

static void
write_input(const struct tour_page *page, const char *name, const char *value, enum tour_word label)
{
    struct out *o = page->o;

    out_literal(o, "<p><label for=\"");
    out_text(o, name);
    out_literal(o, "\">");
    tour_word(page, label);
    out_literal(o, "</label><input id=\"");
    out_text(o, name);
    out_literal(o, "\" value=\"");
    out_text(o, value);
    out_literal(o, "\" maxlength=\"200\" autocomplete=\"off\" spellcheck=\"false\"></p>\n");
}

void
tour_live_write(const struct tour_page *page)
{
    static const enum tour_word columns[] = {WORD_TIME, WORD_ASKED, WORD_STATUS, WORD_RULE};
    struct out *o = page->o;

    tour_begin(page, ERN_SLICE("live"), ERN_SLICE("live"));
    write_title(page, WORD_LIVE, WORD_LIVE_INTRO);
    out_literal(o, "<form id=\"filter\" class=\"script\">\n");
    write_input(page, "path", "/", WORD_FILTER_PATH);
    write_input(page, "status", "", WORD_FILTER_STATUS);
    out_literal(o, "</form>\n<noscript><p>");
    tour_word(page, WORD_LIVE_SCRIPT);
    out_literal(o, "</p></noscript>\n<p class=\"soft script\" role=\"status\" id=\"listening\" "
                   "data-listening=\"");
    tour_word(page, WORD_LISTENING);
    out_literal(o, "\" data-failed=\"");
    tour_word(page, WORD_FAILED);
    out_literal(o, "\"></p>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    tour_word(page, WORD_LIVE);
    out_literal(o, "\"><table id=\"live\"><thead><tr>");
    for (unsigned i = 0; i < sizeof columns / sizeof *columns; i++) {
        out_literal(o, "<th scope=\"col\">");
        tour_word(page, columns[i]);
        out_literal(o, "</th>");
    }
    out_literal(o, "</tr></thead><tbody></tbody></table></div>\n");
    tour_end(page);
}

/* --- as files --------------------------------------------------------------------------------- */

/* The type map of a page (RFC 2295): English to who has no preference. */
static bool
write_type_map(int folder, const char *name)
{
    char path[64], text[256];
    struct out p = out_init(path, sizeof path), o = out_init(text, sizeof text);

    out_literal(&p, "tour/");
    out_text(&p, name);
    out_literal(&p, ".var\0");
    out_literal(&o, "{\"");
    out_text(&o, name);
    out_literal(&o, ".en.html\" 1.0 {type text/html} {language en}}\n{\"");
    out_text(&o, name);
    out_literal(&o, ".bn.html\" 0.99 {type text/html} {language bn}}\n");
    return tour_world_write(folder, path, out_done(&o));
}

static bool
write_page(int folder, const struct tour_page *page, const char *name)
{
    char path[64];
    struct out o = out_init(path, sizeof path);

    out_literal(&o, "tour/");
    out_text(&o, name);
    out_char(&o, '.');
    out_slice(&o, language_tag(page->language));
    out_literal(&o, ".html\0");
    if (o.full || page->o->full) {
        errno = ENOSPC;
        return false;
    }
    return (page->language != LANGUAGE_EN || write_type_map(folder, name)) &&
           tour_world_write(folder, path, out_done(page->o));
}

static bool
write_in(int folder, const struct tour_table *table, enum language language, char *memory)
{
    static const struct {
        const char *name;
        void (*write)(const struct tour_page *page);
    } singles[] = {
        {"index", tour_index_write}, {"rules", tour_rules_write}, {"live", tour_live_write}};
    const struct ern_status *status;
    struct out o;
    struct tour_page page = {&o, language, table};
    bool good = true;

    for (unsigned i = 0; good && i < sizeof singles / sizeof *singles; i++) {
        o = out_init(memory, PAGE_BYTES);
        singles[i].write(&page);
        good = write_page(folder, &page, singles[i].name);
    }
    for (unsigned i = 0; good && (status = ern_status_at(i)) != NULL; i++) {
        char name[8];
        struct out n = out_init(name, sizeof name);

        out_u64(&n, status->code);
        out_char(&n, '\0');
        o = out_init(memory, PAGE_BYTES);
        tour_code_write(&page, status);
        good = write_page(folder, &page, name);
    }
    return good;
}

static bool
write_style(int folder, char *memory)
{
    struct out o = out_init(memory, PAGE_BYTES);

    out_slice(&o, page_style.text);
    out_slice(&o, page_path.text);
    out_slice(&o, slice_from(tour_css, sizeof tour_css));
    return tour_world_write(folder, "tour/tour.css", out_done(&o));
}

bool
tour_pages_write(int folder, const struct tour_table *table)
{
    char *memory = malloc(PAGE_BYTES);
    bool good = memory && write_style(folder, memory) &&
                tour_world_write(folder, "tour/tour.js", slice_from(tour_js, sizeof tour_js)) &&
                tour_world_write(folder, "tour/icon.svg", slice_from(icon_svg, sizeof icon_svg)) &&
                write_in(folder, table, LANGUAGE_EN, memory) &&
                write_in(folder, table, LANGUAGE_BN, memory);

    free(memory);
    return good;
}
