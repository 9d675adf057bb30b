/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pile.h - large pieces of memory, all of one kind, that are taken and given back all the time by
 * one thread. What was needed in the last while stays; the rest goes back to the system.
 */
#ifndef SERVE_PILE_H
#define SERVE_PILE_H

struct pile_piece { /* the first member of what is piled up, which came from malloc() */
    struct pile_piece *next;
};

struct pile { /* begins with zeroes */
    struct pile_piece *top;
    unsigned n;
    unsigned least; /* of n, since the last pile_trim(): so many nobody needed */
};

/* Returns NULL if there is none. */
void *pile_take(struct pile *pile);

void pile_give(struct pile *pile, struct pile_piece *piece);

/* Every while: frees what nobody needed since the last time, but for keep of them. */
void pile_trim(struct pile *pile, unsigned keep);

void pile_free(struct pile *pile);

#endif
