/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_H2_HEAD_H
#define WIRE_H2_HEAD_H

#include "wire/h2.h"

/*
 * The head of an HTTP/2 request, a field at a time; nghttp2 has checked names, values and the order
 * of pseudo-header fields (RFC 9113 8.2, 8.3). The limits are those of HTTP/1.1, and are
 * counted as if the request was one of it: with a request line, and :authority as its Host.
 */
void h2_head_begin(struct h2_stream *stream, int32_t id);
void h2_head_add(struct h2_stream *stream, const struct limits *limits, struct ern_slice name,
                 struct ern_slice value);
/* All have come: the request is whole, or stream->finding says what is wrong with it. */
void h2_head_end(struct h2_stream *stream, const struct limits *limits);

#endif
