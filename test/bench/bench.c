/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7, ROUND_NS = 20000000 };

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
time_ns(const struct bench *bench, size_t times)
{
    double begin = now_ns();

    bench->run(times);
    return now_ns() - begin;
}

/* Nanoseconds of one, in the best of several rounds. */
static double
best_ns(const struct bench *bench)
{
    size_t times = 1;
    double ns, best = 0;

    while (time_ns(bench, times) < ROUND_NS / 4)
        times *= 2;
    times *= 4;
    for (int i = 0; i < ROUNDS; i++) {
        ns = time_ns(bench, times) / (double)times;
        if (i == 0 || ns < best)
            best = ns;
    }
    return best;
}

void
bench_must(int it_is_so, const char *what)
{
    if (it_is_so)
        return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

int
bench_main(int argc, char **argv, const struct bench *benches, size_t n)
{
    if (argc == 4 && strcmp(argv[1], "--once") == 0) {
        for (size_t i = 0; i < n; i++)
            if (strcmp(argv[3], benches[i].name) == 0) {
                benches[i].run((size_t)strtoul(argv[2], NULL, 10));
                return 0;
            }
        fprintf(stderr, "no such name: %s\n", argv[3]);
        return 2;
    }
    for (size_t i = 0; i < n; i++) {
        if (argc == 2 && strcmp(argv[1], "--names") == 0)
            puts(benches[i].name);
        else
            printf("%-24s %10.1f ns\n", benches[i].name, best_ns(&benches[i]));
    }
    return 0;
}
