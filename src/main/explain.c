/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - what each status code means and what earns it, from the tables that decide it. */
#include "main/explain.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/slice.h"
#include "code/text.h"
#include "earnest/decide.h"
#include "earnest/status.h"
#include "main/ask.h"
#include "main/cause.h"
#include "main/page.h"
#include "main/words.h"

enum { EXIT_FINE, EXIT_UNKNOWN, EXIT_USAGE };

/* Columns of the list: the longest phrase has 31. */
enum { CODE_COLUMNS = 5, PHRASE_COLUMNS = 33, KIND_COLUMNS = 14, LIST_COLUMNS_MIN = 80 };
enum { INDENT = 4, TERM_COLUMNS = 18, FACT_COLUMNS = 5, LINE_COLUMNS_MAX = 88 };

enum { CODES_A_CLASS = ERN_200_OK - ERN_100_CONTINUE };

struct arguments {
    bool json, svg;
    const char *conf; /* a file that is asked in place of a server, or NULL */
    bool help;
    bool one; /* a code was named */
    unsigned code;
    enum language language;
};

enum label {
    LABEL_MEANING,
    LABEL_WHEN,
    LABEL_CLIENT,
    LABEL_WITH,
    LABEL_KIND,
    LABEL_SOURCE,
    LABEL_FIELD,
    LABEL_CONTENT,
    LABEL_CACHE,
    LABEL_RULES,
    LABEL_INTERIM,
    LABEL_ALWAYS,
    LABEL_YES,
    LABEL_NO,
    LABEL_RESERVED,
    LABEL_ON_THE_WAY,
    LABEL_NOT_YET,
    LABEL_REQUEST,
    LABELS
};

static const char *const labels[LANGUAGES][LABELS] = {
    [LANGUAGE_EN] =
        {
            [LABEL_MEANING] = "Meaning",
            [LABEL_WHEN] = "When Earnest sends it",
            [LABEL_CLIENT] = "What the client can do",
            [LABEL_WITH] = "What must come with it",
            [LABEL_KIND] = "kind",
            [LABEL_SOURCE] = "defined in",
            [LABEL_FIELD] = "field",
            [LABEL_CONTENT] = "content",
            [LABEL_CACHE] = "stored by caches",
            [LABEL_RULES] = "Rules that lead to it",
            [LABEL_INTERIM] = "interim",
            [LABEL_ALWAYS] = "holds where no rule before it does",
            [LABEL_YES] = "yes",
            [LABEL_NO] = "no",
            [LABEL_RESERVED] = "Nothing leads to it: the code is reserved and never sent.",
            [LABEL_ON_THE_WAY] = "No rule decides it: it is sent on the way to the final answer.",
            [LABEL_NOT_YET] = "not in this version: nothing answers its questions so yet",
            [LABEL_REQUEST] = "A request that causes it",
        },
    [LANGUAGE_BN] =
        {
            [LABEL_MEANING] = "অর্থ",
            [LABEL_WHEN] = "Earnest কখন পাঠায়",
            [LABEL_CLIENT] = "ক্লায়েন্ট কী করতে পারে",
            [LABEL_WITH] = "সঙ্গে যা থাকতেই হবে",
            [LABEL_KIND] = "ধরন",
            [LABEL_SOURCE] = "সংজ্ঞা",
            [LABEL_FIELD] = "ফিল্ড",
            [LABEL_CONTENT] = "কনটেন্ট",
            [LABEL_CACHE] = "ক্যাশে রাখা",
            [LABEL_RULES] = "যেসব নিয়ম এখানে নিয়ে আসে",
            [LABEL_INTERIM] = "অন্তর্বর্তী",
            [LABEL_ALWAYS] = "আগের কোনো নিয়ম না খাটলে এটিই খাটে",
            [LABEL_YES] = "হ্যাঁ",
            [LABEL_NO] = "না",
            [LABEL_RESERVED] = "কিছুই এখানে নিয়ে আসে না: কোডটি সংরক্ষিত, কখনও পাঠানো হয় না।",
            [LABEL_ON_THE_WAY] = "কোনো নিয়ম এটি ঠিক করে না: চূড়ান্ত উত্তরের আগে পথেই এটি পাঠানো হয়।",
            [LABEL_NOT_YET] = "এই সংস্করণে নয়: এর প্রশ্নের এমন উত্তর এখনও কেউ দেয় না",
            [LABEL_REQUEST] = "যে অনুরোধে এটি ঘটে",
        },
};

