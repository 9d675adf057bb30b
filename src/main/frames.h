/* SPDX-License-Identifier: Apache-2.0 */
/* frames.h - the frames of an HTTP/2 connection, as people read them (RFC 9113 4, 6). */
#ifndef MAIN_FRAMES_H
#define MAIN_FRAMES_H

#include <nghttp2/nghttp2.h>

#include "base/out.h"

enum {
    FRAME_BYTES = (1 << 14) + 9, /* SETTINGS_MAX_FRAME_SIZE, as it begins, and the header */
};

struct frames_way { /* one of the two directions */
    nghttp2_hd_inflater *fields;
    bool greeted; /* the preface is passed */
    size_t len;   /* of a frame that is not whole */
    uint8_t bytes[FRAME_BYTES];
};

struct frames {
    struct frames_way ways[2]; /* what comes, and what goes */
    struct out *to[2];         /* likewise */
};

/* Begins. came, went: where each way is written to, which can be the same; text stops where it is
 * full. False without memory. */
bool frames_begin(struct frames *frames, struct out *came, struct out *went);

/*
 * Bytes as they went or came: each frame that is whole with them is written as
 *   > HEADERS, stream 1, END_STREAM END_HEADERS, 42 bytes
 *   >   :method: GET
 *   >   | 00 00 2a 01 05 00 00 00 01 82 ...
 * that is: type, stream, flags and length; fields, values or text; the first of its bytes.
 */
void frames_see(struct frames *frames, bool sent, struct ern_slice bytes);

void frames_end(struct frames *frames);

#endif
