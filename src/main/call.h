/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - a connection of the command line to a server: plain or TLS, one thing after the other.
 */
#ifndef MAIN_CALL_H
#define MAIN_CALL_H

#include <stdbool.h>
#include <sys/types.h>

#include "earnest/slice.h"

enum { CALL_HOST_BYTES = 256, CALL_PORT_BYTES = 8 };

struct call_url {
    bool secure;
    struct ern_slice authority; /* as it was written */
    struct ern_slice target;    /* path and query; absent: there is none */
    char host[CALL_HOST_BYTES]; /* without brackets */
    char port[CALL_PORT_BYTES];
};

/* Reads "http://host:port/path?query", of which all but the host may be missing, without its
 * fragment. Returns false if it is none. */
bool call_url_read(struct ern_slice text, struct call_url *ret);

struct call;

/*
 * Connects.
 *   verify   end with a failure if the certificate is not one for the host
 *   ret_why  what is wrong, where NULL is returned
 */
struct call *call_open(const struct call_url *url, bool verify, const char **ret_why);

/* Likewise, for HTTP/2: over TLS it fails if the server does not choose that (ALPN). */
struct call *call_open_h2(const struct call_url *url, bool verify, const char **ret_why);

bool call_send(struct call *call, struct ern_slice bytes);

/* Waits at most so long. Returns bytes read, 0 at the end, -1 if it failed, or -2 if nothing came.
 */
ssize_t call_read(struct call *call, char *to, size_t cap, int wait_ms);

void call_close(struct call *call);

#endif