static struct ern_slice
label(enum language language, enum label which)
{
    return slice_text(labels[language][which]);
}

/* A request that causes the code; the page of a reserved one shows what happens in its place. */
static struct ern_slice
example_of(const struct ern_status *status)
{
    return status->kind == ERN_RESERVED ? ERN_ABSENT : status_example(status->code);
}

/* --- for people ------------------------------------------------------------------------------- */

static void
put_heading(const struct page *page, struct ern_slice heading)
{
    fputs("\n", page->file);
    page_bold(page, heading);
    fputs("\n", page->file);
}

static void
put_paragraph(const struct page *page, struct ern_slice heading, struct ern_slice text)
{
    put_heading(page, heading);
    page_wrap(page, text, INDENT, 0);
}

/* A term and what it is, two columns. */
static void
put_term(const struct page *page, struct ern_slice term, struct ern_slice text)
{
    fprintf(page->file, "%*s", INDENT, "");
    page_pad(page, term, TERM_COLUMNS);
    page_wrap(page, text, INDENT + TERM_COLUMNS, INDENT + TERM_COLUMNS);
}

static void
put_company(const struct page *page, const struct ern_status *status, enum language language)
{
    char buffer[64];

    put_heading(page, label(language, LABEL_WITH));
    put_term(page, label(language, LABEL_KIND), words_kind(status->kind, language));
    put_term(page, label(language, LABEL_SOURCE), slice_text(status->source));
    if (status->carry)
        put_term(page, label(language, LABEL_FIELD),
                 words_field(status->carry, buffer, sizeof buffer));
    if (status->kind == ERN_RESERVED)
        return;
    put_term(page, label(language, LABEL_CONTENT), words_content(status, language));
    put_term(page, label(language, LABEL_CACHE), words_cacheable(status->cacheable, language));
}

static void
put_facts(const struct page *page, const struct ern_bits *bits, struct ern_slice answer)
{
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;

        if (!ern_bits_has(bits, fact))
            continue;
        fprintf(page->file, "%*s", 2 * INDENT, "");
        page_pad(page, answer, FACT_COLUMNS);
        fputs(ern_fact_question(fact), page->file);
        fputs("  (", page->file);
        page_dim(page, slice_text(ern_fact_name(fact)));
        putc(')', page->file);
        putc('\n', page->file);
    }
}

static void
put_cause(const struct page *page, const struct cause *cause, enum language language)
{
    enum ern_fact fact;

    fprintf(page->file, "%*s", INDENT, "");
    page_bold(page, cause->name);
    fputs("  ", page->file);
    page_dim(page, cause->source);
    if (cause->interim)
        fprintf(page->file, "  (%s)", labels[language][LABEL_INTERIM]);
    putc('\n', page->file);
    if (!cause_can(cause, &fact))
        page_wrap(page, label(language, LABEL_NOT_YET), 2 * INDENT, 0);
    if (!(cause->if_.word[0] | cause->if_.word[1] | cause->unless.word[0] | cause->unless.word[1]))
        page_wrap(page, label(language, LABEL_ALWAYS), 2 * INDENT, 0);
    put_facts(page, &cause->if_, label(language, LABEL_YES));
    put_facts(page, &cause->unless, label(language, LABEL_NO));
}

