/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.h - a TLS client over memory, and what moves bytes between it and a session. */
#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

#include <gnutls/gnutls.h>

#include "io/tls.h"

enum { TLS_PEER_BYTES = 1 << 17 };

struct tls_peer {
    gnutls_session_t gnutls;
    gnutls_certificate_credentials_t credentials;
    char in[TLS_PEER_BYTES], out[TLS_PEER_BYTES]; /* what came, and what it wants sent */
    size_t in_at, in_len, out_at, out_len;
    int code; /* of the handshake */
};

struct tls_peer_options {
    const char *ca;                /* whom it trusts; NULL: anybody */
    const char *host;              /* NULL: it names none */
    const char *priority;          /* NULL: "NORMAL" */
    const char *alpn;              /* protocols with spaces between; NULL: it names none */
    const char *certificate, *key; /* NULL: it has none */
    const gnutls_datum_t *ticket;  /* of a session before; or NULL */
    const char *early;             /* early data; NULL: none */
};

void tls_peer_init(struct tls_peer *client, const struct tls_peer_options *options);
void tls_peer_free(struct tls_peer *client);

/* Lets the client go on with the handshake. */
void tls_peer_step(struct tls_peer *client);

/*
 * Feeds what the client wants sent to the session, `split` bytes at a time, and what this says to
 * the client. Plaintext is appended to plain, which must have room. Returns what tls_read()
 * returned last.
 */
ssize_t tls_peer_feed(struct tls_peer *client, struct tls_session *session, size_t split,
                      struct out *plain);

/* Goes on until both have finished, or one can not go on. Returns what tls_read() said last. */
ssize_t tls_peer_shake(struct tls_peer *client, struct tls_session *session, size_t split);

#endif
