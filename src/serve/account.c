/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/account.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "serve/audit.h"
#include "serve/conn.h"
#include "serve/incident.h"
#include "serve/live.h"
#include "serve/login.h"
#include "serve/tally.h"

enum {
    VALUE_BYTES = 512,      /* of what strangers wrote, so much is logged */
    REFUSALS_A_SECOND = 10, /* of logins, are told by one thread */
};

/* The name of the rule that decided, if it came to that. */
static const char *
rule_of(const struct exchange *x)
{
    return x->rule ? x->rule->name : "none";
}

/*
 * Text that a stranger wrote, on one line and within quotes: whatever could end the line or the
 * quotes, or move a terminal's cursor, is written as \xHH.
 */
static void
write_safe(struct out *o, struct ern_slice text)
{
    if (text.len > VALUE_BYTES)
        text.len = VALUE_BYTES;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            out_char(o, (char)c);
        } else {
            out_literal(o, "\\x");
            out_hex_bytes(o, &c, 1);
        }
    }
}

static void
write_safe_or_dash(struct out *o, struct ern_slice text)
{
    out_char(o, '"');
    if (text.len)
        write_safe(o, text);
    else
        out_char(o, '-');
    out_char(o, '"');
}

/* The user, in a column of its own: without spaces. */
static void
write_user(struct out *o, struct ern_slice user)
{
    if (!slice_is_there(user))
        out_char(o, '-');
    for (size_t i = 0; i < user.len; i++) {
        if (user.ptr[i] == ' ')
            out_literal(o, "\\x20");
        else
            write_safe(o, slice_from(user.ptr + i, 1));
    }
}

/* "22/Nov/2026:23:30:09 +0000" */
static void
write_time(struct out *o, int64_t unix_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil t = civil_from(unix_s);

    out_digits(o, t.day, 2);
    out_char(o, '/');
    out_slice(o, slice_from(months + (t.month - 1) * 3, 3));
    out_char(o, '/');
    out_digits(o, (uint64_t)t.year, 4);
    out_char(o, ':');
    civil_write_clock(o, &t);
    out_literal(o, " +0000");
}

/* Did its client go before there was an answer? Then nothing was decided. */
static bool
is_left(const struct exchange *x)
{
    return x->aborted && !x->rule && !x->worker->draining;
}

/* The combined form that log readers know, and the rule at its end. */
static void
write_combined(struct out *o, const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    address_write_host(o, &x->client);
    out_literal(o, " - ");
    write_user(o, x->res.user);
    out_literal(o, " [");
    write_time(o, x->worker->now.unix_s);
    out_literal(o, "] \"");
    if (r->method_text.len) {
        write_safe(o, r->method_text);
        out_char(o, ' ');
        write_safe(o, r->target);
        out_literal(o, " HTTP/");
        out_u64(o, r->version_major);
        out_char(o, '.');
        out_u64(o, r->version_minor);
    } else {
        out_char(o, '-');
    }
    out_literal(o, "\" ");
    out_u64(o, x->status);
    out_char(o, ' ');
    out_u64(o, x->sent_bytes);
    out_char(o, ' ');
    write_safe_or_dash(o, ern_request_field(r, ERN_FIELD_referer));
    out_char(o, ' ');
    write_safe_or_dash(o, ern_request_field(r, ERN_FIELD_user_agent));
    out_literal(o, " rule=");
    out_text(o, rule_of(x));
    if (x->aborted)
        out_literal(o, " aborted");
    if (is_left(x))
        out_literal(o, " by=client");
    out_char(o, '\n');
}

static void
write_member(struct out *o, const char *name, struct ern_slice value)
{
    out_text(o, name);
    out_char(o, '"');
    out_json(o, value.len > VALUE_BYTES ? slice_first(value, VALUE_BYTES) : value);
    out_char(o, '"');
}

static void
write_json(struct out *o, const struct exchange *x)
{
    const struct ern_request *r = &x->request;

    out_literal(o, "{\"ts\":");
    out_u64(o, (uint64_t)x->worker->now.unix_s);
    out_literal(o, ",\"remote_ip\":\"");
    address_write_host(o, &x->client);
    if (x->is_relayed) {
        out_literal(o, "\",\"gateway_ip\":\"");
        address_write_host(o, &x->conn->peer);
    }
    out_char(o, '"');
    if (slice_is_there(x->res.user))
        write_member(o, ",\"user\":", x->res.user);
    write_member(o, ",\"method\":", r->method_text);
    write_member(o, ",\"host\":", r->authority);
    write_member(o, ",\"uri\":", r->target);
    out_literal(o, ",\"proto\":\"HTTP/");
    out_u64(o, r->version_major);
    out_char(o, '.');
    out_u64(o, r->version_minor);
    out_literal(o, "\",\"status\":");
    out_u64(o, x->status);
    out_literal(o, ",\"size\":");
    out_u64(o, x->sent_bytes);
    write_member(o, ",\"rule\":", slice_text(rule_of(x)));
    if (x->rule)
        write_member(o, ",\"source\":", slice_text(x->rule->source));
    write_member(o, ",\"referer\":", ern_request_field(r, ERN_FIELD_referer));
    write_member(o, ",\"user_agent\":", ern_request_field(r, ERN_FIELD_user_agent));
    if (x->finding)
        write_member(o, ",\"finding\":", slice_text(finding_row(x->finding)->name));
    if (x->ignored)
        write_member(o, ",\"ignored\":", slice_text(finding_row(x->ignored)->name));
    if (x->aborted)
        out_literal(o, ",\"aborted\":true");
    if (is_left(x))
        out_literal(o, ",\"aborted_by\":\"client\"");
    out_literal(o, "}\n");
}

