/* SPDX-License-Identifier: Apache-2.0 */
#include "earnest/status.h"
#include "msg/language.h"
#include "msg/target.h"
#include "res/pot_resource.h"

/* ---- the state ---------------------------------------------------------------------------------
 */

static void
write_text(struct out *o, const char *key, struct ern_slice text)
{
    out_literal(o, "\"");
    out_text(o, key);
    out_literal(o, "\":\"");
    out_json(o, text);
    out_char(o, '"');
}

static void
write_number(struct out *o, const char *key, uint64_t n)
{
    out_literal(o, ",\"");
    out_text(o, key);
    out_literal(o, "\":");
    out_u64(o, n);
}

static void
write_drink(struct out *o, const struct pot_route *route, const struct pot_view *view)
{
    const char *between = "";

    out_literal(o, ",\"drink\":{");
    write_text(o, "kind",
               view->order.kind < route->teas_n ? route->teas[view->order.kind]
                                                : ERN_SLICE("coffee"));
    write_number(o, "strength", view->strength);
    out_literal(o, ",\"additions\":[");
    for (unsigned i = 0; i < route->additions_n; i++) {
        if (!(view->order.additions >> i & 1))
            continue;
        out_text(o, between);
        out_char(o, '"');
        out_json(o, route->additions[i]);
        out_char(o, '"');
        between = ",";
    }
    out_literal(o, "]}");
}

/* Has what was written as the representation; its fields are the same for every client. */
static bool
represent(struct res_request *request, struct ern_slice text, struct ern_slice description)
{
    request->has_representation = slice_is_there(text);
    request->representation = (struct res_representation){
        .validators = ERN_SLICE("Cache-Control: no-store\r\n"),
        .description = description,
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    return request->has_representation;
}

bool
pot_represent(struct res_request *request, const struct pot_view *view, bool served)
{
    static const char *const phases[POT_PHASES] = {"idle", "brewing", "ready", "pouring", "out"};
    const struct pot_route *route = request->route;
    bool has_drink = served || (view->phase != POT_IDLE && view->phase != POT_OUT);
    struct out o = arena_out(request->arena);

    out_char(&o, '{');
    write_text(&o, "pot", route->teapot ? ERN_SLICE("tea") : ERN_SLICE("coffee"));
    out_char(&o, ',');
    write_text(&o, "state", slice_text(phases[view->phase]));
    write_number(&o, "seconds_left", (uint64_t)(view->left_ms + 999) / 1000);
    write_number(&o, "servings", view->servings);
    out_text(&o, served ? ",\"served\":true" : ",\"served\":false");
    if (has_drink)
        write_drink(&o, route, view);
    out_literal(&o, "}\n");
    return represent(request, arena_keep(request->arena, &o),
                     ERN_SLICE("Content-Type: application/json\r\n"));
}

/* ---- the properties ----------------------------------------------------------------------------
 */

/* Teas are members of the pot, whether its path was asked for with its slash or without. */
static void
write_tea(struct out *o, const struct res_request *request, struct ern_slice tea)
{
    size_t n = request->unslashed ? 0 : request->below.len;

    path_write(o, slice_first(request->path, request->path.len - n));
    out_char(o, '/');
    path_write(o, tea);
}

/* RFC 2324 2.1.3: what is known of what is brewed; here, what can be added to it. */
static void
write_properties(struct out *o, const struct pot_route *route)
{
    const struct ern_status *ok = ern_status_find(ERN_200_OK);

    out_literal(o, "<D:propstat><D:prop><D:resourcetype/><P:additions>");
    for (unsigned i = 0; i < route->additions_n; i++) {
        out_literal(o, "<P:addition>");
        out_html(o, route->additions[i]);
        out_literal(o, "</P:addition>");
    }
    out_literal(o, "</P:additions></D:prop><D:status>HTTP/1.1 ");
    out_u64(o, ok->code);
    out_char(o, ' ');
    out_slice(o, ok->phrase);
    out_literal(o, "</D:status></D:propstat></D:response>\n");
}

bool
pot_describe(struct res_request *request, bool with_members)
{
    const struct pot_route *route = request->route;
    struct out o = arena_out(request->arena);

    out_literal(&o, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                    "<D:multistatus xmlns:D=\"DAV:\" xmlns:P=\"urn:ietf:rfc:2324\">\n"
                    "<D:response><D:href>");
    path_write(&o, request->path);
    out_literal(&o, "</D:href>");
    write_properties(&o, route);
    for (unsigned i = 0; with_members && i < route->teas_n; i++) {
        out_literal(&o, "<D:response><D:href>");
        write_tea(&o, request, route->teas[i]);
        out_literal(&o, "</D:href>");
        write_properties(&o, route);
    }
    out_literal(&o, "</D:multistatus>\n");
    return represent(request, arena_keep(request->arena, &o),
                     ERN_SLICE("Content-Type: application/xml; charset=utf-8\r\n"));
}

/* ---- what there is to choose from --------------------------------------------------------------
 */

/* RFC 7168 2.1.1 has Alternates as RFC 2295 8.3 defines it, where each variant has a quality. */
struct ern_slice
pot_alternates(struct res_request *request)
{
    const struct pot_route *route = request->route;
    struct out o = arena_out(request->arena);

    for (unsigned i = 0; i < route->teas_n; i++) {
        out_text(&o, i ? ", {\"" : "Alternates: {\"");
        write_tea(&o, request, route->teas[i]);
        out_literal(&o, "\" 1.0 {type message/teapot}}");
    }
    out_literal(&o, "\r\n");
    return arena_keep(request->arena, &o);
}

struct ern_slice
pot_tell_teas(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    const struct pot_route *route = request->route;
    bool bengali = language_preferred(d->request) == LANGUAGE_BN;
    struct out o = arena_out(request->arena);

    out_text(&o, bengali ? "এই পাত্রে কয়েক রকম চা হয়, একটির ঠিকানায় BREW পাঠান: "
                         : "This pot makes several teas, send BREW to one of them: ");
    for (unsigned i = 0; i < route->teas_n; i++) {
        out_text(&o, i ? ", " : "");
        write_tea(&o, request, route->teas[i]);
    }
    out_text(&o, bengali ? "।" : ".");
    return arena_keep(request->arena, &o);
}

/* RFC 2324 2.3.1: the answer lists the additions that there are. */
struct ern_slice
pot_tell_additions(const struct ern_decision *d)
{
    struct res_request *request = d->self;
    const struct pot_route *route = request->route;
    bool bengali = language_preferred(d->request) == LANGUAGE_BN;
    struct out o = arena_out(request->arena);

    out_text(&o, route->additions_n ? bengali ? "এই পাত্রে যা যা মেশানো যায় তার মধ্যে এটি নেই; আছে: "
                                              : "This pot cannot add that; what it has is: "
                 : bengali ? "এই পাত্রে কিছু মেশানো যায় না"
                           : "This pot cannot add anything");
    for (unsigned i = 0; i < route->additions_n; i++) {
        out_text(&o, i ? ", " : "");
        out_slice(&o, route->additions[i]);
    }
    out_text(&o, bengali ? "।" : ".");
    return arena_keep(request->arena, &o);
}
