/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/rehearse.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/slice.h"
#include "msg/list.h"
#include "res/pot.h"
#include "serve/carrier.h"
#include "serve/complain.h"
#include "serve/conn.h"
#include "serve/legal.h"
#include "serve/parts.h"
#include "serve/passes.h"
#include "serve/shares.h"
#include "store/store.h"
#include "wire/h1_write.h"

enum { THREADS = 1, WAIT_MS = 30000, FOLDER_BYTES = 64 };

struct rehearsal {
    const struct conf *conf;
    struct parts parts;
    struct pots *pots;
    struct passes *passes;
    struct worker *worker;
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
    char folder[FOLDER_BYTES]; /* of the copy of the state; empty: there is none */
};

/* ---- the carrier: a head is written, and nothing is sent ---------------------------------------
 */

static struct out *
begin_head(struct exchange *x)
{
    h1_write_status(&x->worker->out, x->status);
    return &x->worker->out;
}

static void
end_head(struct exchange *x, struct out *o)
{
    (void)x;
    if (slice_is_there(x->res.upgrade))
        h1_write_field(o, ERN_SLICE("Upgrade"), x->res.upgrade);
    out_literal(o, "\r\n");
}

static void
interim(struct exchange *x, uint16_t status, struct ern_slice fields)
{
    (void)x;
    (void)status;
    (void)fields;
}

/* Content is never wanted: rehearse_decide() answers what it would be asked for. */
static bool
want(struct exchange *x, bool *ret_has_begun)
{
    (void)x;
    *ret_has_begun = false;
    return false;
}

static enum parse
take(struct exchange *x, size_t max, struct ern_slice *ret_piece)
{
    (void)x;
    (void)max;
    *ret_piece = ERN_SLICE("");
    return PARSE_DONE;
}

static void
resume(struct exchange *x)
{
    (void)exchange_resume(x);
}

static const struct carrier rehearsal_carrier = {
    .begin_head = begin_head,
    .end_head = end_head,
    .interim = interim,
    .want = want,
    .take = take,
    .resume = resume,
};

/* ---- the decision ------------------------------------------------------------------------------
 */

/* Does the answer to this method speak of several resources (RFC 4918 9)? */
static bool
is_mixed(enum ern_method method)
{
    return method == ERN_PROPFIND || method == ERN_PROPPATCH || method == ERN_REPORT;
}

/* What would be answered where all goes well: what was not there is made, and there is nothing to
 * say besides. */
static bool
goes_well(const struct ern_decision *d, enum ern_fact fact)
{
    const struct ern_bits *yes = &d->facts.yes;

    if (fact == ERN_FACT_mixed)
        return is_mixed(d->request->method);
    if (fact == ERN_FACT_created)
        return ern_bits_has(yes, ERN_FACT_creates) && !ern_bits_has(yes, ERN_FACT_exists);
    if (fact == ERN_FACT_empty)
        return !ern_bits_has(yes, ERN_FACT_safe) && d->request->method != ERN_LOCK;
    return ern_fact_fallback(fact);
}

const struct ern_rule *
rehearse_decide(struct exchange *x)
{
    struct ern_decision *d = &x->decision;
    const struct ern_rule *rule;

    while (!(rule = ern_decide(d, ERN_ASK)) && ern_fact_source(d->waiting) > ERN_ASK)
        ern_state(&d->facts, d->waiting, goes_well(d, d->waiting));
    return rule;
}

/* ---- all that a process has --------------------------------------------------------------------
 */

static int
open_shares(struct rehearsal *r)
{
    int error;

    if (!slice_is_there(r->conf->state))
        return 0;
    (void)snprintf(r->folder, sizeof r->folder, "/tmp/earnest.XXXXXX");
    if (!mkdtemp(r->folder)) {
        r->folder[0] = '\0';
        return complain("/tmp", -errno);
    }
    error = store_copy(r->conf->state.ptr, r->folder);
    if (error) /* the rest can be said all the same */
        (void)complain(r->conf->state.ptr, error);
    return parts_share(&r->parts, r->folder);
}

static int
open_worker(struct rehearsal *r)
{
    const struct worker_options options = parts_worker(&r->parts);
    int error = worker_new(&options, &r->worker);

    if (error)
        return complain("worker", error);
    r->worker->rehearses = true;
    r->worker->demands = legal_take(r->parts.legal, NULL);
    return 0;
}

