/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pile.h"

#include <stdlib.h>

void *
pile_take(struct pile *p)
{
    struct pile_piece *piece = p->top;

    if (!piece)
        return NULL;
    p->top = piece->next;
    p->n--;
    if (p->n < p->least)
        p->least = p->n;
    return piece;
}

void
pile_give(struct pile *p, struct pile_piece *piece)
{
    piece->next = p->top;
    p->top = piece;
    p->n++;
}

void
pile_trim(struct pile *p, unsigned keep)
{
    for (unsigned idle = p->least; idle > keep; idle--)
        free(pile_take(p));
    p->least = p->n;
}

void
pile_free(struct pile *p)
{
    for (void *piece; (piece = pile_take(p));)
        free(piece);
}
