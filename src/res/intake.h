/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake.h - a file of lines, each of which is a form that was sent here, as JSON:
 *
 *   {"at":"2026-11-05T10:15:42Z","id":"ID","fields":{"name":"Ada","photo":{"file":"NAME", ...}}}
 *
 * with "key" and "digest" before "fields" if it came with an Idempotency-Key, and "user" if it is
 * known who sent it. The files of forms are in the folder FILE.files, under random names.
 *
 * A line is whole and on the disk, or it is not there, whatever stops us: it is written at once,
 * and what a kill leaves of one is taken away before the next is written. The files of a form are
 * staged before its line is written, and come to their names after it; a start finishes what was
 * cut.
 */
#ifndef RES_INTAKE_H
#define RES_INTAKE_H

#include "res/form.h"
#include "res/once.h"

struct intake {
    const char *path;
    struct stage stage;     /* of the folder for files */
    int root;               /* that folder; -1: the intake is not open */
    struct once once;       /* keys that were used, as the lines say */
    pthread_mutex_t lock;   /* of the file, and of what follows */
    uint64_t device, inode; /* the file that was read, and */
    int64_t read_to;        /* as far as its lines were */
};

/*
 * Opens it: makes the folder for files, and puts right what a crash has left. May block.
 *   path  of the file; kept by the caller
 * Returns 0 or a negative errno.
 */
ERN_MUST_USE int intake_open(struct intake *intake, const char *path, const struct limits *limits);
void intake_close(struct intake *intake);

struct intake_entry {
    struct form *form;
    int64_t now_s;         /* Unix time */
    struct ern_slice user; /* absent: nobody was asked */
    const uint8_t *key;    /* ONCE_KEY_BYTES; NULL: it came without */
    uint8_t content[DIGEST_BYTES];
};

enum intake_reply {
    INTAKE_KEPT,  /* it is on the disk; or it was already, under its key */
    INTAKE_OTHER, /* something else is, under its key */
};

/* Adds a line, and the files. May block. Returns 0 or a negative errno: then nothing was added. */
ERN_MUST_USE int intake_keep(struct intake *intake, const struct intake_entry *entry,
                             enum intake_reply *ret_reply);

/* ---- intake_line.c: the beginning of a line
 */

enum { INTAKE_HEAD_BYTES = 192 /* up to the key and the digest */ };

/* Writes a line up to the fields. id: as stage_name() makes it. */
void intake_write_head(const struct intake_entry *entry, const char *id, struct out *o);

/* Reads the head of a line that has a key. Returns false if it has none, or is not one of ours. */
ERN_MUST_USE bool intake_read_head(struct ern_slice line, struct once_done *ret_done);

/*
 * Goes through the lines of a file from an offset, where one begins: all that end.
 *   each      is given the first INTAKE_HEAD_BYTES of each
 *   ret_end   the offset behind the last
 * Returns 0 or a negative errno.
 */
ERN_MUST_USE int intake_lines(int fd, int64_t from, void (*each)(void *self, struct ern_slice head),
                              void *self, int64_t *ret_end);

/* Is the text in the file? Also if that can not be found out. */
bool intake_mentions(int fd, struct ern_slice text);

/* Takes away what a kill left of a line behind the end of the last one; a line that lacks nothing
 * but its end gets that. The file is open for appending. Returns 0 or a negative errno. */
ERN_MUST_USE int intake_mend(int fd, int64_t end);

#endif
