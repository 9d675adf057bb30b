/* SPDX-License-Identifier: Apache-2.0 */
/* check_cors.c - does what a route says of pages of other origins make sense (Fetch 3.3)? */
#include "conf/make.h"

#include "base/chars.h"

/* As a browser writes it: scheme, host, and a port that is not the usual one; or null. */
static bool
is_origin(struct ern_slice text)
{
    size_t at = slice_find(text, ':');
    struct ern_slice host = slice_skip(text, at < text.len ? at + 1 : at);

    if (slice_eq(text, ERN_SLICE("null")))
        return true;
    if (at == 0 || !slice_starts(host, ERN_SLICE("//")) || host.len == 2 ||
        slice_find(slice_skip(host, 2), '/') < host.len - 2)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!char_is(text.ptr[i], CHAR_TARGET) || lower(text.ptr[i]) != text.ptr[i])
            return false;
    return true;
}

static void
check_tokens(struct maker *m, const struct conf_texts *texts, const char *what, const char *mend)
{
    for (size_t i = 0; i < texts->n; i++) {
        bool is_token = true;

        for (size_t j = 0; j < texts->text[i].len; j++)
            is_token &= char_is(texts->text[i].ptr[j], CHAR_TCHAR);
        if (!is_token)
            conf_wrong(m->errors, texts->at[i], CONF_SAY(what, mend, texts->text[i]));
    }
}

/* Pages of all origins, with credentials, is what browsers refuse (Fetch 3.3.5). */
static void
check_origins(struct maker *m, const struct conf_route *route)
{
    const struct conf_texts *cors = &route->cors;

    for (size_t i = 0; i < cors->n; i++) {
        bool is_all = slice_eq(cors->text[i], ERN_SLICE("*"));

        if (is_all && cors->n > 1)
            conf_wrong(m->errors, cors->at[i],
                       CONF_SAY("\"*\" is every origin, and stands beside others",
                                "write it alone, or leave it out", ERN_ABSENT));
        else if (is_all && route->cors_credentials)
            conf_wrong(m->errors, cors->at[i],
                       CONF_SAY("no browser sends credentials where every origin is let",
                                "write the origins, or leave cors_credentials out", ERN_ABSENT));
        else if (!is_all && !is_origin(cors->text[i]))
            conf_wrong(m->errors, cors->at[i],
                       CONF_SAY("\"%1\" is not an origin",
                                "write one as in \"https://app.example.org\", in lower case and "
                                "without a path, or \"*\"",
                                cors->text[i]));
    }
}

void
check_cors(struct maker *m, const struct conf_route *route)
{
    static const enum conf_option needs_cors[] = {
        CONF_route_cors_methods, CONF_route_cors_headers, CONF_route_cors_expose,
        CONF_route_cors_credentials, CONF_route_cors_max_age};

    check_origins(m, route);
    check_tokens(m, &route->cors_methods, "\"%1\" is not a method", "write one, as in \"PUT\"");
    check_tokens(m, &route->cors_headers, "\"%1\" is not the name of a field",
                 "write one, as in \"authorization\"");
    check_tokens(m, &route->cors_expose, "\"%1\" is not the name of a field",
                 "write one, as in \"etag\"");
    for (size_t i = 0; i < sizeof needs_cors / sizeof *needs_cors; i++) {
        struct conf_position at = route->place.given[needs_cors[i]].key;

        if (at.line && route->cors.n == 0)
            conf_wrong(m->errors, at,
                       CONF_SAY("this is for a route that pages of other origins may read",
                                "write cors = \"https://...\" beside it, or leave it out",
                                ERN_ABSENT));
    }
}
