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