static int
open_all(struct rehearsal *r)
{
    int error = pots_open(&r->pots);

    if (!error)
        error = passes_open(&r->passes);
    if (error)
        return complain("start", error);
    if (getrandom(r->ticket_key, sizeof r->ticket_key, 0) != sizeof r->ticket_key)
        return complain("random", -EIO);
    error = parts_open(&r->parts, &(struct parts_options){
                                      .conf = r->conf,
                                      .pots = r->pots,
                                      .passes = r->passes,
                                      .ticket_key = r->ticket_key,
                                      .pool_threads = THREADS,
                                  });
    if (!error)
        error = open_shares(r);
    return error ? error : open_worker(r);
}

struct rehearsal *
rehearsal_open(const struct conf *conf)
{
    struct rehearsal *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->conf = conf;
    if (!open_all(r))
        return r;
    rehearsal_close(r);
    return NULL;
}

static int
remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

void
rehearsal_close(struct rehearsal *r)
{
    if (!r)
        return;
    parts_stop(&r->parts);
    if (r->worker)
        legal_give(r->parts.legal, r->worker->demands);
    worker_free(r->worker);
    parts_close(&r->parts);
    pots_close(r->pots);
    passes_close(r->passes);
    if (r->folder[0])
        (void)nftw(r->folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    free(r);
}

/* ---- one request -------------------------------------------------------------------------------
 */

/* The listener with that port, else the first that speaks so. */
static const struct conf_listen *
find_listen(const struct conf *conf, const struct rehearsal_request *request)
{
    const struct conf_listen *first = NULL;

    for (size_t i = 0; i < conf->listens_n; i++) {
        const struct conf_listen *l = &conf->listens[i];

        if ((l->certificate.n > 0) != request->secure)
            continue;
        if (l->port == request->port)
            return l;
        first = first ? first : l;
    }
    return first;
}

static bool
client_closes(const struct ern_request *r)
{
    return list_has(r, ERN_FIELD_connection, ERN_SLICE("close"));
}

/* Reads the head, and decides; what waits for the pool is waited for. */
static bool
decide(struct rehearsal *r, struct exchange *x, struct ern_slice head)
{
    struct pollfd mail = {.fd = r->worker->mailbox.fd, .events = POLLIN};

    x->message = head.ptr;
    if (h1_head_feed(&x->h1.head, head, &x->request) == PARSE_BAD) {
        x->finding = x->h1.head.finding;
        x->finding_at = (int64_t)x->h1.head.finding_at;
        x->finding_field = x->h1.head.finding_field;
    }
    x->peer_closes = client_closes(&x->request);
    if (exchange_answer(x))
        return true;
    while (x->stage != EXCHANGE_SENDING) {
        uint64_t count;

        if (poll(&mail, 1, WAIT_MS) <= 0 || read(mail.fd, &count, sizeof count) < 0)
            return false;
        mailbox_run(&r->worker->mailbox);
    }
    return true;
}

/* The head, and what stands in memory of the content where it says what is wrong. */
static void
write_answer(const struct exchange *x, struct out *o)
{
    out_slice(o, out_done(&x->worker->out));
    for (unsigned i = 0; !x->res.has_representation && i < x->segments_n; i++)
        if (x->segments[i].bytes)
            out_slice(o, slice_from(x->segments[i].bytes, x->segments[i].left));
}

bool
rehearse(struct rehearsal *r, const struct rehearsal_request *request, struct out *answer,
         struct trace *ret_trace)
{
    const struct conf_listen *listen = find_listen(r->conf, request);
    struct listener listener = {.fd = -1};
    struct conn conn = {.fd = -1, .listener = &listener, .peer = request->client};
    struct exchange *x;
    bool answered = false;

    if (!listen) {
        (void)fprintf(stderr, "earnest: no listener speaks %s\n",
                      request->secure ? "https" : "http alone");
        return false;
    }
    if (parts_listener(&r->parts, (unsigned)(listen - r->conf->listens), &listener) < 0 ||
        (listener.tls && tls_session_new(listener.tls, &conn.tls) < 0))
        return false;
    x = exchange_take(r->worker, &conn, &rehearsal_carrier);
    if (x) {
        h1_head_init(&x->h1.head, r->worker->limits);
        answered = decide(r, x, request->head);
    }
    if (answered) {
        write_answer(x, answer);
        trace_fill(ret_trace, x);
        exchange_done(x);
    }
    tls_session_free(conn.tls);
    return answered;
}
