/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passes.h - which addresses have signed in at a portal, and until when. One table for all threads
 * and processes: a reload forgets nobody.
 */
#ifndef SERVE_PASSES_H
#define SERVE_PASSES_H

#include "base/ip.h"

struct passes;

/* Makes the table as an anonymous shared mapping, before a process is forked that uses it. Returns
 * 0 or a negative errno. */
ERN_MUST_USE int passes_open(struct passes **ret_passes);
void passes_close(struct passes *passes);

/* Until when the address passes at the portal of this name, in seconds since 1970; 0 if it does
 * not. */
int64_t passes_until(struct passes *passes, struct ern_slice portal, const struct ip *ip,
                     int64_t now_s);

/* Lets the address pass until then. Returns false if there is no room. */
ERN_MUST_USE bool passes_grant(struct passes *passes, struct ern_slice portal, const struct ip *ip,
                               int64_t now_s, int64_t until_s);

#endif
