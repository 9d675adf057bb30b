/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - TLS 1.2 and 1.3 (RFC 5246, RFC 8446) for the side that serves, from memory to memory: no
 * function here makes a system call for a connection. Bytes of the peer go in as cipher, bytes for
 * it come out in an out, and who has them on a socket is another's matter.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/out.h"

enum {
    TLS_TICKET_KEY_BYTES = 64,
    TLS_FINGERPRINT_BYTES = 64, /* of SHA-256, in hexadecimal */
    TLS_OUT_MIN = 1024,         /* free room in an out that each call wants */
};

/* What one listener speaks TLS with: certificates, ticket keys, policy. Shared by all threads. */
struct tls;

/* One connection, used by one thread at a time. */
struct tls_session;

/* The ClientHellos whose early data was accepted; shared by threads and processes. */
struct tls_replay;

enum tls_client { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRED };

struct tls_certificate {     /* paths of PEM files */
    const char *certificate; /* the server's first, then those that signed it */
    const char *key;         /* NULL: it is in the file of the certificate */
    const char *ocsp;        /* an OCSP response, DER or PEM; NULL: none is sent along */
};

struct tls_options {
    const struct tls_certificate *certificates; /* the first one is for names that none covers */
    size_t certificates_n;                      /* at least 1 */
    const char *client_ca;                      /* who may sign client certificates; or NULL */
    enum tls_client client;                     /* with one other than NONE, client_ca is needed */
    const unsigned char *ticket_key; /* TLS_TICKET_KEY_BYTES, the same in all processes */
    bool http2;                      /* offer "h2" before "http/1.1" (RFC 7301) */
    bool early_data;                 /* accept it (RFC 8446 2.3); needs replay */
    uint32_t early_data_max;   /* bytes of it in one connection, which are skipped if it is not
                                * accepted; 1 or more */
    uint32_t early_window_s;   /* how late a ClientHello with early data may come; 3 or more */
    uint32_t handshake_max;    /* bytes that a peer may send before it is ready */
    struct tls_replay *replay; /* outlives the struct tls */
};

/*
 * Reads the files and makes what is needed of them.
 *   ret_why  on failure a constant text that says what is wrong
 * Returns 0, or a negative errno.
 */
ERN_MUST_USE int tls_open(const struct tls_options *options, struct tls **ret_tls,
                          const char **ret_why);

/* After its last session is freed. NULL is fine. */
void tls_close(struct tls *tls);

/* Does a certificate name the host, itself or by a wildcard? */
bool tls_covers(const struct tls *tls, struct ern_slice host);

/* What can be wrong with the files of a certificate. */
enum tls_fault {
    TLS_FAULT_NONE,
    TLS_FAULT_CERTIFICATE_FILE, /* it can not be read */
    TLS_FAULT_CERTIFICATE,      /* it holds none */
    TLS_FAULT_KEY_FILE,
    TLS_FAULT_KEY,
    TLS_FAULT_KEY_OTHER, /* the key is another certificate's */
    TLS_FAULT_OCSP_FILE,
    TLS_FAULT_OCSP,     /* no response, or about another certificate */
    TLS_FAULT_OCSP_OLD, /* tls_open() leaves it out */
};

/*
 * Looks at the files of one certificate, for people who want to know before tls_open() does.
 *   ret_from_s, ret_until_s  seconds since 1970 between which the certificate is good
 * Returns the first thing that is wrong.
 */
enum tls_fault tls_certificate_look(const struct tls_certificate *paths, int64_t *ret_from_s,
                                    int64_t *ret_until_s);

/* Returns 0, or -ENOMEM. The session borrows tls. */
ERN_MUST_USE int tls_session_new(const struct tls *tls, struct tls_session **ret_session);
void tls_session_free(struct tls_session *session);

/*
 * Takes ciphertext off the front of *cipher, and gives plaintext. What has to be sent (handshake,
 * alerts, tickets) is appended to out, whatever is returned: send it. Call it until it says
 * -EAGAIN: a session may hold plaintext that did not fit. cap  at least 1
 *
 * Returns the bytes in plain, 0 when the peer said close_notify, or a negative errno; all but the
 * first two of them end the session, and tls_why() has words for them:
 *   -EAGAIN          more ciphertext is needed; all of *cipher was taken
 *   -ENOBUFS         out is too full: send it and call again, even with nothing more in cipher
 *   -EPROTO          the first byte is not that of a handshake; *cipher is left as it was
 *   -EPROTONOSUPPORT no version, cipher suite, protocol (ALPN) or certificate suits both
 *   -EACCES          the client's certificate is missing or bad
 *   -EBADMSG         a record or a message is broken, or more than early_data_max
 *   -EMSGSIZE        more bytes than handshake_max
 *   -ECONNABORTED    the peer sent an alert that ends the session
 *   -ENOMEM
 */
ERN_MUST_USE ssize_t tls_read(struct tls_session *session, struct ern_slice *cipher, char *plain,
                              size_t cap, struct out *out);

/* The room that n bytes of plaintext take at most in an out as records. */
size_t tls_room(size_t n);

/*
 * Appends plaintext to out as records.
 * Returns 0; -EAGAIN with nothing done while the session is not ready; -ENOBUFS with nothing done
 * if tls_room() is not there; or another negative errno when the session is at its end.
 */
ERN_MUST_USE int tls_write(struct tls_session *session, struct ern_slice plain, struct out *out);

/* Appends close_notify: nothing more is written. Returns as tls_write() does. */
ERN_MUST_USE int tls_bye(struct tls_session *session, struct out *out);

/* Is the handshake finished? Early data is read before. */
bool tls_is_ready(const struct tls_session *session);

/* Was the plaintext that tls_read() gave last early data, which somebody may send again? */
bool tls_last_was_early(const struct tls_session *session);

/* Why the session ended, for a log: a constant text. */
const char *tls_why(const struct tls_session *session);

struct tls_known {                /* valid as long as the session */
    struct ern_slice host;        /* in lower case (RFC 6066 3); empty: the client named none */
    struct ern_slice version;     /* "TLSv1.3" */
    struct ern_slice subject;     /* of the client's certificate (RFC 4514); absent: it gave none */
    struct ern_slice fingerprint; /* SHA-256 of it, TLS_FINGERPRINT_BYTES; absent: it gave none */
    bool h2;                      /* the two agreed on HTTP/2 */
    bool resumed;
    bool early; /* early data was accepted */
};

/* What is known: host and h2 with the first plaintext, all of it when the session is ready. A
 * client certificate that is there is one that client_ca vouches for. */
struct tls_known tls_known(const struct tls_session *session);

/*
 * Makes the memory against replay (RFC 8446 8.2) as an anonymous shared mapping: made before a
 * fork, parent and child share it. Its size is fixed; what finds no room is refused, never accepted
 * twice. Returns 0, or a negative errno.
 */
ERN_MUST_USE int tls_replay_open(struct tls_replay **ret_replay);
void tls_replay_close(struct tls_replay *replay);

#endif
