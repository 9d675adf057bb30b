/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - programs that run for one request each, as one thread sees them: they are started on
 * the pool, watched over until they have ended, and ended where nobody wants their answer any more.
 */
#ifndef SERVE_PROGRAM_H
#define SERVE_PROGRAM_H

#include "io/spawn.h"
#include "serve/worker.h"

struct program;
struct programs;
struct relay;

/* What a route says of its programs. */
struct program_route {
    struct spawn_user user;
    struct spawn_limits limits;
};

/*
 * Starts one for a relay, which hears of it by relay_started().
 *   file         absolute; copied
 *   name         for the log; copied
 *   environment  NAME=VALUE, each ended by NUL; taken over in any case
 * Returns false, and relay_started() is not called, without memory or if too much waits for the
 * pool.
 */
ERN_MUST_USE bool program_start(struct relay *relay, const struct program_route *route,
                                struct ern_slice file, struct ern_slice name,
                                struct buffer *environment);

/* Its relay is dropped before it was started: it is ended as soon as it is. */
void program_forget(struct program *program);

/* Nobody reads from it any more. It may come to its end in peace if its relay is over; else it is
 * ended, with all of its group. */
void program_leave(struct program *program);

/* Has it ended? If so, *ret_killed says whether a signal did that. */
bool program_has_ended(const struct program *program, bool *ret_killed);

/* Whether a pointer that the loop was given is one of a program; what happened to it. */
bool programs_are(const void *what);
void programs_event(struct worker *worker, void *what);

/* What the loop has to look at, as those of upstream.h. */
void programs_expire(struct worker *worker);
void programs_reuse(struct worker *worker);
int programs_wait_ms(const struct worker *worker);

/* Of one worker. Returns NULL without memory. */
struct programs *programs_new(const struct limits *limits);

/* The loop is over: what still runs is killed. NULL does nothing. */
void programs_free(struct programs *programs);

#endif
