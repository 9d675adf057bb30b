/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_play.h - the client of the tour: it sends what recipes say, byte by byte over a socket of
 * its own, and tells what came back. It speaks to the listeners of the tour alone.
 */
#ifndef MAIN_TOUR_PLAY_H
#define MAIN_TOUR_PLAY_H

#include "main/tour_recipe.h"

enum {
    TOUR_EDIT_BYTES = 8192,  /* of a request as a reader has changed it */
    TOUR_SENT_BYTES = 32768, /* of a request as it is sent */
};

struct tour_ports {
    uint16_t of[TOUR_PLACES];
    uint16_t guide; /* where the tour itself is asked, by its server */
};

struct tour_play {
    const struct tour_recipe *recipe;
    const struct tour_near *near; /* NULL: the recipe as it is */
    bool h2;                      /* over HTTP/2, where that has words for it: frames are told */
    struct ern_slice edited;      /* in place of its last request; absent: that */
};

/*
 * Plays it, and writes what went over the wire as JSON:
 *   {"steps": [{"sent": TEXT, "got": TEXT, "status": N, "ms": N}]}
 * Bytes that are no text are written as \xNN; of what is long the beginning is told.
 */
void tour_play(const struct tour_ports *ports, const struct tour_play *play, struct out *o);

#endif
