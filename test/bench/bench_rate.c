/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to count a request: of one client, and of ten million in turn. */
#include "base/ip.h"
#include "bench.h"
#include "serve/rate.h"

enum { CLIENTS = 10000000, BUCKETS = 262144 };

static struct rates *rates;
static const struct rate_limit limit = {
    .scope = &limit, .interval_ns = 1, .burst_ns = INT64_C(1000000000000)};

/* Counts requests, each of the client `step` further on. */
static void
take(uint32_t step, size_t times)
{
    struct rate rate;
    uint32_t at = 0;

    for (size_t i = 0; i < times; i++) {
        struct ip client = ip_from_v4((const uint8_t *)&at);

        bench_must(rate_take(rates, &limit, ip_client(&client), 1000, &rate), "there is a token");
        bench_use(&rate);
        at = (at + step) % CLIENTS;
    }
}

static void
take_hot(size_t times)
{
    take(0, times);
}

static void
take_any(size_t times)
{
    take(6180339, times);
}

static const struct bench benches[] = {
    {"rate_hot", take_hot},
    {"rate_any", take_any},
};

int
main(int argc, char **argv)
{
    int code;

    rates = rates_new(BUCKETS, (struct hash_key){1, 2});
    bench_must(rates != NULL, "there is memory for the buckets");
    code = bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
    rates_free(rates);
    return code;
}
