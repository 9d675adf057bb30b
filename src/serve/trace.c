/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/trace.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "io/clock.h"
#include "serve/conn.h"
#include "serve/exchange.h"

enum { METHOD_BYTES = 24, AUTHORITY_BYTES = 96, NUMBER_DIGITS = 8 };

struct slot {
    _Atomic uint64_t state; /* of trace n: 2n+1 while it is written, 2n+2 when it is whole */
    struct trace trace;
};

struct trace_ring {
    const struct traces *traces;
    uint32_t next;               /* number of the trace that is kept next, */
    uint32_t at;                 /* its slot, and */
    char link[TRACE_LINK_BYTES]; /* the field line that names it, with */
    uint8_t number_at, link_len; /* the number here, in NUMBER_DIGITS hexadecimal digits */
    struct slot *slots;
};

struct traces {
    const struct networks *allow;
    uint32_t nonce; /* of this process: what another one kept is not found */
    uint32_t kept;
    unsigned rings_n;
    struct trace_ring rings[];
};

static const struct ern_slice link_name = {"Link: <", 7};

/* rfc8288#3 "The Link header field provides a means for serializing one or more links into HTTP
 * headers." */
static void
write_link(struct trace_ring *r, unsigned worker)
{
    struct out o = out_init(r->link, sizeof r->link);

    out_slice(&o, link_name);
    out_literal(&o, TRACE_PATH);
    out_hex(&o, r->traces->nonce);
    out_char(&o, '-');
    out_hex(&o, worker);
    out_char(&o, '-');
    r->number_at = (uint8_t)o.len;
    for (unsigned i = 0; i < NUMBER_DIGITS; i++)
        out_char(&o, '0');
    out_literal(&o, ">; rel=\"describedby\"\r\n");
    assert(!o.full);
    r->link_len = (uint8_t)o.len;
}

/* The number in the link is one more: cheaper than to write it anew each time. */
static void
count_up(struct trace_ring *r)
{
    unsigned i = NUMBER_DIGITS;
    char *digits = r->link + r->number_at;

    r->next++;
    while (i-- > 0) {
        digits[i] = (char)(digits[i] == '9' ? 'a' : digits[i] == 'f' ? '0' : digits[i] + 1);
        if (digits[i] != '0')
            break;
    }
}

struct traces *
traces_new(unsigned workers_n, const struct limits *limits, const struct networks *allow)
{
    struct traces *t = calloc(1, sizeof *t + workers_n * sizeof *t->rings);

    if (!t)
        return NULL;
    t->allow = allow;
    t->kept = (uint32_t)limits->traces_max;
    if (getrandom(&t->nonce, sizeof t->nonce, 0) != sizeof t->nonce)
        t->nonce = 0;
    for (; t->rings_n < workers_n; t->rings_n++) {
        struct trace_ring *r = &t->rings[t->rings_n];

        r->traces = t;
        write_link(r, t->rings_n);
        r->slots = calloc(t->kept, sizeof *r->slots);
        if (!r->slots) {
            traces_free(t);
            return NULL;
        }
    }
    return t;
}

void
traces_free(struct traces *t)
{
    for (unsigned i = 0; t && i < t->rings_n; i++)
        free(t->rings[i].slots);
    free(t);
}

struct trace_ring *
trace_ring(struct traces *t, unsigned worker)
{
    return &t->rings[worker];
}

enum onlooker
trace_onlooker(const struct trace_ring *ring, const struct ip *peer)
{
    return ring ? onlooker_of(ring->traces->allow, peer) : ONLOOKER_NONE;
}

void
trace_write_path(const struct trace_ring *r, struct out *o)
{
    out_slice(o, slice_from(r->link + link_name.len, r->number_at + NUMBER_DIGITS - link_name.len));
}

void
trace_write_link(const struct trace_ring *r, struct out *o)
{
    out_slice(o, slice_from(r->link, r->link_len));
}

/* ---- keeping ----------------------------------------------------------------------------------
 */

/* Adds text, cut. Returns how much of it was. */
static size_t
add_text(struct trace *t, size_t at, struct ern_slice text, size_t most)
{
    size_t n = text.len < most ? text.len : most;

    if (n)
        memcpy(t->text + at, text.ptr, n);
    return n;
}

/* The target without its query. One with an error was perhaps not taken apart. */
static struct ern_slice
target_path(const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    if (x->finding || slice_is_there(r->query))
        return slice_first(r->target, slice_find(r->target, '?'));
    return r->target;
}

