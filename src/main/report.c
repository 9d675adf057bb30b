/* SPDX-License-Identifier: Apache-2.0 */
#include "main/report.h"

#include <inttypes.h>

#include "base/out.h"
#include "base/slice.h"
#include "main/audit_words.h"
#include "res/page.h"

enum { PIECE_BYTES = 4096, NAME_COLUMNS = 26, VERDICT_COLUMNS = 8 };

enum verdict
report_verdict(const struct report *r, unsigned code, const struct probe **ret)
{
    enum verdict verdict = VERDICT_ABSENT;

    *ret = NULL;
    for (unsigned i = 0; i < PROBES; i++) {
        enum verdict of = r->outcomes[i].verdict;

        if (probes[i].code != code || (probes[i].kind == PROBE_NEAR && of != VERDICT_WRONG))
            continue; /* that it is not given where it should not be earns nothing */
        if (!*ret || of > verdict) {
            *ret = &probes[i];
            verdict = of;
        }
    }
    return verdict;
}

unsigned
report_wrong(const struct report *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PROBES; i++)
        n += r->outcomes[i].verdict == VERDICT_WRONG;
    return n;
}

static const struct outcome *
outcome_of(const struct report *r, const struct probe *probe)
{
    return &r->outcomes[probe - probes];
}

/* ---- text -------------------------------------------------------------------------------------
 */

static void
put_verdict(const struct page *page, enum verdict verdict)
{
    page_pad(page, slice_text(audit_say(verdict_name(verdict))), VERDICT_COLUMNS);
}

static void
put_probe(const struct report *r, const struct page *page, const struct probe *p)
{
    const struct outcome *o = outcome_of(r, p);

    fputs("      ", page->file);
    put_verdict(page, o->verdict);
    (void)fprintf(page->file, "%s%s: %s (%s)%s%s\n",
                  p->kind == PROBE_NEAR ? audit_say("not for ") : "", p->name,
                  audit_say(p->sentence), p->source, o->found[0] ? ": " : "", o->found);
}

void
report_text(const struct report *r, const struct page *page, bool all)
{
    const struct ern_status *s;
    unsigned count[3] = {0};

    for (unsigned i = 0; (s = ern_status_at(i)) != NULL; i++) {
        const struct probe *p;
        enum verdict verdict = report_verdict(r, s->code, &p);
        const char *why = verdict_unasked(s->code);

        if (s->kind == ERN_RESERVED)
            continue;
        count[verdict]++;
        (void)fprintf(page->file, "%u ", s->code);
        page_pad(page, s->phrase, NAME_COLUMNS);
        fputs(" ", page->file);
        put_verdict(page, verdict);
        (void)fprintf(page->file, "%s: %s\n", p ? p->source : s->source,
                      audit_say(p     ? p->sentence
                                : why ? why
                                      : "nothing was asked"));
        for (unsigned j = 0; j < PROBES; j++)
            if (probes[j].code == s->code && (all || r->outcomes[j].verdict == VERDICT_WRONG))
                put_probe(r, page, &probes[j]);
    }
    (void)fprintf(page->file, "\n%u%s%u%s%u%s\n", count[VERDICT_EARNED], audit_say(" earned, "),
                  count[VERDICT_WRONG], audit_say(" wrong, "), count[VERDICT_ABSENT],
                  audit_say(" absent"));
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void
json_member(const struct page *page, const char *name, const char *text)
{
    (void)fprintf(page->file, "\"%s\":", name);
    page_json(page, slice_text(text));
}

static void
json_probe(const struct report *r, const struct page *page, const struct probe *p)
{
    static const char *const kinds[] = {"earn", "near", "slow", "within", "h2"};
    const struct outcome *o = outcome_of(r, p);
    char text[FOUND_BYTES * 3];
    struct out plain = out_init(text, sizeof text);

    out_plain(&plain, slice_text(o->found));
    fputs("{", page->file);
    json_member(page, "name", p->name);
    (void)fprintf(page->file, ",\"kind\":\"%s\",\"verdict\":\"%s\",\"status\":%u,", kinds[p->kind],
                  verdict_name(o->verdict), o->status);
    json_member(page, "source", p->source);
    fputs(",", page->file);
    json_member(page, "sentence", audit_say(p->sentence));
    fputs(",\"found\":", page->file);
    page_json(page, out_done(&plain));
    fputs("}", page->file);
}

void
report_json(const struct report *r, FILE *to)
{
    struct page page = {.file = to};
    const struct ern_status *s;
    const char *between = "";

    fputs("{", to);
    json_member(&page, "url", r->url);
    (void)fprintf(to, ",\"wrong\":%u,\"codes\":[", report_wrong(r));
    for (unsigned i = 0; (s = ern_status_at(i)) != NULL; i++) {
        const struct probe *tells;
        enum verdict verdict = report_verdict(r, s->code, &tells);
        const char *comma = "";

        if (s->kind == ERN_RESERVED)
            continue;
        (void)fprintf(to, "%s\n{\"code\":%u,\"phrase\":", between, s->code);
        between = ",";
        page_json(&page, s->phrase);
        (void)fprintf(to, ",\"verdict\":\"%s\",", verdict_name(verdict));
        json_member(&page, "source", s->source);
        fputs(",\"probes\":[", to);
        for (unsigned j = 0; j < PROBES; j++)
            if (probes[j].code == s->code) {
                fputs(comma, to);
                comma = ",";
                json_probe(r, &page, &probes[j]);
            }
        fputs("]}", to);
    }
    fputs("]}\n", to);
}

/* ---- JUnit and HTML ---------------------------------------------------------------------------
 */

/* XML 1.0 takes what HTML takes, but no control characters: out_plain() has none. */
static void
put_html(FILE *to, const char *text)
{
    char plain_memory[PIECE_BYTES], memory[PIECE_BYTES * 2];
    struct out plain = out_init(plain_memory, sizeof plain_memory);
    struct out o = out_init(memory, sizeof memory);

    out_plain(&plain, slice_text(text));
    out_html(&o, out_done(&plain));
    (void)fwrite(o.ptr, 1, o.len, to);
}

void
report_junit(const struct report *r, FILE *to)
{
    unsigned absent = 0;

    for (unsigned i = 0; i < PROBES; i++)
        absent += r->outcomes[i].verdict == VERDICT_ABSENT;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"earnest audit ", to);
    put_html(to, r->url);
    (void)fprintf(to, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n", (unsigned)PROBES,
                  report_wrong(r), absent);
    for (unsigned i = 0; i < PROBES; i++) {
        const struct outcome *o = &r->outcomes[i];
        const char *element = o->verdict == VERDICT_WRONG ? "failure" : "skipped";

        (void)fprintf(to, "<testcase classname=\"%u\" name=\"%s%s\"", probes[i].code,
                      probes[i].kind == PROBE_NEAR ? "near." : "", probes[i].name);
        if (o->verdict == VERDICT_EARNED) {
            fputs("/>\n", to);
            continue;
        }
        (void)fprintf(to, "><%s message=\"", element);
        put_html(to, audit_say(probes[i].sentence));
        (void)fprintf(to, " (%s): ", probes[i].source);
        put_html(to, o->found);
        fputs("\"/></testcase>\n", to);
    }
    fputs("</testsuite>\n", to);
}

