/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - the keys of a configuration file: the table made from option.def and limits.def. */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/out.h"

/* CONF_top_workers, ...: the keys that have a value. */
enum conf_option {
#define SECTION(where, key, shape, what)
#define OPTION(where, key, type, standard, what) CONF_##where##_##key,
#include "conf/option.def"
#undef SECTION
#undef OPTION
    CONF_OPTIONS
};

enum { /* how many rows there are in all */
       OPTION_ROWS = 0
#define SECTION(where, key, shape, what) +1
#define OPTION(where, key, type, standard, what) +1
#include "conf/option.def"
#undef SECTION
#undef OPTION
#define LIMIT(name, unit, standard, min, max, rule, bounds) +1
#include "code/limits.def"
#undef LIMIT
};

/* Where a key stands. */
enum option_where {
    WHERE_top,
    WHERE_user,
    WHERE_issuer,
    WHERE_listen,
    WHERE_portal,  /* a listen, too */
    WHERE_forward, /* likewise: a proxy */
    WHERE_site,
    WHERE_route,
    WHERE_right,
    WHERE_files,    /* in a route with files */
    WHERE_redirect, /* in a route with redirect */
    WHERE_pot,      /* in a route with pot */
    WHERE_intake,   /* in a route with intake */
    WHERE_proxy,    /* in a route with proxy */
    WHERE_fastcgi,  /* in a route with fastcgi */
    WHERE_cgi,      /* in a route with cgi */
    WHERE_limit,
    WHERE_legal, /* a file of its own */
    WHERE_demand,
    WHERE_log,
    WHERE_limits,
};

enum option_type {
    TYPE_text,
    TYPE_list,
    TYPE_flag,
    TYPE_number,
    TYPE_size, /* bytes */
    TYPE_time, /* milliseconds */
    TYPE_choice,
    TYPE_status,
    TYPE_limit,
    TYPE_titled,
    TYPE_block,
};

struct option_key {
    enum option_where where;
    enum option_type type;
    unsigned id; /* an enum conf_option; of a limit its row in limits.def */
    size_t row;  /* below OPTION_ROWS */
    struct ern_slice key, standard, what;
};

/* The i-th key, from 0, limits last. Returns false past the last. */
bool option_row(size_t i, struct option_key *ret);

/* The section whose keys a key is one of: a route's for each kind, listen's for portal and forward.
 */
enum option_where option_section(enum option_where where);

/* What people call the place, as in "a route". */
struct ern_slice option_place(enum option_where where);

/*
 * Finds a key of a section; where it is both a value's and a section's, that of this shape.
 * Returns false if the section has no such key.
 */
bool option_find(enum option_where section, struct ern_slice key, bool is_section,
                 struct option_key *ret);

/* Does the key open a section? */
static inline bool
option_is_section(const struct option_key *row)
{
    return row->type == TYPE_titled || row->type == TYPE_block;
}

/* Finds a key in any section. */
bool option_find_anywhere(struct ern_slice key, struct option_key *ret);

/* The key of the section that was probably meant. Returns false if none is near. */
bool option_guess(enum option_where section, struct ern_slice key, struct option_key *ret);

/* Writes what `earnest check --keys` shows. */
void options_write(struct out *o);

#endif
