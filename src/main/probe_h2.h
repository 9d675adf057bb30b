/* SPDX-License-Identifier: Apache-2.0 */
/* probe_h2.h - a request of an audit over HTTP/2: the same head in the words of RFC 9113. */
#ifndef MAIN_PROBE_H2_H
#define MAIN_PROBE_H2_H

#include "base/out.h"
#include "main/probe.h"

/*
 * Can the head be said over HTTP/2? What is of the lines of HTTP/1.1 alone can not: other versions,
 * lines that are none, transfer codings, a change of the protocol. A head that begins with a colon
 * is in the words of HTTP/2 already.
 */
bool probe_h2_can_say(struct ern_slice head);

/* As probe_ask(), by prior knowledge or, over TLS, by ALPN (RFC 9113 3). */
void probe_h2_ask(const struct probe_ask *ask, struct probe_answer *answer);

/* Writes the heads and the content of an answer as HTTP/1.1 has them. */
void probe_h2_write(const struct probe_answer *answer, struct out *out);

#endif
