/* SPDX-License-Identifier: Apache-2.0 */
#include "main/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "io/clock.h"
#include "main/audit_words.h"
#include "main/probe_h2.h"
#include "main/report.h"
#include "main/words.h"

enum { EXIT_RIGHT, EXIT_WRONG_ROWS, EXIT_NOT_ASKED };
enum { SLOW = 256, H2, LANG, WRITE, JSON, JUNIT, HTML, TIMEOUT };
enum {
    PATIENCE_MS = 5000,
    PATIENCE_S_MAX = 120,
    SLOW_MS = 70000, /* for a server to give up on half a head */
    NAME_BYTES = 4096,
    CONTENT_BYTES = 8192,
    LONG_BYTES = 70000,
    USUAL_BYTES = 7900,
};

static const char help[] =
    "Usage: earnest audit [OPTION]... URL\n"
    "\n"
    "Sends a server the requests that provoke the status codes, and those close to them, and says\n"
    "of each code if the server earns it, gets it wrong, or does not have it. GET of URL must "
    "give\n"
    "200: best is a file of some bytes with ETag and Last-Modified. Nothing is written, unless\n"
    "--write says where.\n"
    "\n"
    "      --write URL    write below this folder, too: PUT, DELETE and WebDAV; what was made is\n"
    "                     deleted in the end\n"
    "      --slow         also what takes a minute: a head that does not end\n"
    "      --h2           over HTTP/2: by prior knowledge or, with https, by ALPN\n"
    "      --timeout S    how long each answer may take (default: 5)\n"
    "  -H, --field FIELD  a field line of each request, as in 'Authorization: Basic ...'\n"
    "  -k, --insecure     whatever the certificate of the server is\n"
    "  -v, --verbose      print all that was asked, and not only what is wrong\n"
    "      --lang TAG     in English (en) or Bengali (bn); else as LANG has it\n"
    "      --json         print JSON\n"
    "      --junit FILE   write JUnit XML to a file, too\n"
    "      --html FILE    write a page to a file, too\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit codes: 0 nothing is wrong, 1 something is, 2 the server can not be asked, or wrong\n"
    "usage.\n";

const struct option audit_options[] = {
    {"write", required_argument, NULL, WRITE},
    {"slow", no_argument, NULL, SLOW},
    {"h2", no_argument, NULL, H2},
    {"lang", required_argument, NULL, LANG},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"field", required_argument, NULL, 'H'},
    {"insecure", no_argument, NULL, 'k'},
    {"verbose", no_argument, NULL, 'v'},
    {"json", no_argument, NULL, JSON},
    {"junit", required_argument, NULL, JUNIT},
    {"html", required_argument, NULL, HTML},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct audit {
    const char *url, *area, *junit, *html;
    struct call_url at[2]; /* by enum probe_where */
    bool verify, slow, json, all, h2;
    int patience_ms;
    struct out more; /* the fields of the command line */
    char more_memory[NAME_BYTES];
};

static struct knowledge knowledge;
static struct probe_answer answer;
static struct outcome outcomes[PROBES];

static int
usage(const char *what)
{
    (void)fprintf(stderr, "earnest audit: %s\nTry: earnest audit -h\n", what);
    return EXIT_NOT_ASKED;
}

/* ---- what is known from the beginning ----------------------------------------------------------
 */

/* A path made of pieces; absent pieces are nothing. */
static void
know_path(enum known what, struct ern_slice base, struct ern_slice name, const char *end)
{
    char memory[NAME_BYTES];
    struct out o = out_init(memory, sizeof memory);

    out_slice(&o, base);
    out_slice(&o, name);
    out_text(&o, end);
    verdict_know(&knowledge, what, o.full ? ERN_ABSENT : out_done(&o));
}

static void
know_length(enum known what, size_t n)
{
    static char text[LONG_BYTES];

    memset(text, 'a', sizeof text);
    verdict_know(&knowledge, what, slice_from(text, n));
}

