/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pause.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/slice.h"

enum { PAUSES = 4096, NAME_BYTES = 256 };

struct pause {
    atomic_int_fast64_t until_ms;
    size_t name_len;
    char name[NAME_BYTES];
};

struct pauses {
    size_t n;
    struct pause pause[PAUSES];
};

int
pauses_open(struct pauses **ret_pauses)
{
    void *memory = mmap(NULL, sizeof(struct pauses), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return -errno;
    *ret_pauses = memory;
    return 0;
}

void
pauses_close(struct pauses *p)
{
    if (p)
        (void)munmap(p, sizeof *p);
}

struct pause *
pause_of(struct pauses *p, struct ern_slice site)
{
    struct pause *pause = p->pause;

    for (; pause < p->pause + p->n; pause++)
        if (slice_eq_nocase(slice_from(pause->name, pause->name_len), site))
            return pause;
    if (p->n == PAUSES || site.len > NAME_BYTES)
        return NULL;
    memcpy(pause->name, site.ptr ? site.ptr : "", site.len);
    pause->name_len = site.len;
    p->n++;
    return pause;
}

void
pause_until(struct pause *pause, int64_t run_ms)
{
    atomic_store(&pause->until_ms, run_ms);
}

int64_t
pause_left_s(const struct pause *pause, int64_t now_ms)
{
    int64_t left_ms = atomic_load_explicit(&pause->until_ms, memory_order_relaxed) - now_ms;

    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}
