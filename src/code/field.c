/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "earnest/message.h"

static const struct ern_slice names[ERN_FIELDS] = {
#define FIELD(name, id, kind, source) {name, sizeof name - 1},
#include "field.def"
#undef FIELD
};

enum { LENGTH_MAX = sizeof "Upload-Draft-Interop-Version" - 1 };

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

/*
 * Bytes of a registered name against the same ones of another: 0 if only the case is not the same.
 * This is the hottest comparison of all: every field of every request is looked up.
 */
static inline uint64_t
differ(const char *known, const char *other, size_t n)
{
    uint64_t a = 0;
    uint64_t b = 0;

    memcpy(&a, known, n);
    memcpy(&b, other, n);
    /* Registered names are letters, which have bit 6, and hyphens, which have no case. */
    return (a ^ b) & ~((a & 0x4040404040404040) >> 1);
}

static inline bool
same_name(const char *known, const char *other, size_t len)
{
    size_t i = 0;

    if (len < 4) {
        for (; i < len; i++)
            if (differ(known + i, other + i, 1))
                return false;
        return true;
    }
    if (len < 8)
        return (differ(known, other, 4) | differ(known + len - 4, other + len - 4, 4)) == 0;
    for (; i + 8 < len; i += 8)
        if (differ(known + i, other + i, 8))
            return false;
    return differ(known + len - 8, other + len - 8, 8) == 0;
}

enum ern_field_id
ern_field_find(struct ern_slice name)
{
    if (name.len > LENGTH_MAX)
        return ERN_FIELDS;
    for (unsigned i = last_of_length[name.len]; i > 0 && names[i - 1].len == name.len; i--)
        if (same_name(names[i - 1].ptr, name.ptr, name.len))
            return (enum ern_field_id)(i - 1);
    return ERN_FIELDS;
}

struct ern_slice
ern_field_name(enum ern_field_id id)
{
    return id < ERN_FIELDS ? names[id] : ERN_SLICE("?");
}
