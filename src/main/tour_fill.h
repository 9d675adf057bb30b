/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour_fill.h - a request as people write it becomes the bytes that are sent, and bytes become text
 * that can be shown. Readers of the tour change requests as they like: all of it may be hostile.
 */
#ifndef MAIN_TOUR_FILL_H
#define MAIN_TOUR_FILL_H

#include "base/out.h"

enum { TOUR_VALUE_BYTES = 512, TOUR_TOLD_BYTES = 12288 };

enum tour_kept { TOUR_ETAG, TOUR_FIRST, TOUR_LOCATION, TOUR_LOCK, TOUR_KEPTS };

struct tour_names { /* what $names stand for; all zero at first */
    uint16_t port, site;
    char kept[TOUR_KEPTS][TOUR_VALUE_BYTES]; /* of answers, for requests after them */
    size_t len[TOUR_KEPTS];
};

/* The field of an answer that is kept so, in lower case. */
struct ern_slice tour_kept_field(enum tour_kept kept);

/* Keeps the value; the first one, where that is what is meant. Of what is too long, nothing. */
void tour_keep(struct tour_names *names, enum tour_kept kept, struct ern_slice value);

/*
 * Writes the bytes of a request: names and {x*9000} are replaced everywhere; in its head LF becomes
 * CRLF, in its content \r, \n and \xNN are bytes. The head ends with the first empty line; without
 * one there is no content. What does not fit makes head or content full.
 */
void tour_fill(const struct tour_names *names, struct ern_slice text, struct out *head,
               struct out *content);

/* Writes bytes as the inside of a JSON string: text as it is, all else as \xNN; of what is longer
 * than TOUR_TOLD_BYTES the beginning. */
void tour_told(struct out *o, struct ern_slice bytes);

#endif