static void
put_causes(const struct page *page, const struct ern_status *status, enum language language)
{
    struct cause cause;
    size_t i = 0, n = 0;

    put_heading(page, label(language, LABEL_RULES));
    for (; cause_next(status->code, &i, &cause); n++)
        put_cause(page, &cause, language);
    if (n == 0)
        page_wrap(page,
                  label(language, status->kind == ERN_RESERVED ? LABEL_RESERVED : LABEL_ON_THE_WAY),
                  INDENT, 0);
}

static void
put_example(const struct page *page, const struct ern_status *status, enum language language)
{
    struct ern_slice rest = example_of(status);

    if (rest.len == 0)
        return;
    put_heading(page, label(language, LABEL_REQUEST));
    while (rest.len) {
        size_t end = slice_find(rest, '\n');
        struct ern_slice line = slice_first(rest, end);

        if (slice_ends(line, ERN_SLICE("\r")))
            line.len--;
        if (line.len)
            fprintf(page->file, "%*s%.*s\n", INDENT, "", (int)line.len, line.ptr);
        rest = slice_skip(rest, end < rest.len ? end + 1 : end);
    }
}

static void
put_code(const struct page *page, const struct ern_status *status, enum language language)
{
    const struct status_text *text = status_text(status->code, language);

    if (page->colour)
        fputs("\033[1m", page->file);
    fprintf(page->file, "%u %.*s", status->code, (int)status->phrase.len, status->phrase.ptr);
    fputs(page->colour ? "\033[0m\n" : "\n", page->file);
    if (text) {
        put_paragraph(page, label(language, LABEL_MEANING), text->meaning);
        put_paragraph(page, label(language, LABEL_WHEN), text->when);
        put_paragraph(page, label(language, LABEL_CLIENT), text->client);
    }
    put_company(page, status, language);
    put_causes(page, status, language);
    put_example(page, status, language);
}

/* The first sentence of what a code means; empty if it has no text. */
static struct ern_slice
summary(const struct ern_status *status, enum language language)
{
    const struct status_text *text = status_text(status->code, language);

    return text ? words_first_sentence(text->meaning) : ERN_SLICE("");
}

/* One line a code where nobody looks at it on a terminal, so that it can be searched. */
static void
put_list(const struct page *page, enum language language)
{
    unsigned columns = CODE_COLUMNS + PHRASE_COLUMNS + KIND_COLUMNS;
    const struct ern_status *status;
    struct page wide = *page;

    if (!page->terminal)
        wide.width = UINT32_MAX;
    for (unsigned i = 0; (status = ern_status_at(i)) != NULL; i++) {
        char code[8];
        int len = snprintf(code, sizeof code, "%u", status->code);

        if (page->colour)
            fputs("\033[1m", page->file);
        page_pad(page, slice_from(code, (size_t)len), CODE_COLUMNS);
        if (page->colour)
            fputs("\033[0m", page->file);
        page_pad(page, status->phrase, PHRASE_COLUMNS);
        page_pad(page, words_kind(status->kind, language), KIND_COLUMNS);
        if (wide.width < LIST_COLUMNS_MIN) {
            putc('\n', page->file);
            page_wrap(&wide, summary(status, language), CODE_COLUMNS, 0);
        } else {
            page_wrap(&wide, summary(status, language), columns, columns);
        }
    }
}

/* --- for programs ----------------------------------------------------------------------------- */

static void
json_member(const struct page *page, const char *name, struct ern_slice value)
{
    fprintf(page->file, ",\"%s\":", name);
    if (slice_is_there(value))
        page_json(page, value);
    else
        fputs("null", page->file);
}

static void
json_status(const struct page *page, const struct ern_status *status)
{
    fprintf(page->file, "{\"code\":%u", status->code);
    json_member(page, "phrase", status->phrase);
    json_member(page, "kind", words_kind(status->kind, LANGUAGE_EN));
}

