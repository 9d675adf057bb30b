/* SPDX-License-Identifier: Apache-2.0 */
#include "res/page.h"

#include "page.inc"

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
