/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what an audit found, in several forms. */
#ifndef MAIN_REPORT_H
#define MAIN_REPORT_H

#include "earnest/status.h"
#include "main/page.h"
#include "main/verdict.h"

struct report {
    const char *url;
    const struct outcome *outcomes; /* of each row of audit.def */
};

/* What the rows of a status come to; the row that tells, or NULL if it has none. */
enum verdict report_verdict(const struct report *report, unsigned code,
                            const struct probe **ret_probe);

/* Rows that are wrong. */
unsigned report_wrong(const struct report *report);

/* Each status on a line, and each wrong row; all rows, if they are asked for. */
void report_text(const struct report *report, const struct page *page, bool all);

void report_json(const struct report *report, FILE *to);
void report_junit(const struct report *report, FILE *to);
void report_html(const struct report *report, FILE *to);

#endif
