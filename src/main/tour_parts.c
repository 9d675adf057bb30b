/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_parts.h"

#include "base/slice.h"
#include "code/text.h"
#include "decide/question.h"
#include "main/words.h"

static const char *const words[WORDS][LANGUAGES] = {
#define WORD(name, en, bn) [WORD_##name] = {[LANGUAGE_EN] = en, [LANGUAGE_BN] = bn},
#include "tour_words.def"
#undef WORD
};

void
tour_word(const struct tour_page *page, enum tour_word word)
{
    out_text(page->o, words[word][page->language]);
}

void
tour_text(const struct tour_page *page, struct ern_slice text)
{
    out_html(page->o, text);
}

void
tour_heading(const struct tour_page *page, enum tour_word word)
{
    out_literal(page->o, "<h2>");
    tour_word(page, word);
    out_literal(page->o, "</h2>\n");
}

static void
write_name(const struct tour_page *page, struct ern_slice name, enum language language)
{
    out_slice(page->o, name);
    out_char(page->o, '.');
    out_slice(page->o, language_tag(language));
    out_literal(page->o, ".html");
}

static void
write_link(const struct tour_page *page, struct ern_slice to, enum tour_word word,
           struct ern_slice here)
{
    out_literal(page->o, "<a href=\"");
    write_name(page, to, page->language);
    out_text(page->o, slice_eq(to, here) ? "\" aria-current=\"page\">" : "\">");
    tour_word(page, word);
    out_literal(page->o, "</a>\n");
}

void
tour_begin(const struct tour_page *page, struct ern_slice name, struct ern_slice title)
{
    enum language other = page->language == LANGUAGE_EN ? LANGUAGE_BN : LANGUAGE_EN;
    struct out *o = page->o;

    out_literal(o, "<!doctype html>\n<html lang=\"");
    out_slice(o, language_tag(page->language));
    out_literal(o, "\">\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<link rel=\"stylesheet\" href=\"tour.css\">\n"
                   "<link rel=\"icon\" href=\"icon.svg\">\n"
                   "<script type=\"module\" src=\"tour.js\"></script>\n<title>");
    out_slice(o, title);
    out_literal(o, " · Earnest</title>\n<a class=\"skip\" href=\"#main\">");
    tour_word(page, WORD_SKIP);
    out_literal(o, "</a>\n<header><nav>\n");
    write_link(page, ERN_SLICE("index"), WORD_CODES, name);
    write_link(page, ERN_SLICE("rules"), WORD_RULES, name);
    write_link(page, ERN_SLICE("live"), WORD_LIVE, name);
    out_literal(o, "<a class=\"other\" rel=\"alternate\" lang=\"");
    out_slice(o, language_tag(other));
    out_literal(o, "\" hreflang=\"");
    out_slice(o, language_tag(other));
    out_literal(o, "\" href=\"");
    write_name(page, name, other);
    out_literal(o, "\">");
    tour_word(page, WORD_OTHER);
    out_literal(o, "</a>\n</nav></header>\n<main id=\"main\">\n");
}

void
tour_end(const struct tour_page *page)
{
    out_literal(page->o, "</main>\n</html>\n");
}

/* "RFC 9110 15.5.13" is a section of the text that the RFC Editor has; anything else is no link. */
void
tour_source(const struct tour_page *page, struct ern_slice source)
{
    struct ern_slice rfc = ERN_SLICE("RFC ");
    struct ern_slice rest = slice_starts(source, rfc) ? slice_skip(source, rfc.len) : ERN_ABSENT;
    size_t space = slice_find(rest, ' ');

    if (rest.len == 0) {
        tour_text(page, source);
        return;
    }
    out_literal(page->o, "<a rel=\"external\" href=\"https://www.rfc-editor.org/rfc/rfc");
    tour_text(page, slice_first(rest, space));
    if (space < rest.len) {
        out_literal(page->o, "#section-");
        tour_text(page, slice_skip(rest, space + 1));
    }
    out_literal(page->o, "\">");
    tour_text(page, source);
    out_literal(page->o, "</a>");
}

static void
write_facts(const struct tour_page *page, const struct ern_bits *bits, enum tour_word answer)
{
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;

        if (!ern_bits_has(bits, fact))
            continue;
        out_literal(page->o, "<li>");
        tour_text(page, question_of(fact, page->language));
        out_literal(page->o, " <b>");
        tour_word(page, answer);
        out_literal(page->o, "</b></li>\n");
    }
}

void
tour_facts(const struct tour_page *page, const struct ern_bits *if_, const struct ern_bits *unless)
{
    if (!(if_->word[0] | if_->word[1] | unless->word[0] | unless->word[1])) {
        out_literal(page->o, "<p>");
        tour_word(page, WORD_ALWAYS);
        out_literal(page->o, "</p>\n");
        return;
    }
    out_literal(page->o, "<ul class=\"facts\">\n");
    write_facts(page, if_, WORD_YES);
    write_facts(page, unless, WORD_NO);
    out_literal(page->o, "</ul>\n");
}

struct ern_slice
tour_summary(unsigned code, enum language language)
{
    const struct status_text *text = status_text(code, language);

    return text ? words_first_sentence(text->meaning) : ERN_SLICE("");
}
