/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - runs the vectors of this folder through the engine alone: the bytes are read by wire
 * and msg, and the resource is one that answers as the vector says.
 *
 *   codes_engine [--why] PATH...    a vector, or a folder with vectors in it
 *
 * Prints TAP: one line a vector. With --why, also how each decision was reached.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "decide/given.h"
#include "earnest/status.h"
#include "lib/vector.h"
#include "msg/target.h"
#include "wire/h1.h"

enum { FIELDS_MAX = 512, PATH_BYTES = 4096, RULES_MAX = 256 };

struct run { /* one exchange on its way */
    const struct vector *vector;
    const struct vector_exchange *wanted;
    struct ern_resource resource;
    struct ern_decision decision;
    struct ern_request request;
    struct ern_field fields[FIELDS_MAX];
    struct ern_slice bytes;   /* of the request, and */
    struct ern_slice content; /* what stands behind its head */
    bool waited[ERN_FACTS];
    unsigned asked_n;
    uint8_t asked[2 * ERN_FACTS]; /* of the resource, in order */
    uint16_t interim;             /* 0: none */
    const struct ern_rule *rule;
};

struct tally {
    bool why;
    unsigned n, failed, exchanges;
    char failure[1024];
};

/* Reads the content as far as it is there. */
static enum parse
read_content(const struct run *run, uint64_t *ret_bytes)
{
    struct h1_content content;
    struct ern_slice in = run->content, piece;
    enum parse state = PARSE_MORE;

    *ret_bytes = 0;
    h1_content_init(&content, &run->vector->limits, &run->request);
    do {
        state = h1_content_feed(&content, &in, &piece);
        *ret_bytes += piece.len;
    } while (state == PARSE_MORE && in.len);
    return state;
}

/* What the content itself says; the vector need not. */
static enum ern_answer
ask_content(const struct run *run, enum ern_fact fact)
{
    uint64_t bytes;
    enum parse state = read_content(run, &bytes);

    if (fact == ERN_FACT_content_framed)
        return state == PARSE_BAD ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_content_in_time)
        return state == PARSE_MORE ? ERN_NO : ERN_YES;
    return bytes > (uint64_t)run->vector->limits.content_bytes_max ? ERN_NO : ERN_YES;
}

static enum ern_answer
ask_evidence(struct ern_decision *d, enum ern_fact fact)
{
    static ern_ask *const asks[ERN_FACTS] = {ERN_ASKS_CONDITIONAL, ERN_ASKS_RANGE};

    return asks[fact] ? asks[fact](d, fact) : ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

static enum ern_answer
ask(struct ern_decision *d, enum ern_fact fact)
{
    struct run *run = d->self;
    const struct vector_resource *r = &run->wanted->resource;

    if (r->later[fact] && !run->waited[fact]) {
        run->waited[fact] = true;
        return ERN_WAIT;
    }
    run->asked[run->asked_n++] = (uint8_t)fact;
    if (fact == ERN_FACT_exists) {
        d->evidence.etag = r->etag;
        d->evidence.last_modified_s = r->modified_s;
        d->evidence.content_bytes = r->content_bytes;
    }
    d->relayed = r->relayed;
    switch ((enum vector_answer)r->answer[fact]) {
    case VECTOR_NO:
        return ERN_NO;
    case VECTOR_YES:
        return ERN_YES;
    case VECTOR_FAIL:
        return ERN_FAIL;
    case VECTOR_UNASKED:
        break;
    }
    if (ern_fact_source(fact) == ERN_BODY && fact != ERN_FACT_content_valid)
        return ask_content(run, fact);
    return ask_evidence(d, fact);
}

/* The resource has an opinion on what the vector names, and on what its evidence can answer. */
static void
make_resource(struct run *run)
{
    static const enum ern_fact of_content[] = {ERN_FACT_content_framed, ERN_FACT_content_in_time,
                                               ERN_FACT_content_bounded};
    static ern_ask *const conditional[ERN_FACTS] = {ERN_ASKS_CONDITIONAL};
    static ern_ask *const ranges[ERN_FACTS] = {ERN_ASKS_RANGE};
    const struct vector_resource *r = &run->wanted->resource;
    bool dated = slice_is_there(r->etag) || r->modified_s >= 0;

    run->resource = (struct ern_resource){.name = "vector"};
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        if (ern_fact_source((enum ern_fact)f) <= ERN_CONF)
            continue;
        if (r->answer[f] != VECTOR_UNASKED || (dated && conditional[f]) ||
            (r->content_bytes >= 0 && ranges[f]))
            run->resource.ask[f] = ask;
    }
    for (unsigned i = 0; i < run->wanted->asks.n; i++)
        run->resource.ask[run->wanted->asks.fact[i]] = ask;
    for (unsigned i = 0; i < run->wanted->never.n; i++)
        run->resource.ask[run->wanted->never.fact[i]] = ask;
    for (unsigned i = 0; i < sizeof of_content / sizeof *of_content; i++)
        run->resource.ask[of_content[i]] = ask;
    if (dated || r->content_bytes >= 0)
        run->resource.ask[ERN_FACT_exists] = ask;
    ern_resource_init(&run->resource);
}

