/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_parts.h - what the files of the test peer share: the rows of peer.def, what one request asks
 * of them, and what each act does.
 */
#ifndef RES_PEER_PARTS_H
#define RES_PEER_PARTS_H

#include "res/peer.h"

enum peer_act {
    PEER_echo,     /* the request comes back (peer_echo.c) */
    PEER_delay,    /* later (peer_stream.c) */
    PEER_status,   /* a status is asked for (peer_seq.c) */
    PEER_sequence, /* likewise, one a request */
    PEER_redirect, /* peer_move.c */
    PEER_sends,
    PEER_links,
    PEER_cookie,
    PEER_uncookie,
    PEER_basic, /* peer_login.c */
    PEER_hidden,
    PEER_bearer,
    PEER_digest,
    PEER_earn, /* peer_earn.c */
    PEER_earns,
    PEER_tagged, /* peer_made.c */
    PEER_cache,
    PEER_bytes,
    PEER_range,
    PEER_base64,
    PEER_coded,
    PEER_fixed,
    PEER_image,
    PEER_uuid,
    PEER_fields,
    PEER_page,
    PEER_index,
    PEER_drip, /* peer_stream.c */
    PEER_events,
    PEER_lines,
    PEER_stream,
    PEER_ACTS
};

enum peer_show { /* bits: what of the request stands in an answer, as httpbin names it */
                 SHOW_ARGS = 1,
                 SHOW_HEADERS = 2,
                 SHOW_ORIGIN = 4,
                 SHOW_URL = 8,
                 SHOW_METHOD = 16,
                 SHOW_CONTENT = 32, /* data, files, form, json */
                 SHOW_COOKIES = 64,
                 SHOW_AGENT = 128,
                 SHOW_LINE = SHOW_ARGS | SHOW_HEADERS | SHOW_ORIGIN | SHOW_URL,
                 SHOW_ALL = SHOW_LINE | SHOW_CONTENT,
                 SHOW_ANY = SHOW_ALL | SHOW_METHOD | SHOW_COOKIES,
};

struct peer_row {
    struct ern_slice path; /* its form */
    enum peer_act act;
    uint64_t methods; /* bits, as RES_ALLOW() */
    unsigned shows;   /* bits of enum peer_show */
    const char *says;
};
extern const struct peer_row peer_rows[];
extern const size_t peer_rows_n;

enum { PEER_TEXTS = 5, PEER_NUMBERS = 2 };

struct peer_call { /* what a request asks of a peer */
    const struct peer_row *row;
    struct ern_slice text[PEER_TEXTS]; /* what stands in the braces of the form, and */
    uint64_t number[PEER_NUMBERS];     /* those of them that are numbers, in order */
    uint16_t status;                   /* that was asked for; 0: none */
    int64_t wait_ms;                   /* before its answer */
    bool is_counted;                   /* among those that wait */
    bool is_over;                      /* there are no more events to come: nobody need come back */
};

/* ---- peer_path.c: what a target says; pure ----------------------------------------------------*/

/* The row of this path below the route. Fills row, text and number; false: there is none. */
bool peer_find(struct ern_slice below, struct peer_call *call);

/* Seconds, with a point or without, in milliseconds. */
ERN_MUST_USE bool peer_seconds(struct ern_slice text, uint64_t *ret_ms);

/* The value of the first argument with this name, still encoded; absent if there is none. */
struct ern_slice peer_argument(struct ern_slice query, struct ern_slice name);

/*
 * That value as a number, or as seconds in milliseconds; without one *value stays. Returns false if
 * it is none.
 *   most  what it is at most: more counts as that
 */
ERN_MUST_USE bool peer_number(struct ern_slice query, struct ern_slice name, uint64_t most,
                              uint64_t *value);
ERN_MUST_USE bool peer_time(struct ern_slice query, struct ern_slice name, uint64_t most_ms,
                            uint64_t *value_ms);

/*
 * Writes the arguments as field lines. Returns false if one is no field, or none that an answer can
 * be given: those that frame it, that are of the connection, or that we say ourselves.
 */
