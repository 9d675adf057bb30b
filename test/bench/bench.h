/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - measures one small thing. A program has a table of them:
 *
 *   bench_NAME                 a line for each: name, nanoseconds (the best of seven rounds)
 *   bench_NAME --names         their names
 *   bench_NAME --once N NAME   does it N times and nothing else, for callgrind: the instructions
 *                              of one are the difference of two such runs (bench/gate)
 */
#ifndef TEST_BENCH_BENCH_H
#define TEST_BENCH_BENCH_H

#include <stddef.h>

struct bench {
    const char *name;
    void (*run)(size_t times);
};

int bench_main(int argc, char **argv, const struct bench *benches, size_t n);

/* Ends the program if what it measures did not do what it should. */
void bench_must(int it_is_so, const char *what);

/* Makes the compiler believe that the memory is read and may have changed. */
static inline void
bench_use(void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

#endif
