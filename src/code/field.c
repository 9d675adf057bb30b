/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "earnest/message.h"

static const struct ern_slice names[ERN_FIELDS] = {
#define FIELD(name, id, kind, source) {name, sizeof name - 1},
#include "field.def"
#undef FIELD
};

enum { LENGTH_MAX = sizeof "Proxy-Authorization" - 1 };

/*
 * 1 + the last row whose name has this length; 0 if there is none. Rows stand in order of length,
 * so those of one length are neighbours, and each row overrides the one before it here.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint8_t last_of_length[LENGTH_MAX + 1] = {
#define FIELD(name, id, kind, source) [sizeof name - 1] = ERN_FIELD_##id + 1,
#include "field.def"
#undef FIELD
};
#pragma GCC diagnostic pop

enum ern_field_id
ern_field_find(struct ern_slice name)
{
    if (name.len > LENGTH_MAX)
        return ERN_FIELDS;
    for (unsigned i = last_of_length[name.len]; i > 0 && names[i - 1].len == name.len; i--)
        if (slice_eq_nocase(names[i - 1], name))
            return (enum ern_field_id)(i - 1);
    return ERN_FIELDS;
}

struct ern_slice
ern_field_name(enum ern_field_id id)
{
    return id < ERN_FIELDS ? names[id] : ERN_SLICE("?");
}