ERN_MUST_USE bool peer_write_fields(struct out *o, struct ern_slice query);

/* Writes a Set-Cookie line; what no cookie can have (RFC 6265 4.1.1) is percent-encoded.
 *   path  where it is valid; decoded
 *   lasts  false: the client is to forget it */
void peer_write_cookie(struct out *o, struct ern_slice name, struct ern_slice value,
                       struct ern_slice path, bool lasts);

/* ---- peer_seq.c -------------------------------------------------------------------------------*/

/* Can it be asked for: a final status that does not change the protocol, nor is part of content? */
bool peer_can_be_asked(uint64_t status);

/* One of statuses with commas between, each with a weight after a colon or without, as the random
 * number chooses. 0: it is no such list. */
uint16_t peer_choose_status(struct ern_slice list, uint64_t random);

/* The status of the n-th turn of a sequence; the last one stays. 0: it is none. */
uint16_t peer_status_of_turn(struct ern_slice sequence, uint64_t n);

/* Fills call->status. Returns false if there is none. */
bool peer_ask_status(struct ern_decision *d, struct peer_call *call);

/* ---- peer_echo.c ------------------------------------------------------------------------------*/

/* The request, as JSON, in memory that the answer owns. before: members that stand first, each with
 * a comma after it. Absent without memory. */
struct ern_slice peer_echo(struct ern_decision *d, unsigned shows, struct ern_slice before);

/* A member whose value is a text. */
void peer_write_member(struct out *o, const char *name, struct ern_slice text);

/* ---- what several of them do (peer.c) ---------------------------------------------------------*/

/* Makes it the representation. Returns false if there is no text: nothing was found, or no memory.
 */
bool peer_represent(struct ern_decision *d, struct ern_slice text, struct ern_slice fields);

/* The path of something else that the peer has; absent without memory. */
struct ern_slice peer_locate(const struct ern_decision *d, struct ern_slice below);

/* "http://" or "https://" and the authority. */
void peer_write_origin(const struct ern_decision *d, struct out *o);

/* Numbers that nobody foresees. */
uint64_t peer_random(void);

#define PEER_JSON ERN_SLICE("Content-Type: application/json\r\n")

/* ---- what is there: each makes the representation, or says that there is none
 * ------------------*/

bool peer_make(struct ern_decision *d, struct peer_call *call);        /* peer_made.c */
bool peer_make_stream(struct ern_decision *d, struct peer_call *call); /* peer_stream.c */
bool peer_make_delay(const struct ern_decision *d, struct peer_call *call);
bool peer_make_earn(struct ern_decision *d, const struct peer_call *call); /* peer_earn.c */
bool peer_make_earns(struct ern_decision *d);
bool peer_make_index(struct ern_decision *d); /* peer_page.c */
bool peer_make_page(struct ern_decision *d, const struct peer_call *call);

/* Is there an image that the client accepts? */
bool peer_has_image(const struct ern_request *request);

/* Bytes that a seed makes, as many as wanted; the state goes on. */
void peer_fill(char *bytes, size_t n, uint64_t *state);

/* ?seed=, or another each time. Returns false if it is none. */
ERN_MUST_USE bool peer_seed(struct ern_slice query, uint64_t *ret);

/* ---- and may answer facts; what one says nothing of gets its fallback
 * --------------------------*/

enum ern_answer peer_login_ask(struct ern_decision *d, const struct peer_call *call,
                               enum ern_fact fact);
enum ern_answer peer_move_ask(struct ern_decision *d, const struct peer_call *call,
                              enum ern_fact fact);
enum ern_answer peer_earn_ask(struct ern_decision *d, const struct peer_call *call,
                              enum ern_fact fact);

static inline enum ern_answer
peer_answer(bool yes)
{
    return yes ? ERN_YES : ERN_NO;
}

static inline enum ern_answer
peer_fallback(enum ern_fact fact)
{
    return peer_answer(ern_fact_fallback(fact));
}

#endif
