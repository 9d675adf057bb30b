/* SPDX-License-Identifier: Apache-2.0 */
/* hop.h - what is of one connection alone, and what goes on to the next (RFC 9110 7.6). */
#ifndef MSG_HOP_H
#define MSG_HOP_H

#include "base/out.h"
#include "earnest/message.h"

/*
 * Does the field end here? So do those that Connection names, what is of the connection by its own
 * definition, and all that says how the message is framed: that is said anew.
 */
bool hop_ends(const struct ern_request *message, const struct ern_field *field);

/* Would it be taken for a field that we judge by its name, by a program that reads - and _ as the
 * same (RFC 3875 4.1.18)? Then two readers would see two messages. */
bool hop_is_disguised(struct ern_slice name);

/* Was the message here before: does Via (RFC 9110 7.6.3) or CDN-Loop (RFC 8586 2) name us? */
bool hop_loops(const struct ern_request *message, struct ern_slice pseudonym);

/* Writes the members of Upgrade that can go on, with commas between them: another version of HTTP,
 * and TLS, are of this connection. Returns whether there are any. */
bool hop_write_upgrade(const struct ern_request *message, struct out *o);

/*
 * May hints go ahead of the answer (103)? Clients of HTTP/1.1 that know none have taken them for
 * the answer (RFC 8297 3): they are for HTTP/2, and for browsers that open a page.
 */
bool hop_takes_hints(const struct ern_request *request);

#endif
