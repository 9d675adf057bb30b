/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tls_peer.h"

#include <errno.h>
#include <stdlib.h>

static ssize_t
pull(gnutls_transport_ptr_t client, void *to, size_t n)
{
    struct tls_peer *c = client;

    if (c->in_at == c->in_len) {
        gnutls_transport_set_errno(c->gnutls, EAGAIN);
        return -1;
    }
    if (n > c->in_len - c->in_at)
        n = c->in_len - c->in_at;
    memcpy(to, c->in + c->in_at, n);
    c->in_at += n;
    return (ssize_t)n;
}

static int
pull_timeout(gnutls_transport_ptr_t client, unsigned ms)
{
    (void)ms;
    return ((struct tls_peer *)client)->in_at < ((struct tls_peer *)client)->in_len;
}

static ssize_t
push(gnutls_transport_ptr_t client, const void *from, size_t n)
{
    struct tls_peer *c = client;

    if (n > sizeof c->out - c->out_len)
        abort();
    memcpy(c->out + c->out_len, from, n);
    c->out_len += n;
    return (ssize_t)n;
}

static void
set_alpn(struct tls_peer *c, const char *alpn)
{
    gnutls_datum_t names[8];
    unsigned n = 0;
    struct ern_slice rest = slice_text(alpn);

    while (rest.len) {
        size_t len = slice_find(rest, ' ');

        names[n++] = (gnutls_datum_t){(unsigned char *)(uintptr_t)rest.ptr, (unsigned)len};
        rest = slice_skip(rest, len < rest.len ? len + 1 : len);
    }
    if (n && gnutls_alpn_set_protocols(c->gnutls, names, n, 0) < 0)
        abort();
}

void
tls_peer_init(struct tls_peer *c, const struct tls_peer_options *o)
{
    c->in_at = c->in_len = c->out_at = c->out_len = 0;
    c->code = GNUTLS_E_AGAIN;
    if (gnutls_init(&c->gnutls, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
                                    (o->early ? GNUTLS_ENABLE_EARLY_DATA : 0)) < 0 ||
        gnutls_certificate_allocate_credentials(&c->credentials) < 0)
        abort();
    gnutls_transport_set_ptr(c->gnutls, c);
    gnutls_transport_set_pull_function(c->gnutls, pull);
    gnutls_transport_set_pull_timeout_function(c->gnutls, pull_timeout);
    gnutls_transport_set_push_function(c->gnutls, push);
    if (gnutls_priority_set_direct(c->gnutls, o->priority ? o->priority : "NORMAL", NULL) < 0 ||
        gnutls_credentials_set(c->gnutls, GNUTLS_CRD_CERTIFICATE, c->credentials) < 0)
        abort();
    if (o->ca) {
        (void)gnutls_certificate_set_x509_trust_file(c->credentials, o->ca, GNUTLS_X509_FMT_PEM);
        gnutls_session_set_verify_cert(c->gnutls, o->host, 0);
    }
    if (o->certificate && gnutls_certificate_set_x509_key_file(c->credentials, o->certificate,
                                                               o->key, GNUTLS_X509_FMT_PEM) < 0)
        abort();
    if (o->host && slice_find(slice_text(o->host), ':') == slice_text(o->host).len)
        (void)gnutls_server_name_set(c->gnutls, GNUTLS_NAME_DNS, o->host, slice_text(o->host).len);
    set_alpn(c, o->alpn);
    if (o->ticket && gnutls_session_set_data(c->gnutls, o->ticket->data, o->ticket->size) < 0)
        abort();
    if (o->early &&
        gnutls_record_send_early_data(c->gnutls, o->early, slice_text(o->early).len) < 0)
        abort();
}

void
tls_peer_free(struct tls_peer *c)
{
    gnutls_deinit(c->gnutls);
    gnutls_certificate_free_credentials(c->credentials);
}

void
tls_peer_step(struct tls_peer *c)
{
    if (c->code == 0 || gnutls_error_is_fatal(c->code))
        return;
    do
        c->code = gnutls_handshake(c->gnutls);
    while (c->code < 0 && !gnutls_error_is_fatal(c->code) &&
           (c->code != GNUTLS_E_AGAIN || c->in_at < c->in_len));
}

ssize_t
tls_peer_feed(struct tls_peer *c, struct tls_session *session, size_t split, struct out *plain)
{
    ssize_t n = -EAGAIN;

    do {
        size_t piece = c->out_len - c->out_at < split ? c->out_len - c->out_at : split;
        struct ern_slice cipher = slice_from(c->out + c->out_at, piece);

        do {
            struct out out = out_init(c->in + c->in_len, sizeof c->in - c->in_len);

            n = tls_read(session, &cipher, plain->ptr + plain->len, plain->cap - plain->len, &out);
            if (n > 0)
                plain->len += (size_t)n;
            c->in_len += out.len;
        } while (n > 0);
        c->out_at += piece - cipher.len;
    } while (n == -EAGAIN && c->out_at < c->out_len);
    return n;
}

ssize_t
tls_peer_shake(struct tls_peer *c, struct tls_session *session, size_t split)
{
    char memory[1024];
    struct out plain = out_init(memory, sizeof memory);
    ssize_t n = -EAGAIN;

    for (int turn = 0; turn < 8 && n == -EAGAIN; turn++) {
        tls_peer_step(c);
        if (c->out_at < c->out_len)
            n = tls_peer_feed(c, session, split, &plain);
        else if (c->code == 0 && c->in_at == c->in_len)
            break;
    }
    tls_peer_step(c);
    return n;
}
