/* SPDX-License-Identifier: Apache-2.0 */
/* tls_parts.h - what the files of tls.h share; inside the layer only. */
#ifndef IO_TLS_PARTS_H
#define IO_TLS_PARTS_H

#include <gnutls/gnutls.h>

#include "io/tls.h"

enum { TLS_HOST_MAX = 255 }; /* octets of a DNS name (RFC 1035 2.3.4) */

struct tls_replay_window;
struct tls_hosts;

struct tls {
    gnutls_priority_t priority;
    struct tls_hosts *hosts;
    struct tls_replay_window *window; /* NULL: no early data */
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
    enum tls_client client;
    bool http2;
    uint32_t early_data_max, handshake_max;
};

struct tls_session {
    const struct tls *tls;
    gnutls_session_t gnutls;
    struct ern_slice *cipher; /* of the call that runs, as is out */
    struct out *out;
    const char *why;
    int failed;     /* a negative errno, once it is at its end */
    uint32_t taken; /* bytes of ciphertext before it was ready */
    bool begun;     /* the first byte was that of a handshake */
    bool greeted;   /* a ClientHello came */
    bool h2;        /* as the ClientHello and the policy say */
    bool ready;
    bool last_was_early;
    uint8_t host_len;
    char host[TLS_HOST_MAX];
    char fingerprint[TLS_FINGERPRINT_BYTES];
    gnutls_datum_t subject;
};

/* Makes GnuTLS ready; before all else of it, again and again is fine. Returns false without memory.
 */
ERN_MUST_USE bool tls_ready(void);

/* Reads the certificates, and tells which are for which names. Returns as tls_open() does. */
ERN_MUST_USE int tls_hosts_new(const struct tls_options *options, struct tls_hosts **ret_hosts,
                               const char **ret_why);
void tls_hosts_free(struct tls_hosts *hosts);

/* The certificates for the host, which is in lower case; those of the first one if none covers it.
 */
gnutls_certificate_credentials_t tls_hosts_find(const struct tls_hosts *hosts,
                                                struct ern_slice host);

/* Gives the i-th certificate its OCSP response, DER or PEM. Returns what GnuTLS says. */
int tls_staple(gnutls_certificate_credentials_t credentials, unsigned i,
               const gnutls_datum_t *ocsp);

/* Frees what may be a key. */
void tls_forget(gnutls_datum_t *datum);

/* Called by GnuTLS with each ClientHello before it looks at it itself: chooses what depends on the
 * name of the host. */
int tls_hello(gnutls_session_t gnutls, unsigned type, unsigned when, unsigned incoming,
              const gnutls_datum_t *message);

/* Where GnuTLS asks whether early data is a replay. Returns 0, or -ENOMEM. */
ERN_MUST_USE int tls_replay_window_new(struct tls_replay *replay, uint32_t seconds,
                                       struct tls_replay_window **ret_window);
void tls_replay_window_free(struct tls_replay_window *window);

/* Lets GnuTLS ask within the call that runs; after it the window may have moved on. */
void tls_replay_window_enable(struct tls_replay_window *window, gnutls_session_t gnutls);

#endif
