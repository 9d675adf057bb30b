/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcript_test.c - the .wire files of test/wire: what a client sends, and what a server reads in
 * it.
 *
 *   # a comment
 *   ! limit value                a limit of limits.def, from its default to this
 *   > text                       bytes, with the escapes \r \n \t \0 \\ and \xHH; lines join
 *   * number text                the bytes that many times
 *   = done METHOD TARGET fields N content BYTES
 *   = content TEXT               the content of the request before, escaped, if there is any
 *   = finding NAME AT FIELD      AT counts from the first byte sent; FIELD only if one is to blame
 *   = more                       the bytes end inside a request
 *
 * A request follows another until the bytes end or there is a finding. Each transcript is fed
 * whole, split in two at every byte, and byte by byte; each time all "=" lines must come out.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "wire/h1.h"

enum { FIELDS = 512, FILE_MAX = 65536, TEXT_MAX = 8192 };

struct transcript {
    const char *path;
    struct limits limits;
    char sent_memory[FILE_MAX], expected_memory[TEXT_MAX];
    struct out sent, expected;
};

/* A server that reads one connection. */
struct reader {
    const struct transcript *transcript;
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct h1_head head;
    struct h1_content content;
    size_t begin_at, at; /* of this message; of what was taken */
    bool in_content, ended;
    char content_memory[FILE_MAX], got_memory[TEXT_MAX];
    struct out content_out, got;
};

static void
write_escaped(struct out *o, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c == '\r') {
            out_literal(o, "\\r");
        } else if (c == '\n') {
            out_literal(o, "\\n");
        } else if (c == '\\') {
            out_literal(o, "\\\\");
        } else if (c < 0x20 || c >= 0x7f) {
            out_literal(o, "\\x");
            out_char(o, "0123456789abcdef"[c >> 4]);
            out_char(o, "0123456789abcdef"[c & 15]);
        } else {
            out_char(o, (char)c);
        }
    }
}

static void
begin_message(struct reader *r)
{
    ern_request_init(&r->request, r->fields, FIELDS);
    h1_head_init(&r->head, &r->transcript->limits);
    r->begin_at = r->at;
    r->in_content = false;
    r->content_out = out_init(r->content_memory, sizeof r->content_memory);
}

static void
say_finding(struct reader *r, enum finding finding, size_t at, struct ern_slice field)
{
    out_literal(&r->got, "finding ");
    out_text(&r->got, finding_row(finding)->name);
    out_char(&r->got, ' ');
    out_u64(&r->got, at);
    if (field.len) {
        out_char(&r->got, ' ');
        out_slice(&r->got, field);
    }
    out_char(&r->got, '\n');
    r->ended = true;
}

static void
say_done(struct reader *r)
{
    out_literal(&r->got, "done ");
    out_slice(&r->got, r->request.method_text);
    out_char(&r->got, ' ');
    out_slice(&r->got, r->request.target);
    out_literal(&r->got, " fields ");
    out_u64(&r->got, r->request.fields_n);
    out_literal(&r->got, " content ");
    out_u64(&r->got, r->content_out.len);
    out_char(&r->got, '\n');
    if (r->content_out.len == 0)
        return;
    out_literal(&r->got, "content ");
    write_escaped(&r->got, out_done(&r->content_out));
    out_char(&r->got, '\n');
}

static bool
read_head(struct reader *r, struct ern_slice bytes)
{
    enum parse parse = h1_head_feed(&r->head, slice_skip(bytes, r->begin_at), &r->request);

    if (parse == PARSE_BAD)
        say_finding(r, r->head.finding, r->begin_at + r->head.finding_at, r->head.finding_field);
    if (parse != PARSE_DONE)
        return false;
    r->at = r->begin_at + r->head.at;
    r->in_content = true;
    h1_content_init(&r->content, &r->transcript->limits, &r->request);
    return true;
}

static bool
read_content(struct reader *r, struct ern_slice bytes)
{
    struct ern_slice in = slice_skip(bytes, r->at), piece;
    enum parse parse;

    do {
        parse = h1_content_feed(&r->content, &in, &piece);
        out_slice(&r->content_out, piece);
    } while (parse == PARSE_MORE && in.len);
    r->at = bytes.len - in.len;
    if (parse == PARSE_BAD)
        say_finding(r, r->content.finding, r->at, ERN_ABSENT);
    if (parse != PARSE_DONE)
        return false;
    say_done(r);
    begin_message(r);
    return true;
}

/* Reads on, all bytes of the connection being these by now. */
static void
feed(struct reader *r, struct ern_slice bytes)
{
    bool goes_on = !r->ended;

    while (goes_on)
        goes_on = r->in_content ? read_content(r, bytes) : read_head(r, bytes);
}

