/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to read a head: with ern_request_init(), as for each request. */
#include "base/slice.h"
#include "bench.h"
#include "code/limits.h"
#include "requests.h"
#include "wire/h1.h"

enum { FIELDS = 100 };

static_assert(sizeof SHORT_REQUEST == 46 + 1, "the length that its name says");
static_assert(sizeof BROWSER_REQUEST == 706 + 1, "the length that its name says");

static void
parse(struct ern_slice bytes, size_t times)
{
    struct limits limits = limits_standard();
    struct ern_field fields[FIELDS];
    struct ern_request request;
    struct h1_head head;

    for (size_t i = 0; i < times; i++) {
        bench_use(&bytes);
        h1_head_init(&head, &limits);
        ern_request_init(&request, fields, FIELDS);
        bench_must(h1_head_feed(&head, bytes, &request) == PARSE_DONE, "the head is read");
        bench_use(&request);
    }
}

static void
parse_46(size_t times)
{
    parse(ERN_SLICE(SHORT_REQUEST), times);
}

static void
parse_706(size_t times)
{
    parse(ERN_SLICE(BROWSER_REQUEST), times);
}

static const struct bench benches[] = {
    {"parse_46", parse_46},
    {"parse_706", parse_706},
};

int
main(int argc, char **argv)
{
    return bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
}
