/* SPDX-License-Identifier: Apache-2.0 */
#include "earnest/status.h"

enum { CONTENT_NONE, CONTENT_MAY };

/* The place of each code among the rows. */
enum {
#define STATUS(code, id, phrase, kind, content, carry, cacheable, source) ROW_##code,
#include "status.def"
#undef STATUS
    ROWS
};

static const struct ern_status rows[ROWS] = {
#define NOTHING
#define CARRY(field) CARRY_(field)
#define CARRY_(field) (sizeof #field > 1 ? #field : NULL)
#define STATUS(code, id, phrase, kind, content, carry, cacheable, source)                          \
    {code,         ERN_##kind, ERN_##cacheable, CONTENT_##content, {phrase, sizeof phrase - 1},    \
     CARRY(carry), source},
#include "status.def"
#undef STATUS
#undef CARRY_
#undef CARRY
#undef NOTHING
};

/* 1 + the row of a code, at code - 100. */
static const uint8_t index_of[500] = {
#define STATUS(code, id, phrase, kind, content, carry, cacheable, source)                          \
    [(code)-100] = 1 + ROW_##code,
#include "status.def"
#undef STATUS
};

const struct ern_status *
ern_status_find(unsigned code)
{
    unsigned row = code >= 100 && code - 100 < sizeof index_of ? index_of[code - 100] : 0;

    return row ? &rows[row - 1] : NULL;
}

const struct ern_status *
ern_status_at(unsigned i)
{
    return i < ROWS ? &rows[i] : NULL;
}
