/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_recipe.h - what earns each status in the world of the tour: the table that its pages are
 * made of, and that its client sends from. src/main/tour/recipes.txt is written in it:
 *
 *   code 412                  a recipe for this code begins
 *   by fetch                  who sends it: a page (fetch, websocket), or only the client of the
 * tour to portal                 which listener it goes to: site (the default), portal or forward
 *   en TEXT, bn TEXT          what happens, for people
 *   > PUT /a HTTP/1.1         a line of a request; $host, $port, $length, $etag, $first, $location
 * and $lock are filled in, {x*9000} is so many, content has \r, \n and \xNN < 412 if_match its
 * answer, and the rule that decides it; the last request of a recipe is the point, those before it
 * prepare the ground near                      the last request, with a change that makes another
 * answer of it near alone                likewise, and without the requests that prepare the ground
 */
#ifndef MAIN_TOUR_RECIPE_H
#define MAIN_TOUR_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/out.h"
#include "code/language.h"

enum tour_means { TOUR_CLIENT, TOUR_FETCH, TOUR_WEBSOCKET, TOUR_MEANS };
enum tour_place { TOUR_SITE, TOUR_PORTAL, TOUR_FORWARD, TOUR_PLACES };
enum { TOUR_RECIPES = 80, TOUR_STEPS = 8, TOUR_NEARS = 6 };

struct tour_step {
    struct ern_slice lines; /* as they stand in the table */
    bool unfinished;        /* a request that stops arriving: no empty line ends its head */
    uint16_t status;        /* of the answer */
    struct ern_slice rule;
};

struct tour_near {
    struct ern_slice said[LANGUAGES];
    bool alone;
    struct tour_step step;
};

struct tour_recipe {
    unsigned code;
    enum tour_means means;
    enum tour_place to;
    struct ern_slice said[LANGUAGES];
    struct tour_step steps[TOUR_STEPS];
    size_t steps_n; /* 0: nothing earns it, and said says why */
    struct tour_near nears[TOUR_NEARS];
    size_t nears_n;
};

struct tour_table {
    struct tour_recipe recipe[TOUR_RECIPES];
    size_t n;
};

/* Reads a table; its slices are of the text. Returns 0, or the number of the first line that is
 * wrong. */
unsigned tour_recipes_read(struct ern_slice text, struct tour_table *ret);

/* The recipe of a code; NULL if there is none. */
const struct tour_recipe *tour_recipe_find(const struct tour_table *table, unsigned code);

/* Writes the request of a step as people see it: lines that end with LF, and an empty one at the
 * end of its head. */
void tour_step_write(const struct tour_step *step, struct out *o);

#endif