static void
write_incident(struct out *o, const struct exchange *x)
{
    write_time(o, x->worker->now.unix_s);
    out_literal(o, " error: incident ");
    out_hex(o, x->incident);
    out_literal(o, ": ");
    write_safe(o, x->request.method_text);
    out_char(o, ' ');
    write_safe(o, x->request.target);
    out_literal(o, " ended as rule ");
    out_text(o, x->rule->name);
    out_literal(o, " of resource ");
    out_text(o, x->decision.resource->name);
    if (x->res.error) {
        out_literal(o, ": errno ");
        out_u64(o, (uint64_t)-x->res.error);
    }
    out_char(o, '\n');
}

/* Who tried to log in and could not. A name that nobody has may be a password in the wrong place,
 * and is not written. */
static void
write_refusal(struct out *o, const struct exchange *x)
{
    write_time(o, x->worker->now.unix_s);
    out_literal(o, " notice: login refused: ");
    if (slice_is_there(x->login->named))
        write_user(o, x->login->named);
    else
        out_literal(o, "(no such user)");
    out_literal(o, " from ");
    address_write_host(o, &x->client);
    out_literal(o, " by rule ");
    out_text(o, x->rule->name);
    out_char(o, '\n');
}

/* Refusals are told one by one up to a number a second. */
static bool
is_told(struct worker *w)
{
    if (w->refused_s != w->now.unix_s) {
        w->refused_s = w->now.unix_s;
        w->refused_n = 0;
    }
    return w->refused_n++ < REFUSALS_A_SECOND;
}

void
account_left(struct exchange *x)
{
    struct worker *w = x->worker;
    struct out o;

    if (!w->access.log)
        return;
    o = log_begin(&w->access, w->now.run_ms);
    (w->json ? write_json : write_combined)(&o, x);
    log_end(&w->access, &o);
}

void
account(struct exchange *x)
{
    struct worker *w = x->worker;
    struct out o;

    tally_count(w->tally, x);
    live_tell(x);
    account_left(x);
    audit_refusal(x);
    if (x->incident)
        incident_keep(w->incidents, x);
    if (x->incident && w->errors.log) {
        o = log_begin(&w->errors, w->now.run_ms);
        write_incident(&o, x);
        log_end(&w->errors, &o);
    }
    if (x->login && x->login->stage == LOGIN_WRONG && w->errors.log && is_told(w)) {
        o = log_begin(&w->errors, w->now.run_ms);
        write_refusal(&o, x);
        log_end(&w->errors, &o);
    }
}

void
account_unproxied(struct worker *w, const union address *peer, const char *why)
{
    struct out o;

    if (!w->errors.log)
        return;
    if (w->unproxied_s == w->now.unix_s) {
        w->unproxied_n++;
        return;
    }
    o = log_begin(&w->errors, w->now.run_ms);
    write_time(&o, w->now.unix_s);
    out_literal(&o, " error: no PROXY header from ");
    address_write_host(&o, peer);
    out_literal(&o, ": ");
    out_text(&o, why);
    if (w->unproxied_n) {
        out_literal(&o, "; since the last such line ");
        out_u64(&o, w->unproxied_n);
        out_literal(&o, " more");
    }
    out_char(&o, '\n');
    log_end(&w->errors, &o);
    w->unproxied_s = w->now.unix_s;
    w->unproxied_n = 0;
}

static void
write_said(struct worker *w, struct ern_slice who, struct ern_slice line)
{
    struct out o = log_begin(&w->errors, w->now.run_ms);

    write_time(&o, w->now.unix_s);
    out_literal(&o, " error: script ");
    write_safe(&o, who);
    out_literal(&o, ": ");
    write_safe(&o, line);
    out_char(&o, '\n');
    log_end(&w->errors, &o);
}

void
account_said(struct worker *w, struct ern_slice who, struct ern_slice text, uint64_t *told)
{
    uint64_t most = (uint64_t)w->limits->handler_log_bytes_max;
    uint64_t left = *told < most ? most - *told : 0;

    *told += text.len;
    if (!w->errors.log || left == 0)
        return;
    text = slice_first(text, text.len < left ? text.len : (size_t)left);
    while (text.len) {
        size_t end = slice_find(text, '\n');
        size_t n = end < VALUE_BYTES ? end : VALUE_BYTES;

        if (n)
            write_said(w, who, slice_first(text, n));
        text = slice_skip(text, n == end && end < text.len ? end + 1 : n);
    }
    if (*told > most)
        write_said(w, who, ERN_SLICE("(more is dropped)"));
}
