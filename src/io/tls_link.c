/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "io/tls_parts.h"

struct tls_trust {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
};

struct tls_link {
    gnutls_session_t gnutls;
    struct tls_ticket *ticket;
    int fd;
    bool took;  /* something came off the socket since that was last asked */
    bool holds; /* GnuTLS has bytes that were not taken, and wants to be asked again */
    char host[TLS_HOST_MAX + 1]; /* GnuTLS looks at it when the certificate comes */
};

/* ---- trust -------------------------------------------------------------------------------------
 */

static int
read_authorities(gnutls_certificate_credentials_t credentials, const char *ca, const char **ret_why)
{
    int n = ca ? gnutls_certificate_set_x509_trust_file(credentials, ca, GNUTLS_X509_FMT_PEM)
               : gnutls_certificate_set_x509_system_trust(credentials);

    *ret_why = "there is nobody in it who signs certificates";
    return n > 0 ? 0 : -EINVAL;
}

static int
read_certificate(gnutls_certificate_credentials_t credentials, const char *certificate,
                 const char *key, const char **ret_why)
{
    *ret_why = "there is no certificate in it that fits to its key";
    return !certificate || gnutls_certificate_set_x509_key_file(credentials, certificate,
                                                                key ? key : certificate,
                                                                GNUTLS_X509_FMT_PEM) >= 0
               ? 0
               : -EINVAL;
}

int
tls_trust_open(const char *ca, const char *certificate, const char *key,
               struct tls_trust **ret_trust, const char **ret_why)
{
    struct tls_trust *t = tls_ready() ? calloc(1, sizeof *t) : NULL;
    int error;

    *ret_why = "there is no memory";
    if (!t)
        return -ENOMEM;
    error = gnutls_certificate_allocate_credentials(&t->credentials) < 0 ||
                    gnutls_priority_init(&t->priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
                                         NULL) < 0
                ? -ENOMEM
                : read_authorities(t->credentials, ca, ret_why);
    if (!error)
        error = read_certificate(t->credentials, certificate, key, ret_why);
    if (!error) {
        *ret_trust = t;
        return 0;
    }
    tls_trust_close(t);
    return error;
}

void
tls_trust_close(struct tls_trust *t)
{
    if (!t)
        return;
    if (t->credentials)
        gnutls_certificate_free_credentials(t->credentials);
    if (t->priority)
        gnutls_priority_deinit(t->priority);
    free(t);
}

/* ---- a connection ------------------------------------------------------------------------------
 */

/* RFC 6066 3: an address is no name. */
static bool
is_address(struct ern_slice host)
{
    struct ip ip;

    return ip4_parse(host, &ip) || ip6_parse(host, &ip);
}

/* GnuTLS wants bytes. */
static ssize_t
pull(gnutls_transport_ptr_t link, void *to, size_t n)
{
    struct tls_link *l = link;
    ssize_t got = recv(l->fd, to, n, MSG_DONTWAIT);

    if (got < 0)
        gnutls_transport_set_errno(l->gnutls, errno);
    l->took |= got > 0;
    return got;
}

static ssize_t
push(gnutls_transport_ptr_t link, const void *from, size_t n)
{
    struct tls_link *l = link;
    ssize_t sent = send(l->fd, from, n, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0)
        gnutls_transport_set_errno(l->gnutls, errno);
    return sent;
}

void
tls_ticket_drop(struct tls_ticket *ticket)
{
    gnutls_free(ticket->bytes);
    *ticket = (struct tls_ticket){NULL, 0};
}

static void
keep_ticket(struct tls_link *l)
{
    gnutls_datum_t data;

    if (gnutls_session_get_data2(l->gnutls, &data) < 0)
        return;
    tls_ticket_drop(l->ticket);
    *l->ticket = (struct tls_ticket){data.data, data.size};
}

/* A ticket came: in TLS 1.3 that is after the handshake. */
static int /* NOLINTNEXTLINE(readability-function-size): the form is that of GnuTLS */
ticket_came(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
            const gnutls_datum_t *message)
{
    (void)type, (void)when, (void)message;
    if (incoming && gnutls_protocol_get_version(session) == GNUTLS_TLS1_3)
        keep_ticket(gnutls_transport_get_ptr(session));
    return 0;
}

/* RFC 8446 C.4: a ticket that is used for one connection does not show who makes others. */
static int
use_ticket(struct tls_link *l)
{
    int error = 0;

    if (l->ticket->bytes)
        error = gnutls_session_set_data(l->gnutls, l->ticket->bytes, l->ticket->n);
    tls_ticket_drop(l->ticket);
    gnutls_handshake_set_hook_function(l->gnutls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET,
                                       GNUTLS_HOOK_POST, ticket_came);
    return error;
}

