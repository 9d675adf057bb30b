/* SPDX-License-Identifier: Apache-2.0 */
#include "res/page.h"

#include "msg/target.h"

#include "page.inc"

enum { HOST_BYTES = 255 /* of a name of the DNS */ };

#define PART(name)                                                                                 \
    {                                                                                              \
        {name, sizeof name},                                                                       \
        {                                                                                          \
            name##_source, sizeof name##_source - 1                                                \
        }                                                                                          \
    }

const struct page_part page_style = PART(style_css);
const struct page_part page_listing = PART(listing_css);
const struct page_part page_folder = PART(folder_css);
const struct page_part page_script = PART(folder_js);
const struct page_part page_path = PART(path_css);
const struct page_part page_why = PART(why_css);

void
page_begin(struct out *o, enum language language)
{
    out_literal(o, "<!doctype html>\n<html lang=\"");
    out_slice(o, language_tag(language));
    out_literal(o, "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\">\n<title>");
}

void
page_header(struct out *o, enum language language)
{
    static const struct {
        struct ern_slice skip, pages;
    } words[LANGUAGES] = {
#define W(text) {"" text, sizeof text - 1}
        [LANGUAGE_EN] = {W("Skip to the content"), W("Site")},
        [LANGUAGE_BN] = {W("মূল অংশে যান"), W("সাইট")},
#undef W
    };

    out_literal(o, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    out_slice(o, words[language].skip);
    out_literal(o, "</a>\n<header><nav aria-label=\"");
    out_slice(o, words[language].pages);
    out_literal(o, "\">");
}

void
page_site(struct out *o, struct ern_slice authority, struct ern_slice to, enum language language)
{
    static const struct ern_slice top[LANGUAGES] = {
        [LANGUAGE_EN] = {"top", 3},
        [LANGUAGE_BN] = {"শুরু", sizeof "শুরু" - 1},
    };
    struct ern_slice host = authority_is(authority, false) ? authority_host(authority) : ERN_ABSENT;

    out_literal(o, "<a href=\"");
    out_html(o, to);
    out_literal(o, "\">");
    if (host.len && host.len <= HOST_BYTES)
        out_html(o, host);
    else
        out_slice(o, top[language]);
    out_literal(o, "</a>");
}

void
page_main(struct out *o)
{
    out_literal(o, "</nav></header>\n<main id=\"main\">\n");
}

void
page_write_style(struct out *o, const struct page_part *part)
{
    out_literal(o, "<style>");
    out_slice(o, part->text);
    out_literal(o, "</style>\n");
}

void
page_term(struct out *o, struct ern_slice term)
{
    out_literal(o, "<div><dt>");
    out_slice(o, term);
    out_literal(o, "</dt><dd>");
}

void
page_term_end(struct out *o)
{
    out_literal(o, "</dd></div>\n");
}
