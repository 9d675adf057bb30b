/* SPDX-License-Identifier: Apache-2.0 */
/* why_page.c - /.earnest/why/ID, in the form that Accept likes best; ID.json and its like have one
 * form each. */
#include "base/slice.h"
#include "msg/language.h"
#include "res/page.h"
#include "serve/exchange.h"
#include "serve/why_parts.h"

void
why_write_own(const struct exchange *x, enum language language, struct out *o)
{
    struct trace trace;
    struct why why;

    trace_fill(&trace, x);
    why_look(&trace, x->worker->sites->conf, ERN_ABSENT, language, &why);
    out_literal(o, "<figure tabindex=\"0\">");
    why_write_figure(&why, o);
    out_literal(o, "</figure>\n");
}

static const struct ern_slice types[WHY_FORMS] = {
    [WHY_TEXT] = {"text/plain; charset=utf-8", 25},
    [WHY_HTML] = {"text/html; charset=utf-8", 24},
    [WHY_JSON] = {"application/json", 16},
    [WHY_SVG] = {"image/svg+xml", 13},
};

struct target { /* what a path names */
    struct ern_slice id;
    enum why_form form;
    bool has_form; /* the path says which */
};

static struct target
read_path(const struct res_request *request)
{
    struct ern_slice name = slice_skip(request->below, 1);
    size_t dot = slice_find(name, '.');
    struct target t = {slice_first(name, dot), WHY_TEXT, dot < name.len};

    if (t.has_form && !why_form_find(slice_skip(name, dot + 1), &t.form))
        t.id = ERN_SLICE("");
    return t;
}

static bool
choose_form(const struct ern_decision *d, struct target *t)
{
    static const struct ern_variant variants[WHY_FORMS] = {
        [WHY_TEXT] = {.type = {"text/plain", 10}, .quality = 1000},
        [WHY_HTML] = {.type = {"text/html", 9}, .quality = 1000},
        [WHY_JSON] = {.type = {"application/json", 16}, .quality = 1000},
        [WHY_SVG] = {.type = {"image/svg+xml", 13}, .quality = 1000},
    };
    size_t choice;

    if (t->has_form)
        return true;
    if (!ern_negotiate(d->request, variants, WHY_FORMS, &choice))
        return false;
    t->form = (enum why_form)choice;
    return true;
}

/* All that may be in it is its own style. */
static void
write_policy(struct out *o)
{
    const struct page_part *const parts[] = {&page_style, &page_path, &page_why};

    out_literal(o, "Content-Security-Policy: default-src 'none'; img-src data:; style-src");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        out_char(o, ' ');
        out_slice(o, parts[i]->source);
    }
    out_literal(o, "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n");
}

static struct ern_slice
write_description(struct res_request *request, enum why_form form, enum language language)
{
    struct out o = arena_out(request->arena);

    out_literal(&o, "Content-Type: ");
    out_slice(&o, types[form]);
    out_literal(&o, "\r\nContent-Language: ");
    out_slice(&o, language_tag(language));
    out_literal(&o, "\r\nX-Content-Type-Options: nosniff\r\n");
    write_policy(&o);
    return arena_keep(request->arena, &o);
}

static enum ern_answer
represent(struct ern_decision *d, const struct trace *trace, const struct target *t)
{
    struct res_request *request = d->self;
    const struct worker *w = exchange_of_decision(d)->worker;
    enum language language = language_preferred(d->request);
    struct ern_slice description = write_description(request, t->form, language), text;
    struct out o = arena_out(request->arena);
    struct why why;

    why_look(trace, w->sites->conf, t->id, language, &why);
    why_write(&why, t->form, &o);
    text = arena_keep(request->arena, &o);
    if (!slice_is_there(description) || !slice_is_there(text))
        return ERN_FAIL;
    request->has_representation = true;
    request->representation = (struct res_representation){
        .validators = ERN_SLICE("Cache-Control: no-store\r\nVary: Accept, Accept-Language\r\n"),
        .description = description,
        .type = types[t->form],
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    return ERN_YES;
}

static enum ern_answer
ask_exists(struct ern_decision *d, enum ern_fact fact)
{
    const struct worker *w = exchange_of_decision(d)->worker;
    struct target t = read_path(d->self);
    struct trace trace;

    (void)fact;
    if (!w->traces || !trace_find(w->traces, t.id, &trace))
        return ERN_NO;
    return choose_form(d, &t) ? represent(d, &trace, &t) : ERN_YES;
}

static enum ern_answer
ask_acceptable(struct ern_decision *d, enum ern_fact fact)
{
    const struct res_request *request = d->self;

    (void)fact;
    return request->has_representation ? ERN_YES : ERN_NO;
}

struct ern_resource why_resource = {
    .name = "why",
    .ask =
        {
            ONLOOKER_ASKS,
            [ERN_FACT_exists] = ask_exists,
            [ERN_FACT_acceptable] = ask_acceptable,
        },
};
