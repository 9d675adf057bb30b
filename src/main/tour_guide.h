/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_guide.h - what stands behind the server of the tour: it plays recipes for pages that ask,
 * and is the server whose answers a gateway has trouble with. Only the tour's own server asks it,
 * at a port of this host.
 *
 *   POST /tour/play?code=412           plays a recipe; &near=0 one of its near misses
 *        Content-Type: message/http    the content, if there is any, is its last request, changed
 *   GET  /odd/NAME                     answers as the row of that name says
 */
#ifndef MAIN_TOUR_GUIDE_H
#define MAIN_TOUR_GUIDE_H

#include "main/tour_play.h"

struct tour_guide {
    int fd;                         /* listening, on an address of this host alone */
    const struct tour_table *table; /* both outlive the process */
    const struct tour_ports *ports;
};

/* Answers in threads of its own from now on, as long as the process lives; *guide stays. Returns
 * false if it can not. */
bool tour_guide_start(const struct tour_guide *guide);

#endif
