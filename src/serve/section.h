/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_SECTION_H
#define SERVE_SECTION_H

#include "base/out.h"

/* Writes a section as in "RFC 9110 15.5.5", as a link to it in HTML. */
void section_write_link(struct out *o, struct ern_slice source);

#endif
