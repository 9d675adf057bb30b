/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws.c - frames of a WebSocket client, a byte of the head at a time and the payload in pieces.
 *
 *   byte 0       FIN, RSV1 to RSV3, opcode
 *   byte 1       MASK, length: 0 to 125, or 126: in the next 2 bytes, or 127: in the next 8
 *   4 bytes      the mask
 *   length bytes payload, masked
 *
 * Payload goes straight to where it stays, to the message or, from a control frame, to a place of
 * its own, and is unmasked there. A message may be fragments with control frames between them.
 */
#include "wire/ws.h"

#include "base/utf8.h"

enum {
    RESERVED = 0x30, /* RSV2, RSV3 */
    OPCODE = 0x0f,
    CONTROL = 0x08, /* set in the opcodes of control frames */
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    HEAD_LEAST = 2,
    MASK_BYTES = 4,
};

struct fault_row {
    uint16_t code;
    struct ern_slice reason;
};

static const struct fault_row faults[WS_FAULTS] = {
    {0, {"", 0}},
#define WS_FAULT(name, code, source, reason) {code, {reason, sizeof reason - 1}},
#include "wire/ws_fault.def"
#undef WS_FAULT
};

static inline bool
is_control(const struct ws *ws)
{
    return (ws->head[0] & CONTROL) != 0;
}

static bool
is_defined(unsigned opcode)
{
    return opcode <= WS_OP_BINARY || (opcode >= WS_OP_CLOSE && opcode <= WS_OP_PONG);
}

/* FIN, the reserved bits and the opcode: do they fit what was before? */
static enum ws_fault
check_first(const struct ws *ws)
{
    unsigned opcode = ws->head[0] & OPCODE;
    bool begins = opcode == WS_OP_TEXT || opcode == WS_OP_BINARY;

    /* RFC 7692 6.1: RSV1 belongs to the first frame of a message. */
    if (ws->head[0] & RESERVED || (ws->head[0] & WS_COMPRESSED && !(ws->may_compress && begins)))
        return WS_FAULT_reserved_bit;
    if (!is_defined(opcode))
        return WS_FAULT_opcode;
    if (is_control(ws))
        return ws->head[0] & WS_FIN ? WS_FAULT_none : WS_FAULT_control_fragmented;
    /* rfc6455#5.4 "The fragments of one message MUST NOT be interleaved" */
    if (begins)
        return ws_is_amid(ws) ? WS_FAULT_interleaved : WS_FAULT_none;
    return ws_is_amid(ws) ? WS_FAULT_none : WS_FAULT_continuation;
}

/* The mask bit and the short length; now it is known how long the head is. */
static enum ws_fault
check_second(struct ws *ws)
{
    unsigned length = ws->head[1] & LENGTH;

    /* rfc6455#5.1 "The server MUST close the connection upon receiving a frame that is not masked"
     */
    if (!(ws->head[1] & MASKED))
        return WS_FAULT_unmasked;
    /* rfc6455#5.5 "All control frames MUST have a payload length of 125 bytes or less" */
    if (is_control(ws) && length > WS_CONTROL_MAX)
        return WS_FAULT_control_long;
    ws->head_len = HEAD_LEAST + MASK_BYTES;
    if (length >= LENGTH_16)
        ws->head_len = (uint8_t)(ws->head_len + (length == LENGTH_16 ? 2 : 8));
    return WS_FAULT_none;
}

/* The length is whole. */
static enum ws_fault
check_length(struct ws *ws)
{
    unsigned form = ws->head[1] & LENGTH;
    uint64_t length = form < LENGTH_16 ? form : 0;

    for (size_t i = HEAD_LEAST; i < ws->head_n; i++)
        length = length << 8 | ws->head[i];
    /* rfc6455#5.2 "in all cases, the minimal number of bytes MUST be used to encode the length" */
    if ((form == LENGTH_16 && length < LENGTH_16) || (form == LENGTH_64 && length <= UINT16_MAX))
        return WS_FAULT_length_form;
    ws->left = length;
    ws->mask_at = 0;
    if (is_control(ws))
        return WS_FAULT_none;
    if (!ws_is_amid(ws)) {
        ws->opcode = ws->head[0] & OPCODE;
        ws->is_compressed = (ws->head[0] & WS_COMPRESSED) != 0;
        ws->message_len = ws->checked = 0;
    }
    return length > ws->message_cap - ws->message_len ? WS_FAULT_too_big : WS_FAULT_none;
}

static enum ws_fault
take_head(struct ws *ws, struct ern_slice *in)
{
    ws->head[ws->head_n++] = (uint8_t)in->ptr[0];
    *in = slice_skip(*in, 1);
    if (ws->head_n == 1)
        return check_first(ws);
    if (ws->head_n == 2) {
        enum ws_fault fault = check_second(ws);

        if (fault != WS_FAULT_none)
            return fault;
    }
    /* rfc6455#5.2 "most significant bit MUST be 0" */
    if (ws->head_n == 3 && ws->head_len == WS_HEAD_MAX && ws->head[2] & 0x80)
        return WS_FAULT_length_form;
    return ws->head_n == ws->head_len - MASK_BYTES ? check_length(ws) : WS_FAULT_none;
}

