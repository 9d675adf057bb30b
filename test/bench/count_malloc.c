/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count_malloc.c - counts allocations of a program and its children, for LD_PRELOAD. The count is
 * the first eight bytes of the file named by COUNT_MALLOC, which anyone may read at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the C library does itself, under the names that it keeps for such use. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static _Atomic uint64_t unwatched;
static _Atomic uint64_t *count = &unwatched;

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("COUNT_MALLOC");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory;

    if (fd < 0)
        return;
    memory = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED)
        count = memory;
    close(fd);
}

void *
malloc(size_t n)
{
    atomic_fetch_add(count, 1);
    return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    atomic_fetch_add(count, 1);
    return __libc_calloc(n, size);
}

void *
realloc(void *memory, size_t n)
{
    atomic_fetch_add(count, 1);
    return __libc_realloc(memory, n);
}

void *
memalign(size_t alignment, size_t n)
{
    atomic_fetch_add(count, 1);
    return __libc_memalign(alignment, n);
}

void *
aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int
posix_memalign(void **memory, size_t alignment, size_t n)
{
    *memory = memalign(alignment, n);
    return *memory ? 0 : ENOMEM;
}
