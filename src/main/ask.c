/* SPDX-License-Identifier: Apache-2.0 */
#include "main/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "main/heard.h"
#include "main/probe_h2.h"
#include "msg/list.h"
#include "serve/complain.h"
#include "serve/rehearse.h"
#include "serve/why.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_WRONG, FIELDS = 64 };
enum { PATIENCE_MS = 10000, FRAMES_BYTES = 1 << 18 };

struct request { /* what the command line says */
    const char *method, *url, *content;
    const char *fields[FIELDS];
    const char *from; /* the address of the client that is meant, with a configuration */
    unsigned fields_n;
    bool verify, h2;
};

static int
failed(const char *what, const char *why)
{
    (void)fprintf(stderr, "earnest: %s: %s\n", what, why);
    return EXIT_FAILED;
}

/* ---- the command line ------------------------------------------------------------------------ */

static const char usage[] =
    "Usage: earnest explain [--json|--svg] [--lang=en|bn] [-c FILE] -- [-X METHOD] [-H FIELD]...\n"
    "                       [-d CONTENT] [-k] [--h2] [--from ADDRESS] URL\n"
    "\n"
    "Sends one request, and prints the exchange as it went over the wire, then the path to the\n"
    "answer, if the server shows it. With -c, nothing is sent: what would this configuration say?\n"
    "\n"
    "  -X METHOD   (default: GET, with -d POST)\n"
    "  -H FIELD    a field line, as in 'If-Match: \"x\"'; again for each\n"
    "  -d CONTENT  sent with its Content-Length\n"
    "  -k          whatever the certificate of the server is\n"
    "  --h2        over HTTP/2, frame by frame: by prior knowledge or, with https, by ALPN\n"
    "  --from ADDRESS\n"
    "              with -c: whom the request would come from (default: 127.0.0.1); URL may be a "
    "path\n"
    "\n"
    "Exit codes: 0 answered, 1 not, 2 wrong usage.\n";

/* Reads the arguments. Returns what is wrong, or NULL. */
static const char *
read_arguments(int argc, char **argv, struct request *r)
{
    for (int i = 0; i < argc; i++) {
        struct ern_slice text = slice_text(argv[i]);
        bool is_from = slice_eq(text, ERN_SLICE("--from"));
        bool takes =
            is_from || (text.len == 2 && text.ptr[0] == '-' && memchr("XHd", text.ptr[1], 3));

        if (takes && i + 1 == argc)
            return "something is missing after the last option";
        if (slice_eq(text, ERN_SLICE("-k")))
            r->verify = false;
        else if (slice_eq(text, ERN_SLICE("--h2")))
            r->h2 = true;
        else if (is_from)
            r->from = argv[++i];
        else if (slice_eq(text, ERN_SLICE("-X")))
            r->method = argv[++i];
        else if (slice_eq(text, ERN_SLICE("-d")))
            r->content = argv[++i];
        else if (takes && r->fields_n == FIELDS)
            return "there are too many fields";
        else if (takes)
            r->fields[r->fields_n++] = argv[++i];
        else if (slice_starts(text, ERN_SLICE("-")))
            return "there is no such option";
        else if (r->url)
            return "one URL at a time";
        else
            r->url = argv[i];
    }
    return r->url ? NULL : "there is no URL";
}

/* Does one of the fields have this name? */
static bool
has_field(const struct request *r, struct ern_slice name, struct ern_slice *ret_value)
{
    for (unsigned i = 0; i < r->fields_n; i++) {
        struct ern_slice line = slice_text(r->fields[i]);
        size_t colon = slice_find(line, ':');

        if (!slice_eq_nocase(slice_first(line, colon), name))
            continue;
        if (ret_value && colon < line.len)
            *ret_value = slice_trim(slice_skip(line, colon + 1));
        return true;
    }
    return false;
}

static void
write_field(struct out *o, const struct request *r, struct ern_slice name, struct ern_slice value)
{
    if (has_field(r, name, NULL))
        return; /* it is as the command line has it */
    out_slice(o, name);
    out_literal(o, ": ");
    out_slice(o, value);
    out_literal(o, "\r\n");
}

static bool
write_head(struct heard *x, const struct request *r)
{
    struct out o = out_init(x->head, sizeof x->head), number;
    struct ern_slice expect = ERN_ABSENT;
    char digits[24];

    out_text(&o, r->method ? r->method : r->content ? "POST" : "GET");
    out_char(&o, ' ');
    if (!slice_is_there(x->url.target) || slice_starts(x->url.target, ERN_SLICE("?")))
        out_char(&o, '/');
    out_slice(&o, x->url.target);
    out_literal(&o, " HTTP/1.1\r\n");
    write_field(&o, r, ERN_SLICE("Host"), x->url.authority);
    write_field(&o, r, ERN_SLICE("User-Agent"), ERN_SLICE("earnest"));
    write_field(&o, r, ERN_SLICE("Accept"), ERN_SLICE("*/*"));
    for (unsigned i = 0; i < r->fields_n; i++) {
        out_text(&o, r->fields[i]);
        out_literal(&o, "\r\n");
    }
    number = out_init(digits, sizeof digits);
    out_u64(&number, slice_text(r->content).len);
    if (r->content)
        write_field(&o, r, ERN_SLICE("Content-Length"), out_done(&number));
    write_field(&o, r, ERN_SLICE("Connection"), ERN_SLICE("close"));
    out_literal(&o, "\r\n");
    x->head_len = o.len;
    x->waits = r->content && has_field(r, ERN_SLICE("Expect"), &expect) &&
               slice_eq_nocase(expect, ERN_SLICE("100-continue"));
    return !o.full;
}