/* Reads the head; what has not come by then never comes. */
static enum finding
read_head(struct run *run)
{
    struct h1_head head;

    ern_request_init(&run->request, run->fields, FIELDS_MAX);
    h1_head_init(&head, &run->vector->limits);
    switch (h1_head_feed(&head, run->bytes, &run->request)) {
    case PARSE_DONE:
        run->content = slice_skip(run->bytes, head.at);
        return FINDING_none;
    case PARSE_MORE:
        return FINDING_timed_out;
    case PARSE_BAD:
        break;
    }
    return head.finding;
}

/* What the path is, and whether content that is there already is well framed. */
static enum finding
read_rest(struct run *run, struct ern_facts *given)
{
    char text[PATH_BYTES];
    struct out o = out_init(text, sizeof text);
    struct path path = {.escapes = false};
    uint64_t bytes;
    size_t at;

    if (run->request.path.len) {
        enum finding finding = path_read(run->request.path, &o, &path, &at);

        if (finding != FINDING_none)
            return finding;
    }
    if (path.escapes)
        ern_state(given, ERN_FACT_path_escapes, true);
    if (run->request.content_length > run->vector->limits.content_bytes_max)
        ern_state(given, ERN_FACT_content_fits, false);
    if (!ern_request_has(&run->request, ERN_FIELD_expect) && run->content.len &&
        read_content(run, &bytes) == PARSE_BAD)
        return FINDING_chunk_end; /* or another that is malformed */
    return FINDING_none;
}

/* The walk, as a server does it: to the content, then on; what has to wait is answered later. */
static void
walk(struct run *run)
{
    enum ern_source upto = ERN_ASK;

    while (!(run->rule = ern_decide(&run->decision, upto))) {
        enum ern_fact fact = run->decision.waiting;

        if (ern_fact_source(fact) <= upto)
            continue; /* it said ERN_WAIT: the next time it answers */
        /* An act that takes its time is told of (102); here none does, unless the vector says so.
         */
        if (!run->interim && (ern_fact_source(fact) == ERN_BODY || run->wanted->statuses_n > 1))
            run->interim = ern_interim(&run->decision, &(size_t){0});
        upto = ern_fact_source(fact);
    }
}

