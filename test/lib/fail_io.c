/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fail_io.c - loaded before the C library: a disk that is broken, or slow.
 *
 *   a file named eio.txt     cannot be read: preadv2() fails with EIO
 *   a file named eiostat.txt cannot be looked at: statx() fails with EIO
 *   SLOW_MS=N                nothing is in memory: whoever asks not to wait gets EAGAIN, and who
 *                            does not ask waits N ms for each openat2()
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int
is_named(int fd, const char *name)
{
    char link[64], path[4096];
    ssize_t n;
    size_t len = strlen(name);

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0 || (size_t)n < len)
        return 0;
    path[n] = '\0';
    return strcmp(path + n - len, name) == 0;
}

static long
slow_ms(void)
{
    const char *text = getenv("SLOW_MS");

    return text ? atol(text) : 0;
}

ssize_t
preadv2(int fd, const struct iovec *piece, int n, off_t offset, int flags)
{
    ssize_t (*real)(int, const struct iovec *, int, off_t, int);

    *(void **)&real = dlsym(RTLD_NEXT, "preadv2");
    if (is_named(fd, "/eio.txt")) {
        errno = EIO;
        return -1;
    }
    if (slow_ms() && (flags & RWF_NOWAIT)) {
        errno = EAGAIN;
        return -1;
    }
    return real(fd, piece, n, offset, flags);
}

/* What preadv2() is called where it was compiled with _FILE_OFFSET_BITS=64. */
ssize_t
preadv64v2(int fd, const struct iovec *piece, int n, off_t offset, int flags)
{
    return preadv2(fd, piece, n, offset, flags);
}

int
statx(int fd, const char *path, int flags, unsigned mask, struct statx *stat)
{
    int (*real)(int, const char *, int, unsigned, struct statx *);

    *(void **)&real = dlsym(RTLD_NEXT, "statx");
    if (is_named(fd, "/eiostat.txt")) {
        errno = EIO;
        return -1;
    }
    return real(fd, path, flags, mask, stat);
}

long
syscall(long number, ...)
{
    long (*real)(long, ...);
    long a[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_openat2 && slow_ms()) {
        const struct open_how *how = (const struct open_how *)a[2];
        const struct timespec wait = {slow_ms() / 1000, slow_ms() % 1000 * 1000000};

        if (how->resolve & RESOLVE_CACHED) {
            errno = EAGAIN;
            return -1;
        }
        (void)nanosleep(&wait, NULL);
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
