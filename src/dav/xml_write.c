/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/xml.h"

#include "base/slice.h"
#include "base/utf8.h"
#include "earnest/status.h"
#include "msg/target.h"

static void
escape(struct out *o, char c)
{
    switch (c) {
    case '&':
        out_literal(o, "&amp;");
        break;
    case '<':
        out_literal(o, "&lt;");
        break;
    case '>':
        out_literal(o, "&gt;");
        break;
    case '"':
        out_literal(o, "&quot;");
        break;
    case '\r': /* else it would come back as a line feed (XML 1.0 2.11) */
        out_literal(o, "&#13;");
        break;
    default:
        out_char(o, c);
    }
}

void
xml_text(struct out *o, struct ern_slice text)
{
    bool is_utf8 = utf8_is(text);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f ||
            (c >= 0x80 && !is_utf8))
            out_literal(o, "\xef\xbf\xbd");
        else
            escape(o, (char)c);
    }
}

void
xml_href(struct out *o, struct ern_slice path, bool collection)
{
    enum { ENCODED_BYTES = 3 * 4096 + 4 };
    char encoded[ENCODED_BYTES];
    struct out e = out_init(encoded, sizeof encoded);

    path_write(&e, path);
    if (collection && !slice_ends(path, ERN_SLICE("/")))
        out_char(&e, '/');
    o->full = o->full || e.full;
    xml_text(o, out_done(&e));
}

void
xml_name(struct out *o, struct ern_slice space, struct ern_slice name)
{
    if (slice_eq(space, ERN_SLICE(XML_DAV))) {
        out_literal(o, "<D:");
        out_slice(o, name);
    } else if (space.len == 0) {
        out_char(o, '<');
        out_slice(o, name);
        out_literal(o, " xmlns=\"\"");
    } else {
        out_literal(o, "<x:");
        out_slice(o, name);
        out_literal(o, " xmlns:x=\"");
        xml_text(o, space);
        out_char(o, '"');
    }
    out_literal(o, "/>");
}

void
xml_status(struct out *o, uint16_t code)
{
    const struct ern_status *status = ern_status_find(code);

    out_literal(o, "<D:status>HTTP/1.1 ");
    out_u64(o, code);
    out_char(o, ' ');
    if (status)
        out_slice(o, status->phrase);
    out_literal(o, "</D:status>");
}