static void
decide(struct run *run)
{
    const struct vector_resource *r = &run->wanted->resource;
    struct ern_facts given;
    enum finding finding = read_head(run);

    ern_request_facts(&run->request, VECTOR_NOW_S, &given);
    if (finding == FINDING_none)
        finding = read_rest(run, &given);
    given_finding(&given, finding);
    for (unsigned f = 0; f < ERN_FACTS; f++)
        if (r->answer[f] != VECTOR_UNASKED && ern_fact_source((enum ern_fact)f) <= ERN_CONF)
            ern_state(&given, (enum ern_fact)f, r->answer[f] == VECTOR_YES);
    if (r->answer[ERN_FACT_extended] != VECTOR_UNASKED) /* whoever knows extensions states it */
        ern_state(&given, ERN_FACT_extended, r->answer[ERN_FACT_extended] == VECTOR_YES);
    make_resource(run);
    ern_begin(&run->decision, &run->resource, run, &run->request, VECTOR_NOW_S, &given);
    /* No rule asks these: the resource says them before it acts, or takes content. */
    if (r->answer[ERN_FACT_resumes] == VECTOR_YES)
        ern_learn(&run->decision, ERN_FACT_resumes, true);
    if (r->answer[ERN_FACT_hinted] == VECTOR_YES)
        ern_learn(&run->decision, ERN_FACT_hinted, true);
    walk(run);
}

static uint16_t
final_status(const struct run *run)
{
    return run->rule->status ? run->rule->status : run->decision.relayed;
}

/* Are the statuses those that the vector has, interim ones included? */
static bool
statuses_are_right(const struct run *run)
{
    const struct vector_exchange *wanted = run->wanted;
    unsigned n = 0;

    if (run->interim && (n >= wanted->statuses_n || wanted->status[n++] != run->interim))
        return false;
    return n + 1 == wanted->statuses_n && wanted->status[n] == final_status(run);
}

static bool
asked_is_right(const struct run *run)
{
    const struct vector_facts *asks = &run->wanted->asks;

    if (!asks->said)
        return true;
    return asks->n == run->asked_n && memcmp(asks->fact, run->asked, asks->n) == 0;
}

/* A fact that was asked and must not be, or ERN_FACTS. */
static enum ern_fact
asked_wrongly(const struct run *run)
{
    for (unsigned i = 0; i < run->wanted->never.n; i++)
        if (memchr(run->asked, run->wanted->never.fact[i], run->asked_n))
            return (enum ern_fact)run->wanted->never.fact[i];
    return ERN_FACTS;
}

/* Does the trace tell the truth: do the facts alone lead to the same rule? */
static bool
replays(const struct run *run)
{
    struct ern_step steps[RULES_MAX];
    size_t n = ern_why(&run->decision.facts, steps, RULES_MAX);

    return n && steps[n - 1].rule == run->rule && steps[n - 1].fact == ERN_FACTS;
}

static bool
judge(const struct run *run, struct tally *tally)
{
    char asked[512] = "";
    size_t len = 0;

    for (unsigned i = 0; i < run->asked_n && len < sizeof asked; i++)
        len += (size_t)snprintf(asked + len, sizeof asked - len, " %s",
                                ern_fact_name((enum ern_fact)run->asked[i]));
    if (statuses_are_right(run) && slice_eq(slice_text(run->rule->name), run->wanted->rule) &&
        asked_is_right(run) && asked_wrongly(run) == ERN_FACTS && replays(run))
        return true;
    (void)snprintf(tally->failure, sizeof tally->failure,
                   "line %u: interim %u, then %u by rule %s; asked:%s%s%s", run->wanted->line,
                   run->interim, final_status(run), run->rule->name, asked,
                   asked_wrongly(run) == ERN_FACTS ? "" : "; one of these must not be asked",
                   replays(run) ? "" : "; the facts alone lead to another rule");
    return false;
}

static void
print_rule(const struct ern_rule *rule)
{
    printf("#   %s ", rule->status ? "" : "   ");
    if (rule->status)
        printf("%3u", rule->status);
    printf(" %-22s ", rule->name);
}

