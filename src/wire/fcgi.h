/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi.h - records of FastCGI 1.0, as the server of a Responder reads and writes them: bytes in,
 * pieces of its streams out. One request a connection. No I/O, no clock.
 *
 * As strict as h1.h is: a record that the application may not send here ends all.
 */
#ifndef WIRE_FCGI_H
#define WIRE_FCGI_H

#include "base/out.h"
#include "earnest/slice.h"

enum { FCGI_HEADER_BYTES = 8, FCGI_RECORD_MAX = 65535 };

enum fcgi_got {
    FCGI_MORE,     /* nothing yet: it goes on with further bytes */
    FCGI_OUT,      /* a piece of what it answers */
    FCGI_ERR,      /* a piece of what is for the log */
    FCGI_END,      /* the request is done; nothing may follow */
    FCGI_BUSY,     /* likewise: it was not begun, for the application has too much to do */
    FCGI_REJECTED, /* likewise: the application is none that answers requests */
    FCGI_BAD,      /* it is no record that may come here */
};

struct fcgi_reader {
    enum fcgi_got end;     /* how it ended; FCGI_MORE: it did not */
    unsigned char head[8]; /* of the record, or its content where that is the end of the request */
    uint8_t head_n;        /* bytes of it that came */
    uint8_t type;          /* of the record whose content comes; 0: none does */
    uint8_t padding;       /* bytes after the content that are still to come */
    uint16_t left;         /* bytes of the content that are */
    bool out_done, err_done; /* that stream has said its end */
};

/*
 * Takes bytes off the front of *in. Each call gives at most one piece, a slice of *in and not
 * empty. Call again until it says FCGI_MORE; after an end it says the same again.
 */
enum fcgi_got fcgi_feed(struct fcgi_reader *reader, struct ern_slice *in,
                        struct ern_slice *ret_piece);

enum fcgi_stream { FCGI_PARAMS = 4, FCGI_STDIN = 5 };

/* Begins the request; the application is to close the connection after it. */
void fcgi_write_begin(struct out *o);

/* Writes a piece of a stream, as so many records as it takes; of an empty one none. */
void fcgi_write(struct out *o, enum fcgi_stream stream, struct ern_slice piece);

/* Writes the end of a stream. */
void fcgi_write_end(struct out *o, enum fcgi_stream stream);

/* Writes a name and its value, as a record of FCGI_PARAMS: some applications look for no pair past
 * the end of one. What fits in none makes o full. */
void fcgi_write_pair(struct out *o, struct ern_slice name, struct ern_slice value);

#endif
