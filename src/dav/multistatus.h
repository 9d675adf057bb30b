/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multistatus.h - the content of a 207 (RFC 4918 13): several outcomes, each with the status that a
 * rule gives it. What is made here lies in memory; a long one is streamed by find.c.
 */
#ifndef DAV_MULTISTATUS_H
#define DAV_MULTISTATUS_H

#include "dav/dav.h"

/*
 * The rule for one member of an operation: a decision of its own (doc/adr/0004), from the facts
 * that are not as their fallback is. odd   facts, ended by ERN_FACTS
 */
const struct ern_rule *member_rule(const enum ern_fact *odd);
const struct ern_rule *member_rule_of_error(int error); /* a negative errno of its file */

/* Their statuses. */
uint16_t member_status(const enum ern_fact *odd);

uint16_t member_status_of_error(int error);

struct multistatus { /* in memory of its own, until it is the representation */
    struct dav *dav;
    char *text;
    struct out out;
    unsigned n; /* responses */
};

/* Begins one; false without memory. */
ERN_MUST_USE bool multistatus_begin(struct multistatus *m, struct dav *dav);

/* One response: a member of the share and its status. condition: a DAV element that says why, with
 * the URL of the member in it (RFC 4918 16), or NULL. */
void multistatus_add(struct multistatus *m, struct ern_slice path, bool collection, uint16_t status,
                     const char *condition);

/* Makes it the representation of the answer, and the outcome mixed. False if it did not fit. */
ERN_MUST_USE bool multistatus_end(struct multistatus *m);

/* Drops it. */
void multistatus_drop(struct multistatus *m);

/* The fields of an answer whose content is this XML: Content-Type. Its stream frees the text. */
ERN_MUST_USE bool xml_represent(struct dav *dav, char *text, size_t len);

#define MULTISTATUS_HEAD                                                                           \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n"
#define MULTISTATUS_FOOT "</D:multistatus>\n"

#endif
