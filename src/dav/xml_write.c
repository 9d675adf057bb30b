/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/xml.h"

#include "base/slice.h"
#include "base/utf8.h"
#include "earnest/status.h"
#include "msg/target.h"

/* The length of the character at the start of the text; 0 if XML 1.0 cannot hold it (2.2). */
static size_t
character(struct ern_slice text)
{
    size_t n = utf8_len(text);

    if (n == 1 && (unsigned char)text.ptr[0] < ' ')
        return text.ptr[0] == '\t' || text.ptr[0] == '\n' || text.ptr[0] == '\r';
    if (slice_starts(text, ERN_SLICE("\xef\xbf\xbe")) ||
        slice_starts(text, ERN_SLICE("\xef\xbf\xbf")))
        return 0;
    return n;
}

static void
escape(struct out *o, struct ern_slice text, const struct ern_slice *by)
{
    while (text.len) {
        size_t n = character(text);
        unsigned char c = (unsigned char)text.ptr[0];

        if (n == 0)
            out_literal(o, "\xef\xbf\xbd");
        else if (c < '?' && slice_is_there(by[c]))
            out_slice(o, by[c]);
        else
            out_slice(o, slice_first(text, n));
        if (n == 0)
            n = utf8_len(text);
        text = slice_skip(text, n ? n : 1);
    }
}

/* What would come back as something else stands as a reference: a carriage return everywhere (XML
 * 1.0 2.11), and all white space of attributes (3.3.3). */
#define REFERENCES                                                                                 \
    ['&'] = {"&amp;", 5}, ['<'] = {"&lt;", 4}, ['>'] = {"&gt;", 4}, ['\r'] = {"&#13;", 5}

void
xml_text(struct out *o, struct ern_slice text)
{
    static const struct ern_slice by['?'] = {REFERENCES};

    escape(o, text, by);
}

void
xml_attribute(struct out *o, struct ern_slice text)
{
    static const struct ern_slice by['?'] = {
        REFERENCES, ['"'] = {"&quot;", 6}, ['\t'] = {"&#9;", 4}, ['\n'] = {"&#10;", 5}};

    escape(o, text, by);
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
    } else if (slice_eq(space, ERN_SLICE(XML_SPACE))) { /* no other prefix may stand for it */
        out_literal(o, "<xml:");
        out_slice(o, name);
    } else if (space.len == 0) {
        out_char(o, '<');
        out_slice(o, name);
        out_literal(o, " xmlns=\"\"");
    } else {
        out_literal(o, "<x:");
        out_slice(o, name);
        out_literal(o, " xmlns:x=\"");
        xml_attribute(o, space);
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
