/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list. Its members stand in it in order, are trimmed and not empty; joined again they are the
 * same list. Their parameters, written again in quotes, are the same parameters.
 */
#include <stdlib.h>

#include "base/out.h"
#include "msg/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_parameters(struct ern_slice member)
{
    struct ern_slice rest = slice_skip(member, slice_find(member, ';')), name, value, again_name,
                     again_value;

    while (parameter_next(&rest, &name, &value)) {
        char buffer[4096];
        struct out o = out_init(buffer, sizeof buffer);
        struct ern_slice again;

        check(token_is(name));
        check(rest.ptr + rest.len == member.ptr + member.len);
        out_literal(&o, " ; ");
        out_slice(&o, name);
        if (slice_is_there(value)) {
            out_literal(&o, "=\"");
            out_slice(&o, value);
            out_char(&o, '"');
        }
        check(!o.full);
        again = out_done(&o);
        check(parameter_next(&again, &again_name, &again_value));
        check(slice_eq(name, again_name) && slice_eq(value, again_value));
        check(slice_is_there(value) == slice_is_there(again_value));
        check(parameter_same(value, again_value) && parameter_same_nocase(again_value, value));
        check(!parameter_next(&again, &again_name, &again_value) && again.len == 0);
    }
    again_name = rest;
    check(!parameter_next(&rest, &name, &value) && slice_eq(rest, again_name));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char buffer[8192];
    struct out o = out_init(buffer, sizeof buffer);
    struct ern_slice list = slice_from((const char *)data, size), rest = list, joined, member,
                     again;
    const char *at = list.ptr;

    if (size > 2048)
        return 0;
    while (list_next(&rest, &member)) {
        check(member.len > 0 && slice_trim(member).len == member.len);
        check(member.ptr >= at && member.ptr + member.len <= list.ptr + list.len);
        for (; at < member.ptr; at++) /* only white space and commas are passed over */
            check(*at == ' ' || *at == '\t' || *at == ',');
        at = member.ptr + member.len;
        if (o.len)
            out_literal(&o, " ,, ");
        out_slice(&o, member);
        check_parameters(member);
    }
    check(!o.full);
    joined = out_done(&o);
    rest = list;
    while (list_next(&joined, &again)) {
        check(list_next(&rest, &member));
        check(slice_eq(again, member));
    }
    check(!list_next(&rest, &member));
    return 0;
}
