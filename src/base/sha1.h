/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha1.h - SHA-1 (RFC 3174), for one purpose: Sec-WebSocket-Accept (RFC 6455 4.2.2), which shows
 * that a server read the key of a WebSocket handshake. Nothing may rest on it as a secret or a
 * proof, for which SHA-1 is too weak (RFC 6455 10.8).
 */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/slice.h"

enum { SHA1_BYTES = 20 };

void sha1(struct ern_slice text, char ret_digest[static SHA1_BYTES]);

#endif
