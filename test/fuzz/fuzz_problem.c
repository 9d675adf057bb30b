/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_problem.c - problem details with texts that strangers choose are one line of valid JSON
 * (RFC 8259), in UTF-8, with the members that were asked for and no others; and where there is less
 * room than they need, that is said.
 *
 * Input: two bytes that say which members are there, eight of numbers, then the texts, each after a
 * byte with its length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/chars.h"
#include "base/num.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "msg/problem.h"

enum { MEMORY = 1 << 15, DEPTH_MAX = 2 };

static void
must(bool right)
{
    if (!right)
        abort();
}

/* A strict reader of JSON: takes a value off the front of *in and counts members by depth. */
struct json {
    struct ern_slice in;
    unsigned members[DEPTH_MAX + 1];
};

static char
take(struct json *json)
{
    char c;

    must(json->in.len > 0);
    c = json->in.ptr[0];
    json->in = slice_skip(json->in, 1);
    return c;
}

static bool
take_if(struct json *json, char c)
{
    if (json->in.len == 0 || json->in.ptr[0] != c)
        return false;
    (void)take(json);
    return true;
}

static void
take_string(struct json *json)
{
    must(take(json) == '"');
    for (;;) {
        unsigned char c = (unsigned char)take(json);

        if (c == '"')
            return;
        must(c >= 0x20);
        if (c != '\\')
            continue;
        c = (unsigned char)take(json);
        must(c != 0 && strchr("\"\\/bfnrtu", c));
        for (int i = 0; c == 'u' && i < 4; i++)
            must(hex_value(take(json)) >= 0);
    }
}

static void
take_number(struct json *json)
{
    (void)take_if(json, '-');
    if (take_if(json, '0')) {
        must(json->in.len == 0 || !char_is(json->in.ptr[0], CHAR_DIGIT));
        return;
    }
    must(char_is(take(json), CHAR_DIGIT));
    while (json->in.len && char_is(json->in.ptr[0], CHAR_DIGIT))
        (void)take(json);
}

static void
take_word(struct json *json, struct ern_slice word)
{
    must(slice_starts(json->in, word));
    json->in = slice_skip(json->in, word.len);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static void
take_object(struct json *json, unsigned depth)
{
    must(depth <= DEPTH_MAX);
    must(take(json) == '{');
    if (take_if(json, '}'))
        return;
    do {
        take_string(json);
        must(take(json) == ':');
        json->members[depth]++;
        must(json->in.len > 0);
        switch (json->in.ptr[0]) {
        case '{':
            take_object(json, depth + 1);
            break;
        case '"':
            take_string(json);
            break;
        case 't':
            take_word(json, ERN_SLICE("true"));
            break;
        case 'f':
            take_word(json, ERN_SLICE("false"));
            break;
        default:
            take_number(json);
        }
    } while (take_if(json, ','));
    must(take(json) == '}');
}

/* The next text of the input if the lowest bit of *bits says that there is one. */
static struct ern_slice
next_text(struct ern_slice *in, unsigned *bits)
{
    struct ern_slice text = ERN_SLICE("");
    bool there = *bits & 1;

    *bits >>= 1;
    if (!there)
        return ERN_ABSENT;
    if (in->len) {
        size_t n = (unsigned char)in->ptr[0];

        *in = slice_skip(*in, 1);
        text = slice_first(*in, n < in->len ? n : in->len);
        *in = slice_skip(*in, text.len);
    }
    return text;
}

static void
try_problem(const struct problem *problem)
{
    static char memory[MEMORY];
    struct out o = out_init(memory, sizeof memory);
    bool fact = slice_is_there(problem->fact), limit = slice_is_there(problem->limit);
    struct json json;
    unsigned members = 1;

    problem_write(&o, problem, NULL, NULL);
    must(!o.full);
    must(utf8_is(out_done(&o)));
    for (size_t i = 0; i < o.len; i++)
        must((unsigned char)memory[i] >= 0x20);
    json = (struct json){.in = out_done(&o)};
    take_object(&json, 0);
    must(json.in.len == 0);
    members += slice_is_there(problem->type) + slice_is_there(problem->title);
    members += slice_is_there(problem->detail) + slice_is_there(problem->instance);
    members += slice_is_there(problem->rule) + slice_is_there(problem->source);
    members += (unsigned)fact + (unsigned)limit + (problem->offset >= 0);
    must(json.members[0] == members);
    must(json.members[1] ==
         (fact ? 2u + slice_is_there(problem->question) : 0u) + (limit ? 2u : 0u));
    must(json.members[2] == 0);
    for (size_t cap = o.len; cap > 0 && cap + 9 > o.len; cap--) {
        char *less = malloc(cap);
        struct out l = out_init(less, cap);

        must(less != NULL);
        problem_write(&l, problem, NULL, NULL);
        must(l.full == (cap < o.len));
        must(memcmp(less, memory, l.len) == 0);
        free(less);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice in = slice_from((const char *)data, size);
    struct problem problem = {.offset = -1};
    unsigned bits;

    if (size < 10 || size > MEMORY / 8)
        return 0;
    bits = data[0] | (unsigned)data[1] << 8;
    memcpy(&problem.limit_value, data + 2, sizeof problem.limit_value);
    problem.status = (uint16_t)problem.limit_value;
    in = slice_skip(in, 10);
    problem.type = next_text(&in, &bits);
    problem.title = next_text(&in, &bits);
    problem.detail = next_text(&in, &bits);
    problem.instance = next_text(&in, &bits);
    problem.rule = next_text(&in, &bits);
    problem.source = next_text(&in, &bits);
    problem.fact = next_text(&in, &bits);
    problem.question = next_text(&in, &bits);
    problem.limit = next_text(&in, &bits);
    problem.answer = bits & 1;
    if (bits & 2)
        problem.offset = problem.limit_value;
    try_problem(&problem);
    return 0;
}
