/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1.h - HTTP/1.1 messages (RFC 9112): bytes in, a request and its content out. No I/O, no clock.
 *
 * Strict: a line ends with CRLF and nothing else; nothing is repaired. Whatever is wrong is known
 * at the first byte that shows it, and splitting the input anywhere changes nothing.
 */
#ifndef WIRE_H1_H
#define WIRE_H1_H

#include "code/finding.h"
#include "code/limits.h"
#include "earnest/message.h"
#include "msg/parse.h"

/* Reads the head of a request: request line and header section. */
struct h1_head {
    const struct limits *limits;
    size_t at;            /* bytes read; on PARSE_DONE the length of the head */
    size_t fields_at;     /* where the header section begins; 0 until the request line is read */
    uint8_t empty_lines;  /* leading empty lines passed over: one at most (RFC 9112 2.2) */
    enum finding finding; /* on PARSE_BAD, and */
    size_t finding_at;    /* the offset of the byte that shows it */
    struct ern_slice finding_field; /* name of the field to blame, if one is */
};

void h1_head_init(struct h1_head *head, const struct limits *limits);

/*
 * Reads on. Only whole lines are kept; a line that is not whole yet is read again next time.
 *   bytes     all bytes of the connection since the head began; may grow between calls, but its
 *             memory may not move (after a move begin again with h1_head_init())
 *   request   from ern_request_init(), the same in each call. On PARSE_DONE all of it is set and
 *             consistent: one authority, one framing. On PARSE_BAD, what was read so far.
 * Call again only after PARSE_MORE; after PARSE_BAD it says the same again.
 */
enum parse h1_head_feed(struct h1_head *head, struct ern_slice bytes, struct ern_request *request);

/* Reads the content of a request (RFC 9112 6, 7). */
struct h1_content {
    const struct limits *limits;
    uint64_t left;            /* bytes of the content, or of the chunk, still to come */
    uint64_t extension_bytes; /* of all chunks so far */
    uint32_t line_bytes;      /* of the chunk-size line, or of the trailer line, so far */
    uint32_t trailer_bytes;   /* of the trailer section so far */
    uint16_t trailers_n;
    uint8_t state;        /* private */
    uint8_t digits_n;     /* of the chunk size */
    enum finding finding; /* on PARSE_BAD; the offending byte is the first one left in *in */
};

/* Begins at the end of a head that was read; request may say that there is no content. */
void h1_content_init(struct h1_content *content, const struct limits *limits,
                     const struct ern_request *request);

/* Begins content that ends with the connection: it is never PARSE_DONE. */
void h1_content_open(struct h1_content *content, const struct limits *limits);

/*
 * Takes bytes off the front of *in. Each call gives at most one piece of content, a slice of *in,
 * which may be empty. Call again while it says PARSE_MORE and *in is not empty. Trailer fields are
 * checked and dropped: they are never merged into the header section (RFC 9110 6.5.1).
 * On PARSE_DONE *in begins after the message.
 */
enum parse h1_content_feed(struct h1_content *content, struct ern_slice *in,
                           struct ern_slice *ret_piece);

#endif