/* Up to its last slash, with it. */
static struct ern_slice
folder_of(struct ern_slice path)
{
    path = slice_first(path, slice_find(path, '?'));
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

static struct ern_slice
path_of(const struct call_url *url)
{
    return slice_starts(url->target, ERN_SLICE("/")) ? url->target : ERN_SLICE("/");
}

static void
know_target(const struct audit *a, struct ern_slice name)
{
    const struct call_url *url = &a->at[PROBE_SAFE];
    struct ern_slice path = path_of(url), folder = folder_of(path);

    verdict_know(&knowledge, KNOWN_scheme, slice_text(url->secure ? "https" : "http"));
    verdict_know(&knowledge, KNOWN_host, url->authority);
    verdict_know(&knowledge, KNOWN_path, path);
    verdict_know(&knowledge, KNOWN_more, out_done(&a->more));
    know_path(KNOWN_missing, folder, name, "-missing");
    know_path(KNOWN_dot, folder, ERN_SLICE("."), "earnest-audit");
    if (folder.len > 1)
        verdict_know(&knowledge, KNOWN_unslashed, slice_first(folder, folder.len - 1));
    know_length(KNOWN_long, LONG_BYTES);
    know_length(KNOWN_usual, USUAL_BYTES);
    verdict_know(&knowledge, KNOWN_nul, slice_from("\0", 1));
}

static void
know_area(const struct audit *a, struct ern_slice name)
{
    struct ern_slice folder = folder_of(path_of(&a->at[PROBE_AREA]));

    if (!a->area)
        return;
    verdict_know(&knowledge, KNOWN_area_host, a->at[PROBE_AREA].authority);
    know_path(KNOWN_new, folder, name, ".txt");
    know_path(KNOWN_copy, folder, name, "-copy.txt");
    know_path(KNOWN_newfolder, folder, name, "/");
    know_path(KNOWN_orphan, folder, name, "-none/x");
}

/* ---- the command line --------------------------------------------------------------------------
 */

static bool
add_field(struct audit *a, const char *line)
{
    size_t colon = slice_find(slice_text(line), ':');

    out_text(&a->more, line);
    out_literal(&a->more, "\r\n");
    return !a->more.full && line[colon] == ':' && !strpbrk(line, "\r\n");
}

static bool
take(int option, const char *value, struct audit *a)
{
    enum language language;
    uint64_t seconds;

    switch (option) {
    case WRITE:
        a->area = value;
        return call_url_read(slice_text(value), &a->at[PROBE_AREA]);
    case TIMEOUT:
        if (!u64_parse(slice_text(value), PATIENCE_S_MAX, &seconds) || seconds == 0)
            return false;
        a->patience_ms = (int)seconds * 1000;
        return true;
    case 'H':
        return add_field(a, value);
    case H2:
        a->h2 = true;
        return true;
    case LANG:
        if (!words_language_find(slice_text(value), &language))
            return false;
        audit_words_choose(language);
        return true;
    case 'k':
        a->verify = false;
        return true;
    case 'v':
        a->all = true;
        return true;
    case SLOW:
        a->slow = true;
        return true;
    case JSON:
        a->json = true;
        return true;
    case JUNIT:
        a->junit = value;
        return true;
    case HTML:
        a->html = value;
        return true;
    default:
        return false;
    }
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static void
absent(struct outcome *ret, const char *why, const char *what)
{
    struct out o = out_init(ret->found, sizeof ret->found - 1);

    out_text(&o, audit_say(why));
    out_text(&o, what);
    ret->found[o.len] = '\0';
    ret->verdict = VERDICT_ABSENT;
    ret->status = 0;
}

/* Fills the content of a row, and then its head, which says the length. Returns NULL, or what is
 * not known. */
static const char *
fill(const struct probe *p, struct out *head, struct out *content)
{
    char digits[24];
    struct out length = out_init(digits, sizeof digits);
    const char *unknown = verdict_fill(&knowledge, slice_text(p->content), content);

    out_u64(&length, content->len);
    verdict_know(&knowledge, KNOWN_length, out_done(&length));
    return unknown ? unknown
                   : verdict_fill(&knowledge, slice_from(p->request, p->request_len), head);
}

static void
ask(const struct audit *a, const struct probe *p, struct outcome *ret)
{
    static char memory[PROBE_REQUEST_BYTES], content_memory[CONTENT_BYTES];
    struct out head = out_init(memory, sizeof memory);
    struct out content = out_init(content_memory, sizeof content_memory);
    struct probe_ask what = {.url = &a->at[p->where], .verify = a->verify};
    const char *unknown;

    if (p->kind == PROBE_SLOW && !a->slow) {
        absent(ret, "it is asked with --slow", "");
        return;
    }
    if (p->kind == PROBE_H2 && !a->h2) {
        absent(ret, "it is asked with --h2", "");
        return;
    }
    unknown = fill(p, &head, &content);
    if (unknown) {
        absent(ret, "it was not asked, for there is no ", unknown);
        return;
    }
    if (a->h2 && !probe_h2_can_say(out_done(&head))) {
        absent(ret, "HTTP/2 has no words for it", "");
        return;
    }
    what.head = out_done(&head);
    what.h2 = a->h2;
    what.content = p->content ? out_done(&content) : ERN_ABSENT;
    what.waits = strstr(p->request, "Expect: 100-continue") != NULL;
    what.patience_ms = p->kind == PROBE_SLOW ? SLOW_MS : a->patience_ms;
    probe_ask(&what, &answer);
    verdict_find(p, &answer, &knowledge, ret);
}

/* Asks all of it. Returns false if there is nobody to ask: the first row is a GET of the URL. */
static bool
ask_all(const struct audit *a)
{
    for (unsigned i = 0; i < PROBES; i++) {
        ask(a, &probes[i], &outcomes[i]);
        if (i == 0 && outcomes[0].verdict != VERDICT_EARNED) {
            (void)fprintf(stderr, "earnest audit: %s: %s%s\n", a->url,
                          audit_say("GET of it must give 200: "), outcomes[0].found);
            return false;
        }
    }
    return true;
}

static bool
write_file(const char *path, const struct report *report,
           void (*write_it)(const struct report *report, FILE *to))
{
    FILE *to = path ? fopen(path, "we") : NULL;

    if (!path)
        return true;
    if (to)
        write_it(report, to);
    if (to && fclose(to) == 0)
        return true;
    (void)fprintf(stderr, "earnest audit: %s can not be written\n", path);
    return false;
}

static int
run(struct audit *a)
{
    struct report report = {.url = a->url, .outcomes = outcomes};
    char memory[64];
    struct out name = out_init(memory, sizeof memory);
    struct page page;

    out_literal(&name, "earnest-audit-");
    out_u64(&name, (uint64_t)getpid());
    out_hex(&name, (uint64_t)clock_us());
    know_target(a, out_done(&name));
    know_area(a, out_done(&name));
    if (!ask_all(a))
        return EXIT_NOT_ASKED;
    page_init(&page, stdout);
    if (a->json)
        report_json(&report, stdout);
    else
        report_text(&report, &page, a->all);
    if (!write_file(a->junit, &report, report_junit) ||
        !write_file(a->html, &report, report_html) || fflush(stdout) != 0)
        return EXIT_NOT_ASKED;
    return report_wrong(&report) ? EXIT_WRONG_ROWS : EXIT_RIGHT;
}

int
audit_main(int argc, char **argv)
{
    static struct audit a;
    int option;

    audit_words_choose(words_language());
    a.verify = true;
    a.patience_ms = PATIENCE_MS;
    a.more = out_init(a.more_memory, sizeof a.more_memory);
    while ((option = getopt_long(argc, argv, "H:kvh", audit_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return EXIT_RIGHT;
        }
        if (option == '?')
            return usage("unknown option, or one without its value");
        if (!take(option, optarg, &a))
            return usage("this value can not be used");
    }
    if (optind != argc - 1)
        return usage(optind == argc ? "say which URL" : "say one URL");
    a.url = argv[optind];
    if (!call_url_read(slice_text(a.url), &a.at[PROBE_SAFE]))
        return usage("that is no URL");
    return run(&a);
}
