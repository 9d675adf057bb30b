/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws_echo.c - the least server of WebSocket that there is, on its standard input and output, after
 * the handshake: it sends each message back. With it a client of another make tests wire/ws and
 * io/deflate together.
 *
 *     ws_echo [SERVER_WINDOW_BITS SERVER_KEEPS CLIENT_WINDOW_BITS CLIENT_KEEPS]
 *
 * With parameters permessage-deflate is agreed, and messages that come compressed go back so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "base/utf8.h"
#include "io/deflate.h"
#include "wire/ws.h"
#include "wire/ws_write.h"

enum { MESSAGE_MAX = 65536, OUT_MAX = 2 * MESSAGE_MAX };

struct echo {
    struct ws ws;
    struct deflater *deflater;
    struct inflater *inflater;
    bool is_over;
};

static void
send_all(struct ern_slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr, bytes.len);

        if (n <= 0)
            exit(1);
        bytes = slice_skip(bytes, (size_t)n);
    }
}

/* Ends the connection with our close frame. */
static void
finish(struct echo *e, uint16_t code, struct ern_slice reason)
{
    char memory[WS_WRITE_HEAD_MAX + WS_CONTROL_MAX];
    struct out o = out_init(memory, sizeof memory);

    ws_write_close(&o, code, reason);
    send_all(out_done(&o));
    e->is_over = true;
}

static void
send_message(enum ws_opcode opcode, unsigned bits, struct ern_slice payload)
{
    char memory[WS_WRITE_HEAD_MAX];
    struct out o = out_init(memory, sizeof memory);

    ws_write_head(&o, opcode, WS_FIN | bits, payload.len);
    send_all(out_done(&o));
    send_all(payload);
}

static void
echo_compressed(struct echo *e, enum ws_opcode opcode)
{
    static char plain[MESSAGE_MAX], packed[OUT_MAX];
    struct out message = out_init(plain, sizeof plain), o = out_init(packed, sizeof packed);
    enum inflated is = inflater_message(e->inflater, e->ws.payload, &message);

    if (is == INFLATE_TOO_BIG)
        finish(e, WS_TOO_BIG, ERN_SLICE("too big when inflated"));
    else if (is == INFLATE_BROKE)
        finish(e, WS_BROKE, ERN_ABSENT);
    else if (is == INFLATE_WRONG)
        finish(e, WS_INCONSISTENT, ERN_SLICE("not a compressed message"));
    else if (opcode == WS_OP_TEXT && !utf8_is(out_done(&message)))
        finish(e, WS_INCONSISTENT, ERN_SLICE("not UTF-8 when inflated"));
    else if (deflater_message(e->deflater, out_done(&message), &o))
        send_message(opcode, WS_COMPRESSED, out_done(&o));
    else
        send_message(opcode, 0, out_done(&message));
}

static void
echo_message(struct echo *e, enum ws_opcode opcode)
{
    if (e->ws.is_compressed)
        echo_compressed(e, opcode);
    else
        send_message(opcode, 0, e->ws.payload);
}

static void
serve(struct echo *e, struct ern_slice in)
{
    while (in.len && !e->is_over) {
        switch (ws_feed(&e->ws, &in)) {
        case WS_TEXT:
            echo_message(e, WS_OP_TEXT);
            break;
        case WS_BINARY:
            echo_message(e, WS_OP_BINARY);
            break;
        case WS_PING:
            send_message(WS_OP_PONG, 0, e->ws.payload);
            break;
        case WS_CLOSE:
        case WS_BAD:
            finish(e, e->ws.code, ws_reason(&e->ws));
            break;
        case WS_MORE:
        case WS_PONG:
            break;
        }
    }
}

int
main(int argc, char **argv)
{
    static char message[MESSAGE_MAX], input[4096];
    struct echo e = {.deflater = NULL};
    uint64_t values[4];
    ssize_t n;

    for (int i = 0; argc == 5 && i < 4; i++)
        if (!u64_parse(slice_text(argv[i + 1]), DEFLATE_WINDOW_MAX, &values[i]))
            return 2;
    if (argc == 5) {
        e.deflater = deflater_new((unsigned)values[0], values[1] != 0);
        e.inflater = inflater_new((unsigned)values[2], values[3] != 0);
        if (!e.deflater || !e.inflater)
            return 1;
    }
    ws_init(&e.ws, message, sizeof message, argc == 5);
    while (!e.is_over && (n = read(STDIN_FILENO, input, sizeof input)) > 0)
        serve(&e, slice_from(input, (size_t)n));
    deflater_free(e.deflater);
    inflater_free(e.inflater);
    return e.is_over ? 0 : 1;
}
