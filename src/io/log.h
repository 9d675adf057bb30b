/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - lines to a file that nobody waits for. Each thread writes into memory of its own; full
 * blocks, and those that are a second old, go to one writer thread. When the file is slower than
 * the lines come, or its disk is full, lines are dropped and counted, and requests go on.
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/out.h"

struct log;

/*
 * Opens a log.
 *   path         a file to append to, or "-" for the descriptor
 *   standard     a descriptor that is open already
 *   queue_bytes  what may wait for the file
 * Returns 0 and the log, or a negative errno.
 */
ERN_MUST_USE int log_open(const char *path, int standard, int64_t queue_bytes,
                          struct log **ret_log);

/* Writes what waits, and ends the writer. NULL is fine. */
void log_close(struct log *log);

/* Lines that were dropped so far. On any thread. */
uint64_t log_dropped(const struct log *log);

enum { LOG_BLOCK_BYTES = 65536, LOG_LINE_MAX = 16384 };

struct log_block;

struct log_writer {          /* one a thread */
    struct log *log;         /* NULL: nothing is logged */
    struct log_block *block; /* being filled; NULL if empty */
    int64_t since_ms;        /* when its first line was written */
};

void log_writer_init(struct log_writer *writer, struct log *log);

/* Room for one line; say log_end() when it is written. Its overflow means that the line is dropped.
 */
struct out log_begin(struct log_writer *writer, int64_t now_ms);
void log_end(struct log_writer *writer, const struct out *line);

/* Hands over what was written if it is older than a second, or if now. */
void log_flush(struct log_writer *writer, int64_t now_ms, bool now);

#endif
