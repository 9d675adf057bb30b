/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/section.h"

#include "base/slice.h"

void
section_write_link(struct out *o, struct ern_slice source)
{
    struct ern_slice rest, number;

    if (!slice_starts(source, ERN_SLICE("RFC "))) {
        out_html(o, source);
        return;
    }
    rest = slice_skip(source, 4);
    number = slice_first(rest, slice_find(rest, ' '));
    rest = slice_skip(rest, number.len);
    out_literal(o, "<a href=\"https://www.rfc-editor.org/rfc/rfc");
    out_slice(o, number);
    if (rest.len > 1) {
        out_literal(o, "#section-");
        out_slice(o, slice_skip(rest, 1));
    }
    out_literal(o, "\">");
    out_html(o, source);
    out_literal(o, "</a>");
}
