/* SPDX-License-Identifier: Apache-2.0 */
#include "code/finding.h"

#include <assert.h>

static const struct finding_row rows[FINDINGS] = {
#define FINDING(name, kind, source, english, bengali)                                              \
    {#name, FINDING_##kind, source, {english, sizeof english - 1}, {bengali, sizeof bengali - 1}},
#include "finding.def"
#undef FINDING
};

const struct finding_row *
finding_row(enum finding finding)
{
    assert(finding < FINDINGS);
    return &rows[finding];
}
