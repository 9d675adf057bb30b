/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.c - what HTTP over TCP costs when nothing is done but to answer: the floor under every
 * figure of bench/run. One thread, epoll edge-triggered, one canned answer.
 *
 *   floor PORT BYTES [close] [CERTIFICATE]
 *
 * It only looks for the end of a request. Content up to SMALL goes out with its head in one send,
 * pipelined answers gathered; larger content with MSG_MORE and sendfile from an open file. With
 * close, a new connection is answered before it is registered anywhere, and ended. With a
 * certificate (and its key, in one file) it speaks TLS 1.3 by OpenSSL, and sends all from memory:
 * the floor of servers that are built on that.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { SMALL = 16384, GATHER = 65536, EVENTS = 256, FDS = 20000, END = 4, BACKLOG = 4096 };
struct conn {
    size_t owed;        /* answers */
    size_t at;          /* bytes of the first of them that are sent */
    size_t tail_n;      /* bytes received last, which may begin the end of a head */
    char tail[END - 1]; /* and they themselves */
    SSL *tls;           /* NULL: plain */
};

static struct conn conns[FDS];
static char in[65536];
static char *answers; /* copies of the answer, or of its head if the content is in the file */
static size_t answer_bytes, head_bytes, copies = 1;
static int file = -1; /* the content, if it is large */
static bool once;     /* is a connection over after its first answer? */
static SSL_CTX *tls;  /* NULL: plain */

static void
prepare_tls(const char *certificate)
{
    tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, certificate, SSL_FILETYPE_PEM) != 1)
        errx(1, "%s", certificate);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF); /* tickets are enough */
}

/* What went wrong becomes an errno. */
static ssize_t
tls_result(struct conn *c, int n)
{
    int error = SSL_get_error(c->tls, n);

    if (n > 0)
        return n;
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void
prepare(size_t content)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Content-Type: text/plain\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "ETag: \"0123456789abcdef\"\r\nContent-Length: %zu\r\n\r\n",
                     content);

    head_bytes = (size_t)n;
    answer_bytes = head_bytes + content;
    if (content <= SMALL)
        copies = GATHER / answer_bytes;
    answers = malloc(copies * answer_bytes);
    if (!answers)
        err(1, "memory");
    for (size_t i = 0; i < copies; i++) {
        memcpy(answers + i * answer_bytes, head, head_bytes);
        memset(answers + i * answer_bytes + head_bytes, 'x', content);
    }
    if (content <= SMALL || tls)
        return;
    file = open(".", O_TMPFILE | O_RDWR, 0600);
    if (file < 0 || write(file, answers + head_bytes, content) != (ssize_t)content)
        err(1, "a file of %zu bytes", content);
}

/* Sends more of the first answer owed, or of several. Returns the bytes, 0 if the peer is full. */
static ssize_t
send_some(int fd, struct conn *c)
{
    size_t n = c->owed < copies ? c->owed : copies;
    off_t at;

    if (c->tls)
        return tls_result(c, SSL_write(c->tls, answers + c->at, (int)(n * answer_bytes - c->at)));
    if (file < 0)
        return send(fd, answers + c->at, n * answer_bytes - c->at, MSG_NOSIGNAL);
    if (c->at < head_bytes)
        return send(fd, answers + c->at, head_bytes - c->at, MSG_NOSIGNAL | MSG_MORE);
    at = (off_t)(c->at - head_bytes);
    return sendfile(fd, file, &at, answer_bytes - c->at);
}

/* Returns false if the connection is broken. */
static bool
flush(int fd, struct conn *c)
{
    while (c->owed) {
        ssize_t n = send_some(fd, c);

        if (n < 0)
            return errno == EAGAIN;
        c->at += (size_t)n;
        c->owed -= c->at / answer_bytes;
        c->at %= answer_bytes;
    }
    return true;
}

/* Counts the heads that end in the n bytes of in, and keeps what may begin another end. */
static size_t
count(struct conn *c, size_t n)
{
    const char *at = in, *end = in + n, *found;
    size_t heads = 0;

    while ((found = memmem(at, (size_t)(end - at), "\r\n\r\n", END))) {
        heads++;
        at = found + END;
    }
    c->tail_n = (size_t)(end - at) < sizeof c->tail ? (size_t)(end - at) : sizeof c->tail;
    memcpy(c->tail, end - c->tail_n, c->tail_n);
    return heads;
}

/* Reads and answers. Returns false if the connection is over. */
static bool
serve(int fd, struct conn *c)
{
    size_t heads;
    ssize_t n;

    do {
        memcpy(in, c->tail, c->tail_n);
        n = c->tls ? tls_result(c, SSL_read(c->tls, in + c->tail_n, sizeof in - END))
                   : recv(fd, in + c->tail_n, sizeof in - c->tail_n, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        heads = count(c, c->tail_n + (size_t)n);
        c->owed += heads;
        if (!flush(fd, c) || (once && heads && c->owed == 0))
            return false;
    } while (c->tls || (size_t)n == sizeof in - c->tail_n); /* a short read: the socket is empty */
    return true;
}

static void
end(int fd)
{
    struct conn *c = &conns[fd];

    if (c->tls) {
        (void)SSL_shutdown(c->tls);
        SSL_free(c->tls);
    }
    close(fd);
}

static bool
begin(int fd)
{
    if (fd >= FDS)
        return false;
    conns[fd] = (struct conn){.tls = tls ? SSL_new(tls) : NULL};
    if (!tls)
        return true;
    SSL_set_accept_state(conns[fd].tls);
    return SSL_set_fd(conns[fd].tls, fd) == 1;
}

static void
accept_all(int listener, int loop)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (!begin(fd)) {
            close(fd);
            continue;
        }
        if (once && !serve(fd, &conns[fd])) {
            end(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = fd;
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
    }
}

static int
listen_on(unsigned port)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG))
        err(1, "port %u", port);
    return fd;
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN | EPOLLET};
    struct rlimit files = {FDS, FDS};
    int listener, loop = epoll_create1(EPOLL_CLOEXEC);

    if (argc < 3)
        errx(2, "usage: floor PORT BYTES [close] [CERTIFICATE]");
    once = argc > 3 && !strcmp(argv[3], "close");
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
    if (argc > 3 + once)
        prepare_tls(argv[3 + once]);
    prepare(strtoul(argv[2], NULL, 10));
    listener = listen_on((unsigned)strtoul(argv[1], NULL, 10));
    event.data.fd = listener;
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(loop, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            struct conn *c = &conns[fd];

            if (fd == listener)
                accept_all(listener, loop);
            else if ((c->owed && !flush(fd, c)) || (c->owed == 0 && !serve(fd, c)))
                end(fd);
        }
    }
}
