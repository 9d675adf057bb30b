/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

bool
file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->modified_s == b->modified_s && a->modified_ns == b->modified_ns &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

int
file_open_root(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int
look(int fd, const char *path, int flags, struct file_info *ret_info)
{
    struct statx s;

    if (statx(fd, path, flags | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, &s) < 0)
        return -errno;
    ret_info->kind = S_ISREG(s.stx_mode)   ? FILE_REGULAR
                     : S_ISDIR(s.stx_mode) ? FILE_DIRECTORY
                                           : FILE_SPECIAL;
    ret_info->stamp = (struct file_stamp){
        .device = (uint64_t)s.stx_dev_major << 32 | s.stx_dev_minor,
        .inode = s.stx_ino,
        .bytes = s.stx_size,
        .modified_s = s.stx_mtime.tv_sec,
        .modified_ns = s.stx_mtime.tv_nsec,
        .changed_s = s.stx_ctime.tv_sec,
        .changed_ns = s.stx_ctime.tv_nsec,
    };
    ret_info->born_s = s.stx_mask & STATX_BTIME ? s.stx_btime.tv_sec : s.stx_ctime.tv_sec;
    return 0;
}

int
file_look_open(int fd, struct file_info *ret_info)
{
    return look(fd, "", AT_EMPTY_PATH, ret_info);
}

int
file_look_in(int folder, const char *name, struct file_info *ret_info)
{
    return look(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, ret_info);
}

int
file_open(int root, const char *path, bool quick, struct file_info *ret_info)
{
    /* O_NONBLOCK: opening a fifo or a device returns at once; it means nothing to a regular file.
     */
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (quick ? RESOLVE_CACHED : 0),
    };
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    int error;

    if (fd < 0)
        return -errno;
    error = file_look_open(fd, ret_info);
    if (error) {
        (void)close(fd);
        return error;
    }
    return fd;
}

int
file_look(int root, const char *path, struct file_info *ret_info)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd, error;

    do
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && errno == EAGAIN);
    if (fd < 0)
        return -errno;
    error = file_look_open(fd, ret_info);
    (void)close(fd);
    return error;
}

ssize_t
file_read(int fd, void *buffer, size_t n, uint64_t offset, bool quick)
{
    size_t got = 0;

    while (got < n) {
        struct iovec piece = {(char *)buffer + got, n - got};
        ssize_t r = preadv2(fd, &piece, 1, (off_t)(offset + got), quick ? RWF_NOWAIT : 0);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EOPNOTSUPP && quick)
            return -EAGAIN; /* a filesystem that cannot promise not to wait */
        if (r < 0)
            return -errno;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

static int
read_all(int fd, char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, text + at, len - at);

        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* it was cut meanwhile */
        at += (size_t)n;
    }
    return 0;
}

int
file_read_whole(const char *path, size_t bytes_max, char **ret_text, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = fd < 0 ? -errno : 0;
    char *text = NULL;
    size_t len = 0;
    struct stat st;

    if (!error && fstat(fd, &st) < 0)
        error = -errno;
    if (!error && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > bytes_max))
        error = S_ISREG(st.st_mode) ? -EFBIG : -EISDIR;
    if (!error) {
        len = (size_t)st.st_size;
        text = malloc(len + 1);
        error = text ? read_all(fd, text, len) : -ENOMEM;
    }
    if (fd >= 0)
        (void)close(fd);
    if (error) {
        free(text);
        return error;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return 0;
}
