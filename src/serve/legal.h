/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legal.h - the demands on record (RFC 7725), for all threads: a file that is looked at once a
 * second and read again when it has changed. What is wrong with it is said on standard error, and
 * the demands that were read before go on.
 */
#ifndef SERVE_LEGAL_H
#define SERVE_LEGAL_H

#include "conf/conf.h"
#include "io/digest.h"
#include "io/file.h"

struct legal;
struct legal_record;

/* Reads the file, and begins to watch it. Returns 0 or a negative errno; what is wrong was said. */
ERN_MUST_USE int legal_open(const char *path, struct legal **ret_legal);
void legal_close(struct legal *legal); /* NULL is fine */

/*
 * The record as it stands now; a thread calls this at the beginning of each turn.
 *   record  the one that it had, or NULL; given back if there is a newer one
 */
const struct legal_record *legal_take(struct legal *legal, const struct legal_record *record);
void legal_give(struct legal *legal, const struct legal_record *record); /* NULL is fine */

struct legal_content { /* before any coding */
    uint64_t bytes;
    const uint8_t *digest; /* NULL: not known yet; then its length alone is compared */
};

struct legal_question {
    struct ern_slice path;
    const struct ip *client;
    int64_t now_s;
    /* Is the site, that is asked for, known by this name? */
    bool (*has_name)(const void *self, struct ern_slice name);
    const void *self;
    const struct legal_content *content; /* NULL: demands that name none are looked for */
};

/* The demands that are in force, until the record is given back. */
const struct conf *legal_demands(const struct legal_record *record);

/* The first demand that stands in the way, or NULL. It is there until the record is given back. */
const struct conf_demand *legal_find(const struct legal_record *record,
                                     const struct legal_question *question);

/*
 * The digest of a file that looks so; the latest ones are remembered. Blocks. Returns 0 or a
 * negative errno.
 */
ERN_MUST_USE int legal_digest(struct legal *legal, int fd, const struct file_stamp *stamp,
                              uint8_t ret_digest[DIGEST_BYTES]);

/* Does any demand name content? */
bool legal_names_content(const struct legal_record *record);

#endif
