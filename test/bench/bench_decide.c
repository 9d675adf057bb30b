/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision takes, from a request that was read to the rule, when every answer is known. */
#include "base/slice.h"
#include "bench.h"
#include "earnest/decide.h"

enum { FIELDS = 8, NOW_S = 784111777 };

static enum ern_answer
exists(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.etag = ERN_SLICE("\"3b9aca00-400\"");
    d->evidence.last_modified_s = NOW_S - 1000000;
    d->evidence.content_bytes = 65536;
    return ERN_YES;
}

static enum ern_answer
method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.allow = UINT64_C(1) << ERN_GET;
    return d->request->method == ERN_GET ? ERN_YES : ERN_NO;
}

static struct ern_resource resource = {
    .name = "bench",
    .ask = {[ERN_FACT_method_allowed] = method_allowed,
            [ERN_FACT_exists] = exists,
            ERN_ASKS_CONDITIONAL,
            ERN_ASKS_RANGE},
};

/* Decides a GET with this field besides Host. */
static void
decide(struct ern_slice name, struct ern_slice value, unsigned status, size_t times)
{
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct ern_facts given;
    struct ern_decision decision;
    const struct ern_rule *rule;

    ern_resource_init(&resource);
    ern_request_init(&request, fields, FIELDS);
    ern_request_method(&request, ERN_SLICE("GET"));
    request.target = request.path = ERN_SLICE("/1k.txt");
    request.authority = ERN_SLICE("www.test.org");
    request.version_major = request.version_minor = 1;
    bench_must(ern_request_add(&request, ERN_SLICE("Host"), request.authority) &&
                   (!name.len || ern_request_add(&request, name, value)),
               "the fields have room");
    for (size_t i = 0; i < times; i++) {
        bench_use(&request);
        ern_request_facts(&request, NOW_S, &given);
        ern_begin(&decision, &resource, NULL, &request, NOW_S, &given);
        rule = ern_decide(&decision, ERN_ACT);
        bench_must(rule && rule->status == status, "the status");
        bench_use(&decision);
    }
}

static void
decide_200(size_t times)
{
    decide(ERN_ABSENT, ERN_ABSENT, 200, times);
}

static void
decide_304(size_t times)
{
    decide(ERN_SLICE("If-None-Match"), ERN_SLICE("\"3b9aca00-400\""), 304, times);
}

static void
decide_206(size_t times)
{
    decide(ERN_SLICE("Range"), ERN_SLICE("bytes=0-1023"), 206, times);
}

static const struct bench benches[] = {
    {"decide_200", decide_200},
    {"decide_304", decide_304},
    {"decide_206", decide_206},
};

int
main(int argc, char **argv)
{
    return bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
}
