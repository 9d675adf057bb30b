/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - what the files of the generator share: load.c says what it is. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/ssl.h>

enum { PART = 4096, IN = 1 << 20 };

/* A WebSocket message: of its content, and of all of it as a client sends it. */
enum { WS_CONTENT = 125, WS_MASK = 4, WS_ASKED = 2 + WS_MASK + WS_CONTENT };

enum state { HEAD, LENGTH, CHUNK_SIZE, CHUNK, LAST_LINE, TO_THE_END };

struct conn {
    int fd;
    SSL *tls;      /* NULL: plain */
    bool shakes;   /* its handshake is not finished, */
    bool resumes;  /* and has to resume a session */
    unsigned owed; /* answers to come on this connection */
    uint64_t left; /* bytes of content, or of the chunk and its line end, or of a DATA frame */
    size_t part_n; /* bytes of a head or of a frame that is not whole */
    enum state state;
    bool line_empty; /* the line that ends the trailer section: nothing on it so far */
    bool ends;       /* HTTP/2: the stream ends with this DATA frame */
    bool named;      /* the peer's table has our authority */
    bool greeted;    /* its SETTINGS came, or its 101: */
    uint32_t most;   /* streams at once */
    uint32_t next_id;
    uint32_t window; /* bytes of content that came since the peer was told of room */
    char part[PART];
};

extern unsigned status; /* that each answer must have */
extern bool heads;      /* answers to HEAD have no content */
extern bool closes;     /* a request is the last on its connection */
extern uint64_t errors;
extern char in[IN + 1];

/* An answer was read to its end. */
void answered(struct conn *conn);
void refused(struct conn *conn); /* or is to be asked for again */
void check_status(unsigned found);

/* Sends all of it. */
void send_all(struct conn *conn, const void *bytes, size_t n);

/* HTTP/1.1 (load_h1.c): takes bytes of content whose end is known; takes n bytes of in. */
size_t h1_take_content(struct conn *conn, size_t n);
void h1_take(struct conn *conn, size_t n);

/* HTTP/2 (load_h2.c): asks for the path of an HTTP/1.1 request, so many times at once. */
void h2_prepare(const char *request, bool tls);
void h2_begin(struct conn *conn);
void h2_ask(struct conn *conn, unsigned times);
void h2_take(struct conn *conn, size_t n);

/* WebSocket (load_ws.c): asks for it; sends messages, so many at once. */
void ws_begin(struct conn *conn, const char *request, size_t n);
void ws_ask(struct conn *conn, unsigned times);
void ws_take(struct conn *conn, size_t n);

/* TLS 1.3 (load_tls.c) with one cipher suite; what comes is as with recv(). */
void tls_prepare(bool h2, bool resumes);
void tls_begin(struct conn *conn);
bool tls_shake(struct conn *conn); /* is the handshake finished? */
ssize_t tls_receive(struct conn *conn, void *to, size_t room);
void tls_end(struct conn *conn);

#endif
