/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/vary.h"

#include "base/slice.h"
#include "msg/list.h"

enum { SORTED_MAX = 16 /* members that are put in order; of more the order stays */ };

struct members {
    struct ern_slice member[SORTED_MAX];
    unsigned n; /* SORTED_MAX + 1: there are more */
};

static bool
is_preference(struct ern_slice name)
{
    return slice_eq_nocase(name, ERN_SLICE("Accept-Encoding")) ||
           slice_eq_nocase(name, ERN_SLICE("Accept-Language"));
}

/* In lower case, and without white space: ";q=1" and "; q=1" say the same. */
static void
write_folded(struct out *o, struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t')
            out_char(o, lower(text.ptr[i]));
}

static int
compare(struct ern_slice a, struct ern_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)lower(a.ptr[i]);
        unsigned char y = (unsigned char)lower(b.ptr[i]);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static void
insert(struct members *m, struct ern_slice member)
{
    unsigned at = m->n;

    if (m->n >= SORTED_MAX) {
        m->n = SORTED_MAX + 1;
        return;
    }
    for (; at > 0 && compare(member, m->member[at - 1]) < 0; at--)
        m->member[at] = m->member[at - 1];
    m->member[at] = member;
    m->n++;
}

/* Does the field of the request have this name? */
static bool
has_name(const struct ern_request *r, unsigned i, struct ern_slice name)
{
    return slice_eq_nocase(r->fields[i].name, name);
}

/* Is there such a field? One that is empty says something else than none. */
static bool
is_said(const struct ern_request *r, struct ern_slice name)
{
    for (unsigned i = 0; i < r->fields_n; i++)
        if (has_name(r, i, name))
            return true;
    return false;
}

/* Writes the members in order; false if there are too many. */
static bool
write_sorted(const struct ern_request *r, struct ern_slice name, struct out *o)
{
    struct members all = {.n = 0};

    for (unsigned i = 0; i < r->fields_n; i++) {
        struct ern_slice line = r->fields[i].value, member;

        while (has_name(r, i, name) && list_next(&line, &member))
            insert(&all, member);
    }
    for (unsigned i = 0; i < all.n && all.n <= SORTED_MAX; i++) {
        write_folded(o, all.member[i]);
        out_char(o, ',');
    }
    return all.n <= SORTED_MAX;
}

static void
write_joined(const struct ern_request *r, struct ern_slice name, struct out *o)
{
    for (unsigned i = 0; i < r->fields_n; i++) {
        struct ern_slice line = r->fields[i].value, member;

        while (has_name(r, i, name) && list_next(&line, &member)) {
            out_slice(o, member);
            out_char(o, ',');
        }
    }
}

void
vary_write(const struct ern_request *r, struct ern_slice names, struct out *o)
{
    struct ern_slice name;

    while (list_next(&names, &name)) {
        /* No field has a line end in it: neither a name nor a member is taken for another. */
        out_char(o, '\n');
        if (is_said(r, name))
            out_char(o, ':');
        if (slice_eq(name, ERN_SLICE("*")))
            out_char(o, '\r');
        else if (!is_preference(name) || !write_sorted(r, name, o))
            write_joined(r, name, o);
    }
}
