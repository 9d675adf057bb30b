/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line with a type, a language or a coding, then a field value. The quality is a quality, and it
 * is the same when the members stand in reverse order, on lines of their own, or in capitals.
 */
#include <stdlib.h>

#include "base/out.h"
#include "msg/accept.h"
#include "msg/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS_MAX = 32, TEXT_MAX = 1024 };

typedef unsigned accept_function(const struct ern_request *request, struct ern_slice what);

static const struct {
    accept_function *accept;
    struct ern_slice field;
} kinds[] = {
    {accept_type, {"Accept", 6}},
    {accept_coding, {"Accept-Encoding", 15}},
    {accept_language, {"Accept-Language", 15}},
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static unsigned
ask(size_t kind, struct ern_slice what, const struct ern_slice *lines, size_t n)
{
    struct ern_field fields[MEMBERS_MAX];
    struct ern_request r;
    unsigned quality;

    ern_request_init(&r, fields, MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        check(ern_request_add(&r, kinds[kind].field, lines[i]));
    quality = kinds[kind].accept(&r, what);
    check(quality <= 1000);
    return quality;
}

static struct ern_slice
in_capitals(struct ern_slice text, char *buffer)
{
    for (size_t i = 0; i < text.len; i++)
        buffer[i] =
            text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 32) : text.ptr[i];
    return slice_from(buffer, text.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = slice_from((const char *)data, size), what, value, rest, member;
    struct ern_slice members[MEMBERS_MAX], reversed[MEMBERS_MAX];
    char capitals[2][TEXT_MAX];
    size_t n = 0;

    if (size > TEXT_MAX)
        return 0;
    what = slice_first(text, slice_find(text, '\n'));
    value = what.len < text.len ? slice_skip(text, what.len + 1) : ERN_SLICE("");
    for (rest = value; n < MEMBERS_MAX && list_next(&rest, &member); n++)
        members[n] = member;
    if (n == 0 || n == MEMBERS_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        reversed[i] = members[n - 1 - i];
    for (size_t kind = 0; kind < 3; kind++) {
        unsigned quality = ask(kind, what, &value, 1);
        struct ern_slice loud = in_capitals(value, capitals[0]);

        check(ask(kind, what, members, n) == quality);
        check(ask(kind, what, reversed, n) == quality);
        check(ask(kind, in_capitals(what, capitals[1]), &loud, 1) == quality);
        check(ask(kind, what, NULL, 0) == 1000);
    }
    return 0;
}