static void
json_facts(const struct page *page, const char *name, const struct ern_bits *bits)
{
    bool first = true;

    fprintf(page->file, ",\"%s\":[", name);
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;

        if (!ern_bits_has(bits, fact))
            continue;
        fputs(first ? "{\"fact\":" : ",{\"fact\":", page->file);
        page_json(page, slice_text(ern_fact_name(fact)));
        json_member(page, "question", slice_text(ern_fact_question(fact)));
        putc('}', page->file);
        first = false;
    }
    putc(']', page->file);
}

static void
json_causes(const struct page *page, unsigned code)
{
    struct cause cause;
    enum ern_fact fact;
    size_t i = 0;
    bool first = true;

    fputs(",\"rules\":[", page->file);
    while (cause_next(code, &i, &cause)) {
        fputs(first ? "{\"name\":" : ",{\"name\":", page->file);
        page_json(page, cause.name);
        json_member(page, "source", cause.source);
        fprintf(page->file, ",\"interim\":%s", cause.interim ? "true" : "false");
        fprintf(page->file, ",\"reachable\":%s", cause_can(&cause, &fact) ? "true" : "false");
        json_facts(page, "if", &cause.if_);
        json_facts(page, "unless", &cause.unless);
        putc('}', page->file);
        first = false;
    }
    putc(']', page->file);
}

static void
json_code(const struct page *page, const struct ern_status *status, enum language language)
{
    const struct status_text *text = status_text(status->code, language);
    struct ern_slice example = example_of(status);
    char buffer[64];

    json_status(page, status);
    json_member(page, "language", language_tag(language));
    json_member(page, "meaning", text ? text->meaning : ERN_ABSENT);
    json_member(page, "when", text ? text->when : ERN_ABSENT);
    json_member(page, "client", text ? text->client : ERN_ABSENT);
    json_member(page, "source", slice_text(status->source));
    json_member(page, "carry",
                status->carry ? words_field(status->carry, buffer, sizeof buffer) : ERN_ABSENT);
    json_member(page, "content", status->has_content ? ERN_SLICE("may") : ERN_SLICE("none"));
    json_member(page, "cacheable", words_cacheable_name(status->cacheable));
    json_causes(page, status->code);
    json_member(page, "example", example.len ? example : ERN_ABSENT);
    fputs("}\n", page->file);
}

static void
json_list(const struct page *page, enum language language)
{
    const struct ern_status *status;

    for (unsigned i = 0; (status = ern_status_at(i)) != NULL; i++) {
        fputs(i ? ",\n" : "[", page->file);
        json_status(page, status);
        json_member(page, "meaning", summary(status, language));
        putc('}', page->file);
    }
    fputs("]\n", page->file);
}

/* --- the command ------------------------------------------------------------------------------ */

static void
put_near(const struct ern_status *status, const char *before)
{
    if (status)
        fprintf(stderr, "%s%u %.*s", before, status->code, (int)status->phrase.len,
                status->phrase.ptr);
}

/* RFC 9110 15: a code that is not known is treated as the x00 of its class, and one outside all
 * classes as a 5xx. */
static void
put_unknown(unsigned code)
{
    const struct ern_status *below = NULL, *above, *class = NULL;
    unsigned i = 0;

    while ((above = ern_status_at(i)) != NULL && above->code < code) {
        below = above;
        i++;
    }
    class = ern_status_find(code - code % CODES_A_CLASS);
    if (class) {
        fprintf(stderr, "earnest: %u is not registered", code);
    } else {
        fprintf(stderr, "earnest: %u lies outside every class", code);
        class = ern_status_find(ERN_500_INTERNAL_SERVER_ERROR);
    }
    put_near(class, "; a client treats it as ");
    put_near(below, " (RFC 9110 15).\nNearest registered: ");
    put_near(above, below ? " and " : " (RFC 9110 15).\nNearest registered: ");
    fputs(".\n", stderr);
}

