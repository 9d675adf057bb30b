/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - one request of an audit, and what came of it: read by the letter of RFC 9112, in
 * bounded time and memory, whatever the server is.
 */
#ifndef MAIN_PROBE_H
#define MAIN_PROBE_H

#include "main/call.h"
#include "main/frames.h"
#include "wire/h1_answer.h"

enum {
    PROBE_REQUEST_BYTES = 1 << 17,
    PROBE_ANSWER_BYTES = 1 << 20, /* of an answer, so much is read */
    PROBE_INTERIMS = 8,
    PROBE_FIELDS = 256,
};

enum probe_end {
    PROBE_WHOLE,       /* an answer came */
    PROBE_LONG,        /* likewise, and more of its content than is read */
    PROBE_CUT,         /* its content ended before its framing says */
    PROBE_CLOSED,      /* none came, but the end of the connection */
    PROBE_RESET,       /* likewise, of the stream (RFC 9113 6.4) */
    PROBE_SILENT,      /* none came in time */
    PROBE_MALFORMED,   /* what came is no answer: finding */
    PROBE_UNREACHABLE, /* there was no connection */
};

struct probe_interim {
    uint16_t status;
    bool lacks; /* the field that its status must carry */
};

struct probe_answer {
    enum probe_end end;
    enum finding finding;
    const char *why; /* it was unreachable */
    struct probe_interim interims[PROBE_INTERIMS];
    unsigned interims_n;
    bool surplus; /* bytes came after an answer that has no content */
    struct h1_answer answer;
    struct ern_field fields[PROBE_FIELDS];
    struct ern_slice content;
    size_t len;
    char bytes[PROBE_ANSWER_BYTES];
};

struct probe_ask {
    const struct call_url *url;
    bool verify;              /* the certificate of the server */
    struct ern_slice head;    /* of the request, and */
    struct ern_slice content; /* what is sent after it; absent: nothing */
    bool waits;               /* until 100 says so */
    bool h2;                  /* over HTTP/2 (probe_h2.h), and */
    struct frames *frames;    /* what went over the wire is written there; NULL: it is not */
    int patience_ms;          /* for all of it, the connection apart */
};

/* Asks, and hears the answer. */
void probe_ask(const struct probe_ask *ask, struct probe_answer *ret);

/* The value of the first field line with this name in any case; absent: there is none. */
struct ern_slice probe_field(const struct probe_answer *answer, struct ern_slice name);

/* Does the answer lack the field that its status must carry (status.def)? Then its name is written
 * to buffer, cap bytes long, as much of it as fits, with a NUL. */
bool probe_lacks(const struct h1_answer *answer, char *buffer, size_t cap);

#endif