/* ---- a server -------------------------------------------------------------------------------- */

/* The target of the link to the page that explains the answer. Returns false if there is none. */
static bool
find_why(const struct heard *x, struct ern_slice *ret)
{
    struct ern_slice head = heard_final(x), value, link, before = ERN_SLICE("<" TRACE_PATH);

    while (heard_field(&head, ERN_SLICE("link"), &value))
        while (list_next(&value, &link)) {
            size_t end = slice_find(link, '>');

            if (!slice_starts(link, before) || end == link.len)
                continue;
            *ret = slice_from(link.ptr + 1, end - 1);
            return true;
        }
    return false;
}

static const char *
form_name(enum ask_form form)
{
    static const char *const names[] = {"txt", "json", "svg"};

    return names[form];
}

/* Gets a page. Returns its content, which x has, or absent. */
static struct ern_slice
get_page(struct heard *x, bool verify, enum language language)
{
    struct request r = {.verify = verify};
    const char *why = "it gives no answer";
    struct call *call;
    bool answered = false;

    r.fields[r.fields_n++] =
        language == LANGUAGE_BN ? "Accept-Language: bn" : "Accept-Language: en";
    if (!write_head(x, &r))
        return ERN_ABSENT;
    call = call_open(&x->url, verify, &why);
    if (call)
        answered = heard_talk(x, ERN_SLICE(""), call);
    call_close(call);
    if (!answered) {
        (void)failed(x->url.host, why);
        return ERN_ABSENT;
    }
    return x->status == ERN_200_OK ? slice_from(x->answer + x->content_at, x->len - x->content_at)
                                   : ERN_ABSENT;
}

/* Asks the same server for the page at target, in the form that is wanted. */
static struct ern_slice
get_why(struct heard *page, const struct heard *x, const struct request *r, struct ern_slice target,
        const struct ask_options *options)
{
    static char text[HEARD_HEAD_BYTES];
    struct out o = out_init(text, sizeof text);

    page->url = x->url;
    out_slice(&o, target);
    out_char(&o, '.');
    out_text(&o, form_name(options->form));
    page->url.target = out_done(&o);
    return get_page(page, r->verify, options->language);
}

static struct heard heard, page_heard;

int
ask_page(const char *url, const char *suffix, enum language language)
{
    static char text[HEARD_HEAD_BYTES];
    struct out o = out_init(text, sizeof text);
    struct ern_slice content;

    out_text(&o, url);
    out_char(&o, '.');
    out_text(&o, suffix);
    if (o.full || !call_url_read(out_done(&o), &page_heard.url)) {
        (void)failed(url, "that is no URL of a page that explains");
        return EXIT_WRONG;
    }
    content = get_page(&page_heard, true, language);
    if (!slice_is_there(content))
        return page_heard.content_at ? failed(url, "that decision is not shown, or not any more")
                                     : EXIT_FAILED;
    if (content.len)
        (void)fwrite(content.ptr, 1, content.len, stdout);
    return EXIT_DONE;
}

/* Over HTTP/2: the frames are told, and the head of the answer as HTTP/1.1 would have it, so that
 * what explains it is found there. Returns what is wrong, or NULL. */
static const char *
ask_h2(const struct request *r, struct out *told)
{
    static struct probe_answer answer;
    static struct frames frames;
    const struct probe_ask what = {.url = &heard.url,
                                   .verify = r->verify,
                                   .head = slice_from(heard.head, heard.head_len),
                                   .content = slice_text(r->content),
                                   .waits = heard.waits,
                                   .patience_ms = PATIENCE_MS,
                                   .h2 = true,
                                   .frames = &frames};
    struct out head = out_init(heard.answer, sizeof heard.answer);

    if (!probe_h2_can_say(what.head))
        return "HTTP/2 has no words for that";
    if (!frames_begin(&frames, told, told))
        return "there is no memory";
    probe_ask(&what, &answer);
    frames_end(&frames);
    probe_h2_write(&answer, &head);
    heard.len = head.len;
    (void)heard_walk(&heard);
    return answer.end == PROBE_UNREACHABLE ? answer.why : told->len ? NULL : "it gives no answer";
}

static char frames_text[FRAMES_BYTES];
static struct out frames_told;

