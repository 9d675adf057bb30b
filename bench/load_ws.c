/* SPDX-License-Identifier: Apache-2.0 */
/* load_ws.c - the generator speaks WebSocket (RFC 6455): messages of one length, which come back.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { END = 4, HEAD_BYTES = 2, BINARY = 0x82, MASKED = 0x80 };

void
ws_begin(struct conn *c, const char *request, size_t n)
{
    c->greeted = false;
    send_all(c, request, n);
}

void
ws_ask(struct conn *c, unsigned times)
{
    static char message[WS_ASKED] = {(char)BINARY, (char)(MASKED | WS_CONTENT), 1, 2, 3, 4};

    for (unsigned i = 0; i < times; i++)
        send_all(c, message, sizeof message);
}

/* Takes the n bytes of in: what is left of an answer, then answers. */
void
ws_take(struct conn *c, size_t n)
{
    const char *at = in, *end = in + n;

    c->part_n = 0;
    if (!c->greeted) {
        const char *found = memmem(in, n, "\r\n\r\n", END);

        if (!found) {
            if (n > PART)
                errx(1, "a head of more than %d bytes", PART);
            memcpy(c->part, in, n);
            c->part_n = n;
            return;
        }
        check_status((unsigned)strtoul(in + sizeof "HTTP/1.1", NULL, 10));
        c->greeted = true;
        c->left = 0;
        at = found + END;
    }
    while (at < end) {
        size_t left = c->left ? (size_t)c->left : HEAD_BYTES + WS_CONTENT;
        size_t taken = left < (size_t)(end - at) ? left : (size_t)(end - at);

        at += taken;
        c->left = left - taken;
        if (c->left == 0)
            answered(c);
    }
}