static int
set_up(struct tls_link *l, const struct tls_trust *trust, struct ern_slice host, bool h2, int fd)
{
    static const gnutls_datum_t protocols[] = {{(unsigned char *)"h2", 2},
                                               {(unsigned char *)"http/1.1", 8}};

    memcpy(l->host, host.ptr, host.len);
    if (gnutls_init(&l->gnutls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
        return -ENOMEM;
    l->fd = fd;
    gnutls_transport_set_ptr(l->gnutls, l);
    gnutls_transport_set_pull_function(l->gnutls, pull);
    gnutls_transport_set_push_function(l->gnutls, push);
    gnutls_handshake_set_timeout(l->gnutls, GNUTLS_INDEFINITE_TIMEOUT); /* others watch over it */
    gnutls_session_set_verify_cert(l->gnutls, l->host, 0);
    if (gnutls_priority_set(l->gnutls, trust->priority) < 0 ||
        gnutls_credentials_set(l->gnutls, GNUTLS_CRD_CERTIFICATE, trust->credentials) < 0 ||
        gnutls_alpn_set_protocols(l->gnutls, protocols + !h2, 1 + h2, 0) < 0)
        return -ENOMEM;
    if (!is_address(host) &&
        gnutls_server_name_set(l->gnutls, GNUTLS_NAME_DNS, l->host, host.len) < 0)
        return -ENOMEM;
    return 0;
}

int
tls_link_new(const struct tls_trust *trust, struct ern_slice host, bool h2,
             struct tls_ticket *ticket, int fd, struct tls_link **ret_link)
{
    struct tls_link *l = host.len <= TLS_HOST_MAX ? calloc(1, sizeof *l) : NULL;

    if (!l)
        return -ENOMEM;
    l->ticket = ticket;
    if (set_up(l, trust, host, h2, fd) == 0) {
        (void)use_ticket(l); /* what can not be resumed begins anew */
        *ret_link = l;
        return 0;
    }
    tls_link_free(l);
    return -ENOMEM;
}

void
tls_link_free(struct tls_link *l)
{
    if (!l)
        return;
    if (l->gnutls)
        gnutls_deinit(l->gnutls);
    free(l);
}

/* What an error of GnuTLS means to who uses the connection. */
static int
errno_of(int code)
{
    switch (code) {
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
        return -EAGAIN;
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
        return -EACCES;
    case GNUTLS_E_MEMORY_ERROR:
        return -ENOMEM;
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return -ECONNABORTED;
    case GNUTLS_E_PREMATURE_TERMINATION:
        return -ECONNRESET;
    default:
        return -EPROTO;
    }
}

/* Is it to be asked again at once? It says "later" after a message of its own, such as a ticket,
 * too, though more may be there that no event will tell of. */
static bool
goes_on(struct tls_link *l, ssize_t code)
{
    bool took = l->took;

    l->took = false;
    return code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED ||
           (code == GNUTLS_E_AGAIN && took);
}

int
tls_link_shake(struct tls_link *l)
{
    int code;

    do
        code = gnutls_handshake(l->gnutls);
    while (goes_on(l, code));
    if (code == 0 && gnutls_protocol_get_version(l->gnutls) != GNUTLS_TLS1_3)
        keep_ticket(l);
    return code == 0 ? 0 : errno_of(code);
}

bool
tls_link_is_h2(const struct tls_link *l)
{
    gnutls_datum_t chosen;

    return gnutls_alpn_get_selected_protocol(l->gnutls, &chosen) == 0 && chosen.size == 2 &&
           memcmp(chosen.data, "h2", 2) == 0;
}

ssize_t
tls_link_send(struct tls_link *l, struct ern_slice bytes)
{
    ssize_t n;

    do /* what was given once is not given again: GnuTLS has it */
        n = l->holds ? gnutls_record_send(l->gnutls, NULL, 0)
                     : gnutls_record_send(l->gnutls, bytes.ptr, bytes.len);
    while (n == GNUTLS_E_INTERRUPTED);
    l->holds = n == GNUTLS_E_AGAIN;
    return n >= 0 ? n : errno_of((int)n);
}

ssize_t
tls_link_receive(struct tls_link *l, char *to, size_t room)
{
    ssize_t n;

    do
        n = gnutls_record_recv(l->gnutls, to, room);
    while (n < 0 && goes_on(l, n));
    if (n == GNUTLS_E_REHANDSHAKE) /* there is no need to */
        return -EPROTO;
    return n >= 0 ? n : errno_of((int)n);
}

void
tls_link_end(struct tls_link *l)
{
    (void)!gnutls_bye(l->gnutls, GNUTLS_SHUT_WR);
}
