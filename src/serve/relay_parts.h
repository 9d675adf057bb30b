/* SPDX-License-Identifier: Apache-2.0 */
/* relay_parts.h - what the files of a relay know of each other: relay.c asks, relay_answer.c hears,
 * relay_head.c writes HTTP, relay_script.c speaks with programs. */
#ifndef SERVE_RELAY_PARTS_H
#define SERVE_RELAY_PARTS_H

#include "pack/link.h"
#include "serve/relay.h"

/* What is spoken with an origin: all in which HTTP, FastCGI and CGI differ for a relay. */
struct speech {
    /* What it is when the head of an answer is cut, too large, or none. */
    enum relay_fault cut, large, garbled;
    bool is_http;
    bool upgrades;         /* a request may ask for another protocol */
    bool ends_by_shutting; /* content of the request ends with that direction of the connection */
    /* The origin was chosen: begins to reach it. */
    void (*reach)(struct relay *relay);
    /* Writes all that comes before the content of the request. Sets sends, is_upgraded. */
    void (*write_request)(struct relay *relay, struct out *o);
    /* Writes a piece of that content, and its end, if it is one. */
    void (*write_piece)(const struct relay *relay, struct ern_slice piece, bool is_end,
                        struct out *o);
    /* As upstream_receive(), without what frames the answer. -EBUSY: it has too much to do;
     * -EPROTO: what came is none. */
    ssize_t (*receive)(struct relay *relay);
    /* Reads the head of an answer. */
    enum parse (*feed)(struct h1_answer *answer, struct ern_slice bytes, enum ern_method method);
};

struct upstreams *relay_upstreams(const struct relay *relay);

/* Its time begins anew. */
void relay_watch(struct relay *relay, enum upstream_time time);

/* The addresses of its origin are known: dials the first, or the next one. false: there is none
 * that can be dialled. */
void relay_connect(struct relay *relay);
ERN_MUST_USE bool relay_dial(struct relay *relay, int *ret_error);
enum relay_fault relay_fault_of(const struct relay *relay, int error);

/* Finds a connection to its origin, or makes one. */
void relay_reach(struct relay *relay);

/* There is a connection: the head of the request goes out. */
void relay_ask(struct relay *relay);

/* There is nothing to ask: bytes go both ways from now on (RFC 9110 9.3.6). */
void relay_open_tunnel(struct relay *relay);

/* The origin failed: another one is asked, or the outcome is known. */
void relay_fail(struct relay *relay, enum relay_fault fault);

/* All of the answer is there: its connection is good for another request, or is closed. */
void relay_finish(struct relay *relay);

/* The last was sent: in a tunnel upstream is told so. */
void relay_end_sending(struct relay *relay);

/* The outcome is known, or there is more: whoever waits for that goes on. It is the last thing to
 * do with a relay, which may be gone after it. */
void relay_notify(struct relay *relay);

/* ---- content of the answer (relay_answer.c)
 * --------------------------------------------------------------- */

/* The next piece of it as it came, which stays until the next call. STREAM_HERE and an empty one:
 * it was the last. STREAM_LATER: relay_notify() is called when there is more. */
enum stream_next relay_receive(struct relay *relay, struct ern_slice *ret_piece);

/* Is its turn over? Then others have theirs, and relay_notify() is called after that. */
bool relay_yields(struct relay *relay);

/* Adds a piece to what is sent, and the end of the content, if there is no more. */
void relay_add_piece(struct relay *relay, struct ern_slice piece);

/* ---- content that is changed (relay_transform.c)
 * ----------------------------------------------------------- */

/* As relay_has_more() and relay_next(), of an answer whose content is changed, or was looked at. */
bool relay_transform_has_more(const struct relay_transform *transform);
enum stream_next relay_transform_next(struct relay *relay);
void relay_transform_drop(struct relay *relay);

/* Writes a field of the answer otherwise than it came, or not at all: returns false if it goes on
 * as it is. */
bool relay_transform_write_field(const struct relay *relay, const struct ern_field *field,
                                 struct out *o);

/* The links that become paths of ours. */
struct link_origins relay_links_of(const struct relay *relay);

/* Writes a field of the answer whose links become paths: returns false if it has none. */
bool relay_links_write_field(const struct relay *relay, const struct ern_field *field,
                             struct out *o);

/* Writes a field of the request that names what is asked for as the server knows it (RFC 4918 10.3,
 * 10.4.2): returns false if it does not. */
bool relay_links_write_asked(const struct relay *relay, const struct ern_field *field,
                             struct out *o);

/* Writes what the change adds. */
void relay_transform_write_own(const struct relay *relay, struct out *o);

#endif
