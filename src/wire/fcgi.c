/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/fcgi.h"

#include "base/slice.h"

/* "FastCGI 3.3", "8": numbers of the specification. */
enum {
    VERSION = 1,
    BEGIN_REQUEST = 1,
    END_REQUEST = 3,
    STDOUT = 6,
    STDERR = 7,
    RESPONDER = 1,
    REQUEST_COMPLETE = 0,
    OVERLOADED = 2,
    ID = 1,              /* of the one request of a connection */
    PROTOCOL_STATUS = 4, /* where that is in the content of END_REQUEST */
    PIECE_MAX = 65528,   /* a multiple of 8, so that no padding is needed */
    SHORT_MAX = 127,     /* a longer length takes four bytes */
};

/* ---- reading -----------------------------------------------------------------------------------
 */

/* A header came whole: is it of a record that may come now? */
static bool
begin_record(struct fcgi_reader *r)
{
    const unsigned char *h = r->head;
    unsigned id = (unsigned)h[2] << 8 | h[3];

    r->type = h[1];
    r->left = (uint16_t)((unsigned)h[4] << 8 | h[5]);
    r->padding = h[6];
    r->head_n = 0;
    if (h[0] != VERSION || id != ID)
        return false;
    switch (r->type) {
    case STDOUT:
        if (r->out_done)
            return false;
        r->out_done = r->left == 0;
        return true;
    case STDERR:
        if (r->err_done)
            return false;
        r->err_done = r->left == 0;
        return true;
    default:
        return r->type == END_REQUEST && r->left == sizeof r->head;
    }
}

/* Gathers the next of 8 bytes. Are they all there? */
static bool
gather(struct fcgi_reader *r, struct ern_slice *in)
{
    while (in->len && r->head_n < sizeof r->head) {
        r->head[r->head_n++] = (unsigned char)in->ptr[0];
        *in = slice_skip(*in, 1);
    }
    return r->head_n == sizeof r->head;
}

static enum fcgi_got
end_of(const struct fcgi_reader *r)
{
    if (r->head[PROTOCOL_STATUS] == REQUEST_COMPLETE)
        return FCGI_END;
    return r->head[PROTOCOL_STATUS] == OVERLOADED ? FCGI_BUSY : FCGI_REJECTED;
}

/* The content of a stream's record. */
static enum fcgi_got
take_piece(struct fcgi_reader *r, struct ern_slice *in, struct ern_slice *ret_piece)
{
    *ret_piece = slice_first(*in, in->len < r->left ? in->len : r->left);
    *in = slice_skip(*in, ret_piece->len);
    r->left = (uint16_t)(r->left - ret_piece->len);
    return r->type == STDOUT ? FCGI_OUT : FCGI_ERR;
}

static void
take_padding(struct fcgi_reader *r, struct ern_slice *in)
{
    size_t n = in->len < r->padding ? in->len : r->padding;

    *in = slice_skip(*in, n);
    r->padding = (uint8_t)(r->padding - n);
    if (r->padding == 0)
        r->type = 0;
}

enum fcgi_got
fcgi_feed(struct fcgi_reader *r, struct ern_slice *in, struct ern_slice *ret_piece)
{
    *ret_piece = ERN_SLICE("");
    while (!r->end) {
        if (r->type == 0 && gather(r, in)) {
            if (!begin_record(r))
                r->end = FCGI_BAD;
        } else if (r->type == END_REQUEST && gather(r, in)) {
            r->end = end_of(r);
        } else if (in->len == 0) {
            return FCGI_MORE;
        } else if (r->left) {
            return take_piece(r, in, ret_piece);
        }
        if (!r->end && r->type && r->type != END_REQUEST && r->left == 0)
            take_padding(r, in);
    }
    return r->end;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void
write_header(struct out *o, unsigned type, size_t n)
{
    const char header[FCGI_HEADER_BYTES] = {VERSION, (char)type, 0, ID, (char)(n >> 8), (char)n};

    out_slice(o, slice_from(header, sizeof header));
}

void
fcgi_write_begin(struct out *o)
{
    static const char body[8] = {0, RESPONDER}; /* and no flag: the connection is not kept */

    write_header(o, BEGIN_REQUEST, sizeof body);
    out_slice(o, slice_from(body, sizeof body));
}

void
fcgi_write(struct out *o, enum fcgi_stream stream, struct ern_slice piece)
{
    while (piece.len) {
        struct ern_slice part = slice_first(piece, piece.len < PIECE_MAX ? piece.len : PIECE_MAX);

        write_header(o, stream, part.len);
        out_slice(o, part);
        piece = slice_skip(piece, part.len);
    }
}

void
fcgi_write_end(struct out *o, enum fcgi_stream stream)
{
    write_header(o, stream, 0);
}

static size_t
length_bytes(size_t n)
{
    return n <= SHORT_MAX ? 1 : 4;
}

static void
write_length(struct out *o, size_t n)
{
    const char four[4] = {(char)(0x80 | n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};

    if (n <= SHORT_MAX)
        out_char(o, (char)n);
    else
        out_slice(o, slice_from(four, sizeof four));
}

void
fcgi_write_pair(struct out *o, struct ern_slice name, struct ern_slice value)
{
    size_t n = length_bytes(name.len) + length_bytes(value.len) + name.len + value.len;

    o->full |= n > FCGI_RECORD_MAX;
    write_header(o, FCGI_PARAMS, n);
    write_length(o, name.len);
    write_length(o, value.len);
    out_slice(o, name);
    out_slice(o, value);
}
