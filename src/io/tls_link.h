/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_link.h - TLS 1.2 and 1.3 for the side that asks, over a socket that does not wait: who is
 * asked shows a certificate for his name, by somebody who is trusted, or there is no connection.
 */
#ifndef IO_TLS_LINK_H
#define IO_TLS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "earnest/slice.h"

/* Who may sign certificates. Shared by all threads. */
struct tls_trust;

/* One connection, used by one thread. */
struct tls_link;

/* By which the next connection to the same host can be resumed (RFC 8446 2.2). It is used once. */
struct tls_ticket {
    void *bytes; /* NULL: there is none */
    unsigned n;
};

/*
 *   ca           a PEM file with those who may; NULL: those whom the system trusts
 *   certificate  a PEM file by which we say who we are, to those who ask; NULL: by none
 *   key          the PEM file of its key; NULL: it is in that of the certificate
 *   ret_why      on failure a constant text that says what is wrong
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int tls_trust_open(const char *ca, const char *certificate, const char *key,
                                struct tls_trust **ret_trust, const char **ret_why);
void tls_trust_close(struct tls_trust *trust); /* after its last link; NULL is fine */

/*
 *   host    whom to reach: a DNS name, or an address without brackets; at most 255 bytes
 *   h2      HTTP/2 may be spoken, too: they choose (RFC 7301)
 *   ticket  of the last connection to this host with the same trust, which is used up; a new one
 *           comes there. It stays the caller's, and longer than the link
 *   fd      a connected socket, which stays the caller's
 * Returns 0, or -ENOMEM.
 */
ERN_MUST_USE int tls_link_new(const struct tls_trust *trust, struct ern_slice host, bool h2,
                              struct tls_ticket *ticket, int fd, struct tls_link **ret_link);
void tls_ticket_drop(struct tls_ticket *ticket);
void tls_link_free(struct tls_link *link); /* NULL is fine */

/* Goes on with the handshake. Returns 0 when it is finished; -EAGAIN: the socket tells when to call
 * again; -EACCES: the certificate is not one for host, or by nobody who is trusted; -ECONNABORTED:
 * they have ended it; or -EPROTO. */
ERN_MUST_USE int tls_link_shake(struct tls_link *link);

/* After the handshake: did they choose HTTP/2? */
bool tls_link_is_h2(const struct tls_link *link);

/* As send() and recv() with MSG_DONTWAIT, but that they return a negative errno. An end that the
 * other side has not announced is -ECONNRESET: somebody else may have cut it (RFC 8446 6.1). */
ERN_MUST_USE ssize_t tls_link_send(struct tls_link *link, struct ern_slice bytes);
ERN_MUST_USE ssize_t tls_link_receive(struct tls_link *link, char *to, size_t room);

/* Says that we will send no more. */
void tls_link_end(struct tls_link *link);

#endif
