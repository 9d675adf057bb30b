/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fail_call.c - loaded before the C library: the Nth call that changes or reads a file fails, is
 * cut short, or is never made, for the process is killed. FAIL_CALL names a file of five 32-bit
 * numbers, which whoever tests changes at any time (lib/calls.py):
 *
 *   calls   the kinds of calls that count, as bits
 *   left    calls until it happens; 0: nothing does, and nothing is counted
 *   action  what happens: an errno, or KILL, or SHORT
 *   more    calls after that one to which it happens, too; -1: all
 *   seen    calls that were counted
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, RENAME = 4, MAKE = 8, REMOVE = 16, READ = 32 };
enum { KILL = 1000, SHORT = 1001 };

struct control {
    _Atomic int calls, left, action, more, seen;
};

static struct control *
control(void)
{
    static _Atomic(struct control *) mapped;
    struct control *c = mapped;
    const char *path = getenv("FAIL_CALL");
    int (*real_open)(const char *, int, ...);
    int fd;
    void *at;

    if (c || !path)
        return c;
    *(void **)&real_open = dlsym(RTLD_NEXT, "open64");
    fd = real_open(path, O_RDWR | O_CLOEXEC);
    at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED)
        abort();
    mapped = at;
    return at;
}

/* Counts a call. Returns what is to happen to it: 0, an errno or SHORT. */
static int
happens(int kind)
{
    struct control *c = control();
    int left;

    if (!c || !(c->calls & kind))
        return 0;
    left = c->left;
    do
        if (left == 0)
            return 0;
    while (!atomic_compare_exchange_weak(&c->left, &left, left == 1 ? 1 : left - 1));
    (void)atomic_fetch_add(&c->seen, 1);
    if (left > 1)
        return 0;
    if (c->more >= 0 && atomic_fetch_sub(&c->more, 1) == 0)
        c->left = 0; /* this is the last one */
    if (c->action == KILL)
        (void)kill(getpid(), SIGKILL);
    return c->action;
}

static int
is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* Fails unless the call is to be made. */
#define MAY_FAIL(kind)                                                                             \
    do {                                                                                           \
        int error = happens(kind);                                                                 \
                                                                                                   \
        if (error && error != SHORT) {                                                             \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* Likewise, for a call that may do less than it was asked to. */
#define MAY_BE_SHORT(kind, fd, n)                                                                  \
    do {                                                                                           \
        int error = is_file(fd) ? happens(kind) : 0;                                               \
                                                                                                   \
        if (error == SHORT) {                                                                      \
            (n) = (n) > 1 ? (n) / 2 : (n);                                                         \
        } else if (error) {                                                                        \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

ssize_t
write(int fd, const void *bytes, size_t n)
{
    REAL(write);
    MAY_BE_SHORT(WRITE, fd, n);
    return real(fd, bytes, n);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    REAL(pwrite64);
    MAY_BE_SHORT(WRITE, fd, n);
    return real(fd, bytes, n, at);
}

ssize_t
copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags)
{
    REAL(copy_file_range);
    MAY_BE_SHORT(WRITE, out, n);
    MAY_BE_SHORT(READ, in, n);
    return real(in, in_at, out, out_at, n, flags);
}

int
ftruncate64(int fd, off64_t n)
{
    REAL(ftruncate64);
    MAY_FAIL(WRITE);
    return real(fd, n);
}

int
fallocate64(int fd, int mode, off64_t at, off64_t n)
{
    REAL(fallocate64);
    MAY_FAIL(WRITE);
    return real(fd, mode, at, n);
}

int
fsync(int fd)
{
    REAL(fsync);
    MAY_FAIL(SYNC);
    return real(fd);
}

int
fdatasync(int fd)
{
    REAL(fdatasync);
    MAY_FAIL(SYNC);
    return real(fd);
}

int
mkdirat(int folder, const char *path, mode_t mode)
{
    REAL(mkdirat);
    MAY_FAIL(MAKE);
    return real(folder, path, mode);
}

int
symlinkat(const char *target, int folder, const char *path)
{
    REAL(symlinkat);
    MAY_FAIL(MAKE);
    return real(target, folder, path);
}

int
openat64(int folder, const char *path, int flags, ...)
{
    REAL(openat64);
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
    if (flags & O_CREAT)
        MAY_FAIL(MAKE);
    return real(folder, path, flags, mode);
}

int
unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat);
    MAY_FAIL(REMOVE);
    return real(folder, path, flags);
}

ssize_t
read(int fd, void *bytes, size_t n)
{
    REAL(read);
    MAY_BE_SHORT(READ, fd, n);
    return real(fd, bytes, n);
}

ssize_t
pread64(int fd, void *bytes, size_t n, off64_t at)
{
    REAL(pread64);
    MAY_BE_SHORT(READ, fd, n);
    return real(fd, bytes, n, at);
}

ssize_t
preadv64v2(int fd, const struct iovec *pieces, int n, off64_t at, int flags)
{
    REAL(preadv64v2);
    size_t unused = 0;

    MAY_BE_SHORT(READ, fd, unused);
    return real(fd, pieces, n, at, flags);
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
    if (number == SYS_renameat2)
        MAY_FAIL(RENAME);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
