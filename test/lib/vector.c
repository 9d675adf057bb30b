/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/vector.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/slice.h"
#include "msg/date.h"

enum { GROWTH = 64 /* a variable in a request is never longer than its value and this */ };

struct reader {
    struct vector *vector;
    struct ern_slice rest;
    unsigned line;
    struct vector_resource resource;  /* as it is for the next exchange */
    struct vector_exchange *exchange; /* being read; NULL before the first */
    bool in_request, is_raw, has_content, skips_config;
    char *at, *end; /* of the memory for requests */
};

static int
wrong(struct reader *r, const char *error)
{
    if (!r->vector->error) {
        r->vector->error = error;
        r->vector->error_line = r->line;
    }
    return -1;
}

/* Takes a word off the front of *text, and the space after it. */
static struct ern_slice
word_next(struct ern_slice *text)
{
    struct ern_slice word = slice_first(*text, slice_find(*text, ' '));

    *text = slice_trim(slice_skip(*text, word.len));
    return word;
}

static bool
fact_find(struct ern_slice name, enum ern_fact *ret_fact)
{
    for (unsigned f = 0; f < ERN_FACTS; f++) {
        if (slice_eq(slice_text(ern_fact_name((enum ern_fact)f)), name)) {
            *ret_fact = (enum ern_fact)f;
            return true;
        }
    }
    return false;
}

static int
put(struct reader *r, struct ern_slice bytes)
{
    if ((size_t)(r->end - r->at) < bytes.len)
        return wrong(r, "the requests are too long");
    if (bytes.len)
        memcpy(r->at, bytes.ptr, bytes.len);
    r->at += bytes.len;
    r->exchange->request.len += bytes.len;
    return 0;
}

/* The ETag that the name at the front of text stands for; *ret_n is the length of the name. */
static struct ern_slice
variable(const struct reader *r, struct ern_slice text, size_t *ret_n)
{
    const struct ern_slice etag = ERN_SLICE("$etag"), first = ERN_SLICE("$first");

    *ret_n = slice_starts(text, etag) ? etag.len : slice_starts(text, first) ? first.len : 0;
    if (*ret_n == first.len)
        return r->vector->exchange[0].resource.etag;
    return *ret_n ? r->exchange->resource.etag : ERN_ABSENT;
}

/* Puts a line of a request, with ETags in the place of their names. */
static int
put_line(struct reader *r, struct ern_slice line)
{
    while (line.len) {
        size_t n = slice_find(line, '$');
        struct ern_slice etag;

        if (put(r, slice_first(line, n)))
            return -1;
        line = slice_skip(line, n);
        etag = variable(r, line, &n);
        if (n && !slice_is_there(etag))
            return wrong(r, "there is no etag line");
        if (n == 0 && line.len) {
            n = 1;
            etag = slice_first(line, 1);
        }
        if (put(r, etag))
            return -1;
        line = slice_skip(line, n);
    }
    return put(r, ERN_SLICE("\r\n"));
}

