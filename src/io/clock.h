/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include <stdint.h>

/* Read once a loop turn; everybody else is told. */
struct clock_now {
    int64_t unix_s; /* Unix time */
    int64_t run_ms; /* milliseconds of a clock that never steps */
};

struct clock_now clock_read(void);

/* Microseconds of the clock that never steps: for what is too short for a turn of the loop. */
int64_t clock_us(void);

#endif
