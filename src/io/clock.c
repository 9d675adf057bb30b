/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clock.h"

#include <time.h>

struct clock_now
clock_read(void)
{
    struct timespec real, run;

    clock_gettime(CLOCK_REALTIME_COARSE, &real);
    clock_gettime(CLOCK_MONOTONIC_COARSE, &run);
    return (struct clock_now){real.tv_sec, run.tv_sec * 1000 + run.tv_nsec / 1000000};
}

int64_t
clock_us(void)
{
    struct timespec run;

    clock_gettime(CLOCK_MONOTONIC, &run);
    return (int64_t)run.tv_sec * 1000000 + run.tv_nsec / 1000;
}
