/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fail_malloc.c - loaded before the C library: fails the Nth allocation (malloc, calloc, realloc)
 * after a file named by FAIL_AFTER has appeared. N is read from that file; 0 fails none.
 *
 * The file is looked for by its own system calls, which allocate nothing, so that the test arms and
 * disarms a server that runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

static atomic_long left = -1; /* allocations until the one that fails; below 0: not armed */

/* Takes the number from the file, and the file away. */
static void
look(void)
{
    const char *path = getenv("FAIL_AFTER");
    char text[16];
    long n = 0;
    ssize_t got;
    int fd;

    if (!path)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    got = syscall(SYS_read, fd, text, sizeof text);
    (void)syscall(SYS_close, fd);
    for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; i++)
        n = n * 10 + (text[i] - '0');
    if (n > 0 && syscall(SYS_unlinkat, AT_FDCWD, path, 0) == 0)
        left = n;
}

static int
fails(void)
{
    int before = errno;

    if (left < 0)
        look();
    errno = before;
    if (left < 0 || --left != 0)
        return 0;
    left = -1;
    errno = ENOMEM;
    return 1;
}

void *
malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t n)
{
    return fails() ? NULL : __libc_realloc(old, n);
}
