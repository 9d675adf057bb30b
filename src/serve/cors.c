/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/cors.h"

#include "conf/conf.h"
#include "msg/list.h"
#include "serve/conn.h"
#include "wire/h1_write.h"

static bool
lets_all(const struct conf_route *route)
{
    return slice_eq(route->cors.text[0], ERN_SLICE("*"));
}

/* May pages of this origin read the answers? Origins are compared byte by byte (Fetch 3.3.4). */
static bool
lets(const struct conf_route *route, struct ern_slice origin)
{
    bool is_let = lets_all(route);

    for (size_t i = 0; !is_let && i < route->cors.n; i++)
        is_let = slice_eq(route->cors.text[i], origin);
    return is_let && slice_is_there(origin);
}

/* Is the method one that pages may use? */
static bool
takes(const struct conf_route *route, struct ern_slice method)
{
    bool is_taken = route->cors_methods.n == 0;

    for (size_t i = 0; !is_taken && i < route->cors_methods.n; i++)
        is_taken = slice_eq(route->cors_methods.text[i], method);
    return is_taken && token_is(method);
}

/* Access-Control-Request-Method, which is asked for so seldom that it is no registered field;
 * absent if there is none. */
static struct ern_slice
method_wanted(const struct ern_request *r)
{
    for (unsigned i = 0; i < r->fields_n; i++)
        if (slice_eq_nocase(r->fields[i].name, ERN_SLICE("Access-Control-Request-Method")))
            return r->fields[i].value;
    return ERN_ABSENT;
}

bool
cors_is_preflight(const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    return x->cors && r->method == ERN_OPTIONS &&
           lets(x->cors, ern_request_field(r, ERN_FIELD_origin)) &&
           slice_is_there(method_wanted(r));
}

static void
write_list(struct out *o, const char *name, const struct conf_texts *texts)
{
    if (texts->n == 0)
        return;
    out_text(o, name);
    for (size_t i = 0; i < texts->n; i++) {
        out_text(o, i ? ", " : ": ");
        out_slice(o, texts->text[i]);
    }
    out_literal(o, "\r\n");
}

/* What the page may send, and for how long the browser need not ask again. */
static void
write_preflight(const struct exchange *x, struct out *o)
{
    const struct conf_route *route = x->cors;
    struct ern_slice method = method_wanted(&x->request);

    if (takes(route, method))
        h1_write_field(o, ERN_SLICE("Access-Control-Allow-Methods"), method);
    write_list(o, "Access-Control-Allow-Headers", &route->cors_headers);
    h1_write_field_u64(o, ERN_SLICE("Access-Control-Max-Age"),
                       (uint64_t)route->cors_max_age / 1000);
    out_literal(o, "Vary: Access-Control-Request-Method\r\n");
}

void
cors_write_fields(const struct exchange *x, struct out *o)
{
    const struct conf_route *route = x->cors;
    struct ern_slice origin = ern_request_field(&x->request, ERN_FIELD_origin);

    /* What differs by Origin says so, to who sends none, too (Fetch 3.3.5). */
    if (!lets_all(route))
        out_literal(o, "Vary: Origin\r\n");
    if (!lets(route, origin))
        return;
    h1_write_field(o, ERN_SLICE("Access-Control-Allow-Origin"),
                   lets_all(route) ? ERN_SLICE("*") : origin);
    if (route->cors_credentials)
        out_literal(o, "Access-Control-Allow-Credentials: true\r\n");
    if (x->route->kind == &preflight_resource)
        write_preflight(x, o);
    else
        write_list(o, "Access-Control-Expose-Headers", &route->cors_expose);
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.allow = 0; /* of the resource itself nothing is said */
    return ERN_YES;
}

struct ern_resource preflight_resource = {
    .name = "preflight",
    .ask = {[ERN_FACT_method_allowed] = ask_method_allowed},
};
