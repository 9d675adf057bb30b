/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_h2.c - the generator over HTTP/2: as much of RFC 9113 as asking needs. Every frame is read
 * to its end. The status is that of the static table (RFC 7541 Appendix A), which all servers use.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

enum {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    REFUSED_STREAM = 7, /* an error: there are too many streams, ask again (RFC 9113 8.7) */
    MAX_CONCURRENT_STREAMS = 3,
    WINDOW_UPDATE = 8,
    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4,
    FRAME_HEAD = 9,
    WINDOW = 1 << 30,
    BLOCK = 512,  /* bytes of a header block */
    TIMES = 1024, /* requests that are sent at once */
};

static char first[BLOCK], other[BLOCK]; /* header blocks: of the first request, and of the others */
static size_t first_n, other_n;

static char *
put_text(char *at, const char *text, size_t n)
{
    if (n > 126)
        errx(1, "too long for HTTP/2: %.*s", (int)n, text);
    *at++ = (char)n;
    memcpy(at, text, n);
    return at + n;
}

static char *
put_u32(char *at, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (char)(value >> shift);
    return at;
}

/* The path is sent as it is each time, the authority once, as browsers do. */
void
h2_prepare(const char *request, bool tls)
{
    static const char authority[] = "127.0.0.1";
    const char *path = strchr(request, ' ') + 1;
    char *at = first;

    *at++ = (char)0x82;                /* :method GET */
    *at++ = (char)(tls ? 0x87 : 0x86); /* :scheme */
    *at++ = 0x04;                      /* :path, not to be indexed */
    at = put_text(at, path, strcspn(path, " "));
    other_n = (size_t)(at - first);
    memcpy(other, first, other_n);
    other[other_n++] = (char)(0x80 | 62); /* the newest of the dynamic table */
    *at++ = 0x41;                         /* :authority, to be indexed */
    at = put_text(at, authority, sizeof authority - 1);
    first_n = (size_t)(at - first);
}

static char *
put_head(char *at, size_t n, unsigned type, unsigned flags, uint32_t id)
{
    at = put_u32(at, (uint32_t)n << 8 | type);
    *at++ = (char)flags;
    return put_u32(at, id);
}

void
h2_begin(struct conn *c)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    char frames[BLOCK], *at = frames;

    c->next_id = 1;
    c->named = c->greeted = false;
    c->most = UINT32_MAX;
    c->window = 0;
    memcpy(at, preface, sizeof preface - 1);
    at = put_head(at + sizeof preface - 1, 12, SETTINGS, 0, 0);
    at = put_u32(at, 0x00020000); /* ENABLE_PUSH 0, in two halves with what follows: */
    at = put_u32(at, 0x00000004); /* INITIAL_WINDOW_SIZE */
    at = put_u32(at, WINDOW);
    at = put_head(at, 4, WINDOW_UPDATE, 0, 0);
    at = put_u32(at, WINDOW);
    send_all(c, frames, (size_t)(at - frames));
}

void
h2_ask(struct conn *c, unsigned times)
{
    static char frames[TIMES * (FRAME_HEAD + BLOCK)];
    char *at = frames;

    if (times > TIMES)
        errx(1, "more than %d requests at once", TIMES);
    for (; times; times--, c->next_id += 2) {
        size_t n = c->named ? other_n : first_n;

        at = put_head(at, n, HEADERS, END_STREAM | END_HEADERS, c->next_id);
        memcpy(at, c->named ? other : first, n);
        at += n;
        c->named = true;
    }
    send_all(c, frames, (size_t)(at - frames));
}

static uint32_t
u24(const char *p)
{
    return (uint32_t)(unsigned char)p[0] << 16 | (uint32_t)(unsigned char)p[1] << 8 |
           (unsigned char)p[2];
}

/* Of a header block: after changes of the table's size comes an indexed :status. */
static unsigned
status_of(const char *block, size_t n)
{
    static const unsigned statuses[] = {200, 204, 206, 304, 400, 404, 500};
    unsigned index;

    while (n && ((unsigned char)*block & 0xe0) == 0x20)
        block++, n--;
    index = n ? (unsigned char)*block : 0;
    return index >= 0x88 && index <= 0x8e ? statuses[index - 0x88] : 0;
}

static void
read_settings(struct conn *c, const unsigned char *p, size_t n)
{
    c->greeted = true;
    for (; n >= 6; n -= 6, p += 6)
        if (p[0] == 0 && p[1] == MAX_CONCURRENT_STREAMS)
            c->most = (uint32_t)p[2] << 24 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 8 | p[5];
}

/* Answers, or takes note of, a frame that is whole: all but DATA, whose content comes yet. */
static void
frame(struct conn *c)
{
    unsigned type = (unsigned char)c->part[3], flags = (unsigned char)c->part[4];
    uint32_t n = u24(c->part);
    char reply[FRAME_HEAD + 8], *at = reply;

    c->part_n = 0;
    switch (type) {
    case DATA:
        c->left = n;
        c->ends = flags & END_STREAM;
        c->window += n;
        if (c->window < WINDOW / 2)
            break;
        at = put_u32(put_head(at, 4, WINDOW_UPDATE, 0, 0), c->window);
        c->window = 0;
        break;
    case HEADERS:
        if (!(flags & END_HEADERS))
            errx(1, "a head in two frames");
        check_status(status_of(c->part + FRAME_HEAD, n));
        if (flags & END_STREAM)
            answered(c);
        break;
    case SETTINGS:
    case PING:
        if (flags & ACK)
            break;
        if (type == SETTINGS)
            read_settings(c, (unsigned char *)c->part + FRAME_HEAD, n);
        n = type == PING ? 8 : 0;
        at = put_head(at, n, type, ACK, 0);
        memcpy(at, c->part + FRAME_HEAD, n);
        at += n;
        break;
    case RST_STREAM:
        if (c->part[FRAME_HEAD + 3] != REFUSED_STREAM)
            errx(1, "a stream was reset");
        refused(c);
        break;
    case GOAWAY:
        errx(1, "the server goes away");
    default:
        break;
    }
    if (at > reply)
        send_all(c, reply, (size_t)(at - reply));
}

/* Bytes of the frame that are wanted at once: of DATA the head, of others all. */
static size_t
wanted(const struct conn *c)
{
    return FRAME_HEAD + (c->part_n >= FRAME_HEAD && c->part[3] != DATA ? u24(c->part) : 0);
}

/* Adds to the frame what belongs to it. Returns the bytes. */
static size_t
gather(struct conn *c, const char *bytes, size_t n)
{
    size_t more = wanted(c) - c->part_n;

    if (c->part_n + more > PART)
        errx(1, "a frame of more than %d bytes", PART);
    more = more < n ? more : n;
    memcpy(c->part + c->part_n, bytes, more);
    c->part_n += more;
    if (c->part_n >= FRAME_HEAD && c->part_n == wanted(c))
        frame(c);
    return more;
}

void
h2_take(struct conn *c, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t more = n - at < c->left ? n - at : (size_t)c->left;

        if (c->left == 0)
            more = gather(c, in + at, n - at);
        else
            c->left -= more;
        at += more;
        if (c->ends && c->left == 0) {
            c->ends = false;
            answered(c);
        }
    }
}
