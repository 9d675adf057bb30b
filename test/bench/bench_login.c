/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs that a route asks who asks: the same request, whose credentials are remembered, to
 * an open route and to one with auth; and one that is turned away. */
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "bench.h"
#include "bench_serve.h"

/* The user is ann, the password secret, its hash as cheap as hashes get: it is made once. */
#define BASIC "Authorization: Basic YW5uOnNlY3JldA==\r\n"
#define OPEN "GET /open/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n" BASIC "\r\n"
#define KNOWN "GET /team/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n" BASIC "\r\n"
#define STRANGER "GET /team/1k.txt HTTP/1.1\r\nHost: be.example.org\r\n\r\n"

static void
prepare(void)
{
    struct conf_errors *errors = calloc(1, sizeof *errors);
    char text[512];

    bench_make_folder();
    bench_make_file("1k.txt", 1024);
    (void)snprintf(text, sizeof text,
                   "user \"ann\" { password = "
                   "\"$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4\" }\n"
                   "route \"/open/\" { files = \"%s\" }\n"
                   "route \"/team/\" { files = \"%s\" auth = basic }\n"
                   "limits { login_valid_ms = 3600000 cache_valid_ms = 3600000 }\n",
                   bench_folder, bench_folder);
    bench_must(errors && conf_parse(slice_text(text), "bench", &bench_conf, errors) == 0,
               "a configuration is made");
    free(errors);
    bench_serve();
}

static void
answer_open(size_t times)
{
    bench_answer(ERN_SLICE(OPEN), 200, times);
}

static void
answer_basic(size_t times)
{
    bench_answer(ERN_SLICE(KNOWN), 200, times);
}

static void
answer_401(size_t times)
{
    bench_answer(ERN_SLICE(STRANGER), 401, times);
}

static const struct bench benches[] = {
    {"answer_200_open", answer_open},
    {"answer_200_basic", answer_basic},
    {"answer_401", answer_401},
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
