/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why.h - a decision, explained: the exchange, the rules that were walked, the facts with who
 * answered them, and what would have to change for a success. All of it follows from a trace and
 * the tables, and is made when somebody asks. Here are the pages of it, /.earnest/why/ID, and the
 * writers that they share with the command line.
 */
#ifndef SERVE_WHY_H
#define SERVE_WHY_H

#include "code/language.h"
#include "decide/insight.h"
#include "serve/trace.h"
#include "serve/written.h"

enum why_form { WHY_TEXT, WHY_HTML, WHY_JSON, WHY_SVG, WHY_FORMS };

struct why {
    struct ern_slice id; /* of the trace; absent: it has none */
    enum language language;
    const struct trace *trace;
    const struct conf *conf;
    struct ern_bits asked; /* what the resource was asked */
    struct ern_step steps[ERN_RULES_MAX];
    size_t steps_n;
    struct insight_change changes[INSIGHT_CHANGES_MAX], way[INSIGHT_WAY_MAX];
    size_t changes_n, way_n; /* way_n: 0 where one change is enough, or none is */
};

/* Replays the decision of a trace; what is given stays as long as ret. */
void why_look(const struct trace *trace, const struct conf *conf, struct ern_slice id,
              enum language language, struct why *ret);

/* Writes it: UTF-8. The writer of each form is in a file of its own. */
void why_write(const struct why *why, enum why_form form, struct out *o);

/* The form with this name, as in "json". Returns false if there is none. */
bool why_form_find(struct ern_slice name, enum why_form *ret);

/* The path of an answer that is being written, as a figure of its page; page_path is its style. */
void why_write_own(const struct exchange *exchange, enum language language, struct out *o);

/* The pages. */
extern struct ern_resource why_resource;

#endif
