/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/vitals.h"

#include "base/slice.h"
#include "res/onlooker.h"
#include "res/step.h"
#include "serve/exchange.h"
#include "serve/guests.h"
#include "serve/shelf.h"
#include "serve/tally.h"

enum { RETRY_AFTER_S = 1 };

static const struct ern_slice plain = {"Content-Type: text/plain; charset=utf-8\r\n", 41};
static const struct ern_slice metrics = {
    "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n", 74};

static enum ern_answer
represent(struct ern_decision *d, struct ern_slice description, struct ern_slice text)
{
    struct res_request *request = d->self;

    if (!slice_is_there(text))
        return ERN_FAIL;
    request->has_representation = true;
    request->representation = (struct res_representation){
        .validators = ERN_SLICE("Cache-Control: no-store\r\n"),
        .description = description,
        .type = ERN_SLICE("text/plain"),
        .length = text.len,
        .bytes = text.ptr,
        .fd = -1,
    };
    return ERN_YES;
}

static void
write_gauge(struct out *o, const char *name, const char *help, uint64_t value)
{
    out_literal(o, "# TYPE ");
    out_text(o, name);
    out_literal(o, " gauge\n# HELP ");
    out_text(o, name);
    out_char(o, ' ');
    out_text(o, help);
    out_char(o, '\n');
    out_text(o, name);
    out_char(o, ' ');
    out_u64(o, value);
    out_char(o, '\n');
}

/* Lines are dropped rather than waited for; that they were must not be. */
static void
write_dropped(struct out *o, const struct worker *worker)
{
    const struct {
        const char *name;
        const struct log *log;
    } logs[] = {{"access", worker->access.log},
                {"errors", worker->errors.log},
                {"audit", worker->audit.log}};

    out_literal(o, "# TYPE earnest_log_lines_dropped counter\n"
                   "# HELP earnest_log_lines_dropped Lines that a log was too slow or too full "
                   "for.\n");
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        if (!logs[i].log)
            continue;
        out_literal(o, "earnest_log_lines_dropped_total{log=\"");
        out_text(o, logs[i].name);
        out_literal(o, "\"} ");
        out_u64(o, log_dropped(logs[i].log));
        out_char(o, '\n');
    }
}

static void
write_shelf(struct out *o, struct shelf *shelf)
{
    struct shelf_sizes sizes = shelf_sizes(shelf);

    write_gauge(o, "earnest_stored_answers", "Answers of servers behind us that are kept.",
                sizes.answers);
    write_gauge(o, "earnest_stored_bytes", "Memory that they take.", sizes.bytes);
    write_gauge(o, "earnest_stored_file_bytes", "What of them is in files.", sizes.files_bytes);
}

static enum ern_answer
ask_metrics(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = exchange_of_decision(d);
    struct out o = arena_out(&x->arena);

    (void)fact;
    if (!x->worker->tallies)
        return ERN_NO;
    tallies_write(x->worker->tallies, &o);
    write_gauge(&o, "earnest_connections", "Connections that are open.",
                (uint64_t)guests_n(x->worker->guests));
    write_gauge(&o, "earnest_connections_max", "Connections that are taken at most.",
                (uint64_t)x->worker->limits->connections_max);
    write_dropped(&o, x->worker);
    if (x->worker->shelf)
        write_shelf(&o, x->worker->shelf);
    out_literal(&o, "# EOF\n");
    return represent(d, metrics, arena_keep(&x->arena, &o));
}

/* Done by the pool: that it comes back is all that is asked. */
static void
come_back(struct res_request *request)
{
    request->state = request;
}

static enum ern_answer
ask_health(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (!request->state)
        return res_step(request, come_back);
    return represent(d, plain, ERN_SLICE("healthy\n"));
}

static enum ern_answer
ask_ready(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return represent(d, plain, ERN_SLICE("ready\n"));
}

/* To whom it is not shown, it is not there: not even out of service. */
static enum ern_answer
ask_available(struct ern_decision *d, enum ern_fact fact)
{
    const struct worker *w = exchange_of_decision(d)->worker;
    bool is_full = guests_n(w->guests) >= w->limits->connections_max;

    (void)fact;
    if ((!w->draining && !is_full) || onlooker_ask_permitted(d, ERN_FACT_permitted) != ERN_YES)
        return ERN_YES;
    d->evidence.retry_after_s = RETRY_AFTER_S;
    return ERN_NO;
}

struct ern_resource metrics_resource = {
    .name = "metrics",
    .ask = {ONLOOKER_ASKS, [ERN_FACT_exists] = ask_metrics},
};

struct ern_resource health_resource = {
    .name = "health",
    .ask = {ONLOOKER_ASKS, [ERN_FACT_exists] = ask_health},
};

struct ern_resource ready_resource = {
    .name = "ready",
    .ask = {ONLOOKER_ASKS, [ERN_FACT_available] = ask_available, [ERN_FACT_exists] = ask_ready},
};