static void
print_facts(const struct run *run, const struct ern_rule *rule)
{
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        bool if_ = ern_bits_has(&rule->if_, (enum ern_fact)f);

        if (if_ || ern_bits_has(&rule->unless, (enum ern_fact)f))
            printf(" %s%s", if_ ? "" : "not ", ern_fact_name((enum ern_fact)f));
    }
    printf("  [%s]\n", rule->source);
    printf("#   asked:");
    for (unsigned i = 0; i < run->asked_n; i++)
        printf(" %s", ern_fact_name((enum ern_fact)run->asked[i]));
    printf("\n");
}

/* The rules that were refuted by something that was asked, or give the same status. */
static bool
is_near(const struct run *run, const struct ern_step *step)
{
    return memchr(run->asked, (int)step->fact, run->asked_n) ||
           step->rule->status == final_status(run);
}

static void
explain(const struct run *run)
{
    struct ern_step steps[RULES_MAX];
    size_t n = ern_why(&run->decision.facts, steps, RULES_MAX);
    struct ern_slice line = slice_first(run->bytes, slice_find(run->bytes, '\r'));
    unsigned folded = 0;

    printf("# %.*s\n", (int)line.len, line.ptr);
    for (size_t i = 0; i + 1 < n; i++) {
        if (!is_near(run, &steps[i])) {
            folded++;
            continue;
        }
        print_rule(steps[i].rule);
        printf(" no: %s %s.\n", ern_fact_question(steps[i].fact), steps[i].yes ? "Yes" : "No");
    }
    printf("#   (%u more rules did not hold)\n", folded);
    if (run->interim)
        printf("#   %3u was sent before the content was read\n", run->interim);
    print_rule(run->rule);
    printf("=> %3u because", final_status(run));
    print_facts(run, run->rule);
}

static bool
run_exchanges(const struct vector *vector, struct tally *tally)
{
    struct run run = {.content = ERN_ABSENT};
    bool good = true;

    for (unsigned i = 0; i < vector->exchanges_n && good; i++) {
        const struct vector_exchange *wanted = &vector->exchange[i];
        /* An empty request came with the one before it. */
        struct ern_slice bytes = wanted->request.len ? wanted->request : run.content;

        run = (struct run){.vector = vector, .wanted = wanted, .bytes = bytes};
        decide(&run);
        good = judge(&run, tally);
        tally->exchanges++;
        if (tally->why)
            explain(&run);
    }
    return good;
}

static void
run_file(const char *path, struct tally *tally)
{
    struct vector vector;
    bool good = false;

    tally->failure[0] = '\0';
    if (vector_read(&vector, path))
        (void)snprintf(tally->failure, sizeof tally->failure, "line %u: %s", vector.error_line,
                       vector.error);
    else
        good = run_exchanges(&vector, tally);
    tally->n++;
    tally->failed += !good;
    printf("%sok %u - %s: %.*s\n", good ? "" : "not ", tally->n, path, (int)vector.about.len,
           vector.about.len ? vector.about.ptr : "");
    if (!good)
        printf("# %s\n", tally->failure);
    vector_free(&vector);
}

static int
is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void
run_path(const char *path, unsigned depth, struct tally *tally)
{
    struct dirent **entries;
    struct stat info;
    int n;

    if (stat(path, &info) || !S_ISDIR(info.st_mode)) {
        if (depth == 0 || slice_ends(slice_text(path), ERN_SLICE(".http")))
            run_file(path, tally);
        return;
    }
    n = depth < 3 ? scandir(path, &entries, is_wanted, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        char below[PATH_BYTES];

        (void)snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        run_path(below, depth + 1, tally);
    }
    if (n > 0)
        free(entries);
}

int
main(int argc, char **argv)
{
    struct tally tally = {.n = 0};

    for (int i = 1; i < argc; i++) {
        if (slice_eq(slice_text(argv[i]), ERN_SLICE("--why")))
            tally.why = true;
        else
            run_path(argv[i], 0, &tally);
    }
    printf("1..%u\n# %u vectors, %u exchanges, %u failed\n", tally.n, tally.n, tally.exchanges,
           tally.failed);
    return tally.n == 0 || tally.failed != 0;
}
