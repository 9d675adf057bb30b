/* SPDX-License-Identifier: Apache-2.0 */
#include "main/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "earnest/status.h"
#include "main/call.h"
#include "main/page.h"
#include "msg/list.h"
#include "serve/trace.h"

enum {
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_WRONG,
    HEAD_BYTES = 1 << 16,
    ANSWER_BYTES = 1 << 20, /* of the answers, so much is kept */
    SHOWN_BYTES = 4096,     /* of content, so much is printed */
    FIELDS = 64,
    WAIT_MS = 10000,
    CONTINUE_MS = 1000, /* for a 100 before content is sent without one (RFC 9110 10.1.1) */
};

struct request { /* what the command line says */
    const char *method, *url, *content;
    const char *fields[FIELDS];
    unsigned fields_n;
    bool verify;
};

struct exchange_heard {
    struct call_url url;
    char head[HEAD_BYTES]; /* of the request */
    size_t head_len;
    bool waits; /* content is sent when 100 has come */
    char answer[ANSWER_BYTES];
    size_t len;
    size_t final_at,
        content_at; /* of the last answer: its head and its content; 0: not there yet */
    uint16_t status;
};

static int
failed(const char *what, const char *why)
{
    (void)fprintf(stderr, "earnest: %s: %s\n", what, why);
    return EXIT_FAILED;
}

/* ---- the command line --------------------------------------------------------------------------
 */

static const char usage[] =
    "Usage: earnest explain [--json|--svg] [--lang=en|bn] [-c FILE] -- [-X METHOD] [-H FIELD]...\n"
    "                       [-d CONTENT] [-k] URL\n"
    "\n"
    "Sends one request, and prints the exchange as it went over the wire, then the path to the\n"
    "answer, if the server shows it. With -c, nothing is sent: what would this configuration say?\n"
    "\n"
    "  -X METHOD   (default: GET, with -d POST)\n"
    "  -H FIELD    a field line, as in 'If-Match: \"x\"'; again for each\n"
    "  -d CONTENT  sent with its Content-Length\n"
    "  -k          whatever the certificate of the server is\n"
    "\n"
    "Exit codes: 0 answered, 1 not, 2 wrong usage.\n";

