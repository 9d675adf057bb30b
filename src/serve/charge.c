/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/charge.h"

#include <errno.h>

#include "res/step.h"
#include "serve/conn.h"
#include "serve/exchange.h"

/* An OPTIONS or TRACE asks about the way, not for the resource. */
static bool
is_free(const struct ern_request *request)
{
    return request->method == ERN_OPTIONS || request->method == ERN_TRACE;
}

/* HEAD is told what GET would be, and pays nothing. */
static bool
only_looks(const struct ern_request *request)
{
    return request->method == ERN_HEAD;
}

static struct exchange *
exchange_of_request(struct res_request *res)
{
    return (struct exchange *)(void *)((char *)res - __builtin_offsetof(struct exchange, res));
}

/* Whoever gets the answer by another way than this one has not paid for it. */
static void
add_fields(struct exchange *x, struct ern_slice fields)
{
    struct out o = arena_out(&x->arena);

    out_slice(&o, x->res.fields);
    out_slice(&o, fields);
    x->res.fields = arena_keep(&x->arena, &o);
}

/* Says where to pay (RFC 8288). */
static enum ern_answer
refuse(struct exchange *x)
{
    struct out o = arena_out(&x->arena);

    x->res.link = x->route->policy.pay;
    out_literal(&o, "Cache-Control: no-store\r\nLink: <");
    out_slice(&o, x->route->policy.pay);
    out_literal(&o, ">; rel=\"payment\"\r\n");
    x->res.fields = arena_keep(&x->arena, &o);
    return ERN_NO;
}

/* An account, and what a repetition of the request is known by. */
static void
name_request(struct exchange *x)
{
    const struct ern_request *r = &x->request;
    struct meter_hold *hold = &x->charge.hold;
    struct ern_slice key = ern_request_field(r, ERN_FIELD_x_api_key), parts[5];

    *hold = (struct meter_hold){.price = (int64_t)x->route->policy.price};
    meter_account(key, hold->account);
    hold->has_receipt = ern_request_has(r, ERN_FIELD_idempotency_key);
    if (!hold->has_receipt)
        return;
    parts[0] = slice_from((const char *)hold->account, sizeof hold->account);
    parts[1] = r->method_text;
    parts[2] = r->authority;
    parts[3] = r->target;
    parts[4] = ern_request_field(r, ERN_FIELD_idempotency_key);
    digest_texts(parts, sizeof parts / sizeof *parts, hold->receipt);
}

static void
run_hold(struct res_request *res)
{
    struct exchange *x = exchange_of_request(res);

    x->charge.error = meter_hold(x->worker->meter, &x->charge.hold);
    x->charge.stage = CHARGE_HELD;
}

static void
run_pay(struct res_request *res)
{
    struct exchange *x = exchange_of_request(res);

    x->charge.error =
        meter_pay(x->worker->meter, &x->charge.hold, !ern_method_is_safe(x->request.method));
    x->charge.stage = CHARGE_PAID;
}

bool
charge_knows(const struct exchange *x, uint8_t ret_account[DIGEST_BYTES])
{
    if (!x->worker->meter || !ern_request_has(&x->request, ERN_FIELD_x_api_key))
        return false;
    meter_account(ern_request_field(&x->request, ERN_FIELD_x_api_key), ret_account);
    return meter_knows(x->worker->meter, ret_account);
}

bool
charge_can(const struct exchange *x)
{
    return x->worker->meter != NULL;
}

enum ern_answer
charge_ask_paid(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);

    if (is_free(&x->request))
        return ERN_YES;
    if (x->charge.stage == CHARGE_NONE) {
        name_request(x);
        if (!ern_request_has(&x->request, ERN_FIELD_x_api_key))
            return refuse(x);
        return res_step(&x->res, run_hold);
    }
    if (x->charge.error == -EDQUOT)
        return refuse(x);
    return x->charge.error ? ERN_FAIL : ERN_YES;
}

/* A success that another one has is that one's to give: what upstream refused costs nothing. */
enum ern_answer
charge_ask_debited(struct ern_decision *d)
{
    struct exchange *x = exchange_of_decision(d);
    struct charge *c = &x->charge;
    bool is_refused = d->relayed && d->relayed / 100 != 2;

    if (!is_free(&x->request) && !only_looks(&x->request) && !is_refused && !c->hold.is_paid &&
        c->stage != CHARGE_PAID)
        return res_step(&x->res, run_pay);
    if (c->error == -EDQUOT)
        return refuse(x);
    if (c->error)
        return ERN_FAIL;
    add_fields(x, ERN_SLICE("Cache-Control: private\r\n"));
    return ERN_YES;
}

void
charge_done(struct exchange *x)
{
    if (x->worker->meter)
        meter_release(x->worker->meter, &x->charge.hold);
}
