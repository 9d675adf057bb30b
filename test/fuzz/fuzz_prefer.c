/* SPDX-License-Identifier: Apache-2.0 */
/* A Prefer value. What is read is written and read again; members may stand on lines of their own.
 */
#include <stdlib.h>

#include "base/out.h"
#include "msg/list.h"
#include "msg/prefer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS_MAX = 64 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct prefer
read_lines(const struct ern_slice *lines, size_t n)
{
    struct ern_field fields[MEMBERS_MAX];
    struct ern_request r;

    ern_request_init(&r, fields, MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        check(ern_request_add(&r, ERN_SLICE("Prefer"), lines[i]));
    return prefer_read(&r);
}

static bool
same(const struct prefer *a, const struct prefer *b)
{
    return a->respond_async == b->respond_async && a->return_minimal == b->return_minimal &&
           a->return_representation == b->return_representation &&
           a->handling_strict == b->handling_strict && a->handling_lenient == b->handling_lenient &&
           a->wait_s == b->wait_s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice value = slice_from((const char *)data, size), members[MEMBERS_MAX], rest,
                     member;
    struct prefer prefer = read_lines(&value, 1), again;
    char buffer[128];
    struct out o = out_init(buffer, sizeof buffer);
    struct ern_slice written;
    size_t n = 0;

    check(!(prefer.return_minimal && prefer.return_representation));
    check(!(prefer.handling_strict && prefer.handling_lenient));
    check(prefer.wait_s >= -1 && prefer.wait_s <= INT32_MAX);
    prefer_write(&o, &prefer);
    check(!o.full);
    written = out_done(&o);
    again = read_lines(&written, 1);
    check(same(&prefer, &again));
    for (rest = value; n < MEMBERS_MAX && list_next(&rest, &member); n++)
        members[n] = member;
    if (n == MEMBERS_MAX)
        return 0;
    again = read_lines(members, n);
    check(same(&prefer, &again));
    return 0;
}
