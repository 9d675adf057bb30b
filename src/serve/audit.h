/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the log of what was refused, and of what was done to the server: JSON, an object a
 * line. No line has a secret: neither the query of a target nor any field of a request but its
 * Host, and of the words of an admin verb not those that are one.
 */
#ifndef SERVE_AUDIT_H
#define SERVE_AUDIT_H

#include "serve/exchange.h"

/* Writes a line if the answer is a refusal: of who asks, for what, and by which rule. */
void audit_refusal(struct exchange *exchange);

/*
 * Writes a line on an admin verb that changes something.
 *   uid, pid  of the client, as the kernel has it
 *   what      the object of the verb, without its secrets
 *   done      it succeeded
 */
void audit_deed(struct log_writer *writer, int64_t unix_s, unsigned uid, int pid,
                struct ern_slice verb, struct ern_slice what, bool done);

#endif
