/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_links.c - fields that name what a server behind us has: of answers, links become paths of
 * ours; of requests, what is ours becomes the server's.
 */
#include "base/chars.h"
#include "serve/conn.h"
#include "serve/relay_parts.h"

struct link_origins
relay_links_of(const struct relay *r)
{
    return (struct link_origins){r->origins->authorities, r->origins->n};
}

/* A URL that is in what is written from *from on. */
static void
write_url(const struct relay *r, struct ern_slice url, const char **from, struct out *o)
{
    struct link_origins origins = relay_links_of(r);
    struct ern_slice path = link_path(&origins, url);

    if (!slice_is_there(path))
        return;
    out_slice(o, slice_from(*from, (size_t)(url.ptr - *from)));
    link_write_slash(o, path);
    *from = path.ptr;
}

/* Takes the next reference in angle brackets off the front of *rest, outside of quoted strings. */
static bool
bracketed_next(struct ern_slice *rest, struct ern_slice *ret_url)
{
    bool is_quoted = false;

    for (size_t at = 0; at < rest->len; at++) {
        char c = rest->ptr[at];

        if (c == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && c == '\\')
            at++;
        else if (!is_quoted && c == '<') {
            struct ern_slice url = slice_skip(*rest, at + 1);
            size_t n = slice_find(url, '>');

            *ret_url = slice_first(url, n);
            *rest = slice_skip(url, n);
            return true;
        }
    }
    return false;
}

/* ---- answers ----------------------------------------------------------------------------------*/

static void
write_whole(const struct relay *r, struct ern_slice value, const char **from, struct out *o)
{
    write_url(r, value, from, o);
}

/* RFC 8288 3 */
static void
write_linked(const struct relay *r, struct ern_slice value, const char **from, struct out *o)
{
    struct ern_slice url;

    while (bracketed_next(&value, &url))
        write_url(r, url, from, o);
}

/* "5; url=https://..." (HTML, 4.2.5.3) */
static void
write_refresh(const struct relay *r, struct ern_slice value, const char **from, struct out *o)
{
    size_t at = slice_find(value, ';');
    struct ern_slice rest = slice_trim(slice_skip(value, at < value.len ? at + 1 : at));

    if (rest.len < 4 || !slice_eq_nocase(slice_first(rest, 4), ERN_SLICE("url=")))
        return;
    rest = slice_trim(slice_skip(rest, 4));
    if (rest.len && (rest.ptr[0] == '"' || rest.ptr[0] == '\''))
        rest = slice_skip(rest, 1);
    write_url(r, rest, from, o);
}

static bool
is_origin_host(const struct relay *r, struct ern_slice host)
{
    if (slice_starts(host, ERN_SLICE(".")))
        host = slice_skip(host, 1);
    for (unsigned i = 0; i < r->origins->n; i++)
        if (slice_eq_nocase(host, r->origins->origin[i].name.host))
            return true;
    return false;
}

/* A cookie for the server's own name no client would take from us (RFC 6265 5.3): without its
 * Domain it is for ours. */
static void
write_cookie(const struct relay *r, struct ern_slice value, const char **from, struct out *o)
{
    size_t at = slice_find(value, ';');

    while (at < value.len) {
        struct ern_slice one = slice_skip(value, at + 1);
        size_t n = slice_find(one, ';'), equals;

        one = slice_first(one, n);
        equals = slice_find(one, '=');
        if (slice_eq_nocase(slice_trim(slice_first(one, equals)), ERN_SLICE("Domain")) &&
            equals < n && is_origin_host(r, slice_trim(slice_skip(one, equals + 1)))) {
            out_slice(o, slice_from(*from, (size_t)(value.ptr + at - *from)));
            *from = one.ptr + n;
        }
        at += n + 1;
    }
}

bool
relay_links_write_field(const struct relay *r, const struct ern_field *f, struct out *o)
{
    static const struct {
        struct ern_slice name;
        void (*write)(const struct relay *r, struct ern_slice value, const char **from,
                      struct out *o);
    } fields[] = {
        {{"Location", 8}, write_whole},     {{"Content-Location", 16}, write_whole},
        {{"Link", 4}, write_linked},        {{"Refresh", 7}, write_refresh},
        {{"Set-Cookie", 10}, write_cookie},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *from = f->value.ptr;

        if (!slice_eq_nocase(f->name, fields[i].name))
            continue;
        out_slice(o, f->name);
        out_literal(o, ": ");
        fields[i].write(r, f->value, &from, o);
        out_slice(o, slice_from(from, (size_t)(f->value.ptr + f->value.len - from)));
        out_literal(o, "\r\n");
        return true;
    }
    return false;
}

/* ---- requests ---------------------------------------------------------------------------------*/

static bool
skip_scheme(struct ern_slice *url)
{
    static const struct ern_slice schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (url->len >= schemes[i].len &&
            slice_eq_nocase(slice_first(*url, schemes[i].len), schemes[i])) {
            *url = slice_skip(*url, schemes[i].len);
            return true;
        }
    return false;
}

/* One that names us gets the scheme by which the server is asked: the authority it is told as it
 * came, in Host. */
static void
write_asked(const struct relay *r, struct ern_slice url, const char **from, struct out *o)
{
    const struct ern_request *q = &r->exchange->request;
    struct ern_slice rest = url;
    size_t n = 0;

    if (!skip_scheme(&rest))
        return;
    while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?' && rest.ptr[n] != '#')
        n++;
    if (!slice_eq_nocase(slice_first(rest, n), q->authority))
        return;
    out_slice(o, slice_from(*from, (size_t)(url.ptr - *from)));
    out_text(o, r->origin->name.is_secure ? "https://" : "http://");
    *from = rest.ptr;
}

bool
relay_links_write_asked(const struct relay *r, const struct ern_field *f, struct out *o)
{
    struct ern_slice value = f->value, url;
    const char *from = value.ptr;

    bool is_destination = slice_eq_nocase(f->name, ERN_SLICE("Destination"));

    if (!is_destination && f->id != ERN_FIELD_if)
        return false;
    out_slice(o, f->name);
    out_literal(o, ": ");
    if (is_destination)
        write_asked(r, value, &from, o);
    else
        while (bracketed_next(&value, &url))
            write_asked(r, url, &from, o);
    out_slice(o, slice_from(from, (size_t)(f->value.ptr + f->value.len - from)));
    out_literal(o, "\r\n");
    return true;
}
