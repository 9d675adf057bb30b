/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - is the XML content what its method needs? */
#include "dav/dav.h"

#include <errno.h>

#include "base/slice.h"

static void
explain(struct dav *dav, const struct body *body)
{
    struct out o = arena_out(dav->request->arena);

    out_text(&o, body->why);
    if (body->line > 1) {
        out_literal(&o, " (line ");
        out_u64(&o, body->line);
        out_literal(&o, " of the content)");
    }
    dav->decision->evidence.detail = arena_keep(dav->request->arena, &o);
}

int
dav_xml_check(struct dav *dav)
{
    const struct res_sink *sink = &dav->request->sink;

    if (dav->has_body)
        return 0;
    switch (body_read(dav->method->method, slice_from(sink->bytes, sink->len), dav->share->limits,
                      &dav->body)) {
    case BODY_FINE:
        dav->has_body = true;
        return 0;
    case BODY_ILLFORMED:
    case BODY_LARGE:
        dav->wellformed = false;
        explain(dav, &dav->body);
        return 0;
    case BODY_INVALID:
        dav->valid = false;
        explain(dav, &dav->body);
        return 0;
    case BODY_MEMORY:
        break;
    }
    return -ENOMEM;
}
