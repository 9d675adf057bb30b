/* SPDX-License-Identifier: Apache-2.0 */
/* tls_session.c - one connection: GnuTLS between two pieces of memory. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <gnutls/x509.h>

#include "io/tls_parts.h"

enum {
    HANDSHAKE_TYPE = 22,  /* the first byte of a record of a handshake (RFC 8446 5.1) */
    RECORD_OVERHEAD = 29, /* header, explicit nonce and tag of TLS 1.2; those of 1.3 are less */
    PLAINTEXT_MIN = (1 << 9) - 1, /* of a full record, whatever the peer asks for (RFC 8449 4) */
};

/* GnuTLS wants bytes. */
static ssize_t
pull(gnutls_transport_ptr_t session, void *to, size_t n)
{
    struct tls_session *s = session;

    if (s->cipher->len == 0) {
        gnutls_transport_set_errno(s->gnutls, EAGAIN);
        return -1;
    }
    if (n > s->cipher->len)
        n = s->cipher->len;
    memcpy(to, s->cipher->ptr, n);
    *s->cipher = slice_skip(*s->cipher, n);
    return (ssize_t)n;
}

static int
pull_timeout(gnutls_transport_ptr_t session, unsigned ms)
{
    (void)ms;
    return ((struct tls_session *)session)->cipher->len > 0;
}

/* GnuTLS has bytes; the rest of them it offers again. */
static ssize_t
push(gnutls_transport_ptr_t session, const giovec_t *from, int n)
{
    struct tls_session *s = session;
    size_t before = s->out->len;

    for (int i = 0; i < n; i++) {
        size_t room = s->out->cap - s->out->len;
        size_t part = from[i].iov_len < room ? from[i].iov_len : room;

        out_slice(s->out, slice_from(from[i].iov_base, part));
    }
    if (s->out->len == before) {
        gnutls_transport_set_errno(s->gnutls, EAGAIN);
        return -1;
    }
    return (ssize_t)(s->out->len - before);
}