/* The byte that the escape at the front of *text stands for; -1 if it is none. */
static int
unescape(struct ern_slice *text)
{
    static const char from[] = "rnt0\\\"", to[] = "\r\n\t\0\\\"";
    const char *found;
    int high, low;

    if (text->len < 2)
        return -1;
    found = memchr(from, text->ptr[1], sizeof from - 1);
    if (found) {
        *text = slice_skip(*text, 2);
        return (unsigned char)to[found - from];
    }
    if (text->ptr[1] != 'x' || text->len < 4)
        return -1;
    high = hex_value(text->ptr[2]);
    low = hex_value(text->ptr[3]);
    *text = slice_skip(*text, 4);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static int
put_escaped(struct reader *r, struct ern_slice text)
{
    while (text.len) {
        int byte = (unsigned char)text.ptr[0];
        char c;

        if (byte == '\\')
            byte = unescape(&text);
        else
            text = slice_skip(text, 1);
        if (byte < 0)
            return wrong(r, "no such escape");
        c = (char)byte;
        if (put(r, slice_from(&c, 1)))
            return -1;
    }
    return 0;
}

static int
begin_exchange(struct reader *r)
{
    struct vector *v = r->vector;

    if (v->exchanges_n == VECTOR_EXCHANGES_MAX)
        return wrong(r, "there are too many exchanges");
    r->exchange = &v->exchange[v->exchanges_n++];
    r->exchange->line = r->line;
    r->exchange->resource = r->resource;
    r->exchange->request = slice_from(r->at, 0);
    r->in_request = true;
    r->is_raw = r->has_content = false;
    return 0;
}

/* A request without content may leave out the empty line after its head. */
static int
end_request(struct reader *r)
{
    if (!r->in_request)
        return 0;
    r->in_request = false;
    return r->is_raw || r->has_content ? 0 : put(r, ERN_SLICE("\r\n"));
}

/* A line that begins with ">". */
static int
read_request(struct reader *r, struct ern_slice line)
{
    if (!r->in_request && begin_exchange(r))
        return -1;
    if (slice_starts(line, ERN_SLICE(">~ "))) { /* a pause: no matter here */
        r->is_raw = true;
        return 0;
    }
    if (slice_starts(line, ERN_SLICE(">> "))) {
        line = slice_trim(slice_skip(line, 3));
        if (line.len < 2 || line.ptr[0] != '"' || line.ptr[line.len - 1] != '"')
            return wrong(r, "a raw line stands in quotes");
        r->is_raw = true;
        return put_escaped(r, slice_from(line.ptr + 1, line.len - 2));
    }
    if (line.len > 1 && line.ptr[1] != ' ')
        return wrong(r, "a space stands after >");
    line = slice_skip(line, line.len > 1 ? 2 : 1);
    if (r->has_content)
        return put_escaped(r, line);
    if (line.len == 0)
        r->has_content = true;
    return put_line(r, line);
}

/* A line that begins with "<": the engine alone gives the status, not the fields. */
static int
read_answer(struct reader *r, struct ern_slice line)
{
    uint64_t status;

    if (!r->exchange || end_request(r))
        return wrong(r, "an answer stands behind its request");
    line = slice_trim(slice_skip(line, 1));
    if (u64_parse(line, 599, &status)) {
        if (status < 100 || r->exchange->statuses_n == VECTOR_STATUSES_MAX)
            return wrong(r, "no such status");
        r->exchange->status[r->exchange->statuses_n++] = (uint16_t)status;
        return 0;
    }
    if (r->exchange->statuses_n == 0)
        return wrong(r, "an answer begins with its status");
    if (!slice_starts(line, ERN_SLICE("body ")) && !slice_starts(line, ERN_SLICE("!")) &&
        slice_find(line, ':') == line.len)
        return wrong(r, "neither a status, nor a field, nor a body");
    return 0;
}

static int
read_facts(struct reader *r, struct ern_slice names, struct vector_facts *facts)
{
    facts->said = true;
    while (names.len) {
        enum ern_fact fact;

        if (!fact_find(word_next(&names), &fact))
            return wrong(r, "no such fact");
        facts->fact[facts->n++] = (uint8_t)fact;
    }
    return 0;
}

/* A line that begins with "!": what is to be true of the decision. */
static int
read_law(struct reader *r, struct ern_slice line)
{
    struct ern_slice word;

    if (!r->exchange || end_request(r))
        return wrong(r, "what is to be true stands behind its request");
    line = slice_trim(slice_skip(line, 1));
    word = word_next(&line);
    if (slice_eq(word, ERN_SLICE("not"))) /* a way of the server: the engine has none */
        return 0;
    if (slice_eq(word, ERN_SLICE("asks")))
        return read_facts(r, line, &r->exchange->asks);
    if (slice_eq(word, ERN_SLICE("never")))
        return read_facts(r, line, &r->exchange->never);
    if (!slice_eq(word, ERN_SLICE("rule")))
        return wrong(r, "neither rule, nor asks, nor never, nor not");
    if (!ern_rule_find(line))
        return wrong(r, "no such rule");
    r->exchange->rule = line;
    return 0;
}

/* fact NAME [later] yes, no or fail */
static int
read_fact(struct reader *r, struct ern_slice line)
{
    enum ern_fact fact;

    if (!fact_find(word_next(&line), &fact))
        return wrong(r, "no such fact");
    r->resource.later[fact] = slice_starts(line, ERN_SLICE("later "));
    if (r->resource.later[fact])
        (void)word_next(&line);
    if (slice_eq(line, ERN_SLICE("yes")))
        r->resource.answer[fact] = VECTOR_YES;
    else if (slice_eq(line, ERN_SLICE("no")))
        r->resource.answer[fact] = VECTOR_NO;
    else if (slice_eq(line, ERN_SLICE("fail")))
        r->resource.answer[fact] = VECTOR_FAIL;
    else
        return wrong(r, "a fact is yes, no or fail");
    return 0;
}

static int
read_limit(struct reader *r, struct ern_slice line)
{
    struct ern_slice name = word_next(&line);
    const struct limit_row *row;
    uint64_t value;

    for (unsigned i = 0; (row = limits_row(i)) != NULL; i++) {
        if (!slice_eq(row->name, name))
            continue;
        if (!u64_parse(line, INT64_MAX, &value) || (int64_t)value < row->min ||
            (int64_t)value > row->max)
            return wrong(r, "the limit is not a number within its bounds");
        *limits_at(&r->vector->limits, i) = (int64_t)value;
        return 0;
    }
    return wrong(r, "no such limit");
}

static int
read_number(struct reader *r, struct ern_slice line, uint64_t max, uint64_t *ret)
{
    return u64_parse(line, max, ret) ? 0 : wrong(r, "not a number, or too large");
}

/* A line that says what there is before the request comes. */
static int
read_setting(struct reader *r, struct ern_slice line)
{
    static const char *const of_server[] = {"file",   "dir",      "symlink", "size",   "fifo",
                                            "top",    "route",    "listen",  "portal", "hold",
                                            "change", "upstream", "forward", "program"};
    struct ern_slice word = word_next(&line);
    uint64_t number = 0;
    int error = 0;

    for (size_t i = 0; i < sizeof of_server / sizeof *of_server; i++)
        if (slice_eq(word, slice_text(of_server[i])))
            return 0;
    if (slice_eq(word, ERN_SLICE("config"))) {
        r->skips_config = true;
    } else if (slice_eq(word, ERN_SLICE("engine"))) {
        r->vector->engine_only = true;
    } else if (slice_eq(word, ERN_SLICE("fact"))) {
        error = read_fact(r, line);
    } else if (slice_eq(word, ERN_SLICE("limit"))) {
        error = read_limit(r, line);
    } else if (slice_eq(word, ERN_SLICE("etag"))) {
        r->resource.etag = slice_eq(line, ERN_SLICE("none")) ? ERN_ABSENT : line;
    } else if (slice_eq(word, ERN_SLICE("modified"))) {
        if (!date_parse(line, VECTOR_NOW_S, &r->resource.modified_s))
            error = wrong(r, "not a date");
    } else if (slice_eq(word, ERN_SLICE("length"))) {
        error = read_number(r, line, INT64_MAX, &number);
        r->resource.content_bytes = (int64_t)number;
    } else if (slice_eq(word, ERN_SLICE("relayed"))) {
        error = read_number(r, line, 599, &number);
        r->resource.relayed = (uint16_t)number;
    } else {
        error = wrong(r, "no such word");
    }
    return error;
}

static int
read_line(struct reader *r, struct ern_slice line)
{
    struct vector *v = r->vector;

    if (r->skips_config || line.len == 0) {
        r->skips_config = line.len != 0;
        return 0;
    }
    switch (line.ptr[0]) {
    case '#':
        if (!slice_is_there(v->about))
            v->about = slice_trim(slice_skip(line, 1));
        return 0;
    case '>':
        return read_request(r, line);
    case '<':
        return read_answer(r, line);
    case '!':
        return read_law(r, line);
    default:
        return read_setting(r, line);
    }
}

static int
check(struct reader *r)
{
    const struct vector *v = r->vector;

    if (v->exchanges_n == 0)
        return wrong(r, "there is no exchange");
    for (unsigned i = 0; i < v->exchanges_n; i++)
        if (v->exchange[i].statuses_n == 0 || !slice_is_there(v->exchange[i].rule))
            return wrong(r, "each exchange needs a status and a rule");
    return slice_is_there(v->about) ? 0 : wrong(r, "it does not say what it shows");
}

/* The whole file as the vector's text. */
static int
load(struct reader *r, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t cap = 1 << 20;

    if (!file)
        return wrong(r, "it can not be opened");
    r->vector->text = malloc(cap);
    if (r->vector->text)
        r->rest = slice_from(r->vector->text, fread(r->vector->text, 1, cap, file));
    (void)fclose(file);
    if (!r->vector->text || r->rest.len == cap)
        return wrong(r, "it is too long");
    cap = (r->rest.len + GROWTH) * 4;
    r->at = r->vector->requests = malloc(cap);
    r->end = r->at + cap;
    return r->at ? 0 : wrong(r, "there is no memory");
}

int
vector_read(struct vector *vector, const char *path)
{
    struct reader r = {
        .vector = vector, .resource = {.modified_s = -1, .content_bytes = -1}, .rest = ERN_ABSENT};

    *vector = (struct vector){.limits = limits_standard()};
    if (load(&r, path))
        return -1;
    while (r.rest.len) {
        struct ern_slice line = slice_first(r.rest, slice_find(r.rest, '\n'));

        r.line++;
        r.rest = slice_skip(r.rest, line.len < r.rest.len ? line.len + 1 : line.len);
        if (read_line(&r, line))
            return -1;
    }
    return check(&r);
}

void
vector_free(struct vector *vector)
{
    free(vector->text);
    free(vector->requests);
    vector->text = vector->requests = NULL;
}
