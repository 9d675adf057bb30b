/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_forwarded.c - lines of Forwarded, or after an X of X-Forwarded-For. The client is the one
 * that is found by reading each member by itself and walking them from the right. A member on a
 * line of its own, and another trusted gateway, change nothing; a stranger to the right hides all.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "msg/forwarded.h"
#include "msg/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, MEMBERS_MAX = 64 };

struct text { /* lines of one field */
    struct ern_slice name;
    struct ern_slice line[MEMBERS_MAX + 1];
    uint16_t n;
};

static char memory[INPUT_MAX];

static struct networks
trusted(void)
{
    static struct network list[2];

    assert(network_parse(ERN_SLICE("10.0.0.0/8"), &list[0]));
    assert(network_parse(ERN_SLICE("fd00::/8"), &list[1]));
    return (struct networks){list, 2};
}

/* What was escaped is in memory until the next call. */
static struct forwarded
read_lines(const struct text *text)
{
    struct ern_field fields[MEMBERS_MAX + 1];
    struct out o = out_init(memory, sizeof memory);
    const struct networks networks = trusted();
    struct ern_request r;
    struct forwarded f;

    ern_request_init(&r, fields, MEMBERS_MAX + 1);
    for (uint16_t i = 0; i < text->n; i++)
        assert(ern_request_add(&r, text->name, text->line[i]));
    f = forwarded_read(&r, &networks.network[0].first, &networks,
                       text->name.ptr[0] == 'X' ? FORWARDED_BY_X_FIELDS : FORWARDED_BY_FORWARDED,
                       &o);
    assert(!o.full);
    if (f.finding)
        assert(finding_row(f.finding)->kind == FINDING_IGNORED &&
               f.client.kind == FORWARDED_NOT_SAID && !slice_is_there(f.proto) &&
               !slice_is_there(f.host));
    return f;
}

static bool
same_node(const struct forwarded_node *a, const struct forwarded_node *b)
{
    return a->kind == b->kind && a->text.len == b->text.len && a->address.port == b->address.port &&
           memcmp(&a->address.ip, &b->address.ip, sizeof a->address.ip) == 0;
}

static void
check_same(const struct forwarded *a, const struct forwarded *b)
{
    assert(a->finding == b->finding && same_node(&a->client, &b->client));
    assert(a->proto.len == b->proto.len && a->host.len == b->host.len);
    assert(slice_is_there(a->proto) == slice_is_there(b->proto));
    assert(slice_is_there(a->host) == slice_is_there(b->host));
}

/* members: one a line, none malformed. Walks them as the specification tells it. */
static void
check_walk(const struct text *members, const struct forwarded *f)
{
    const struct networks networks = trusted();

    for (uint16_t i = members->n; i-- > 0;) {
        const struct text one = {members->name, {members->line[i]}, 1};
        struct forwarded element = read_lines(&one);

        assert(element.finding == FINDING_none);
        if (i > 0 && element.client.kind == FORWARDED_ADDRESS &&
            networks_have(&networks, &element.client.address.ip))
            continue;
        check_same(&element, f);
        return;
    }
    assert(f->client.kind == FORWARDED_NOT_SAID);
}

/* Another member to the right: a gateway, and then a stranger. */
static void
check_right(struct text *members, const struct forwarded *f, bool is_older)
{
    struct forwarded more;

    members->line[members->n++] = is_older ? ERN_SLICE("10.1.2.3") : ERN_SLICE("for=10.1.2.3");
    if (members->n > 1) {
        more = read_lines(members);
        check_same(&more, f);
    }
    members->line[members->n - 1] = is_older ? ERN_SLICE("192.0.2.1") : ERN_SLICE("for=192.0.2.1");
    more = read_lines(members);
    assert(slice_eq(more.client.text, ERN_SLICE("192.0.2.1")));
    assert(!slice_is_there(more.proto) && !slice_is_there(more.host));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice rest = slice_from((const char *)data, size), line, member;
    bool is_older = size > 0 && data[0] == 'X';
    struct text lines = {
        is_older ? ERN_SLICE("X-Forwarded-For") : ERN_SLICE("Forwarded"), {{0}}, 0};
    struct text members = lines;
    struct forwarded f, again;

    if (size > INPUT_MAX)
        return 0;
    if (is_older)
        rest = slice_skip(rest, 1);
    while (rest.len) {
        size_t n = slice_find(rest, '\n');

        if (lines.n == MEMBERS_MAX)
            return 0;
        line = slice_trim(slice_first(rest, n));
        rest = slice_skip(rest, n < rest.len ? n + 1 : n);
        lines.line[lines.n++] = line;
        while (list_next(&line, &member)) {
            if (members.n == MEMBERS_MAX)
                return 0;
            members.line[members.n++] = member;
        }
    }
    f = read_lines(&lines);
    if (members.n) {
        again = read_lines(&members);
        check_same(&again, &f);
    }
    if (f.finding)
        return 0;
    check_walk(&members, &f);
    check_right(&members, &f, is_older);
    return 0;
}
