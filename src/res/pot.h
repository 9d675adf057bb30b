/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pot.h - a pot, and what it does as time goes by: it brews, keeps warm what it brewed, pours milk,
 * and runs out. All threads and processes of a server share it: a reload or a crash spills nothing.
 *
 *   IDLE -start-> BREWING -time-> READY -start-> served, and if milk was wanted POURING
 *                    |              |                                     |
 *                    +-----stop-----+-> served likewise               WHEN, or the cup is full
 *
 * Once a drink is served, or has stood too long, the pot is IDLE again; without another serving in
 * it, it is OUT until it is filled again.
 */
#ifndef RES_POT_H
#define RES_POT_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

enum pot_phase { POT_IDLE, POT_BREWING, POT_READY, POT_POURING, POT_OUT, POT_PHASES };

struct pot_settings {
    int64_t brew_ms;   /* from the start until it is ready */
    int64_t keep_ms;   /* after that, until it is poured away */
    int64_t refill_ms; /* from the last serving until it is full again */
    unsigned servings; /* of a full pot, at least 1 */
};

struct pot_order {      /* what is brewed; two that are the same are one */
    uint32_t kind;      /* which of the kinds of tea; 0 of a pot that has none */
    uint32_t additions; /* a bit for each */
    bool milk;          /* one of them is milk: somebody has to say when */
};

struct pot_view { /* a pot at one moment */
    enum pot_phase phase;
    int64_t left_ms;        /* until the phase is over by itself; 0 when IDLE */
    unsigned servings;      /* that are left in it */
    unsigned strength;      /* of the drink, in percent of what it can be */
    struct pot_order order; /* the drink, unless it is IDLE or OUT */
};

enum pot_command {
    POT_LOOK,
    POT_START, /* the order; or be served, once it is ready */
    POT_STOP,  /* and be served what there is by now */
    POT_WHEN,  /* enough milk */
};

enum pot_reply {
    POT_BREWS,  /* it has begun, or goes on with the same order */
    POT_SERVES, /* the view is of the drink that was served */
    POT_BUSY,   /* another drink is in it */
    POT_EMPTY,  /* there is nothing to stop, or to say when to; or it is OUT */
};

struct pot;
struct pots;

/* Before the first process is made. Returns 0 or a negative errno. */
ERN_MUST_USE int pots_open(struct pots **ret_pots);
void pots_close(struct pots *pots); /* NULL is fine */

/* The pot with this name, which is a hash of all that makes it this one; filled if it is new. NULL:
 * there is no room for another one. Only one thread at a time may ask. */
struct pot *pot_of(struct pots *pots, uint64_t name, const struct pot_settings *settings);

/*
 * Does what a client asks of the pot, after what time has done to it.
 *   order   of POT_START alone
 *   now_ms  of the clock that never steps
 * Returns what came of it; of POT_LOOK there is nothing but the view.
 */
enum pot_reply pot_do(struct pot *pot, const struct pot_settings *settings,
                      enum pot_command command, const struct pot_order *order, int64_t now_ms,
                      struct pot_view *ret_view);

#endif
