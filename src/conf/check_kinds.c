/* SPDX-License-Identifier: Apache-2.0 */
/* check_kinds.c - do the options of pots and intakes make sense together? */
#include "conf/make.h"

#include "base/chars.h"
#include "conf/value.h"
#include "res/pot_resource.h"

enum { NAME_MAX_BYTES = 40 };

/* Does it consist of these characters alone, and is it short? */
static bool
is_made_of(struct ern_slice text, unsigned classes)
{
    bool good = text.len > 0 && text.len <= NAME_MAX_BYTES;

    for (size_t i = 0; i < text.len; i++)
        good &= char_is(text.ptr[i], classes);
    return good;
}

/* Each stands in a path, or in a field. */
static void
check_names(struct maker *m, const struct conf_texts *names, size_t max, unsigned classes,
            const char *doubled)
{
    struct claim *claims = names->n ? memory_take(&m->scratch, names->n, sizeof *claims) : NULL;

    if (!claims)
        return;
    for (size_t i = 0; i < names->n; i++) {
        claims[i] = (struct claim){names->text[i], names->at[i]};
        if (!is_made_of(names->text[i], classes))
            conf_wrong(m->errors, names->at[i],
                       CONF_SAY("\"%1\" is not a name that a request can hold as it is",
                                "write at most 40 letters, digits and hyphens", names->text[i]));
    }
    check_claims(m, claims, names->n, doubled);
    if (names->n > max)
        conf_wrong(m->errors, names->at[max],
                   CONF_SAY("there are more of them than a pot can tell apart", "write fewer",
                            ERN_ABSENT));
}

/* Reads what is done to the answers of servers behind us. */
void
check_transform(struct maker *m, struct conf_route *route)
{
    static const struct {
        struct ern_slice name;
        unsigned does;
    } rows[] = {
        {{"compress", 8}, CONF_TRANSFORM_COMPRESS},
        {{"rewrite_links", 13}, CONF_TRANSFORM_LINKS},
        {{"minify", 6}, CONF_TRANSFORM_MINIFY},
    };
    enum { ROWS = sizeof rows / sizeof *rows };

    for (size_t i = 0; i < route->transform.n; i++) {
        size_t row = 0;

        while (row < ROWS && !slice_eq(route->transform.text[i], rows[row].name))
            row++;
        if (row < ROWS)
            route->transforms |= rows[row].does;
        else
            conf_wrong(m->errors, route->transform.at[i],
                       CONF_SAY("\"%1\" is nothing that is done to answers",
                                "write some of compress, rewrite_links, minify",
                                route->transform.text[i]));
    }
    if (route->transforms && route->cache)
        conf_wrong(
            m->errors, route->place.given[CONF_proxy_transform].key,
            CONF_SAY("answers are kept as they come, and who gets one that was kept gets that",
                     "leave one of transform and cache out", ERN_ABSENT));
}

static void
check_teas(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;

    if (route->pot == CONF_POT_COFFEE && given[CONF_pot_teas].key.line)
        conf_wrong(m->errors, given[CONF_pot_teas].key,
                   CONF_SAY("a pot for coffee makes no tea",
                            "write pot = \"tea\", or leave teas out", ERN_ABSENT));
    if (route->pot == CONF_POT_COFFEE)
        return;
    if (route->teas.n == 0)
        conf_wrong(m->errors, given[CONF_route_pot].key,
                   CONF_SAY("this pot has no tea",
                            "write teas = { \"darjeeling\", \"peppermint\" } beside it",
                            ERN_ABSENT));
    if (!slice_ends(route->path, ERN_SLICE("/")))
        conf_wrong(
            m->errors, route->place.at,
            CONF_SAY("the teas of \"%1\" have no place below it", "write \"%1/\"", route->path));
}

void
check_pot(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option times[] = {CONF_pot_brew_time, CONF_pot_keep_time,
                                             CONF_pot_refill_time};
    enum { TIME_MS_MAX = 86400000, SERVINGS_MAX = 1000 };
    const int64_t ms[] = {route->brew_time, route->keep_time, route->refill_time};
    const struct conf_given *given = route->place.given;

    if (route->kind != CONF_KIND_POT)
        return;
    check_teas(m, route);
    check_names(m, &route->teas, POT_TEAS_MAX, CHAR_UNRESERVED, "there is a tea \"%1\" already");
    check_names(m, &route->additions, POT_ADDITIONS_MAX, CHAR_TCHAR,
                "there is an addition \"%1\" already");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (ms[i] < 1 || ms[i] > TIME_MS_MAX)
            conf_wrong(
                m->errors, given[times[i]].value,
                CONF_SAY("this is not a time of a pot", "write one from 1ms to 1d", ERN_ABSENT));
    if (route->servings < 1 || route->servings > SERVINGS_MAX)
        conf_wrong(m->errors, given[CONF_pot_servings].value,
                   CONF_SAY("no pot holds so much", "write 1 to 1000", ERN_ABSENT));
}

void
check_intake(struct maker *m, const struct conf_route *route)
{
    const struct conf_given *given = route->place.given;

    if (slice_is_there(route->then) && !value_is_reference(route->then))
        conf_wrong(m->errors, given[CONF_intake_then].value,
                   CONF_SAY("\"%1\" is neither a URL nor a path",
                            "write one as in \"https://example.org/thanks\" or \"/thanks\"",
                            route->then));
    if (slice_ends(route->intake, ERN_SLICE("/")))
        conf_wrong(m->errors, given[CONF_route_intake].value,
                   CONF_SAY("\"%1\" is a folder, not a file", "write a file in it", route->intake));
}

/* A file belongs to one route: each knows the keys of its own. */
void
check_intakes(struct maker *m)
{
    const struct conf *conf = m->conf;
    struct claim *claims;
    size_t n = 0;

    claims = conf_routes(conf) ? memory_take(&m->scratch, conf_routes(conf), sizeof *claims) : NULL;
    for (size_t i = 0; claims && i < conf->sites_n; i++) {
        for (size_t j = 0; j < conf->sites[i].routes_n; j++) {
            const struct conf_route *route = &conf->sites[i].routes[j];

            if (slice_is_there(route->intake))
                claims[n++] =
                    (struct claim){route->intake, route->place.given[CONF_route_intake].value};
        }
    }
    if (claims)
        check_claims(m, claims, n, "the file \"%1\" has a route already");
}
