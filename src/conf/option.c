/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/option.h"

#include "code/limits.h"

static const struct option_key rows[] = {
#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define SECTION(where, key, shape, what)                                                           \
    {WHERE_##where, TYPE_##shape, CONF_OPTIONS, 0, TEXT(#key), TEXT(""), TEXT(what)},
#define OPTION(where, key, type, standard, what)                                                   \
    {WHERE_##where, TYPE_##type, CONF_##where##_##key, 0, TEXT(#key), TEXT(standard), TEXT(what)},
#include "conf/option.def"
#undef SECTION
#undef OPTION
#undef TEXT
};

enum {
    ROWS = sizeof rows / sizeof *rows,
    KEY_MAX = 40, /* longer keys are not guessed at */
};

bool
option_row(size_t i, struct option_key *ret)
{
    const struct limit_row *limit;

    if (i < ROWS) {
        *ret = rows[i];
        ret->row = i;
        return true;
    }
    limit = limits_row((unsigned)(i - ROWS));
    if (!limit)
        return false;
    *ret = (struct option_key){WHERE_limits, TYPE_limit,  (unsigned)(i - ROWS), i,
                               limit->name,  limit->unit, limit->bounds};
    return true;
}

enum option_where
option_section(enum option_where where)
{
    if (where == WHERE_portal || where == WHERE_forward)
        return WHERE_listen;
    return where >= WHERE_files && where <= WHERE_cgi ? WHERE_route : where;
}

struct ern_slice
option_place(enum option_where where)
{
    switch (where) {
    case WHERE_top:
        return ERN_SLICE("the file itself");
    case WHERE_user:
        return ERN_SLICE("user");
    case WHERE_issuer:
        return ERN_SLICE("issuer");
    case WHERE_listen:
        return ERN_SLICE("listen");
    case WHERE_portal:
        return ERN_SLICE("portal");
    case WHERE_forward:
        return ERN_SLICE("forward");
    case WHERE_site:
        return ERN_SLICE("site");
    case WHERE_right:
        return ERN_SLICE("right");
    case WHERE_route:
        return ERN_SLICE("route");
    case WHERE_files:
        return ERN_SLICE("route with files");
    case WHERE_redirect:
        return ERN_SLICE("route with redirect");
    case WHERE_pot:
        return ERN_SLICE("route with pot");
    case WHERE_intake:
        return ERN_SLICE("route with intake");
    case WHERE_proxy:
        return ERN_SLICE("route with proxy");
    case WHERE_fastcgi:
        return ERN_SLICE("route with fastcgi");
    case WHERE_cgi:
        return ERN_SLICE("route with cgi");
    case WHERE_limit:
        return ERN_SLICE("limit");
    case WHERE_legal:
        return ERN_SLICE("a file of demands");
    case WHERE_demand:
        return ERN_SLICE("demand");
    case WHERE_log:
        return ERN_SLICE("log");
    case WHERE_limits:
        break;
    }
    return ERN_SLICE("limits");
}

bool
option_find(enum option_where section, struct ern_slice key, bool is_section,
            struct option_key *ret)
{
    struct option_key row;
    bool found = false;

    for (size_t i = 0; option_row(i, &row); i++) {
        if (option_section(row.where) != section || !slice_eq(row.key, key))
            continue;
        *ret = row;
        found = true;
        if (option_is_section(&row) == is_section)
            break;
    }
    return found;
}

bool
option_find_anywhere(struct ern_slice key, struct option_key *ret)
{
    for (size_t i = 0; option_row(i, ret); i++)
        if (slice_eq(ret->key, key))
            return true;
    return false;
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, left out, put in, or swapped with their neighbour. */
static unsigned
distance(struct ern_slice a, struct ern_slice b)
{
    unsigned row[3][KEY_MAX + 1]; /* of the letters before the last, the last, and this one */

    for (unsigned j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);

            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && lower(a.ptr[i - 2]) == y)
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[a.len % 3][b.len];
}

bool
option_guess(enum option_where section, struct ern_slice key, struct option_key *ret)
{
    unsigned nearest = key.len < 6 ? 3 : (unsigned)least((unsigned)key.len, KEY_MAX) / 3 + 1;
    struct option_key row;
    bool found = false;

    if (key.len > KEY_MAX)
        return false;
    for (size_t i = 0; option_row(i, &row); i++) {
        unsigned far;

        if (option_section(row.where) != section || row.key.len > KEY_MAX)
            continue;
        far = distance(key, row.key);
        if (far >= nearest || far >= row.key.len)
            continue;
        nearest = far;
        *ret = row;
        found = true;
    }
    return found;
}

static void
out_padded(struct out *o, struct ern_slice text, size_t width)
{
    out_slice(o, text);
    for (size_t i = text.len; i < width; i++)
        out_char(o, ' ');
}

static struct ern_slice
type_text(const struct option_key *row)
{
    static const char *const names[] = {
        [TYPE_text] = "text",
        [TYPE_list] = "{ text, ... }",
        [TYPE_flag] = "true or false",
        [TYPE_number] = "number",
        [TYPE_size] = "size",
        [TYPE_time] = "time",
        [TYPE_choice] = "",
        [TYPE_status] = "",
        [TYPE_limit] = "",
        [TYPE_titled] = "",
        [TYPE_block] = "",
    };

    if (row->type == TYPE_choice || row->type == TYPE_status || row->type == TYPE_limit)
        return row->standard;
    return slice_text(names[row->type]);
}

/* Writes what a row's default is, if it has one. */
static void
write_standard(struct out *o, const struct option_key *row)
{
    struct ern_slice standard = row->standard;

    if (row->type == TYPE_limit) {
        const struct limit_row *limit = limits_row(row->id);

        out_literal(o, " (default ");
        out_u64(o, (uint64_t)limit->standard);
        out_literal(o, ", from ");
        out_u64(o, (uint64_t)limit->min);
        out_literal(o, " to ");
        out_u64(o, (uint64_t)limit->max);
        out_char(o, ')');
    } else if (standard.len) {
        out_literal(o, " (default ");
        out_slice(o, slice_first(standard, slice_find(standard, '|')));
        out_char(o, ')');
    }
}

void
options_write(struct out *o)
{
    struct option_key row;

    for (unsigned where = WHERE_top; where <= WHERE_limits; where++) {
        out_text(o, where ? "\nIn " : "In ");
        out_slice(o, option_place(where));
        out_literal(o, ":\n");
        for (size_t i = 0; option_row(i, &row); i++) {
            if (row.where != where)
                continue;
            out_literal(o, "  ");
            if (option_is_section(&row)) {
                out_slice(o, row.key);
                out_padded(o,
                           row.type == TYPE_titled ? ERN_SLICE(" \"...\" { }") : ERN_SLICE(" { }"),
                           46 - row.key.len);
            } else {
                out_padded(o, row.key, 28);
                out_padded(o, type_text(&row), 18);
            }
            out_literal(o, "  ");
            out_slice(o, row.what);
            write_standard(o, &row);
            out_char(o, '\n');
        }
    }
}
