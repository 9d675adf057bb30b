/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_reader.h - a client of nghttp2 that reads what a server sent, and finds nothing wrong with it:
 * what is wrong fails an assertion. It sends nothing; of requests it knows what it is told.
 */
#ifndef TEST_H2_READER_H
#define TEST_H2_READER_H

#include <stdint.h>

#include "base/slice.h"

struct nghttp2_session;

struct h2_reader {
    struct nghttp2_session *session;
    int32_t last; /* the highest stream that was opened; -1: none */
    bool settled; /* the first frame of the server was read */
};

void h2_reader_begin(struct h2_reader *reader);
void h2_reader_end(struct h2_reader *reader);

/* The server has read a request: it may be answered from now on. */
void h2_reader_open(struct h2_reader *reader, int32_t stream, bool is_head);

/* Reads frames, whole ones.
 *   last  the highest stream that a request came on: those beyond it are idle */
void h2_reader_feed(struct h2_reader *reader, int32_t last, struct ern_slice frames);

#endif
