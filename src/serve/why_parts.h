/* SPDX-License-Identifier: Apache-2.0 */
/* why_parts.h - what the writers of the forms of why.h share. */
#ifndef SERVE_WHY_PARTS_H
#define SERVE_WHY_PARTS_H

#include "serve/why.h"

enum why_word {
#define WORD(id, english, bengali) WHY_##id,
#include "serve/why_words.def"
#undef WORD
    WHY_WORDS
};

/* A word in the language of the page. */
struct ern_slice why_word(const struct why *why, enum why_word word);
struct ern_slice why_answer(const struct why *why, bool yes);

/* Who answered a fact: the request, the server, a policy of the route, the resource ... */
struct ern_slice why_who(const struct why *why, enum ern_fact fact);

/* What of an answer is worth a word: was it asked, or is it other than for most requests? */
bool why_is_telling(const struct why *why, enum ern_fact fact);

/* The i-th fact that is telling, from 0: as asked, then as given. Returns ERN_FACTS past the last.
 */
enum ern_fact why_fact(const struct why *why, size_t i);

/*
 * The steps from the i-th on that are shown as one: those that are folded, or whose rules do not
 * hold for the same reason. Returns how many: at least 1.
 */
struct why_run {
    enum insight_group group;
    size_t n;
};
struct why_run why_run(const struct why *why, size_t i);

/* Writes what a run is called: "17 rules that ...", "412 if_match", "301 ... - 308 ...". */
void why_write_run(const struct why *why, size_t i, struct why_run run, struct out *o);

/* Microseconds that the answer was waited for; 0: it was there at once. */
uint32_t why_wait_us(const struct why *why, enum ern_fact fact);

/* How many of the changes lead to success: these come first. And what is to be said of all. */
size_t why_good_changes(const struct why *why);
enum why_word why_change_word(const struct why *why);

/* Writes the names of the fields that the request had, of those that we read. */
void why_write_fields(struct out *o, const struct trace *trace);

/* "2.4 ms" */
void why_write_us(struct out *o, uint32_t us);

/* The status of a rule; of one that passes others' on, that of the trace. */
unsigned why_status(const struct why *why, const struct ern_rule *rule);
struct ern_slice why_phrase(const struct why *why);

/* The name of a version, as in "HTTP/1.1"; the time, as in "2026-11-22T23:30:09Z". */
void why_write_version(struct out *o, const struct trace *trace);
void why_write_time(struct out *o, const struct trace *trace);

void why_write_text(const struct why *why, struct out *o);
void why_write_html(const struct why *why, struct out *o);
void why_write_json(const struct why *why, struct out *o);

/* The picture of the path: alone, or within a page, which has its style. */
void why_write_svg(const struct why *why, struct out *o);
void why_write_figure(const struct why *why, struct out *o);

#endif
