/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "earnest/message.h"

static const struct {
    struct ern_slice name;
    bool safe, idempotent;
} rows[ERN_METHODS] = {
#define YES true
#define NO false
#define METHOD(name, id, safe, idempotent, source) {{name, sizeof name - 1}, safe, idempotent},
#include "method.def"
#undef METHOD
#undef NO
#undef YES
};

struct ern_slice
ern_method_name(enum ern_method method)
{
    return method < ERN_METHODS ? rows[method].name : ERN_SLICE("?");
}

bool
ern_method_is_safe(enum ern_method method)
{
    return method < ERN_METHODS && rows[method].safe;
}

bool
ern_method_is_idempotent(enum ern_method method)
{
    return method < ERN_METHODS && rows[method].idempotent;
}

enum ern_method
ern_method_find(struct ern_slice name)
{
    unsigned m = 0;

    while (m < ERN_METHODS && !slice_eq(rows[m].name, name))
        m++;
    return (enum ern_method)m;
}