static const char usage[] =
    "Usage: earnest explain [--json] [--lang=en|bn] [CODE]\n"
    "       earnest explain [--json|--svg] [--lang=en|bn] [-c FILE] -- REQUEST\n"
    "\n"
    "Says what a status code means, what earns it here, and what a client can do about it;\n"
    "without a CODE, lists all of them. With a REQUEST, as in -- -X PUT -d hello URL, sends it,\n"
    "and prints the exchange and the path to its answer; or, with a configuration FILE, says\n"
    "what that would answer, and sends nothing. earnest explain -- says more.\n"
    "\n"
    "  -c, --config FILE   what would this configuration answer to a REQUEST?\n"
    "      --json          the same as JSON\n"
    "      --svg           the path to the answer of a REQUEST, as a picture\n"
    "      --lang en|bn    in English or Bengali; otherwise as LC_ALL, LC_MESSAGES or LANG ask\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit code: 0; 1 if CODE is not registered, or there is no answer; 2 if the command line is\n"
    "wrong.\n";

enum { CODE = 1, JSON = 256, SVG, LANG }; /* CODE: what getopt_long() makes of what is no option */

const struct option explain_options[] = {
    {"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, JSON},
    {"svg", no_argument, NULL, SVG},          {"lang", required_argument, NULL, LANG},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

/* What is wrong with the argument, or NULL. */
static const char *
argument_read(struct arguments *arguments, int option, const char *value)
{
    uint64_t code;

    switch (option) {
    case 'c':
        arguments->conf = value;
        return NULL;
    case 'h':
        arguments->help = true;
        return NULL;
    case JSON:
        arguments->json = true;
        return NULL;
    case SVG:
        arguments->svg = true;
        return NULL;
    case LANG:
        return words_language_find(slice_text(value), &arguments->language)
                   ? NULL
                   : "the languages are en and bn";
    case CODE:
        if (arguments->one)
            return "one code at a time";
        if (!u64_parse(slice_text(value), UINT16_MAX, &code))
            return "that is not a status code";
        arguments->one = true;
        arguments->code = (unsigned)code;
        return NULL;
    default:
        return "there is no such option";
    }
}

static int
written(const struct page *page)
{
    if (fflush(page->file) == 0 && !ferror(page->file))
        return EXIT_FINE;
    perror("earnest: cannot write");
    return EXIT_UNKNOWN;
}

/* What follows "--" is a request. */
static int
ask(const struct arguments *arguments, int argc, char **argv)
{
    const struct ask_options options = {
        .form = arguments->json  ? ASK_JSON
                : arguments->svg ? ASK_SVG
                                 : ASK_TEXT,
        .language = arguments->language,
        .conf = arguments->conf,
    };

    return ask_main(&options, argc, argv);
}

int
explain_main(int argc, char **argv)
{
    struct arguments arguments = {.language = words_language()};
    const struct ern_status *status;
    struct page page;
    int option;

    opterr = 0; /* what is wrong is said here */
    while ((option = getopt_long(argc, argv, "-c:h", explain_options, NULL)) != -1) {
        const char *wrong = argument_read(&arguments, option, optarg);

        if (wrong) {
            fprintf(stderr, "earnest: explain %s: %s\n%s", argv[optind - 1], wrong, usage);
            return EXIT_USAGE;
        }
    }
    if (slice_eq(slice_text(argv[optind - 1]), ERN_SLICE("--")))
        return ask(&arguments, argc - optind, argv + optind);
    if ((arguments.conf || arguments.svg) && !arguments.one && !arguments.help) {
        fprintf(stderr, "earnest: explain: there is no request: it follows --\n%s", usage);
        return EXIT_USAGE;
    }
    page_init(&page, stdout);
    status = ern_status_find(arguments.code);
    if (arguments.help) {
        fputs(usage, stdout);
    } else if (!arguments.one) {
        (arguments.json ? json_list : put_list)(&page, arguments.language);
    } else if (!status) {
        put_unknown(arguments.code);
        return EXIT_UNKNOWN;
    } else {
        if (page.width > LINE_COLUMNS_MAX)
            page.width = LINE_COLUMNS_MAX;
        (arguments.json ? json_code : put_code)(&page, status, arguments.language);
    }
    return written(&page);
}
