/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/secure.h"

#include <errno.h>
#include <stdlib.h>

#include "io/tls.h"

bool
secure_begin(struct conn *c)
{
    if (tls_session_new(c->listener->tls, &c->tls) != 0)
        return false;
    c->cipher = c->in;
    c->in = NULL;
    return true;
}

void
secure_end(struct worker *w, struct conn *c)
{
    tls_session_free(c->tls);
    c->tls = NULL;
    if (c->cipher)
        worker_buffer_done(w, c->cipher);
    free(c->plain);
    c->cipher = c->plain = NULL;
    w->cipher.len = 0;
}

/* Ciphertext that was received and not taken yet. */
static struct ern_slice
received(const struct conn *c)
{
    return c->cipher ? slice_from(c->cipher->bytes + c->cipher->at, c->cipher->len - c->cipher->at)
                     : ERN_SLICE("");
}

/* Receives ciphertext. Returns as recv(). */
static ssize_t
receive_cipher(struct worker *w, struct conn *c)
{
    ssize_t n;

    if (!c->cipher)
        c->cipher = worker_buffer(w);
    if (!c->cipher) {
        errno = ENOMEM;
        return -1;
    }
    do
        n = recv(c->fd, c->cipher->bytes, w->buffer_bytes, 0);
    while (n < 0 && errno == EINTR);
    c->cipher->at = 0;
    c->cipher->len = n > 0 ? (size_t)n : 0;
    c->cipher_all = n > 0 && c->cipher->len < w->buffer_bytes;
    return n;
}

/* The peer speaks no TLS: what it sent is what it meant. */
static ssize_t
give_up(struct worker *w, struct conn *c)
{
    if (c->in)
        worker_buffer_done(w, c->in);
    c->in = c->cipher;
    c->cipher = NULL;
    secure_end(w, c);
    errno = EPROTO;
    return -1;
}

ssize_t
secure_receive(struct worker *w, struct conn *c, char *to, size_t room, bool *ret_all)
{
    for (;;) {
        struct ern_slice cipher = received(c);
        ssize_t n = tls_read(c->tls, &cipher, to, room, &w->cipher);

        if (c->cipher)
            c->cipher->at = c->cipher->len - cipher.len;
        if (n >= 0) {
            c->early = c->early || tls_last_was_early(c->tls);
            *ret_all = false; /* the session may hold more */
            return n;
        }
        if (n == -EPROTO)
            return give_up(w, c);
        if (n == -ENOBUFS && send_flush(w, c, false) == SENT)
            continue;
        if (n != -EAGAIN) {
            errno = (int)-n;
            return -1;
        }
        if (c->cipher) {
            worker_buffer_done(w, c->cipher);
            c->cipher = NULL;
        }
        if (c->cipher_all && !c->hung_up) { /* the last call got all there was */
            *ret_all = true;
            errno = EAGAIN;
            return -1;
        }
        n = receive_cipher(w, c);
        if (n <= 0) {
            *ret_all = true;
            return n;
        }
    }
}

/* Adds worker->out to the plaintext that waits for the end of the handshake. */
static enum sent
keep_plain(struct worker *w, struct conn *c)
{
    size_t before = c->plain ? c->plain->len : 0;
    struct buffer *plain = realloc(c->plain, sizeof *plain + before + w->out.len);

    if (!plain)
        return SENT_BROKEN;
    memcpy(plain->bytes + before, w->out.ptr, w->out.len);
    plain->len = before + w->out.len;
    w->out.len = 0;
    c->plain = plain;
    return SENT_BLOCKED;
}

enum sent
secure_gather(struct worker *w, struct conn *c)
{
    int error = 0;

    if (!tls_is_ready(c->tls) && (w->out.len || c->plain))
        return keep_plain(w, c);
    if (c->plain) {
        error = tls_write(c->tls, slice_from(c->plain->bytes, c->plain->len), &w->cipher);
        free(c->plain);
        c->plain = NULL;
    }
    if (!error && w->out.len)
        error = tls_write(c->tls, out_done(&w->out), &w->cipher);
    w->out.len = 0;
    return error ? SENT_BROKEN : SENT;
}

void
secure_bye(struct worker *w, struct conn *c)
{
    (void)!tls_bye(c->tls, &w->cipher);
}
