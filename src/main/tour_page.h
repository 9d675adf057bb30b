/* SPDX-License-Identifier: Apache-2.0 */
/* tour_page.h - the pages of the tour, as files of its world: each in every language that Earnest
 * writes, so that Accept-Language chooses. */
#ifndef MAIN_TOUR_PAGE_H
#define MAIN_TOUR_PAGE_H

#include "main/tour_recipe.h"

/* Writes all of them below tour/ in the folder. Returns false, and says why by errno, if it can
 * not.
 */
bool tour_pages_write(int folder, const struct tour_table *table);

#endif
