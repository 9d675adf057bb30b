/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/multistatus.h"
#include "dav/live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/slice.h"

enum { TEXT_BYTES = 1 << 20 /* of a multistatus in memory: a longer one is refused */ };

struct text_stream {          /* XML that is ready */
    struct res_stream stream; /* first */
    size_t at, len;
    char *text;
};

const struct ern_rule *
member_rule(const enum ern_fact *odd)
{
    struct ern_resource member = {.name = "member"}; /* it answers nothing: all is given */
    struct ern_field none;
    struct ern_request http;
    struct ern_facts given;
    struct ern_decision d;

    ern_request_init(&http, &none, 1);
    ern_request_method(&http, ERN_SLICE("PROPPATCH")); /* one that is not safe and makes nothing */
    ern_request_facts(&http, 0, &given);
    ern_state(&given, ERN_FACT_member, true);
    for (; *odd != ERN_FACTS; odd++)
        ern_state(&given, *odd, !ern_fact_fallback(*odd));
    ern_resource_init(&member);
    ern_begin(&d, &member, NULL, &http, 0, &given);
    return ern_decide(&d, ERN_ACT);
}

uint16_t
member_status(const enum ern_fact *odd)
{
    return member_rule(odd)->status;
}

const struct ern_rule *
member_rule_of_error(int error)
{
    static const struct {
        int error;
        enum ern_fact fact;
    } facts[] = {
        {0, ERN_FACTS},
        {-ENOENT, ERN_FACT_exists},
        {-ENOSPC, ERN_FACT_no_room},
        {-EDQUOT, ERN_FACT_no_room},
        {-EACCES, ERN_FACT_act_permitted},
        {-EPERM, ERN_FACT_act_permitted},
        {-EROFS, ERN_FACT_act_permitted},
        {-EXDEV, ERN_FACT_act_permitted},
        {-ENAMETOOLONG, ERN_FACT_act_permitted},
    };
    enum ern_fact odd[] = {ERN_FACT_acted, ERN_FACTS};

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].error == error)
            odd[0] = facts[i].fact;
    return member_rule(odd);
}

uint16_t
member_status_of_error(int error)
{
    return member_rule_of_error(error)->status;
}

static ssize_t
fill(struct res_stream *stream, char *piece, size_t cap, bool *ret_end)
{
    struct text_stream *s = (struct text_stream *)stream;
    size_t n = s->len - s->at < cap ? s->len - s->at : cap;

    memcpy(piece, s->text + s->at, n);
    s->at += n;
    *ret_end = s->at == s->len;
    return (ssize_t)n;
}

static void
free_stream(struct res_stream *stream)
{
    struct text_stream *s = (struct text_stream *)stream;

    free(s->text);
    free(s);
}

/* Not of a stream: short XML goes out whole, with its length. */
static bool
represent_short(struct dav *dav, char *text, size_t len)
{
    char *copy = arena_take(dav->request->arena, len);

    if (!copy)
        return false;
    memcpy(copy, text, len);
    free(text);
    dav->request->representation.bytes = copy;
    dav->request->representation.length = len;
    return true;
}

bool
xml_represent(struct dav *dav, char *text, size_t len)
{
    enum { SHORT_BYTES = 8192 };
    struct text_stream *s;

    dav->request->representation = (struct res_representation){
        .description = ERN_SLICE("Content-Type: application/xml; charset=utf-8\r\n"),
        .type = ERN_SLICE("application/xml; charset=utf-8"),
        .fd = -1,
    };
    dav->request->has_representation = true;
    if (len <= SHORT_BYTES && represent_short(dav, text, len))
        return true;
    s = malloc(sizeof *s);
    if (!s) {
        free(text);
        dav->request->has_representation = false;
        return false;
    }
    *s = (struct text_stream){{.fill = fill, .free = free_stream}, 0, len, text};
    dav->request->representation.stream = &s->stream;
    return true;
}

bool
multistatus_begin(struct multistatus *m, struct dav *dav)
{
    *m = (struct multistatus){.dav = dav, .text = malloc(TEXT_BYTES)};
    m->out = out_init(m->text, m->text ? TEXT_BYTES : 0);
    out_literal(&m->out, MULTISTATUS_HEAD);
    return m->text != NULL;
}

void
multistatus_add(struct multistatus *m, struct ern_slice path, bool collection, uint16_t status,
                const char *condition)
{
    struct out *o = &m->out;

    m->n++;
    out_literal(o, "<D:response><D:href>");
    share_href(o, m->dav->share, path, collection);
    out_literal(o, "</D:href>");
    xml_status(o, status);
    if (condition) {
        out_literal(o, "<D:error><D:");
        out_text(o, condition);
        out_literal(o, "><D:href>");
        share_href(o, m->dav->share, path, collection);
        out_literal(o, "</D:href></D:");
        out_text(o, condition);
        out_literal(o, "></D:error>");
    }
    out_literal(o, "</D:response>\n");
}

bool
multistatus_end(struct multistatus *m)
{
    out_literal(&m->out, MULTISTATUS_FOOT);
    if (m->out.full) {
        multistatus_drop(m);
        return false;
    }
    m->dav->outcome |= DAV_MIXED;
    return xml_represent(m->dav, m->text, m->out.len);
}

void
multistatus_drop(struct multistatus *m)
{
    free(m->text);
    m->text = NULL;
}
