/* SPDX-License-Identifier: Apache-2.0 */
/* ws_write.h - frames of a WebSocket server, which are not masked (RFC 6455 5.1). */
#ifndef WIRE_WS_WRITE_H
#define WIRE_WS_WRITE_H

#include "base/out.h"
#include "wire/ws.h"

enum { WS_WRITE_HEAD_MAX = 10, WS_REASON_MAX = WS_CONTROL_MAX - 2 };

/*
 * Writes what stands before n bytes of payload.
 *   bits   WS_FIN for a whole message and for its last fragment; WS_COMPRESSED on the first frame
 *          of a compressed one. Fragments after the first have the opcode WS_OP_CONTINUATION.
 */
void ws_write_head(struct out *o, enum ws_opcode opcode, unsigned bits, uint64_t n);

/* Writes a text message in one frame. */
void ws_write_text(struct out *o, struct ern_slice text);

/* Writes a ping or a pong; payload has at most WS_CONTROL_MAX bytes. */
void ws_write_ping(struct out *o, struct ern_slice payload);
void ws_write_pong(struct out *o, struct ern_slice payload);

/*
 * Writes a close frame, after which nothing may be written.
 *   code     one that may be sent, or WS_NO_CODE for an empty frame
 *   reason   UTF-8; cut after its last character that fits into WS_REASON_MAX bytes
 */
void ws_write_close(struct out *o, uint16_t code, struct ern_slice reason);

#endif
