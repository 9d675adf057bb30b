/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/audit.h"

#include "serve/conn.h"

enum { TEXT_BYTES = 512 /* of what strangers wrote, so much is logged */ };

enum rule {
#define RULE(status, name, if_, unless, source) RULE_##name,
#include "rules.def"
#undef RULE
    RULES
};

/* The rules by which somebody is kept out, not something missed. */
static const bool is_refusal[RULES] = {
    [RULE_captive_portal] = true, [RULE_proxy_auth] = true,      [RULE_rate_limit] = true,
    [RULE_path_escapes] = true,   [RULE_unauthenticated] = true, [RULE_forbidden_hidden] = true,
    [RULE_forbidden] = true,      [RULE_withheld] = true,        [RULE_user_rate] = true,
    [RULE_legal] = true,          [RULE_legal_content] = true,   [RULE_payment] = true,
    [RULE_not_extended] = true,   [RULE_credit_gone] = true,     [RULE_destination_within] = true,
};

static void
write_text(struct out *o, const char *name, struct ern_slice value)
{
    out_literal(o, ",\"");
    out_text(o, name);
    out_literal(o, "\":\"");
    out_json(o, value.len > TEXT_BYTES ? slice_first(value, TEXT_BYTES) : value);
    out_char(o, '"');
}

static void
write_number(struct out *o, const char *name, uint64_t n)
{
    out_literal(o, ",\"");
    out_text(o, name);
    out_literal(o, "\":");
    out_u64(o, n);
}

static void
write_begin(struct out *o, int64_t unix_s, const char *event)
{
    out_literal(o, "{\"ts\":");
    out_u64(o, (uint64_t)unix_s);
    write_text(o, "event", slice_text(event));
}

void
audit_refusal(struct exchange *x)
{
    struct worker *w = x->worker;
    const struct ern_request *r = &x->request;
    struct ern_slice target = r->target;
    struct out o;

    if (!w->audit.log || !is_refusal[x->rule - ern_rules])
        return;
    o = log_begin(&w->audit, w->now.run_ms);
    write_begin(&o, w->now.unix_s, "refused");
    out_literal(&o, ",\"remote_ip\":\"");
    address_write_host(&o, &x->client);
    out_char(&o, '"');
    if (slice_is_there(x->known.name)) /* one that was proved: others may be secrets, mistyped */
        write_text(&o, "user", x->known.name);
    write_text(&o, "method", r->method_text);
    write_text(&o, "host", r->authority);
    write_text(&o, "path", slice_first(target, slice_find(target, '?')));
    write_number(&o, "status", x->status);
    write_text(&o, "rule", slice_text(x->rule->name));
    out_literal(&o, "}\n");
    log_end(&w->audit, &o);
}

void
audit_deed(struct log_writer *writer, int64_t unix_s, unsigned uid, int pid, struct ern_slice verb,
           struct ern_slice what, bool done)
{
    struct out o;

    if (!writer->log)
        return;
    o = log_begin(writer, 0);
    write_begin(&o, unix_s, "admin");
    write_number(&o, "uid", uid);
    write_number(&o, "pid", (uint64_t)pid);
    write_text(&o, "verb", verb);
    if (what.len > 0)
        write_text(&o, "what", what);
    out_literal(&o, ",\"done\":");
    out_slice(&o, done ? ERN_SLICE("true") : ERN_SLICE("false"));
    out_literal(&o, "}\n");
    log_end(writer, &o);
    log_flush(writer, 0, true);
}
