/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws.h - WebSocket (RFC 6455 5 to 8), the server's side: bytes in, events out. The same over the
 * connection of HTTP/1.1 and over a stream of HTTP/2 (RFC 8441). No I/O, no clock, no allocation.
 *
 * Strict: whatever is wrong is known at the first byte that shows it, in text within a message too,
 * and splitting the input anywhere changes nothing. To serve a peer:
 *
 *   ws_init(&ws, memory, limits->ws_message_bytes_max, is_deflate_agreed);
 *   while (in.len && !ws_is_over(&ws))
 *       switch (ws_feed(&ws, &in)) {
 *       case WS_MORE:   break;
 *       case WS_TEXT:
 *       case WS_BINARY: ws.payload; if ws.is_compressed, inflate it, and look at the text then
 *       case WS_PING:   ws_write_pong(&o, ws.payload), unless our close frame is written
 *       case WS_PONG:   the peer is there
 *       case WS_CLOSE:
 *       case WS_BAD:    ws_write_close(&o, ws.code, ws_reason(&ws)), unless ours is written;
 *                       then the connection ends, from our side first (RFC 6455 7.1.1)
 *       }
 *
 * A peer that never ends a message, or sends nothing but pings, costs no memory here; how long it
 * may do so is for whoever has a clock, as is how much may wait to be sent to it.
 */
#ifndef WIRE_WS_H
#define WIRE_WS_H

#include "base/slice.h"

enum ws_opcode { /* RFC 6455 5.2 */
                 WS_OP_CONTINUATION = 0x0,
                 WS_OP_TEXT = 0x1,
                 WS_OP_BINARY = 0x2,
                 WS_OP_CLOSE = 0x8,
                 WS_OP_PING = 0x9,
                 WS_OP_PONG = 0xa,
};

enum { /* the first byte of a frame, besides its opcode */
       WS_FIN = 0x80,
       WS_COMPRESSED = 0x40, /* RSV1 of a message's first frame (RFC 7692 6) */
};

enum { /* close codes (RFC 6455 7.4.1) */
       WS_NORMAL = 1000,
       WS_GOING_AWAY = 1001,
       WS_UNACCEPTABLE = 1003, /* binary, say, where only text is understood */
       WS_NO_CODE = 1005,      /* stands for none, and is never sent */
       WS_INCONSISTENT = 1007, /* what was inflated is no UTF-8, or could not be inflated */
       WS_POLICY = 1008,
       WS_TOO_BIG = 1009,
       WS_BROKE = 1011, /* something went wrong here */
       WS_TRY_LATER = 1013,
};

enum { WS_CONTROL_MAX = 125, WS_HEAD_MAX = 14 };

enum ws_event {
    WS_MORE,   /* nothing yet: call again when there is more */
    WS_TEXT,   /* a message; payload is its content, UTF-8 unless is_compressed */
    WS_BINARY, /* a message */
    WS_PING,   /* payload is to be sent back in a pong */
    WS_PONG,
    WS_CLOSE, /* code and, in payload, a reason */
    WS_BAD,   /* fault says why, code is its close code */
};

/* WS_FAULT_unmasked and so on; WS_FAULT_none if nothing is wrong. */
enum ws_fault {
    WS_FAULT_none,
#define WS_FAULT(name, code, source, reason) WS_FAULT_##name,
#include "wire/ws_fault.def"
#undef WS_FAULT
    WS_FAULTS
};

struct ws {
    char *message; /* the caller's memory for one message, message_cap long */
    size_t message_cap;
    size_t message_len; /* of the message so far */
    size_t checked;     /* bytes of a text message that are known to be UTF-8 */
    uint64_t left;      /* bytes of the frame's payload still to come */
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_n, head_len; /* bytes of the frame's head, so far and in all */
    uint8_t mask_at;          /* of the mask's four bytes, the next one */
    uint8_t opcode;           /* of the message that has begun; 0 between messages */
    uint8_t control_n;
    char control[WS_CONTROL_MAX]; /* payload of a control frame: it may come within a message */
    bool may_compress;

    /* Of the last event, valid until the next call: */
    enum ws_event event;
    struct ern_slice payload;
    bool is_compressed; /* of a message: payload is what permessage-deflate made of it */
    uint16_t code;      /* WS_NO_CODE if the close frame has none */
    enum ws_fault fault;
};

/*
 * Begins after the handshake.
 *   message, cap   a message of more bytes, as it comes, is too big
 *   may_compress   is permessage-deflate agreed (RFC 7692)?
 */
void ws_init(struct ws *ws, char *message, size_t cap, bool may_compress);

/*
 * Takes bytes off the front of *in, up to the end of the frame that makes an event, or all of them.
 * After WS_CLOSE and WS_BAD it takes nothing more and says the same again.
 */
enum ws_event ws_feed(struct ws *ws, struct ern_slice *in);

static inline bool
ws_is_over(const struct ws *ws)
{
    return ws->event == WS_CLOSE || ws->event == WS_BAD;
}

/* Has a message begun that has not ended? If not, the memory for messages may be exchanged. */
static inline bool
ws_is_amid(const struct ws *ws)
{
    return ws->opcode != 0;
}

/* The reason for our close frame: what is wrong after WS_BAD, else nothing. */
struct ern_slice ws_reason(const struct ws *ws);

/* May a peer send this close code (RFC 6455 7.4, and IANA's registry of close codes)? */
bool ws_code_is_sendable(unsigned code);

#endif