/* Reads the arguments. Returns what is wrong, or NULL. */
static const char *
read_arguments(int argc, char **argv, struct request *r)
{
    for (int i = 0; i < argc; i++) {
        struct ern_slice text = slice_text(argv[i]);
        bool takes = text.len == 2 && text.ptr[0] == '-' && memchr("XHd", text.ptr[1], 3);

        if (takes && i + 1 == argc)
            return "something is missing after the last option";
        if (slice_eq(text, ERN_SLICE("-k")))
            r->verify = false;
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
write_head(struct exchange_heard *x, const struct request *r)
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

/* ---- the exchange ------------------------------------------------------------------------------
 */

/* Where the head that begins at a place ends, or 0. */
static size_t
head_end(const struct exchange_heard *x, size_t at)
{
    const char *end = x->len > at ? memmem(x->answer + at, x->len - at, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - x->answer) + 4 : 0;
}

static uint16_t
status_at(const struct exchange_heard *x, size_t at)
{
    struct ern_slice line = slice_from(x->answer + at, x->len - at);
    uint64_t status;

    if (line.len < 12 || !slice_starts(line, ERN_SLICE("HTTP/")) ||
        !u64_parse(slice_first(slice_skip(line, 9), 3), UINT16_MAX, &status))
        return 0;
    return (uint16_t)status;
}

/* Walks on over the heads that are there. Returns true when one says to send content now. */
static bool
walk_heads(struct exchange_heard *x)
{
    bool go_on = false;
    size_t end;

    while (x->content_at == 0 && (end = head_end(x, x->final_at)) != 0) {
        x->status = status_at(x, x->final_at);
        go_on |= x->status == ERN_100_CONTINUE;
        if (x->status / 100 == 1 && x->status != ERN_101_SWITCHING_PROTOCOLS)
            x->final_at = end;
        else
            x->content_at = end;
    }
    return go_on;
}

/* The next line of a head, without its end. Returns false after the last. */
static bool
next_line(struct ern_slice *head, struct ern_slice *ret)
{
    size_t end = slice_find(*head, '\n');

    if (head->len == 0)
        return false;
    *ret = slice_first(*head, end);
    if (slice_ends(*ret, ERN_SLICE("\r")))
        ret->len--;
    *head = slice_skip(*head, end < head->len ? end + 1 : end);
    return true;
}

/* The value of a field line with this name, which is taken off the head. Returns false if there is
 * none. */
static bool
next_field(struct ern_slice *head, struct ern_slice name, struct ern_slice *ret)
{
    struct ern_slice line;

    while (next_line(head, &line)) {
        size_t colon = slice_find(line, ':');

        if (colon == line.len || !slice_eq_nocase(slice_first(line, colon), name))
            continue;
        *ret = slice_trim(slice_skip(line, colon + 1));
        return true;
    }
    return false;
}

static struct ern_slice
final_head(const struct exchange_heard *x)
{
    return slice_from(x->answer + x->final_at, x->content_at - x->final_at);
}

/* Is all of the last answer there, as far as its length is said? Else it ends with the connection.
 */
static bool
is_whole(const struct exchange_heard *x, const struct request *r)
{
    const struct ern_status *status = ern_status_find(x->status);
    struct ern_slice head = final_head(x), value;
    uint64_t length;

    if (x->content_at == 0)
        return false;
    if ((r->method && slice_eq(slice_text(r->method), ERN_SLICE("HEAD"))) ||
        (status && !status->has_content))
        return true;
    return next_field(&head, ERN_SLICE("content-length"), &value) &&
           u64_parse(value, INT64_MAX, &length) && x->len - x->content_at >= length;
}

static bool
talk(struct exchange_heard *x, const struct request *r, struct call *call)
{
    struct ern_slice content = slice_text(r->content);
    bool sent = content.len == 0;

    if (!call_send(call, slice_from(x->head, x->head_len)))
        return false;
    while (!is_whole(x, r) && x->len < sizeof x->answer) {
        ssize_t n;

        if (!sent && !x->waits && x->content_at == 0) {
            sent = true;
            (void)call_send(call, content); /* if it is not taken, the answer says why */
        }
        n = call_read(call, x->answer + x->len, sizeof x->answer - x->len,
                      sent ? WAIT_MS : CONTINUE_MS);
        if (n == -2 && !sent)
            x->waits = false; /* RFC 9110 10.1.1: it need not wait for ever */
        else if (n <= 0)
            break;
        else
            x->len += (size_t)n;
        if (walk_heads(x))
            x->waits = false;
    }
    return x->content_at > 0;
}

/* ---- for people --------------------------------------------------------------------------------
 */

static void
put_plain(struct ern_slice text)
{
    char memory[SHOWN_BYTES];

    while (text.len) { /* U+FFFD has three bytes: a third of the memory always fits */
        size_t n = text.len < sizeof memory / 3 ? text.len : sizeof memory / 3;
        struct out o = out_init(memory, sizeof memory);

        while (n < text.len && n > 1 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
            n--;
        out_plain(&o, slice_first(text, n));
        (void)fwrite(o.ptr, 1, o.len, stdout);
        text = slice_skip(text, n);
    }
}

/* Each line, with a mark that says which way it went; a first line stands out. */
static void
put_lines(const struct page *page, const char *mark, struct ern_slice text)
{
    struct ern_slice line;
    bool begins = true;

    while (next_line(&text, &line)) {
        page_dim(page, slice_text(mark));
        if (page->colour && begins)
            fputs("\033[1m", page->file);
        put_plain(line);
        fputs(page->colour && begins ? "\033[0m\n" : "\n", page->file);
        begins = line.len == 0; /* the next head */
    }
}

static void
put_content(const struct page *page, struct ern_slice content)
{
    struct ern_slice shown =
        slice_first(content, content.len < SHOWN_BYTES ? content.len : SHOWN_BYTES);

    while (shown.len && shown.len < content.len &&
           ((unsigned char)content.ptr[shown.len] & 0xc0) == 0x80)
        shown.len--;
    if (utf8_is(shown) && !memchr(shown.ptr, '\0', shown.len))
        put_lines(page, "  ", shown);
    else
        shown.len = 0;
    if (shown.len < content.len)
        (void)fprintf(page->file, "  (%zu bytes%s)\n", content.len - shown.len,
                      shown.len ? " more" : "");
}

/* ---- for programs ------------------------------------------------------------------------------
 */

static void
put_json(const struct page *page, const struct exchange_heard *x, struct ern_slice why)
{
    struct ern_slice content = slice_from(x->answer + x->content_at, x->len - x->content_at);
    size_t at = 0, end;

    fputs("{\"request\":", page->file);
    page_json(page, slice_from(x->head, x->head_len));
    fputs(",\"answers\":[", page->file);
    for (; at < x->content_at && (end = head_end(x, at)) != 0; at = end) {
        (void)fprintf(page->file, "%s{\"status\":%u,\"head\":", at ? "," : "", status_at(x, at));
        page_json(page, slice_from(x->answer + at, end - at));
        fputs("}", page->file);
    }
    (void)fprintf(page->file, "],\"content_bytes\":%zu,\"content\":", content.len);
    if (utf8_is(content))
        page_json(page, content);
    else
        fputs("null", page->file);
    fputs(",\"why\":", page->file);
    if (why.len)
        (void)fwrite(why.ptr, 1, why.len, page->file);
    else
        fputs("null", page->file);
    fputs("}\n", page->file);
}

/* ---- the path ----------------------------------------------------------------------------------
 */

/* The target of the link to the page that explains the answer. Returns false if there is none. */
static bool
find_why(const struct exchange_heard *x, struct ern_slice *ret)
{
    struct ern_slice head = final_head(x), value, link, before = ERN_SLICE("<" TRACE_PATH);

    while (next_field(&head, ERN_SLICE("link"), &value))
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
get_page(struct exchange_heard *x, bool verify, enum language language)
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
        answered = talk(x, &r, call);
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
get_why(struct exchange_heard *page, const struct exchange_heard *x, const struct request *r,
        struct ern_slice target, const struct ask_options *options)
{
    static char text[HEAD_BYTES];
    struct out o = out_init(text, sizeof text);

    page->url = x->url;
    out_slice(&o, target);
    out_char(&o, '.');
    out_text(&o, form_name(options->form));
    page->url.target = out_done(&o);
    return get_page(page, r->verify, options->language);
}

static struct exchange_heard heard, page_heard;

int
ask_page(const char *url, const char *suffix, enum language language)
{
    static char text[HEAD_BYTES];
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
    (void)fwrite(content.ptr, 1, content.len, stdout);
    return EXIT_DONE;
}

/* Fills the exchange, and what explains it; absent if it is not explained. */
static int
ask(const struct ask_options *options, const struct request *r, struct ern_slice *ret_why)
{
    const char *why = "it gives no answer";
    struct call *call = call_open(&heard.url, r->verify, &why);
    bool answered = call && talk(&heard, r, call);
    struct ern_slice target;

    call_close(call);
    if (!answered)
        return failed(r->url, why);
    *ret_why =
        find_why(&heard, &target) ? get_why(&page_heard, &heard, r, target, options) : ERN_ABSENT;
    return EXIT_DONE;
}

static void
put(const struct ask_options *options, const struct request *r, struct ern_slice why)
{
    struct page page;

    page_init(&page, stdout);
    if (options->form == ASK_JSON) {
        put_json(&page, &heard, why);
        return;
    }
    if (options->form == ASK_TEXT) {
        put_lines(&page, "> ", slice_from(heard.head, heard.head_len));
        if (r->content)
            put_content(&page, slice_text(r->content));
        put_lines(&page, "< ", slice_from(heard.answer, heard.content_at));
        put_content(&page,
                    slice_from(heard.answer + heard.content_at, heard.len - heard.content_at));
        fputs("\n", page.file);
    }
    if (slice_is_there(why))
        (void)fwrite(why.ptr, 1, why.len, stdout);
    if (!slice_is_there(why) && options->form == ASK_TEXT)
        fputs("The server does not show how it was decided.\n", page.file);
}

int
ask_main(const struct ask_options *options, int argc, char **argv)
{
    struct request r = {.verify = true};
    const char *wrong = read_arguments(argc, argv, &r);
    struct ern_slice why = ERN_ABSENT;
    int code;

    if (!wrong && (!call_url_read(slice_text(r.url), &heard.url) || !write_head(&heard, &r)))
        wrong = "that is no URL";
    if (wrong) {
        (void)fprintf(stderr, "earnest explain: %s\n%s", wrong, usage);
        return EXIT_WRONG;
    }
    code = ask(options, &r, &why);
    if (code)
        return code;
    put(options, &r, why);
    if (options->form == ASK_SVG && !slice_is_there(why))
        return failed(r.url, "the server does not show how it was decided");
    return fflush(stdout) == 0 ? EXIT_DONE : failed("standard output", "it can not be written to");
}