/* rfc6455#5.3 "transformed-octet-i = original-octet-i XOR masking-key-octet-j" */
static void
unmask(struct ws *ws, char *p, size_t n)
{
    const uint8_t *mask = ws->head + ws->head_len - MASK_BYTES;
    uint8_t turned[8];
    uint64_t eight, word;

    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = mask[(ws->mask_at + i) % MASK_BYTES];
    memcpy(&eight, turned, sizeof eight);
    ws->mask_at = (uint8_t)((ws->mask_at + n) % MASK_BYTES);
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        word ^= eight;
        memcpy(p, &word, sizeof word);
    }
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(p[i] ^ turned[i]);
}

/* Is what came of a text message UTF-8, but for a last character that is cut? */
static enum ws_fault
check_text(struct ws *ws)
{
    while (ws->checked < ws->message_len) {
        struct ern_slice rest =
            slice_from(ws->message + ws->checked, ws->message_len - ws->checked);
        size_t n = utf8_len(rest);

        if (n == 0)
            return utf8_is_cut(rest) ? WS_FAULT_none : WS_FAULT_text;
        ws->checked += n;
    }
    return WS_FAULT_none;
}

static inline bool
is_plain_text(const struct ws *ws)
{
    return ws->opcode == WS_OP_TEXT && !ws->is_compressed;
}

static enum ws_fault
take_payload(struct ws *ws, struct ern_slice *in)
{
    size_t n = in->len < ws->left ? in->len : (size_t)ws->left;
    char *to = is_control(ws) ? ws->control + ws->control_n : ws->message + ws->message_len;

    memcpy(to, in->ptr, n);
    unmask(ws, to, n);
    *in = slice_skip(*in, n);
    ws->left -= n;
    if (is_control(ws)) {
        ws->control_n = (uint8_t)(ws->control_n + n);
        return WS_FAULT_none;
    }
    ws->message_len += n;
    return is_plain_text(ws) ? check_text(ws) : WS_FAULT_none;
}

static enum ws_event
bad(struct ws *ws, enum ws_fault fault)
{
    ws->fault = fault;
    ws->code = faults[fault].code;
    ws->payload = ERN_ABSENT;
    return WS_BAD;
}

/* rfc6455#5.5.1 "the first two bytes of the body MUST be a 2-byte unsigned integer" */
static enum ws_event
close_done(struct ws *ws)
{
    struct ern_slice body = ws->payload;
    unsigned code;

    ws->code = WS_NO_CODE;
    if (body.len == 0)
        return WS_CLOSE;
    if (body.len == 1)
        return bad(ws, WS_FAULT_close_length);
    code = (unsigned)(uint8_t)body.ptr[0] << 8 | (uint8_t)body.ptr[1];
    if (!ws_code_is_sendable(code))
        return bad(ws, WS_FAULT_close_code);
    ws->payload = slice_skip(body, 2);
    if (!utf8_is(ws->payload))
        return bad(ws, WS_FAULT_close_reason);
    ws->code = (uint16_t)code;
    return WS_CLOSE;
}

static enum ws_event
control_done(struct ws *ws)
{
    unsigned opcode = ws->head[0] & OPCODE;

    ws->payload = slice_from(ws->control, ws->control_n);
    ws->control_n = 0;
    if (opcode == WS_OP_CLOSE)
        return close_done(ws);
    return opcode == WS_OP_PING ? WS_PING : WS_PONG;
}

/* The frame is whole. */
static enum ws_event
frame_done(struct ws *ws)
{
    unsigned opcode = ws->opcode;

    ws->head_n = 0;
    ws->head_len = HEAD_LEAST;
    if (is_control(ws))
        return control_done(ws);
    if (!(ws->head[0] & WS_FIN))
        return WS_MORE;
    if (is_plain_text(ws) && ws->checked < ws->message_len)
        return bad(ws, WS_FAULT_text);
    ws->opcode = 0;
    ws->payload = slice_from(ws->message, ws->message_len);
    return opcode == WS_OP_TEXT ? WS_TEXT : WS_BINARY;
}

void
ws_init(struct ws *ws, char *message, size_t cap, bool may_compress)
{
    *ws = (struct ws){.head_len = HEAD_LEAST, .may_compress = may_compress};
    ws->message = message;
    ws->message_cap = cap;
}

enum ws_event
ws_feed(struct ws *ws, struct ern_slice *in)
{
    if (ws_is_over(ws))
        return ws->event;
    ws->event = WS_MORE;
    while (in->len && ws->event == WS_MORE) {
        enum ws_fault fault = ws->head_n < ws->head_len ? take_head(ws, in) : take_payload(ws, in);

        if (fault != WS_FAULT_none)
            ws->event = bad(ws, fault);
        else if (ws->head_n == ws->head_len && ws->left == 0)
            ws->event = frame_done(ws);
    }
    return ws->event;
}

struct ern_slice
ws_reason(const struct ws *ws)
{
    return faults[ws->fault].reason;
}

bool
ws_code_is_sendable(unsigned code)
{
    /* 1004 to 1006 and 1015 are reserved; 1012 to 1014 are IANA's; 1016 to 2999 are to come. */
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
