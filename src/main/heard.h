/* SPDX-License-Identifier: Apache-2.0 */
/* heard.h - an exchange with a server, as it goes over the wire: bytes, and where in them what is.
 */
#ifndef MAIN_HEARD_H
#define MAIN_HEARD_H

#include <stdint.h>

#include "main/call.h"
#include "main/page.h"

enum {
    HEARD_HEAD_BYTES = 1 << 16,
    HEARD_ANSWER_BYTES = 1 << 20, /* of the answers, so much is kept */
};

struct heard {
    struct call_url url;
    char head[HEARD_HEAD_BYTES]; /* of the request */
    size_t head_len;
    bool waits; /* content is sent when 100 has come */
    char answer[HEARD_ANSWER_BYTES];
    size_t len;
    size_t final_at,
        content_at; /* of the last answer: its head and its content; 0: not there yet */
    uint16_t status;
};

/* Sends head and content, and hears until the last answer is whole, or no more comes. Returns
 * false if there is none. */
bool heard_talk(struct heard *heard, struct ern_slice content, struct call *call);

/* Walks on over the heads that are there. Returns true when one says to send content now. */
bool heard_walk(struct heard *heard);

/* Where the head that begins at a place of the answers ends, or 0; and its status, or 0. */
size_t heard_end(const struct heard *heard, size_t at);
uint16_t heard_status(const struct heard *heard, size_t at);

/* The head of the last answer. */
struct ern_slice heard_final(const struct heard *heard);

/* Takes the next line off a head, or the next field line of this name. Returns false after the
 * last. */
bool heard_line(struct ern_slice *head, struct ern_slice *ret_line);
bool heard_field(struct ern_slice *head, struct ern_slice name, struct ern_slice *ret_value);

/* Prints it; the content of the request, and what explains the answer, in JSON, come along. */
void heard_put(const struct page *page, const struct heard *heard, struct ern_slice content);
/* Likewise, frames as frames.h writes them. */
void heard_put_frames(const struct page *page, struct ern_slice frames);
/* frames: absent over HTTP/1.1 */
void heard_put_json(const struct page *page, const struct heard *heard, struct ern_slice frames,
                    struct ern_slice why);

#endif
