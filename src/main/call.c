/* SPDX-License-Identifier: Apache-2.0 */
#include "main/call.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/out.h"
#include "base/slice.h"

enum { CONNECT_MS = 10000 };

struct call {
    int fd;
    gnutls_session_t tls; /* NULL: plain */
    gnutls_certificate_credentials_t trust;
};

/* Cuts the port off an authority. Returns false if there is no host, or if it is too long. */
static bool
read_authority(struct ern_slice text, struct call_url *url)
{
    struct out host = out_init(url->host, sizeof url->host);
    struct out port = out_init(url->port, sizeof url->port);
    size_t end = slice_starts(text, ERN_SLICE("[")) ? slice_find(text, ']') : 0;
    size_t colon = end + slice_find(slice_skip(text, end), ':');
    struct ern_slice name = slice_first(text, colon);

    if (end > 0 && end < name.len) /* an address of IPv6 is in brackets */
        name = slice_from(name.ptr + 1, name.len - 2);
    out_slice(&host, name);
    out_char(&host, '\0');
    if (colon + 1 < text.len)
        out_slice(&port, slice_skip(text, colon + 1));
    else
        out_text(&port, url->secure ? "443" : "80");
    out_char(&port, '\0');
    return name.len > 0 && !host.full && !port.full;
}

bool
call_url_read(struct ern_slice text, struct call_url *ret)
{
    struct ern_slice plain = ERN_SLICE("http://"), secure = ERN_SLICE("https://");
    size_t end = 0;

    ret->secure = slice_starts(text, secure);
    if (ret->secure)
        text = slice_skip(text, secure.len);
    else if (slice_starts(text, plain))
        text = slice_skip(text, plain.len);
    text = slice_first(text, slice_find(text, '#'));
    while (end < text.len && text.ptr[end] != '/' && text.ptr[end] != '?')
        end++;
    ret->authority = slice_first(text, end);
    ret->target = end < text.len ? slice_skip(text, end) : ERN_ABSENT;
    return read_authority(ret->authority, ret);
}

static int
connect_to(const struct call_url *url, const char **ret_why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const struct timeval most = {CONNECT_MS / 1000, 0};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(url->host, url->port, &hints, &found), fd = -1;

    *ret_why = "it does not accept connections";
    if (error)
        *ret_why = gai_strerror(error);
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
        if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (found)
        freeaddrinfo(found);
    return fd;
}

/* Sets TLS up and shakes hands. Returns what is wrong, or NULL. */
static const char *
secure(struct call *c, const struct call_url *url, bool verify, const char *protocol)
{
    const gnutls_datum_t alpn = {(unsigned char *)(uintptr_t)protocol,
                                 (unsigned)slice_text(protocol).len};
    gnutls_datum_t chosen = {NULL, 0};
    int error = gnutls_global_init();

    if (error >= 0)
        error = gnutls_certificate_allocate_credentials(&c->trust);
    if (error >= 0)
        error = gnutls_init(&c->tls, GNUTLS_CLIENT);
    if (error >= 0)
        error = gnutls_set_default_priority(c->tls);
    if (error >= 0)
        error = gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->trust);
    if (error < 0)
        return gnutls_strerror(error);
    if (verify) {
        (void)gnutls_certificate_set_x509_system_trust(c->trust);
        gnutls_session_set_verify_cert(c->tls, url->host, 0);
    }
    (void)gnutls_alpn_set_protocols(c->tls, &alpn, 1, 0);
    if (slice_find(url->authority, '[') == url->authority.len)
        (void)gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, url->host, slice_text(url->host).len);
    gnutls_transport_set_int(c->tls, c->fd);
    gnutls_handshake_set_timeout(c->tls, CONNECT_MS);
    do
        error = gnutls_handshake(c->tls);
    while (error < 0 && !gnutls_error_is_fatal(error));
    if (error < 0)
        return gnutls_strerror(error);
    /* RFC 9113 3.2: nobody speaks HTTP/2 who has not said so; all speak HTTP/1.1. */
    if (slice_eq(slice_text(protocol), ERN_SLICE("h2")) &&
        (gnutls_alpn_get_selected_protocol(c->tls, &chosen) < 0 || chosen.size != alpn.size))
        return "it does not speak HTTP/2";
    return NULL;
}

static struct call *
call_new(const struct call_url *url, bool verify, const char *protocol, const char **ret_why)
{
    struct call *c = calloc(1, sizeof *c);
    const char *why = "there is no memory";

    (void)signal(SIGPIPE, SIG_IGN); /* TLS writes without MSG_NOSIGNAL */
    if (c)
        c->fd = connect_to(url, &why);
    if (c && c->fd >= 0)
        why = url->secure ? secure(c, url, verify, protocol) : NULL;
    if (!why)
        return c;
    *ret_why = why;
    call_close(c);
    return NULL;
}

struct call *
call_open(const struct call_url *url, bool verify, const char **ret_why)
{
    return call_new(url, verify, "http/1.1", ret_why);
}

struct call *
call_open_h2(const struct call_url *url, bool verify, const char **ret_why)
{
    return call_new(url, verify, "h2", ret_why);
}

bool
call_send(struct call *c, struct ern_slice bytes)
{
    while (bytes.len) {
        ssize_t n = c->tls ? gnutls_record_send(c->tls, bytes.ptr, bytes.len)
                           : send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n == 0 || (n < 0 && n != GNUTLS_E_INTERRUPTED))
            return false;
        if (n > 0)
            bytes = slice_skip(bytes, (size_t)n);
    }
    return true;
}

ssize_t
call_read(struct call *c, char *to, size_t cap, int wait_ms)
{
    struct pollfd came = {.fd = c->fd, .events = POLLIN};
    ssize_t n;

    do { /* a record of TLS may hold no content */
        if (!(c->tls && gnutls_record_check_pending(c->tls)) && poll(&came, 1, wait_ms) <= 0)
            return -2;
        n = c->tls ? gnutls_record_recv(c->tls, to, cap) : recv(c->fd, to, cap, 0);
    } while (c->tls && n < 0 && !gnutls_error_is_fatal((int)n));
    if (c->tls && n == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return n < 0 ? -1 : n;
}

void
call_close(struct call *c)
{
    if (!c)
        return;
    if (c->tls) {
        (void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
        gnutls_deinit(c->tls);
    }
    if (c->trust)
        gnutls_certificate_free_credentials(c->trust);
    if (c->fd >= 0)
        (void)close(c->fd);
    (void)signal(SIGPIPE, SIG_DFL);
    free(c);
}
