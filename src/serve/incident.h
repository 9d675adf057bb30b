/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident.h - what is remembered of the latest answers that were our fault, for whoever asks why:
 * a 500 names an id. Shared by all threads; nobody waits to remember.
 */
#ifndef SERVE_INCIDENT_H
#define SERVE_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

struct exchange;
struct incidents;

enum { INCIDENT_TARGET_BYTES = 256, INCIDENT_METHOD_BYTES = 32 };

struct incident {
    uint64_t id;
    int64_t unix_s;
    char method[INCIDENT_METHOD_BYTES], target[INCIDENT_TARGET_BYTES]; /* without the query */
    const char *resource;                                              /* its kind */
    const char *rule;                                                  /* that decided, and */
    const char *fact; /* that was asked last; NULL: none was */
    int error;        /* what the work ended with: a negative errno, or 0 */
};

/* Returns NULL without memory. */
struct incidents *incidents_new(void);
void incidents_free(struct incidents *incidents); /* NULL is fine */

/* Remembers an answer that has an incident id; the oldest one is forgotten. */
void incident_keep(struct incidents *incidents, const struct exchange *exchange);

/* Looks for one by its hexadecimal id. */
bool incident_find(struct incidents *incidents, struct ern_slice id, struct incident *ret);

#endif
