/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - turns the text of an option into its value, where struct conf has it. */
#include "conf/make.h"

#include <assert.h>

#include "base/num.h"
#include "code/limits.h"
#include "conf/value.h"
#include "earnest/status.h"

enum { NUMBER_MAX = 1000000 };

#define OWNER_top struct conf
#define OWNER_user struct conf_user
#define OWNER_issuer struct conf_issuer
#define OWNER_listen struct conf_listen
#define OWNER_portal struct conf_listen
#define OWNER_forward struct conf_listen
#define OWNER_site struct conf_site
#define OWNER_right struct conf_right
#define OWNER_route struct conf_route
#define OWNER_files struct conf_route
#define OWNER_redirect struct conf_route
#define OWNER_pot struct conf_route
#define OWNER_intake struct conf_route
#define OWNER_proxy struct conf_route
#define OWNER_fastcgi struct conf_route
#define OWNER_cgi struct conf_route
#define OWNER_limit struct conf_limit
#define OWNER_demand struct conf_demand
#define OWNER_log struct conf_log

/* Where in its owner an option is. */
static const size_t offsets[CONF_OPTIONS] = {
#define SECTION(where, key, shape, what)
#define OPTION(where, key, type, standard, what)                                                   \
    [CONF_##where##_##key] = offsetof(OWNER_##where, key),
#include "conf/option.def"
#undef SECTION
#undef OPTION
};

static void
not_one(struct maker *m, const struct option_key *row, const struct text_value *value,
        const char *mend)
{
    conf_wrong(
        m->errors, value->at,
        CONF_SAY("\"%1\" is not what \"%2\" takes", mend, value->text, row->key, row->standard));
}

bool
make_is_text(struct maker *m, struct ern_slice key, struct ern_slice text, struct conf_position at)
{
    if (text.len == 0)
        conf_wrong(
            m->errors, at,
            CONF_SAY("the text of \"%1\" is empty", "write something between the quotes", key));
    else if (!value_is_clean(text))
        conf_wrong(m->errors, at,
                   CONF_SAY("the text of \"%1\" holds a control character", "leave it out", key));
    else
        return true;
    return false;
}

static void
store_list(struct maker *m, const struct option_key *row, const struct text_node *node,
           struct conf_texts *ret)
{
    struct conf_texts texts = {NULL, NULL, 0};
    size_t n = 0;

    for (const struct text_value *value = node->values; value; value = value->next)
        n++;
    *ret = texts;
    if (n == 0)
        return;
    texts.text = memory_take(&m->memory, n, sizeof *texts.text);
    texts.at = memory_take(&m->memory, n, sizeof *texts.at);
    if (!texts.text || !texts.at)
        return;
    for (const struct text_value *value = node->values; value; value = value->next) {
        if (!make_is_text(m, row->key, value->text, value->at))
            continue;
        texts.text[texts.n] = memory_copy(&m->memory, value->text);
        texts.at[texts.n++] = value->at;
    }
    *ret = texts;
}

static void
store_status(struct maker *m, const struct option_key *row, const struct text_value *value,
             uint16_t *ret)
{
    unsigned choice;
    uint64_t code;
    bool number = u64_parse(value->text, UINT16_MAX, &code);

    if (number && value_choice(value->text, row->standard, &choice))
        *ret = (uint16_t)code;
    else if (number && code == ERN_306_UNUSED_306)
        conf_wrong(m->errors, value->at,
                   CONF_SAY("%1 is reserved and has no meaning (RFC 9110 15.4.7)",
                            "write one of &2", value->text, row->standard));
    else
        conf_wrong(m->errors, value->at,
                   CONF_SAY("\"%1\" is not the status of a redirect", "write one of &2",
                            value->text, row->standard));
}

static void
store_limit(struct maker *m, const struct option_key *row, const struct text_value *value)
{
    const struct limit_row *limit = limits_row(row->id);
    char text[64];
    struct out o = out_init(text, sizeof text);
    int64_t n;

    if (value_quantity(value->text, limit->unit, &n) && n >= limit->min && n <= limit->max) {
        *limits_at(&m->conf->limits, row->id) = n;
        return;
    }
    out_u64(&o, (uint64_t)limit->min);
    out_literal(&o, " to ");
    out_u64(&o, (uint64_t)limit->max);
    conf_wrong(m->errors, value->at,
               CONF_SAY("\"%1\" is not what \"%2\" takes",
                        slice_eq(limit->unit, ERN_SLICE("ms"))
                            ? "write a time, as in 500ms, 10s or 1h; in ms it is from %3"
                        : slice_eq(limit->unit, ERN_SLICE("s"))
                            ? "write a time, as in 10s, 1h or 30d; in s it is from %3"
                        : slice_starts(limit->unit, ERN_SLICE("bytes"))
                            ? "write a size, as in 64K, 1M or 10G; in bytes it is from %3"
                            : "write a number from %3",
                        value->text, row->key, out_done(&o)));
}

/* Stores a value that is one text. */
static void
store_one(struct maker *m, const struct option_key *row, const struct text_value *value, void *to)
{
    struct ern_slice text = value->text;
    uint64_t n;

    switch (row->type) {
    case TYPE_text:
        if (make_is_text(m, row->key, text, value->at))
            *(struct ern_slice *)to = memory_copy(&m->memory, text);
        break;
    case TYPE_flag:
        if (!value_flag(text, to))
            not_one(m, row, value, "write true or false");
        break;
    case TYPE_number:
        if (u64_parse(text, NUMBER_MAX, &n))
            *(unsigned *)to = (unsigned)n;
        else
            not_one(m, row, value, "write a number from 0 to 1000000");
        break;
    case TYPE_size:
        if (!value_quantity(text, ERN_SLICE("bytes"), to))
            not_one(m, row, value, "write a size, as in 64K, 1M or 10G");
        break;
    case TYPE_time:
        if (!value_quantity(text, ERN_SLICE("ms"), to))
            not_one(m, row, value, "write a time, as in 500ms, 10s, 1h or 30d");
        break;
    case TYPE_choice:
        if (!value_choice(text, row->standard, to))
            not_one(m, row, value, "write one of &3");
        break;
    case TYPE_status:
        store_status(m, row, value, to);
        break;
    case TYPE_limit:
        store_limit(m, row, value);
        break;
    case TYPE_list:
    case TYPE_titled:
    case TYPE_block:
        break;
    }
}

void
make_option(struct maker *m, const struct option_key *row, const struct text_node *node,
            void *owner)
{
    struct conf_place *place = owner;
    void *to = NULL;

    if (row->type != TYPE_limit) {
        assert(row->id < CONF_OPTIONS);
        to = (char *)owner + offsets[row->id];
        place->given[row->id] = (struct conf_given){node->key_at, node->value_at};
    }
    if (row->type == TYPE_list)
        store_list(m, row, node, to);
    else if (node->values && !node->values->next && !node->is_list)
        store_one(m, row, node->values, to);
    else if (node->is_list)
        conf_wrong(m->errors, node->value_at,
                   CONF_SAY("\"%1\" takes one value", "write it without { and }", row->key));
}

void
make_standard(struct maker *m, enum option_where where, void *owner)
{
    struct conf_place *place = owner;
    struct option_key row;

    for (size_t i = 0; option_row(i, &row); i++) {
        struct text_value value = {row.standard, {0, 0}, NULL};
        struct text_node node = {.key = row.key, .values = &value};

        if (row.where != where || row.id >= CONF_OPTIONS || row.standard.len == 0)
            continue;
        if (row.type == TYPE_choice || row.type == TYPE_status)
            value.text = slice_first(row.standard, slice_find(row.standard, '|'));
        make_option(m, &row, &node, owner);
        place->given[row.id] = (struct conf_given){{0, 0}, {0, 0}};
    }
}