static int
set_protocols(struct tls_session *s)
{
    static const gnutls_datum_t names[] = {{(unsigned char *)"h2", 2},
                                           {(unsigned char *)"http/1.1", 8}};
    unsigned first = s->tls->http2 ? 0 : 1;

    return gnutls_alpn_set_protocols(s->gnutls, names + first, 2 - first,
                                     GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
}

/* Is the certificate of the client, if it sent one, good for a client? */
static int
verify_client(gnutls_session_t gnutls)
{
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    unsigned n = 0, status = 0;

    if (!gnutls_certificate_get_peers(gnutls, &n) || n == 0)
        return 0; /* GnuTLS itself sees to it where one is required */
    if (gnutls_certificate_verify_peers(gnutls, &purpose, 1, &status) < 0 || status != 0)
        return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
    return 0;
}

static void
set_client(struct tls_session *s)
{
    if (s->tls->client == TLS_CLIENT_NONE)
        return;
    gnutls_certificate_server_set_request(s->gnutls, s->tls->client == TLS_CLIENT_REQUIRED
                                                         ? GNUTLS_CERT_REQUIRE
                                                         : GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(s->gnutls, verify_client);
}

int
tls_session_new(const struct tls *tls, struct tls_session **ret_session)
{
    unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
    struct tls_session *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->tls = tls;
    if (gnutls_init(&s->gnutls, flags | (tls->window ? GNUTLS_ENABLE_EARLY_DATA : 0)) < 0) {
        free(s);
        return -ENOMEM;
    }
    gnutls_session_set_ptr(s->gnutls, s);
    gnutls_transport_set_ptr(s->gnutls, s);
    gnutls_transport_set_pull_function(s->gnutls, pull);
    gnutls_transport_set_pull_timeout_function(s->gnutls, pull_timeout);
    gnutls_transport_set_vec_push_function(s->gnutls, push);
    gnutls_handshake_set_max_packet_length(s->gnutls, tls->handshake_max);
    gnutls_handshake_set_hook_function(s->gnutls, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE,
                                       tls_hello);
    set_client(s);
    if (gnutls_priority_set(s->gnutls, tls->priority) < 0 || set_protocols(s) < 0 ||
        gnutls_record_set_max_early_data_size(s->gnutls, tls->early_data_max) < 0 ||
        gnutls_credentials_set(s->gnutls, GNUTLS_CRD_CERTIFICATE,
                               tls_hosts_find(tls->hosts, ERN_ABSENT)) < 0) {
        tls_session_free(s);
        return -ENOMEM;
    }
    *ret_session = s;
    return 0;
}

void
tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    gnutls_deinit(s->gnutls);
    gnutls_free(s->subject.data);
    free(s);
}

/* What GnuTLS says in our words. */
static int
error_of(int code)
{
    switch (code) {
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
    case GNUTLS_E_NO_CIPHER_SUITES:
    case GNUTLS_E_NO_APPLICATION_PROTOCOL:
    case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
    case GNUTLS_E_NO_COMMON_KEY_SHARE:
    case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
    case GNUTLS_E_UNWANTED_ALGORITHM:
        return -EPROTONOSUPPORT;
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
    case GNUTLS_E_CERTIFICATE_REQUIRED:
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
        return -EACCES;
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        return -ECONNABORTED;
    case GNUTLS_E_HANDSHAKE_TOO_LARGE:
        return -EMSGSIZE;
    case GNUTLS_E_MEMORY_ERROR:
        return -ENOMEM;
    default:
        return -EBADMSG;
    }
}

static int
end(struct tls_session *s, int error, const char *why)
{
    s->failed = error;
    s->why = why;
    return error;
}

/* Ends the session over an error of GnuTLS, and says so to the peer. */
static int
fail(struct tls_session *s, int code)
{
    /* A peer that asks to negotiate anew is told that this is not done here (RFC 5246 7.2.2). */
    if (code == GNUTLS_E_REHANDSHAKE)
        (void)gnutls_alert_send(s->gnutls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
    else if (code != GNUTLS_E_FATAL_ALERT_RECEIVED)
        (void)gnutls_alert_send_appropriate(s->gnutls, code);
    return end(s, error_of(code), gnutls_strerror(code));
}

/* GnuTLS stopped for want of something: 0 if there is reason to call it again at once. */
static int
want(struct tls_session *s, int code, size_t before)
{
    if (code == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal(code))
        return fail(s, code);
    if (code == GNUTLS_E_AGAIN && gnutls_record_get_direction(s->gnutls) == 1)
        return -ENOBUFS;
    if (s->cipher->len < before || code == GNUTLS_E_INTERRUPTED)
        return 0; /* it took something that is no plaintext, and there may be more */
    return s->cipher->len == 0 ? -EAGAIN : fail(s, GNUTLS_E_UNEXPECTED_PACKET);
}

/* Remembers who the client is, for GnuTLS gives the certificate only as it was sent. */
static int
know_client(struct tls_session *s)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->gnutls, &n);
    unsigned char digest[TLS_FINGERPRINT_BYTES / 2];
    size_t digest_len = sizeof digest;
    gnutls_x509_crt_t certificate;
    int code;

    if (!chain || n == 0)
        return 0;
    if (gnutls_x509_crt_init(&certificate) < 0)
        return GNUTLS_E_MEMORY_ERROR;
    code = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER);
    if (code == 0)
        code = gnutls_x509_crt_get_dn3(certificate, &s->subject, 0);
    if (code == 0)
        code = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest, &digest_len);
    for (size_t i = 0; code == 0 && i < sizeof digest; i++) {
        s->fingerprint[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        s->fingerprint[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    gnutls_x509_crt_deinit(certificate);
    return code;
}

/* Early data that waits. Returns the bytes of it, or 0. */
static ssize_t
read_early(struct tls_session *s, char *plain, size_t cap)
{
    ssize_t n = s->tls->window ? gnutls_record_recv_early_data(s->gnutls, plain, cap) : 0;

    s->last_was_early = n > 0;
    return n > 0 ? n : 0;
}

/* Goes on with the handshake. Returns 0 when it is finished, the bytes of early data, or an error.
 */
static ssize_t
shake(struct tls_session *s, char *plain, size_t cap)
{
    for (;;) {
        size_t before = s->cipher->len;
        int code = gnutls_handshake(s->gnutls), result;
        ssize_t early;

        s->taken += (uint32_t)(before - s->cipher->len);
        if (code == 0)
            code = know_client(s);
        s->ready = code == 0;
        if (s->ready)
            return 0;
        result = want(s, code, before);
        if (s->failed)
            return result;
        early = read_early(s, plain, cap);
        if (early > 0)
            return early;
        if (s->taken > s->tls->handshake_max + s->tls->early_data_max)
            return fail(s, GNUTLS_E_HANDSHAKE_TOO_LARGE);
        if (result < 0)
            return result;
    }
}

static ssize_t
read_records(struct tls_session *s, char *plain, size_t cap)
{
    for (;;) {
        size_t before = s->cipher->len;
        ssize_t n = gnutls_record_recv(s->gnutls, plain, cap);
        int result;

        if (n >= 0)
            return n;
        result = want(s, (int)n, before);
        if (result < 0)
            return result;
    }
}

ssize_t
tls_read(struct tls_session *s, struct ern_slice *cipher, char *plain, size_t cap, struct out *out)
{
    ssize_t n = 0;

    assert(cap > 0);
    if (s->failed)
        return s->failed;
    if (!s->begun && cipher->len == 0)
        return -EAGAIN;
    if (!s->begun && (unsigned char)cipher->ptr[0] != HANDSHAKE_TYPE)
        return end(s, -EPROTO, "this is not TLS");
    s->begun = true;
    if (out->cap - out->len < TLS_OUT_MIN)
        return -ENOBUFS;
    s->cipher = cipher;
    s->out = out;
    n = read_early(s, plain, cap);
    if (n == 0 && !s->ready)
        n = shake(s, plain, cap);
    if (n == 0 && s->ready) {
        n = read_early(s, plain, cap);
        if (n == 0)
            n = read_records(s, plain, cap);
    }
    s->cipher = NULL;
    s->out = NULL;
    return n;
}

size_t
tls_room(size_t n)
{
    return n + (n / PLAINTEXT_MIN + 1) * RECORD_OVERHEAD + TLS_OUT_MIN;
}

/* May something be written, which takes so much room? */
static int
may_write(const struct tls_session *s, size_t room, const struct out *out)
{
    if (s->failed)
        return s->failed;
    if (!s->ready)
        return -EAGAIN;
    return out->cap - out->len < room ? -ENOBUFS : 0;
}

int
tls_write(struct tls_session *s, struct ern_slice plain, struct out *out)
{
    int result = may_write(s, tls_room(plain.len), out);

    s->out = out;
    while (result == 0 && plain.len > 0) {
        ssize_t n = gnutls_record_send(s->gnutls, plain.ptr, plain.len);

        if (n < 0)
            result = fail(s, (int)n);
        else
            plain = slice_skip(plain, (size_t)n);
    }
    s->out = NULL;
    return result;
}

int
tls_bye(struct tls_session *s, struct out *out)
{
    int result = may_write(s, TLS_OUT_MIN, out);

    s->out = out;
    if (result == 0) {
        int code = gnutls_bye(s->gnutls, GNUTLS_SHUT_WR);

        result = code < 0 ? fail(s, code) : 0;
    }
    s->out = NULL;
    return result;
}

bool
tls_is_ready(const struct tls_session *s)
{
    return s->ready;
}

bool
tls_last_was_early(const struct tls_session *s)
{
    return s->last_was_early;
}

const char *
tls_why(const struct tls_session *s)
{
    return s->why ? s->why : "nothing is wrong";
}

struct tls_known
tls_known(const struct tls_session *s)
{
    unsigned flags = gnutls_session_get_flags(s->gnutls);
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(s->gnutls));

    return (struct tls_known){
        .host = slice_from(s->host, s->host_len),
        .version = slice_text(version),
        .subject = slice_from((char *)s->subject.data, s->subject.size),
        .fingerprint =
            s->subject.data ? slice_from(s->fingerprint, sizeof s->fingerprint) : ERN_ABSENT,
        .h2 = s->h2,
        .resumed = gnutls_session_is_resumed(s->gnutls) != 0,
        .early = (flags & GNUTLS_SFLAGS_EARLY_DATA) != 0,
    };
}
