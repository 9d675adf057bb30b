/* SPDX-License-Identifier: Apache-2.0 */
/* legal.c - a file of legal demands: the same language as a configuration, other sections. */
#include "base/civil.h"
#include "base/num.h"
#include "base/utf8.h"
#include "conf/make.h"
#include "conf/value.h"

enum { DATE_BYTES = 10, YEAR_MAX = 9999, DAY_S = 86400 };

/* Reads "2026-01-31" (RFC 3339 5.6, full-date). Returns false if there is no such day. */
static bool
read_date(struct ern_slice text, int64_t *ret_s)
{
    struct civil date = {0};
    uint64_t year, month, day;

    if (text.len != DATE_BYTES || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        !u64_parse(slice_first(text, 4), YEAR_MAX, &year) ||
        !u64_parse(slice_first(slice_skip(text, 5), 2), 12, &month) || month == 0 ||
        !u64_parse(slice_skip(text, 8), civil_days_in((int64_t)year, (unsigned)month), &day) ||
        day == 0)
        return false;
    date.year = (int64_t)year;
    date.month = (unsigned)month;
    date.day = (unsigned)day;
    *ret_s = civil_seconds(&date);
    return true;
}

static void
make_date(struct maker *m, struct ern_slice text, struct conf_position at, int64_t *ret_s)
{
    if (slice_is_there(text) && !read_date(text, ret_s))
        conf_wrong(m->errors, at,
                   CONF_SAY("\"%1\" is not a day", "write one as in \"2026-01-31\"", text));
}

static void
check_utf8(struct maker *m, struct ern_slice text, struct conf_position at)
{
    if (slice_is_there(text) && !utf8_is(text))
        conf_wrong(m->errors, at,
                   CONF_SAY("this is not UTF-8, and clients are to read it", "write it in UTF-8",
                            ERN_ABSENT));
}

/* Content is named by its digest, and is looked at only where its length is that. */
static void
make_content(struct maker *m, struct conf_demand *demand)
{
    const struct conf_given *given = demand->place.given;
    bool good = demand->sha256.len == 2 * sizeof demand->digest;

    if (!slice_is_there(demand->sha256))
        return;
    for (size_t i = 0; good && i < sizeof demand->digest; i++) {
        int high = hex_value(demand->sha256.ptr[2 * i]),
            low = hex_value(demand->sha256.ptr[2 * i + 1]);

        good = high >= 0 && low >= 0;
        demand->digest[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (!good)
        conf_wrong(m->errors, given[CONF_demand_sha256].value,
                   CONF_SAY("\"%1\" is no SHA-256",
                            "write 64 hexadecimal digits, as sha256sum does", demand->sha256));
    if (given[CONF_demand_bytes].key.line == 0)
        conf_wrong(m->errors, given[CONF_demand_sha256].key,
                   CONF_SAY("this does not say how long the content is",
                            "write bytes = \"...\" beside it", ERN_ABSENT));
}

static void
check_demand(struct maker *m, const struct conf_demand *demand)
{
    const struct conf_given *given = demand->place.given;

    if (!slice_is_there(demand->path) && !slice_is_there(demand->host) &&
        !slice_is_there(demand->sha256))
        conf_wrong(m->errors, demand->place.at,
                   CONF_SAY("the demand \"%1\" does not say what is withheld",
                            "write path = \"/...\", host = \"...\" or sha256 = \"...\" in it",
                            demand->reference));
    if (slice_is_there(demand->path))
        check_path(m, demand->path, given[CONF_demand_path].value);
    if (slice_is_there(demand->host))
        check_host(m, demand->host, given[CONF_demand_host].value);
    if (!slice_is_there(demand->authority))
        conf_wrong(m->errors, demand->place.at,
                   CONF_SAY("the demand \"%1\" does not say who makes it",
                            "write authority = \"https://...\" in it", demand->reference));
    else if (!value_is_http_url(demand->authority))
        conf_wrong(m->errors, given[CONF_demand_authority].value,
                   CONF_SAY("\"%1\" is not a URL", "write one as in \"https://example.org/\"",
                            demand->authority));
    if (!value_is_reference(demand->blocked_by))
        conf_wrong(m->errors, given[CONF_demand_blocked_by].value,
                   CONF_SAY("\"%1\" is neither a URL nor a path",
                            "write one as in \"https://example.org/\" or \"/\"",
                            demand->blocked_by));
    if (demand->from_s >= demand->until_s)
        conf_wrong(m->errors, given[CONF_demand_until].value,
                   CONF_SAY("the last day is before the first", "write a later one", ERN_ABSENT));
    check_utf8(m, demand->reference, demand->place.at);
    check_utf8(m, demand->jurisdiction, given[CONF_demand_jurisdiction].value);
}

static void
make_demand(struct maker *m, const struct text_node *node, struct conf_demand *demand)
{
    const struct conf_given *given = demand->place.given;

    demand->place.at = node->value_at;
    demand->reference = make_title(m, node);
    make_standard(m, WHERE_demand, demand);
    make_items(m, WHERE_demand, node->items, demand);
    make_content(m, demand);
    make_networks(m, &demand->networks, &demand->clients);
    demand->from_s = INT64_MIN;
    demand->until_s = INT64_MAX;
    make_date(m, demand->from, given[CONF_demand_from].value, &demand->from_s);
    make_date(m, demand->until, given[CONF_demand_until].value, &demand->until_s);
    if (demand->until_s < INT64_MAX)
        demand->until_s += DAY_S;
    check_demand(m, demand);
}

void
make_demands(struct maker *m, const struct text_node *root)
{
    struct ern_slice key = ERN_SLICE("demand");
    struct conf_place unused = {{0, 0}, {{{0, 0}, {0, 0}}}};
    struct conf *conf = m->conf;

    make_items(m, WHERE_legal, root->items, &unused);
    conf->demands =
        memory_take(&m->memory, make_count(root->items, key) + 1, sizeof *conf->demands);
    if (!conf->demands)
        return;
    for (const struct text_node *node = root->items; node; node = node->next)
        if (make_is_section(node, key))
            make_demand(m, node, &conf->demands[conf->demands_n++]);
}
