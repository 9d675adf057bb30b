/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/ws_write.h"

#include "base/utf8.h"

static void
write_big_endian(struct out *o, uint64_t n, unsigned bytes)
{
    while (bytes-- > 0)
        out_char(o, (char)(n >> 8 * bytes & 0xff));
}

void
ws_write_head(struct out *o, enum ws_opcode opcode, unsigned bits, uint64_t n)
{
    out_char(o, (char)((unsigned)opcode | bits));
    if (n <= WS_CONTROL_MAX) {
        out_char(o, (char)n);
    } else if (n <= UINT16_MAX) {
        out_char(o, 126);
        write_big_endian(o, n, 2);
    } else {
        out_char(o, 127);
        write_big_endian(o, n, 8);
    }
}

void
ws_write_text(struct out *o, struct ern_slice text)
{
    ws_write_head(o, WS_OP_TEXT, WS_FIN, text.len);
    out_slice(o, text);
}

static void
write_control(struct out *o, enum ws_opcode opcode, struct ern_slice payload)
{
    assert(payload.len <= WS_CONTROL_MAX);
    ws_write_head(o, opcode, WS_FIN, payload.len);
    out_slice(o, payload);
}

void
ws_write_ping(struct out *o, struct ern_slice payload)
{
    write_control(o, WS_OP_PING, payload);
}

void
ws_write_pong(struct out *o, struct ern_slice payload)
{
    write_control(o, WS_OP_PONG, payload);
}

void
ws_write_close(struct out *o, uint16_t code, struct ern_slice reason)
{
    char memory[WS_CONTROL_MAX];
    struct out body = out_init(memory, sizeof memory);

    if (code != WS_NO_CODE) {
        assert(ws_code_is_sendable(code));
        write_big_endian(&body, code, 2);
        while (reason.len) {
            size_t n = utf8_len(reason);

            if (n == 0 || n > body.cap - body.len)
                break;
            out_slice(&body, slice_first(reason, n));
            reason = slice_skip(reason, n);
        }
    }
    write_control(o, WS_OP_CLOSE, out_done(&body));
}
