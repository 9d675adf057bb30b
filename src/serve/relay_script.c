/* SPDX-License-Identifier: Apache-2.0 */
/* relay_script.c - what a relay speaks with programs: FastCGI with an application that has them,
 * CGI with one that was started for the request. */
#include <errno.h>

#include "base/slice.h"
#include "earnest/status.h"
#include "serve/account.h"
#include "serve/carrier.h"
#include "serve/conn.h"
#include "serve/environment.h"
#include "serve/handler.h"
#include "serve/program.h"
#include "serve/relay_parts.h"
#include "wire/cgi_answer.h"

static const struct handler_route *
route_of(const struct relay *r)
{
    return r->exchange->route->self;
}

/* Is there content for the script, and does its client wait to be asked for it (RFC 9110 10.1.1)?
 * The script has no say in that. */
static void
begin_content(struct relay *r)
{
    struct exchange *x = r->exchange;

    r->sends = x->content_state == PARSE_MORE && x->request.content_length > 0
                   ? RELAY_SENDS_LENGTH
                   : RELAY_SENDS_NOTHING;
    if (!r->sends || r->continued || !ern_request_has(&x->request, ERN_FIELD_expect))
        return;
    r->continued = true;
    if (ern_bits_has(&x->given.yes, ERN_FACT_takes_interim))
        x->carrier->interim(x, ERN_100_CONTINUE, ERN_SLICE(""));
}

/* ---- FastCGI -----------------------------------------------------------------------------------
 */

/* FastCGI 6.2: what a CGI program has in its environment comes as parameters. */
static void
write_params(struct ern_slice block, struct out *o)
{
    struct ern_slice name, value;

    while (environment_next(&block, &name, &value))
        fcgi_write_pair(o, name, value);
    fcgi_write_end(o, FCGI_PARAMS);
}

static void
write_fastcgi(struct relay *r, struct out *o)
{
    struct exchange *x = r->exchange;
    struct out block = arena_out(&x->arena); /* not kept: it is written at once */

    environment_write(x, &route_of(r)->script, handler_script(x), &block);
    o->full |= block.full;
    fcgi_write_begin(o);
    write_params(out_done(&block), o);
    begin_content(r);
    if (!r->sends)
        fcgi_write_end(o, FCGI_STDIN);
}

static void
write_stdin(const struct relay *r, struct ern_slice piece, bool is_end, struct out *o)
{
    (void)r;
    fcgi_write(o, FCGI_STDIN, piece);
    if (is_end)
        fcgi_write_end(o, FCGI_STDIN);
}

/* Takes the records off what was received after so many bytes. Returns how many bytes of the answer
 * there were. */
static size_t
unwrap(struct relay *r, size_t before)
{
    struct buffer *in = r->upstream->in;
    struct ern_slice bytes = slice_from(in->bytes + before, in->len - before), piece;
    enum fcgi_got got;

    in->len = before;
    while ((got = fcgi_feed(&r->records, &bytes, &piece)) == FCGI_OUT || got == FCGI_ERR) {
        if (got == FCGI_ERR) {
            account_said(r->exchange->worker, handler_script(r->exchange)->name, piece,
                         &r->told_bytes);
            continue;
        }
        memmove(in->bytes + in->len, piece.ptr, piece.len);
        in->len += piece.len;
    }
    return in->len - before;
}

static ssize_t
receive_records(struct relay *r)
{
    struct upstream *u = r->upstream;

    for (;;) {
        size_t before = u->in ? u->in->len : 0;
        ssize_t n;

        if (r->records.end == FCGI_END)
            return 0;
        if (r->records.end)
            return r->records.end == FCGI_BUSY ? -EBUSY : -EPROTO;
        n = upstream_receive(u);
        if (n <= 0) /* it ended without saying so */
            return n == 0 ? -ECONNRESET : n;
        n = (ssize_t)unwrap(r, before);
        if (n > 0)
            return n;
    }
}

const struct speech fastcgi_speech = {
    .cut = RELAY_DIED,
    .large = RELAY_BABBLED,
    .garbled = RELAY_BABBLED,
    .reach = relay_reach,
    .write_request = write_fastcgi,
    .write_piece = write_stdin,
    .receive = receive_records,
    .feed = cgi_answer_feed,
};

/* ---- CGI ---------------------------------------------------------------------------------------
 */

/* Programs look for others: where, is not the server's own setting. */
static void
add_search_path(struct out *o)
{
    out_literal(o, "PATH=/usr/local/bin:/usr/bin:/bin");
    out_char(o, '\0');
}

/* Starts the program. */
static void
start(struct relay *r)
{
    struct exchange *x = r->exchange;
    struct worker *w = x->worker;
    const struct script *script = handler_script(x);
    struct buffer *block = worker_buffer(w);
    struct out file = arena_out(&x->arena); /* not kept: it is copied */
    struct out o = out_init(block ? block->bytes : NULL, block ? w->buffer_bytes : 0);

    r->stage = RELAY_CONNECTING;
    environment_write(x, &route_of(r)->script, script, &o);
    add_search_path(&o);
    if (!block || o.full) {
        if (block)
            worker_buffer_done(w, block);
        relay_fail(r, RELAY_NO_ROOM);
        return;
    }
    block->len = o.len;
    out_slice(&file, route_of(r)->script.folder);
    out_slice(&file, script->name);
    if (file.full || !program_start(r, &route_of(r)->program, out_done(&file), script->name, block))
        relay_fail(r, RELAY_NO_ROOM);
}

/* All that it has to know it has in its environment. */
static void
write_nothing(struct relay *r, struct out *o)
{
    (void)o;
    begin_content(r);
}

static void
write_plain(const struct relay *r, struct ern_slice piece, bool is_end, struct out *o)
{
    (void)r;
    (void)is_end;
    out_slice(o, piece);
}

/* The end of its output is that of its answer if it was its own: one that is killed has not said
 * all. */
static ssize_t
receive_output(struct relay *r)
{
    ssize_t n = upstream_receive(r->upstream);
    bool is_killed;

    if (n == -ECONNRESET) /* it has not read all of the content: that is its own affair */
        n = upstream_receive(r->upstream);
    if (n != 0 || r->is_left)
        return n;
    if (!program_has_ended(r->upstream->program, &is_killed))
        return -EAGAIN;
    return is_killed ? -ECONNRESET : 0;
}

const struct speech cgi_speech = {
    .cut = RELAY_DIED,
    .large = RELAY_BABBLED,
    .garbled = RELAY_BABBLED,
    .ends_by_shutting = true,
    .reach = start,
    .write_request = write_nothing,
    .write_piece = write_plain,
    .receive = receive_output,
    .feed = cgi_answer_feed,
};