static void
fill_text(struct trace *t, const struct exchange *x)
{
    const struct ern_request *r = &x->request;
    struct ern_slice path = target_path(x);
    size_t at;

    t->method_len = (uint8_t)add_text(t, 0, r->method_text, METHOD_BYTES);
    at = t->method_len;
    t->authority_len = (uint8_t)add_text(t, at, r->authority, AUTHORITY_BYTES);
    at += t->authority_len;
    t->has_query = path.len < r->target.len;
    t->path_len = (uint16_t)add_text(t, at, path, TRACE_TEXT_BYTES - at);
}

void
trace_fill(struct trace *t, const struct exchange *x)
{
    const struct ern_request *r = &x->request;
    const struct ern_decision *d = &x->decision;

    t->facts = d->facts;
    if (x->rule == ern_rules) /* decided by what is no fact: there was no memory for the answer */
        ern_state(&t->facts, ERN_FACT_broke, true);
    t->present = r->present;
    t->unix_s = x->worker->now.unix_s;
    t->client = x->client;
    t->route = x->route;
    t->rule = x->rule;
    t->took_ms = x->worker->now.run_ms - x->begun_ms;
    t->status = x->status;
    t->version_major = r->version_major;
    t->version_minor = r->version_minor;
    t->secure = x->conn->tls != NULL;
    t->asked_n = d->asked_n;
    memcpy(t->asked, d->asked, d->asked_n);
    t->waits_n = x->waits.n;
    if (t->waits_n)
        memcpy(t->wait, x->waits.wait, sizeof t->wait);
    fill_text(t, x);
}

void
trace_keep(struct trace_ring *r, const struct exchange *x)
{
    struct slot *s = &r->slots[r->at];

    const uint64_t whole = 2 * (uint64_t)r->next + 2;

    atomic_store_explicit(&s->state, whole - 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release); /* before what is written next */
    trace_fill(&s->trace, x);
    atomic_store_explicit(&s->state, whole, memory_order_release);
    count_up(r);
    r->at = r->at + 1 < r->traces->kept ? r->at + 1 : 0;
}

void
trace_waits(struct trace_waits *w, enum ern_fact fact)
{
    if (w->n == 0 || (w->wait[w->n - 1].fact != fact && w->n < TRACE_WAITS))
        w->wait[w->n++] = (struct trace_wait){0, (uint8_t)fact};
    w->since_us = clock_us();
}

void
trace_goes_on(struct trace_waits *w)
{
    struct trace_wait *last;
    int64_t us;

    if (!w->since_us) /* nothing was waited for */
        return;
    last = &w->wait[w->n - 1];
    us = clock_us() - w->since_us;
    w->since_us = 0;
    if (us > 0)
        last->us = us < (int64_t)UINT32_MAX - last->us ? last->us + (uint32_t)us : UINT32_MAX;
}

/* ---- finding ----------------------------------------------------------------------------------
 */

/* Reads one to eight hexadecimal digits, and what ends them: a hyphen, or the end of the text. */
static bool
read_hex(struct ern_slice *text, bool is_last, uint32_t *ret)
{
    struct ern_slice digits = slice_first(*text, slice_find(*text, '-'));

    *ret = 0;
    if (digits.len == 0 || digits.len > NUMBER_DIGITS || (digits.len == text->len) != is_last)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        const char *all = "0123456789abcdef", *found = memchr(all, digits.ptr[i], 16);

        if (!found)
            return false;
        *ret = *ret << 4 | (uint32_t)(found - all);
    }
    *text = slice_skip(*text, digits.len < text->len ? digits.len + 1 : digits.len);
    return true;
}

bool
trace_find(const struct traces *t, struct ern_slice id, struct trace *ret)
{
    uint32_t nonce, worker, number;
    const struct slot *s;
    uint64_t state, whole;

    if (!read_hex(&id, false, &nonce) || !read_hex(&id, false, &worker) ||
        !read_hex(&id, true, &number) || nonce != t->nonce || worker >= t->rings_n)
        return false;
    s = &t->rings[worker].slots[number % t->kept];
    whole = 2 * (uint64_t)number + 2;
    state = atomic_load_explicit(&s->state, memory_order_acquire);
    if (state != whole)
        return false;
    *ret = s->trace; /* it may be torn: then the state has changed, and it is not used */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&s->state, memory_order_relaxed) == state;
}

struct ern_slice
trace_method(const struct trace *t)
{
    return slice_from(t->text, t->method_len);
}

struct ern_slice
trace_authority(const struct trace *t)
{
    return slice_from(t->text + t->method_len, t->authority_len);
}

struct ern_slice
trace_path(const struct trace *t)
{
    return slice_from(t->text + t->method_len + t->authority_len, t->path_len);
}
