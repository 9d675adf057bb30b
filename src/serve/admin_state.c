/* SPDX-License-Identifier: Apache-2.0 */
/* admin_state.c - the verbs of the admin socket about what the store keeps. */
#include <errno.h>

#include "base/num.h"
#include "base/slice.h"
#include "serve/admin_parts.h"
#include "serve/meter.h"
#include "store/store.h"

/* The account is named by the first digits of its digest: enough to tell it, and no key. */
static void
say_account(struct admin_call *c, struct ern_slice account, int64_t balance)
{
    enum { SHOWN_BYTES = 8 };
    char text[2 * SHOWN_BYTES];
    struct out o = out_init(text, sizeof text);

    for (size_t i = 0; i < SHOWN_BYTES && i < account.len; i++) {
        out_char(&o, "0123456789abcdef"[(uint8_t)account.ptr[i] >> 4]);
        out_char(&o, "0123456789abcdef"[(uint8_t)account.ptr[i] & 15]);
    }
    admin_text(c, "account", out_done(&o));
    admin_number(c, "balance", balance);
    admin_line(c);
}

static int
tell_account(void *call, struct ern_slice account, int64_t balance)
{
    struct admin_call *c = call;

    say_account(c, account, balance);
    return c->cut;
}

/* Says why it could not be done. */
static void
say_why(struct admin_call *c, int error)
{
    admin_error(c, error == -ENOENT   ? "there is no such account"
                   : error == -ERANGE ? "an account has at most 1000000000000000 credits"
                                      : "the state cannot be reached");
}

void
admin_credit(struct admin_call *c)
{
    struct meter *m = c->options->meter;
    uint8_t account[DIGEST_BYTES];
    int64_t balance = 0;
    uint64_t n;
    int error;

    if (!m) {
        admin_error(c, "no route has a price");
        return;
    }
    if (c->words_n == 1) {
        error = meter_walk(m, tell_account, c);
        if (error < 0)
            say_why(c, error);
        return;
    }
    if (c->words_n == 2) {
        meter_account(c->word[1], account);
        error = meter_balance(m, account, &balance);
    } else if (c->words_n == 4 && slice_eq(c->word[1], ERN_SLICE("add")) &&
               u64_parse(c->word[3], CREDIT_MAX, &n) && n > 0) {
        meter_account(c->word[2], account);
        error = meter_add(m, account, (int64_t)n, &balance);
    } else {
        admin_error(c, "write credit, credit KEY, or credit add KEY N");
        return;
    }
    if (error)
        say_why(c, error);
    else
        say_account(c, slice_from((const char *)account, sizeof account), balance);
}
