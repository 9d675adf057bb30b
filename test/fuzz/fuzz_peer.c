/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_peer.c - the input is three lines and what follows them: a path, a query, a media type and
 * content. What a path names lies in it; a query makes whole field lines or none, none of them
 * ours; a status is one that can be asked for; and whatever comes back of a request is JSON.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/json_nul.h"
#include "msg/list.h"
#include "res/peer_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, ARENA_BYTES = 65536, FIELDS = 8 };

static struct ern_slice
next_line(struct ern_slice *input)
{
    size_t end = slice_find(*input, '\n');
    struct ern_slice line = slice_first(*input, end);

    *input = slice_skip(*input, end < input->len ? end + 1 : end);
    return line;
}

static void
check_path(struct ern_slice path)
{
    struct peer_call call;
    uint64_t status;

    if (!peer_find(path, &call)) {
        assert(!call.row);
        return;
    }
    for (unsigned i = 0; i < PEER_TEXTS; i++)
        if (slice_is_there(call.text[i]))
            assert(call.text[i].ptr >= path.ptr && call.text[i].len > 0 &&
                   call.text[i].ptr + call.text[i].len <= path.ptr + path.len &&
                   slice_find(call.text[i], '/') == call.text[i].len);
    if (call.row->act == PEER_status) {
        status = peer_choose_status(call.text[0], path.len * 7919);
        assert(status == 0 || peer_can_be_asked(status));
    }
    if (call.row->act == PEER_sequence) {
        status = peer_status_of_turn(call.text[0], path.len % 7);
        assert(status == 0 || peer_can_be_asked(status));
    }
}

/* Each line is a name that is a token, a colon and a value, and ends where it says. */
static void
check_lines(struct ern_slice lines, bool cookies)
{
    while (lines.len) {
        size_t colon = slice_find(lines, ':'), end = slice_find(lines, '\r');
        struct ern_slice name;

        assert(colon < end && end + 1 < lines.len && lines.ptr[end + 1] == '\n');
        name = slice_first(lines, colon);
        assert(token_is(name));
        assert(!cookies || slice_eq(name, ERN_SLICE("Set-Cookie")));
        assert(!slice_eq_nocase(name, ERN_SLICE("Content-Length")));
        assert(!slice_eq_nocase(name, ERN_SLICE("Transfer-Encoding")));
        assert(slice_find(slice_first(lines, end), '\n') == end);
        assert(slice_find(slice_first(lines, end), '\0') == end);
        lines = slice_skip(lines, end + 2);
    }
}

static void
check_query(struct ern_slice query, char *memory)
{
    struct out o = out_init(memory, ARENA_BYTES);
    uint64_t value = 5;

    if (peer_write_fields(&o, query))
        check_lines(out_done(&o), false);
    o = out_init(memory, ARENA_BYTES);
    peer_write_cookie(&o, query, query, query, query.len % 2);
    if (!o.full)
        check_lines(out_done(&o), true);
    if (peer_number(query, ERN_SLICE("n"), 100, &value))
        assert(value <= 100);
    value = 5;
    if (peer_time(query, ERN_SLICE("s"), 1000, &value))
        assert(value <= 1000);
}

static void
check_echo(struct ern_slice query, struct ern_slice type, struct ern_slice content, char *memory)
{
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct arena arena;
    struct res_request res = {
        .query = query, .path = ERN_SLICE("/post"), .below = ERN_SLICE("/post")};
    struct ern_decision d = {.self = &res, .request = &request};
    struct limits limits = limits_standard();
    struct ern_slice text;
    json_t *json;

    arena_init(&arena, memory, ARENA_BYTES);
    res.arena = &arena;
    res.limits = &limits;
    res.peer.any.sa_family = AF_INET;
    res.sink.bytes = (char *)(uintptr_t)content.ptr;
    res.sink.len = content.len;
    ern_request_init(&request, fields, FIELDS);
    ern_request_method(&request, ERN_SLICE("POST"));
    request.target = query;
    request.authority = ERN_SLICE("a.example");
    (void)!ern_request_add(&request, ERN_SLICE("Content-Type"), type);
    (void)!ern_request_add(&request, ERN_SLICE("Cookie"), query);
    text = peer_echo(&d, SHOW_ANY | SHOW_AGENT, ERN_SLICE(""));
    assert(slice_is_there(text));
    json = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    assert(json_is_object(json) || json_has_nul(text));
    json_decref(json);
    free(res.held);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[ARENA_BYTES];
    struct ern_slice input = slice_from((const char *)data, size), path, query, type;

    if (size > INPUT_MAX)
        return 0;
    path = next_line(&input);
    query = next_line(&input);
    type = next_line(&input);
    check_path(path);
    check_query(query, memory);
    check_echo(query, type, input, memory);
    return 0;
}
