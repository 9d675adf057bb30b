/* SPDX-License-Identifier: Apache-2.0 */
/* tour_parts.h - what the writers of pages of the tour share. */
#ifndef MAIN_TOUR_PARTS_H
#define MAIN_TOUR_PARTS_H

#include "earnest/decide.h"
#include "earnest/status.h"
#include "main/tour_recipe.h"

enum tour_word {
#define WORD(name, en, bn) WORD_##name,
#include "tour_words.def"
#undef WORD
    WORDS
};

struct tour_page {
    struct out *o;
    enum language language;
    const struct tour_table *table;
};

/* The word, which is HTML. */
void tour_word(const struct tour_page *page, enum tour_word word);

/* Up to <main>, and from </main> on.
 *   name    of the file, without language: where the page is in the other one
 *   title   HTML */
void tour_begin(const struct tour_page *page, struct ern_slice name, struct ern_slice title);
void tour_end(const struct tour_page *page);

/* Text as the inside of an element. */
void tour_text(const struct tour_page *page, struct ern_slice text);

/* <h2>WORD</h2> */
void tour_heading(const struct tour_page *page, enum tour_word word);

/* A link to a section of a specification, as in "RFC 9110 15.5.13". */
void tour_source(const struct tour_page *page, struct ern_slice source);

/* The conditions of a rule as a list of questions and answers. */
void tour_facts(const struct tour_page *page, const struct ern_bits *if_,
                const struct ern_bits *unless);

/* The first sentence of what a code means; empty if it has no text. */
struct ern_slice tour_summary(unsigned code, enum language language);

/* The pages: of a code, and those that there is one of. */
void tour_code_write(const struct tour_page *page, const struct ern_status *status);
void tour_index_write(const struct tour_page *page);
void tour_rules_write(const struct tour_page *page);
void tour_live_write(const struct tour_page *page);

#endif
