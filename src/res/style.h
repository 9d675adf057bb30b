/* SPDX-License-Identifier: Apache-2.0 */
/*
 * style.h - the look that all pages of Earnest share, as CSS: light and dark as the reader's system
 * has it, and fonts that have Bengali.
 */
#ifndef RES_STYLE_H
#define RES_STYLE_H

#define STYLE                                                                                      \
    ":root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1b2320;--soft:#5a6761;--line:#dde3df;"   \
    "--mark:#00694d}"                                                                              \
    "@media(prefers-color-scheme:dark){:root{--paper:#111614;--ink:#e3e9e6;--soft:#98a69f;"        \
    "--line:#2b3531;--mark:#62cfa5}}"                                                              \
    "*{box-sizing:border-box}"                                                                     \
    "body{margin:0;background:var(--paper);color:var(--ink);"                                      \
    "font:1rem/1.6 system-ui,\"Noto Sans\",\"Noto Sans Bengali\",sans-serif}"                      \
    "main{max-width:60rem;margin:0 auto;padding:clamp(1.5rem,7vw,5rem) 1.25rem}"                   \
    "a{color:var(--mark);text-underline-offset:.2em}"                                              \
    ":focus-visible{outline:3px solid var(--mark);outline-offset:2px;border-radius:2px}"

#endif
