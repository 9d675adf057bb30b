/* SPDX-License-Identifier: Apache-2.0 */
/* filling.h - the content of an answer that is to be stored, while it comes: gathered in memory, or
 * in a file as fast as the disk takes it. What can not be kept is given up, and nobody waits. */
#ifndef SERVE_FILLING_H
#define SERVE_FILLING_H

#include "serve/shelf.h"
#include "serve/worker.h"

struct filling;

struct filling_start {
    struct worker *worker;
    struct shelved *answer; /* taken over, */
    struct flight *flight;  /* as this is: NULL, nobody waits */
    uint32_t mark;          /* shelf_mark() before it was asked for */
    int64_t length;         /* of its content; -1: it is not known */
};

/* Begins. Returns NULL without memory, or where it is too large: then it is over. */
struct filling *filling_begin(const struct filling_start *start);

/* The next piece. */
void filling_add(struct filling *filling, struct ern_slice piece);

/* That was all: it goes to the shelf, from now on by itself. */
void filling_end(struct filling *filling);

/* No more will come. NULL does nothing. */
void filling_abandon(struct filling *filling);

#endif
