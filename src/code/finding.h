/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODE_FINDING_H
#define CODE_FINDING_H

#include "earnest/slice.h"

/* FINDING_bare_cr and so on: what is wrong with a message; FINDING_none if nothing is. */
enum finding {
#define FINDING(name, kind, source, english, bengali) FINDING_##name,
#include "finding.def"
#undef FINDING
    FINDINGS
};

enum finding_kind {
    FINDING_NONE,
    FINDING_MALFORMED,
    FINDING_VERSION,   /* well-formed, of a version that is not spoken */
    FINDING_TOO_LONG,  /* the request target */
    FINDING_TOO_LARGE, /* the fields */
    FINDING_CODING,    /* an unknown transfer coding */
    FINDING_TIMED_OUT,
    FINDING_IGNORED, /* what it is in counts as not there, and the request goes on */
};

struct finding_row {
    const char *name;
    enum finding_kind kind;
    const char *source;
    struct ern_slice english, bengali; /* one sentence for people */
};

const struct finding_row *finding_row(enum finding finding);

#endif
