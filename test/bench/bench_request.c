/* SPDX-License-Identifier: Apache-2.0 */
/* All that happens between the bytes of a request and those of its answer, without the sockets. */
#include <stdlib.h>

#include "base/slice.h"
#include "bench.h"
#include "bench_serve.h"
#include "requests.h"

static void
prepare(void)
{
    struct conf_flags flags = {.directory = bench_folder, .log = "off"};
    struct conf_errors *errors = calloc(1, sizeof *errors);

    bench_make_folder();
    bench_make_file("1k.txt", 1024);
    bench_make_file("64k.txt", 65536);
    bench_must(errors && conf_from_flags(&flags, &bench_conf, errors) == 0,
               "a configuration is made");
    free(errors);
    bench_serve();
}

static void
answer_200(size_t times)
{
    bench_answer(ERN_SLICE(SHORT_REQUEST), 200, times);
}

/* Who may see decisions is told where: the same answer, and what it costs to keep why. */
static void
answer_200_told(size_t times)
{
    struct traces *traces = traces_new(1, &bench_conf->limits, &bench_conf->live_networks);

    bench_must(traces != NULL, "decisions are kept");
    bench_worker->trace = trace_ring(traces, 0);
    bench_conn.onlooker = ONLOOKER_HERE;
    bench_answer(ERN_SLICE("GET /1k.txt HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"), 200, times);
    bench_conn.onlooker = ONLOOKER_NONE;
    bench_worker->trace = NULL;
    traces_free(traces);
}

static void
answer_206(size_t times)
{
    bench_answer(ERN_SLICE("GET /64k.txt HTTP/1.1\r\nHost: be.example.org\r\n"
                           "Range: bytes=0-1023\r\n\r\n"),
                 206, times);
}

static void
answer_304(size_t times)
{
    bench_answer(
        ERN_SLICE("GET /1k.txt HTTP/1.1\r\nHost: be.example.org\r\nIf-None-Match: *\r\n\r\n"), 304,
        times);
}

static void
answer_404(size_t times)
{
    bench_answer(ERN_SLICE(BROWSER_REQUEST), 404, times);
}

static const struct bench benches[] = {
    {"answer_200", answer_200}, {"answer_200_told", answer_200_told}, {"answer_206", answer_206},
    {"answer_304", answer_304}, {"answer_404_browser", answer_404},
};

int
main(int argc, char **argv)
{
    int code;

    prepare();
    code = bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
    bench_end();
    return code;
}