/* Fills the exchange, and what explains it; absent if it is not explained. */
static int
ask(const struct ask_options *options, const struct request *r, struct ern_slice *ret_why)
{
    const char *why = "it gives no answer";
    struct call *call = r->h2 ? NULL : call_open(&heard.url, r->verify, &why);
    bool answered = call && heard_talk(&heard, slice_text(r->content), call);
    struct ern_slice target;

    call_close(call);
    frames_told = out_init(frames_text, sizeof frames_text);
    if (r->h2)
        answered = (why = ask_h2(r, &frames_told)) == NULL;
    if (!answered)
        return failed(r->url, why);
    *ret_why =
        find_why(&heard, &target) ? get_why(&page_heard, &heard, r, target, options) : ERN_ABSENT;
    return EXIT_DONE;
}

/* ---- a configuration in the place of a server ------------------------------------------------ */

static bool
read_from(const char *text, union address *ret)
{
    struct ip_port from = {.port = 0};

    if (!ip4_parse(slice_text(text), &from.ip) && !ip6_parse(slice_text(text), &from.ip))
        return false;
    *ret = address_from_ip(&from);
    return true;
}

/* What this configuration would answer; the explanation is in page_heard. */
static bool
rehearse_with(const struct conf *conf, const struct ask_options *options,
              const struct rehearsal_request *request, struct ern_slice *ret_why)
{
    static const enum why_form forms[] = {WHY_TEXT, WHY_JSON, WHY_SVG};
    struct out answer = out_init(heard.answer, sizeof heard.answer);
    struct out page = out_init(page_heard.answer, sizeof page_heard.answer);
    struct rehearsal *r = rehearsal_open(conf);
    struct trace trace;
    struct why why;
    bool answered = r && rehearse(r, request, &answer, &trace);

    if (answered) {
        heard.len = answer.len;
        (void)heard_walk(&heard);
        why_look(&trace, conf, ERN_ABSENT, options->language, &why);
        why_write(&why, forms[options->form], &page);
        *ret_why = out_done(&page);
    }
    rehearsal_close(r);
    return answered;
}

static int
ask_conf(const struct ask_options *options, const struct request *r, struct ern_slice *ret_why)
{
    static struct conf_errors errors;
    struct rehearsal_request request = {.head = slice_from(heard.head, heard.head_len),
                                        .secure = heard.url.secure};
    struct conf *conf;
    uint64_t port = 0;
    bool answered;

    if (u64_parse(slice_text(heard.url.port), UINT16_MAX, &port))
        request.port = (uint16_t)port;
    if (!read_from(r->from ? r->from : "127.0.0.1", &request.client)) {
        (void)failed(r->from, "that is no IP address");
        return EXIT_WRONG;
    }
    if (conf_read(options->conf, &conf, &errors) < 0) {
        complain_conf(&errors);
        return EXIT_FAILED;
    }
    answered = rehearse_with(conf, options, &request, ret_why);
    conf_free(conf);
    return answered ? EXIT_DONE : EXIT_FAILED;
}

/* With a configuration a path will do. */
static bool
read_url(const struct ask_options *options, const char *url)
{
    struct ern_slice text = slice_text(url);

    if (!options->conf || !slice_starts(text, ERN_SLICE("/")))
        return call_url_read(text, &heard.url);
    return call_url_read(ERN_SLICE("localhost"), &heard.url) &&
           slice_is_there(heard.url.target = text);
}

static void
put(const struct ask_options *options, const struct request *r, struct ern_slice why)
{
    struct page page;

    page_init(&page, stdout);
    if (options->form == ASK_JSON) {
        heard_put_json(&page, &heard, r->h2 ? out_done(&frames_told) : ERN_ABSENT, why);
        return;
    }
    if (options->form == ASK_TEXT) {
        if (r->h2)
            heard_put_frames(&page, out_done(&frames_told));
        else
            heard_put(&page, &heard, slice_text(r->content));
        fputs("\n", page.file);
    }
    if (slice_is_there(why))
        (void)fwrite(why.ptr, 1, why.len, stdout);
    if (options->form == ASK_TEXT && options->conf)
        fputs("\nNothing was sent or done: what only doing it would tell is taken to go well.\n",
              page.file);
    else if (options->form == ASK_TEXT && !slice_is_there(why))
        fputs("The server does not show how it was decided.\n", page.file);
}

int
ask_main(const struct ask_options *options, int argc, char **argv)
{
    struct request r = {.verify = true};
    const char *wrong = read_arguments(argc, argv, &r);
    struct ern_slice why = ERN_ABSENT;
    int code;

    if (!wrong && r.h2 && options->conf)
        wrong = "a configuration is not asked over HTTP/2";
    if (!wrong && (!read_url(options, r.url) || !write_head(&heard, &r)))
        wrong = "that is no URL";
    if (wrong) {
        (void)fprintf(stderr, "earnest explain: %s\n%s", wrong, usage);
        return EXIT_WRONG;
    }
    code = options->conf ? ask_conf(options, &r, &why) : ask(options, &r, &why);
    if (code)
        return code;
    put(options, &r, why);
    if (options->form == ASK_SVG && !slice_is_there(why))
        return failed(r.url, "the server does not show how it was decided");
    return fflush(stdout) == 0 ? EXIT_DONE : failed("standard output", "it can not be written to");
}
