/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_hello.c - what depends on the ClientHello: the certificates, and the key of tickets.
 *
 * Each host has ticket keys of its own, derived from the key of the listener, and so has each
 * protocol: a ticket of one is nothing but noise to another, and leads to a full handshake. So a
 * session never comes from one host to another together with what its client proved there, and
 * early data is read as the protocol that it was written in (RFC 8446 4.2.10).
 */
#include <errno.h>

#include <gnutls/crypto.h>

#include "io/tls_parts.h"

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, NAME_TYPE_HOST = 0 };

/* The n-byte number at the front, which is taken off. Returns false if there are fewer bytes. */
static bool
take_number(struct ern_slice *in, size_t n, size_t *ret)
{
    size_t number = 0;

    if (in->len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        number = number << 8 | (unsigned char)in->ptr[i];
    *in = slice_skip(*in, n);
    *ret = number;
    return true;
}

/* The bytes at the front that follow their n-byte length. */
static bool
take_bytes(struct ern_slice *in, size_t n, struct ern_slice *ret)
{
    size_t len;

    if (!take_number(in, n, &len) || in->len < len)
        return false;
    *ret = slice_first(*in, len);
    *in = slice_skip(*in, len);
    return true;
}

/* ServerNameList (RFC 6066 3): there is one name of the type host_name. */
static int
read_server_name(struct tls_session *s, struct ern_slice in)
{
    struct ern_slice list, name;
    size_t type;

    if (!take_bytes(&in, 2, &list) || !take_number(&list, 1, &type) || !take_bytes(&list, 2, &name))
        return GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
    if (type != NAME_TYPE_HOST)
        return 0;
    if (name.len == 0 || name.len > TLS_HOST_MAX)
        return GNUTLS_E_RECEIVED_DISALLOWED_NAME;
    for (size_t i = 0; i < name.len; i++)
        s->host[i] = lower(name.ptr[i]);
    s->host_len = (uint8_t)name.len;
    return 0;
}

/* ProtocolNameList (RFC 7301 3.1). What is wrong with it GnuTLS says later. */
static int
read_protocols(struct tls_session *s, struct ern_slice in)
{
    struct ern_slice list, name;

    if (take_bytes(&in, 2, &list))
        while (take_bytes(&list, 1, &name))
            s->h2 |= s->tls->http2 && slice_eq(name, ERN_SLICE("h2"));
    return 0;
}

static int
read_extension(void *session, unsigned type, const unsigned char *data, unsigned size)
{
    struct ern_slice in = slice_from((const char *)data, size);

    if (type == EXTENSION_SERVER_NAME)
        return read_server_name(session, in);
    if (type == EXTENSION_ALPN)
        return read_protocols(session, in);
    return 0;
}

/* HMAC of the protocol and the host under the key of the listener. */
static int
enable_tickets(struct tls_session *s)
{
    unsigned char key[TLS_TICKET_KEY_BYTES];
    char text[1 + TLS_HOST_MAX];
    struct out o = out_init(text, sizeof text);
    int code;

    out_char(&o, s->h2 ? '2' : '1');
    out_slice(&o, slice_from(s->host, s->host_len));
    code = gnutls_hmac_fast(GNUTLS_MAC_SHA512, s->tls->ticket_key, sizeof s->tls->ticket_key, text,
                            o.len, key);
    if (code == 0)
        code = gnutls_session_ticket_enable_server(
            s->gnutls, &(gnutls_datum_t){.data = key, .size = sizeof key});
    gnutls_memset(key, 0, sizeof key);
    return code;
}

/* After a HelloRetryRequest the ClientHello comes again, for the same host (RFC 8446 4.1.2). */
static bool
is_same(const struct tls_session *s, const struct tls_session *before)
{
    return s->h2 == before->h2 &&
           slice_eq(slice_from(s->host, s->host_len), slice_from(before->host, before->host_len));
}

int
tls_hello(gnutls_session_t gnutls, unsigned type, unsigned when, unsigned incoming,
          const gnutls_datum_t *message)
{
    struct tls_session *s = gnutls_session_get_ptr(gnutls), before = *s;
    int code;

    (void)type, (void)when, (void)incoming;
    s->host_len = 0;
    s->h2 = false;
    code = gnutls_ext_raw_parse(s, read_extension, message, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    if (code < 0)
        return code;
    if (s->tls->window)
        tls_replay_window_enable(s->tls->window, gnutls);
    if (s->greeted)
        return is_same(s, &before) ? 0 : GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
    s->greeted = true;
    code = gnutls_credentials_set(gnutls, GNUTLS_CRD_CERTIFICATE,
                                  tls_hosts_find(s->tls->hosts, slice_from(s->host, s->host_len)));
    return code < 0 ? code : enable_tickets(s);
}
