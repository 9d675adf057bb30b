/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_server.h - a session of HTTP/2 that is told as a line of words: events as they come (head,
 * content, end, answered, closed), then the frames that went out, in capitals. Its server answers
 * as the path says. For tests of cmocka; there is one at a time.
 */
#ifndef TEST_H2_SERVER_H
#define TEST_H2_SERVER_H

#include "base/out.h"
#include "wire/h2.h"

enum {
    H2_SERVER_PLACES = 4,
    H2_SERVER_FIELDS = 128,
    H2_SERVER_TEXT = 32768,
    H2_SERVER_STORY = 4096,
    H2_SERVER_WIRE = 1 << 16,
};

struct h2_place { /* of a request in progress */
    struct h2_stream stream;
    struct ern_request request;
    struct ern_field fields[H2_SERVER_FIELDS];
    char text[H2_SERVER_TEXT];
    bool taken, waits;
    size_t left; /* bytes of the answer */
};

extern struct h2_server {
    struct h2 h2;
    struct limits limits;
    struct h2_place places[H2_SERVER_PLACES];
    struct nghttp2_hd_inflater *inflater;
    struct out story;
    char story_text[H2_SERVER_STORY];
} h2_server;

/* Sets the limits to their defaults, and the streams to the places there are. */
int h2_server_setup(void **state);

void h2_server_open(void);
void h2_server_close(void);

/* The client sends its preface, the server its own; the story begins after that. */
void h2_server_greet(void);

/* Feeds bytes in pieces. Returns false if the session is over. */
bool h2_server_feed(struct ern_slice bytes, size_t split);

/* Lets the server send, and tells the frames. */
void h2_server_send(void);

struct h2_stream *h2_server_begin(void *self);
void h2_server_answer(struct h2_place *place);

/* Field lines, until the next call. */
struct out *h2_server_lines(const char *text);

#endif
