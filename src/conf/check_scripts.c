/* SPDX-License-Identifier: Apache-2.0 */
/* check_scripts.c - do the options of routes that run scripts make sense together? */
#include "base/slice.h"
#include "conf/make.h"
#include "conf/value.h"

/* Names of scripts end so: with something that no folder has. */
static void
check_suffixes(struct maker *m, const struct conf_route *route)
{
    if (route->script.n == 0)
        conf_wrong(m->errors, route->place.given[CONF_fastcgi_script].value,
                   CONF_SAY("no file would be a script", "write script = \".php\"", ERN_ABSENT));
    for (size_t i = 0; i < route->script.n; i++) {
        struct ern_slice suffix = route->script.text[i];

        if (suffix.len < 2 || suffix.ptr[0] != '.' || slice_find(suffix, '/') < suffix.len)
            conf_wrong(m->errors, route->script.at[i],
                       CONF_SAY("\"%1\" is not what the names of scripts end with",
                                "write it with its dot, as in \".php\"", suffix));
    }
}

/* It is one of the scripts, by its path below the root. */
static void
check_fallback(struct maker *m, const struct conf_route *route)
{
    struct ern_slice path = route->fallback;
    bool is_script = false;

    if (!slice_is_there(path))
        return;
    for (size_t i = 0; i < route->script.n; i++)
        is_script |= slice_ends(path, route->script.text[i]);
    if (path.ptr[0] != '/' || !is_script)
        conf_wrong(m->errors, route->place.given[CONF_fastcgi_fallback].value,
                   CONF_SAY("\"%1\" is not the path of a script",
                            "write one below root, as in \"/index.php\"", path));
}

void
check_fastcgi(struct maker *m, const struct conf_route *route)
{
    enum { SERVERS_MAX = 64 };
    const struct conf_given *given = route->place.given;
    struct ern_slice path, host;
    uint16_t port;

    if (route->kind != CONF_KIND_FASTCGI)
        return;
    if (route->fastcgi.n == 0 || route->fastcgi.n > SERVERS_MAX)
        conf_wrong(m->errors, given[CONF_route_fastcgi].value,
                   CONF_SAY("a route with fastcgi has from 1 to 64 applications behind it",
                            "write one as in \"unix:/run/php/php-fpm.sock\"", ERN_ABSENT));
    for (size_t i = 0; i < route->fastcgi.n; i++)
        if (!value_socket(route->fastcgi.text[i], &path, &host, &port))
            conf_wrong(m->errors, route->fastcgi.at[i],
                       CONF_SAY("\"%1\" is not where an application listens",
                                "write \"unix:/run/php/php-fpm.sock\" or \"127.0.0.1:9000\"",
                                route->fastcgi.text[i]));
    if (!slice_is_there(route->root))
        conf_wrong(m->errors, given[CONF_route_fastcgi].key,
                   CONF_SAY("it is not said where the scripts are",
                            "write root = \"/srv/app\" beside it", ERN_ABSENT));
    check_suffixes(m, route);
    check_fallback(m, route);
}

void
check_cgi(struct maker *m, const struct conf_route *route)
{
    if (route->kind != CONF_KIND_CGI)
        return;
    if (!slice_ends(route->path, ERN_SLICE("/")))
        conf_wrong(m->errors, route->place.at,
                   CONF_SAY("the programs of \"%1\" have no place below it", "write \"%1/\"",
                            route->path));
    if (slice_is_there(route->run_as) && slice_is_there(m->conf->user))
        conf_wrong(m->errors, route->place.given[CONF_cgi_run_as].key,
                   CONF_SAY("a server that has become \"%1\" can run nothing as somebody else",
                            "leave it out, or leave user out", m->conf->user));
}