static void
html_row(const struct report *r, FILE *to, const struct probe *p)
{
    const struct outcome *o = outcome_of(r, p);

    (void)fprintf(to, "<tr class=\"%s\"><td><td>%s<td>%s<td>%s<td>", verdict_name(o->verdict),
                  audit_say(verdict_name(o->verdict)), p->source,
                  p->kind == PROBE_NEAR ? audit_say("near miss: ") : "");
    put_html(to, audit_say(p->sentence));
    fputs("<td>", to);
    put_html(to, o->found);
    fputs("</tr>\n", to);
}

void
report_html(const struct report *r, FILE *to)
{
    static const char style[] =
        "main{max-width:none}h1{overflow-wrap:anywhere}.rows{overflow-x:auto}"
        "table{border-collapse:collapse}td,th{padding:.3rem .9rem .3rem 0;text-align:start;"
        "vertical-align:baseline;border-bottom:1px solid var(--line)}td{color:var(--soft)}"
        ".code th{padding-top:1rem}.wrong td{color:var(--ink);font-weight:600}"
        ".earned td:nth-child(2){color:var(--mark)}";
    const struct ern_status *s;

    (void)fprintf(to,
                  "<!doctype html>\n<html lang=\"%s\"><meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n"
                  "<title>earnest audit</title>\n<style>%.*s%s</style>\n<main>\n<h1>",
                  audit_words_language() == LANGUAGE_BN ? "bn" : "en", (int)page_style.text.len,
                  page_style.text.ptr, style);
    fputs(audit_say("What "), to);
    put_html(to, r->url);
    fputs(audit_say(" earns"), to);
    fputs("</h1>\n<div class=\"rows\" tabindex=\"0\">\n<table>\n", to);
    for (unsigned i = 0; (s = ern_status_at(i)) != NULL; i++) {
        const struct probe *tells;
        enum verdict verdict = report_verdict(r, s->code, &tells);
        const char *why = verdict_unasked(s->code);

        if (s->kind == ERN_RESERVED)
            continue;
        (void)fprintf(to, "<tr class=\"code\"><th>%u<th>%s<th>%s<th>%.*s<th>%s</tr>\n", s->code,
                      audit_say(verdict_name(verdict)), s->source, (int)s->phrase.len,
                      s->phrase.ptr, why ? audit_say(why) : "");
        for (unsigned j = 0; j < PROBES; j++)
            if (probes[j].code == s->code)
                html_row(r, to, &probes[j]);
    }
    fputs("</table>\n</div>\n</main>\n", to);
}
