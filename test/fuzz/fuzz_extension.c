/* SPDX-License-Identifier: Apache-2.0 */
/* A declaration of an extension. What is read lies in the text, and reads the same when it is
 * written in its plainest form. */
#include <stdlib.h>

#include "base/out.h"
#include "msg/extension.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
lies_in(struct ern_slice part, struct ern_slice whole)
{
    return !slice_is_there(part) ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = slice_from((const char *)data, size), value;
    struct extension e, again;
    struct ern_field fields[1];
    struct ern_request r;
    char buffer[4096];
    struct out o = out_init(buffer, sizeof buffer);

    if (!extension_read(text, &e))
        return 0;
    check(lies_in(e.id, text) && lies_in(e.prefix, text) && e.id.len > 0);
    out_char(&o, '"');
    out_slice(&o, e.id);
    out_char(&o, '"');
    if (slice_is_there(e.prefix)) {
        out_literal(&o, ";ns=");
        out_slice(&o, e.prefix);
    }
    if (o.full)
        return 0;
    check(extension_read(out_done(&o), &again));
    check(slice_eq(e.id, again.id) && slice_eq(e.prefix, again.prefix));
    ern_request_init(&r, fields, 1);
    o = out_init(buffer, sizeof buffer);
    out_slice(&o, e.prefix);
    out_literal(&o, "-A");
    check(o.full || ern_request_add(&r, out_done(&o), ERN_SLICE("v")));
    check(o.full || extension_field(&r, &e, ERN_SLICE("a"), &value) == slice_is_there(e.prefix));
    return 0;
}