/* Feeds all, in two parts or, if split is SIZE_MAX, byte by byte; compares what came out. */
static void
run(const struct transcript *t, struct reader *r, size_t split)
{
    struct ern_slice sent = out_done(&t->sent);

    r->transcript = t;
    r->at = 0;
    r->ended = false;
    r->got = out_init(r->got_memory, sizeof r->got_memory);
    begin_message(r);
    if (split == SIZE_MAX)
        for (size_t n = 1; n < sent.len; n++)
            feed(r, slice_first(sent, n));
    else
        feed(r, slice_first(sent, split));
    feed(r, sent);
    if (!r->ended && (r->in_content || r->begin_at < sent.len))
        out_literal(&r->got, "more\n");
    if (r->got.full || !slice_eq(out_done(&r->got), out_done(&t->expected)))
        fail_msg("%s, split at %zu, says\n%.*s", t->path, split, (int)r->got.len, r->got.ptr);
}

/* Writes text with its escapes resolved; false if one is unknown. */
static bool
write_unescaped(struct out *o, struct ern_slice text)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";

    for (size_t i = 0; i < text.len; i++) {
        const char *at;

        if (text.ptr[i] != '\\') {
            out_char(o, text.ptr[i]);
            continue;
        }
        if (++i == text.len)
            return false;
        at = memchr(names, text.ptr[i], sizeof names - 1);
        if (at) {
            out_char(o, values[at - names]);
        } else if (text.ptr[i] == 'x' && text.len - i > 2 && hex_value(text.ptr[i + 1]) >= 0 &&
                   hex_value(text.ptr[i + 2]) >= 0) {
            out_char(o, (char)(hex_value(text.ptr[i + 1]) << 4 | hex_value(text.ptr[i + 2])));
            i += 2;
        } else {
            return false;
        }
    }
    return true;
}

/* Takes the word before the next space off the front of *text. */
static struct ern_slice
next_word(struct ern_slice *text)
{
    size_t end = slice_find(*text, ' ');
    struct ern_slice word = slice_first(*text, end);

    *text = slice_skip(*text, end < text->len ? end + 1 : end);
    return word;
}

static bool
set_limit(struct limits *limits, struct ern_slice text)
{
    struct ern_slice name = next_word(&text);
    uint64_t value;

    if (!u64_parse(text, INT64_MAX, &value))
        return false;
    for (unsigned i = 0; limits_row(i); i++) {
        if (slice_eq(limits_row(i)->name, name)) {
            *limits_at(limits, i) = (int64_t)value;
            return true;
        }
    }
    return false;
}

static bool
read_line(struct transcript *t, struct ern_slice line)
{
    char kind = line.len ? line.ptr[0] : '#';
    struct ern_slice text = slice_skip(line, line.len < 2 ? line.len : 2);
    uint64_t times = 1;

    switch (kind) {
    case '#':
        return true;
    case '!':
        return set_limit(&t->limits, text);
    case '*':
        if (!u64_parse(next_word(&text), FILE_MAX, &times))
            return false;
        while (times--)
            if (!write_unescaped(&t->sent, text))
                return false;
        return !t->sent.full;
    case '>':
        return write_unescaped(&t->sent, text) && !t->sent.full;
    case '=':
        out_slice(&t->expected, text);
        out_char(&t->expected, '\n');
        return !t->expected.full;
    default:
        return false;
    }
}

static void
load(struct transcript *t, const char *path)
{
    static char memory[FILE_MAX];
    FILE *file = fopen(path, "rb");
    struct ern_slice rest;

    if (!file)
        fail_msg("%s cannot be opened", path);
    t->path = path;
    t->limits = limits_standard();
    t->sent = out_init(t->sent_memory, sizeof t->sent_memory);
    t->expected = out_init(t->expected_memory, sizeof t->expected_memory);
    rest = slice_from(memory, fread(memory, 1, sizeof memory, file));
    (void)fclose(file);
    assert_true(rest.len < sizeof memory);
    for (unsigned number = 1; rest.len; number++) {
        size_t end = slice_find(rest, '\n');

        if (!read_line(t, slice_first(rest, end)))
            fail_msg("%s:%u is no line of a transcript", path, number);
        rest = slice_skip(rest, end < rest.len ? end + 1 : end);
    }
    if (t->sent.len == 0 || t->expected.len == 0)
        fail_msg("%s sends or expects nothing", path);
}

static void
each_transcript_reads_the_same_however_it_is_split(void **state)
{
    static struct transcript t;
    static struct reader r;
    const char *root = getenv("ERN_SOURCE_ROOT");
    char folder[512];
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir;

    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/test/wire", root ? root : ".");
    dir = opendir(folder);
    if (!dir)
        fail_msg("%s cannot be opened; ERN_SOURCE_ROOT names the folder above", folder);
    while ((entry = readdir(dir))) {
        char path[1024];
        size_t len = strlen(entry->d_name);

        if (len < 5 || memcmp(entry->d_name + len - 5, ".wire", 5) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        load(&t, path);
        for (size_t split = 0; split <= t.sent.len; split++)
            run(&t, &r, split);
        run(&t, &r, SIZE_MAX);
        count++;
    }
    (void)closedir(dir);
    assert_true(count >= 40);
    print_message("# %u transcripts\n", count);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_transcript_reads_the_same_however_it_is_split),
    };

    return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}
