/* SPDX-License-Identifier: Apache-2.0 */
/* peer_page.c - pages: the list of what a peer has, and those that link to each other. */
#include <stdlib.h>

#include "res/page.h"
#include "res/peer_parts.h"

enum { LIST_BYTES = 32768, LINK_BYTES = 64, PAGE_BYTES = 4096 };

/* Memory that the answer owns. */
static struct out
begin(struct res_request *request, size_t cap)
{
    free(request->held);
    request->held = malloc(cap);
    return out_init(request->held, request->held ? cap : 0);
}

static struct ern_slice
end(const struct out *o)
{
    return o->full ? ERN_ABSENT : out_done(o);
}

/* The form of a path: one without braces is a link from the list. */
static void
write_path(struct out *o, struct ern_slice form)
{
    bool is_form = slice_find(form, '{') < form.len;

    out_literal(o, "<dt><code>");
    if (!is_form) {
        out_literal(o, "<a href=\".");
        out_slice(o, form);
        out_literal(o, "\">");
    }
    out_html(o, form);
    out_text(o, is_form ? "</code></dt><dd>" : "</a></code></dt><dd>");
}

bool
peer_make_index(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct out fields = arena_out(request->arena), o;

    out_literal(&fields, "Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: "
                         "default-src 'none'; img-src data:; style-src ");
    out_slice(&fields, page_style.source);
    out_literal(&fields, "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n");
    (void)arena_keep(request->arena, &fields);
    o = begin(request, LIST_BYTES + page_style.text.len);
    page_begin(&o, LANGUAGE_EN);
    out_literal(&o, "A peer to try clients against</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    page_write_style(&o, &page_style);
    page_header(&o, LANGUAGE_EN);
    page_site(&o, d->request->authority, ERN_SLICE("/"), LANGUAGE_EN);
    page_main(&o);
    out_literal(&o, "<h1>A peer to try clients against</h1>\n<p>The field "
                    "Earnest-Status says whether a status was earned or asked for.</p>\n<dl>\n");
    for (size_t i = 0; i < peer_rows_n; i++) {
        write_path(&o, peer_rows[i].path);
        out_html(&o, slice_text(peer_rows[i].says));
        out_literal(&o, "</dd>\n");
    }
    out_literal(&o, "</dl>\n</main>\n</body>\n</html>\n");
    return peer_represent(d, end(&o), end(&fields));
}

bool
peer_make_page(struct ern_decision *d, const struct peer_call *call)
{
    struct res_request *request = d->self;
    uint64_t most = (uint64_t)request->limits->peer_pieces_max, n = call->number[0];
    struct out o;

    n = n < most ? n : most;
    if (call->number[1] >= n)
        return false;
    o = begin(request, PAGE_BYTES + n * LINK_BYTES);
    page_begin(&o, LANGUAGE_EN);
    out_literal(&o, "Links</title>\n</head>\n<body>\n");
    for (uint64_t i = 0; i < n; i++) {
        if (i == call->number[1]) { /* httpbin has no link to itself */
            out_u64(&o, i);
        } else {
            out_literal(&o, "<a href=\"");
            out_u64(&o, i);
            out_literal(&o, "\">");
            out_u64(&o, i);
            out_literal(&o, "</a>");
        }
        out_char(&o, '\n');
    }
    out_literal(&o, "</body>\n</html>\n");
    return peer_represent(d, end(&o), ERN_SLICE("Content-Type: text/html; charset=utf-8\r\n"));
}
