/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.h - sites that are out of service for a while (RFC 9110 15.6.4). All processes of a server
 * share what is paused, so that it outlives a reload and a crash.
 */
#ifndef SERVE_PAUSE_H
#define SERVE_PAUSE_H

#include <stdint.h>

#include "earnest/slice.h"

struct pause;
struct pauses;

/* Before the first process is made. Returns 0 or a negative errno. */
ERN_MUST_USE int pauses_open(struct pauses **ret_pauses);
void pauses_close(struct pauses *pauses); /* NULL is fine */

/* The pause of the site with this name (absent: the one without), made if it is new; NULL: there is
 * no room for another one. Only one thread at a time may ask. */
struct pause *pause_of(struct pauses *pauses, struct ern_slice site);

/* Pauses the site until this time of the clock that never steps; 0 ends that. */
void pause_until(struct pause *pause, int64_t run_ms);

/* Seconds, rounded up, for which it is still paused; 0: it is not. */
int64_t pause_left_s(const struct pause *pause, int64_t now_ms);

#endif
