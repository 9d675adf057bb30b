/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_tls.c - the generator over TLS 1.3: one cipher suite and one group for all servers. Whether
 * a session was resumed is checked: a handshake of the wrong kind is an error.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>

#include "load.h"

static SSL_CTX *context;
static SSL_SESSION *last; /* the ticket that came last */
static bool resumes;

static int
keep_session(SSL *tls, SSL_SESSION *session)
{
    (void)tls;
    SSL_SESSION_free(last);
    last = session;
    return 1;
}

void
tls_prepare(bool h2, bool is_resuming)
{
    static const unsigned char h2_name[] = "\2h2", h1_name[] = "\10http/1.1";

    resumes = is_resuming;
    context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519") != 1 ||
        SSL_CTX_set_alpn_protos(context, h2 ? h2_name : h1_name,
                                h2 ? sizeof h2_name - 1 : sizeof h1_name - 1))
        errx(1, "TLS");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
}

/* With a copy, for OpenSSL resumes no session again that a newer one took the place of. */
static void
resume(struct conn *c)
{
    SSL_SESSION *copy = SSL_SESSION_dup(last);

    if (!copy || SSL_set_session(c->tls, copy) != 1)
        errx(1, "memory");
    SSL_SESSION_free(copy);
}

void
tls_begin(struct conn *c)
{
    c->tls = SSL_new(context);
    c->shakes = true;
    c->resumes = resumes && last;
    if (!c->tls || fcntl(c->fd, F_SETFL, O_NONBLOCK) || SSL_set_fd(c->tls, c->fd) != 1)
        errx(1, "memory");
    if (c->resumes)
        resume(c);
}

bool
tls_shake(struct conn *c)
{
    int result = SSL_connect(c->tls);

    c->shakes = result != 1;
    if (c->shakes && SSL_get_error(c->tls, result) != SSL_ERROR_WANT_READ)
        errx(1, "the handshake fails");
    if (!c->shakes && SSL_session_reused(c->tls) != c->resumes && errors++ == 0)
        fprintf(stderr, "a session was %sresumed\n", c->resumes ? "not " : "");
    return !c->shakes;
}

ssize_t
tls_receive(struct conn *c, void *to, size_t room)
{
    int n = SSL_read(c->tls, to, room < IN ? (int)room : IN);

    if (n > 0)
        return n;
    if (SSL_get_error(c->tls, n) == SSL_ERROR_WANT_READ) {
        errno = EAGAIN;
        return -1;
    }
    return 0;
}

void
tls_end(struct conn *c)
{
    SSL_set_shutdown(c->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* its ticket stays good */
    SSL_free(c->tls);
    c->tls = NULL;
}
