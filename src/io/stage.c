/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "io/stage_path.h"

enum { TRIES = 16 /* of a path that is being changed while it is opened */ };

static int
open_beneath(int root, const char *path, uint64_t flags)
{
    const struct open_how how = {.flags = flags | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

    for (unsigned tries = 0; tries < TRIES; tries++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);

        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

void
stage_name(char ret_name[STAGE_NAME_BYTES])
{
    unsigned char random[(STAGE_NAME_BYTES - 1) / 2];

    while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        continue;
    for (size_t i = 0; i < sizeof random; i++) {
        ret_name[2 * i] = "0123456789abcdef"[random[i] >> 4];
        ret_name[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
    }
    ret_name[STAGE_NAME_BYTES - 1] = '\0';
}

int
stage_path_open(int root, const char *path, struct stage_path *ret)
{
    struct ern_slice all = slice_text(path);
    size_t at = all.len;
    struct ern_slice name;
    char parent[PATH_MAX];
    struct out o = out_init(parent, sizeof parent);

    ret->parent = -1;
    while (at > 0 && all.ptr[at - 1] != '/')
        at--;
    name = slice_skip(all, at);
    if (name.len == 0 || slice_eq(name, ERN_SLICE(".")) || slice_eq(name, ERN_SLICE("..")))
        return -EINVAL;
    if (name.len > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(ret->name, name.ptr, name.len);
    ret->name[name.len] = '\0';
    out_slice(&o, at > 0 ? slice_first(all, at) : ERN_SLICE("."));
    out_char(&o, '\0');
    if (o.full)
        return -ENAMETOOLONG;
    ret->parent = open_beneath(root, parent, O_PATH | O_DIRECTORY);
    return ret->parent < 0 ? ret->parent : 0;
}

void
stage_path_close(struct stage_path *path)
{
    if (path->parent >= 0)
        (void)close(path->parent);
    path->parent = -1;
}

int
stage_open(int root, bool durable, struct stage *ret)
{
    *ret = (struct stage){.root = root, .folder = -1, .durable = durable};
    if (mkdirat(root, STAGE_FOLDER, S_IRWXU) < 0 && errno != EEXIST)
        return -errno;
    ret->folder = openat(root, STAGE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return ret->folder < 0 ? -errno : 0;
}

void
stage_close(struct stage *stage)
{
    if (stage->folder >= 0)
        (void)close(stage->folder);
    stage->folder = -1;
}

bool
stage_is_alone(const struct stage *stage)
{
    return flock(stage->folder, LOCK_EX | LOCK_NB) == 0;
}

int
stage_join(const struct stage *stage)
{
    while (flock(stage->folder, LOCK_SH) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int
stage_create(const struct stage *stage, char ret_name[STAGE_NAME_BYTES])
{
    int fd;

    stage_name(ret_name);
    fd = openat(stage->folder, ret_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH);
    if (fd < 0)
        ret_name[0] = '\0';
    return fd < 0 ? -errno : fd;
}

int
stage_reopen(const struct stage *stage, const char *name)
{
    int fd = openat(stage->folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int
stage_write(int fd, struct ern_slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes = slice_skip(bytes, (size_t)n);
    }
    return 0;
}

int
stage_sync(const struct stage *stage, int fd)
{
    return stage->durable && fsync(fd) < 0 ? -errno : 0;
}

/* What is in a folder is on the disk: a rename is not, before. An O_PATH descriptor cannot be
 * synced, so the folder is opened again. */
static int
sync_folder(const struct stage *stage, int folder)
{
    int fd, error;

    if (!stage->durable)
        return 0;
    fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return error;
}

static int
rename_with(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, from_folder, from, to_folder, to, flags) < 0 ? -errno : 0;
}

/* The new file, which is staged, has the mode and the owner of the one that it replaces. */
static void
take_mode(int folder, const char *name, const struct stat *old)
{
    const mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
    struct stat staged;

    if (fstatat(folder, name, &staged, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(staged.st_mode))
        return;
    if (staged.st_uid != old->st_uid || staged.st_gid != old->st_gid) /* before the mode */
        (void)!fchownat(folder, name, old->st_uid, old->st_gid, AT_SYMLINK_NOFOLLOW);
    if ((staged.st_mode & all) != (old->st_mode & all))
        (void)!fchmodat(folder, name, old->st_mode & all, 0);
}

/*
 * Renames from one open folder to another. Where something is, the two change places, so that there
 * is never nothing, and what was replaced is then under the old name.
 */
static int
place(int from_folder, const char *from, int to_folder, const char *to, bool *ret_replaced)
{
    *ret_replaced = false;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        int error = rename_with(from_folder, from, to_folder, to, RENAME_EXCHANGE);

        *ret_replaced = error == 0;
        if (error != -ENOENT)
            return error;
        error = rename_with(from_folder, from, to_folder, to, RENAME_NOREPLACE);
        if (error != -EEXIST) /* else it came meanwhile */
            return error;
    }
    return -EAGAIN;
}

/* Takes a rename back whose folder could not be synced: what may not be on the disk is not to be
 * seen either. */
static void
take_back(int from_folder, const char *from, int to_folder, const char *to, bool replaced)
{
    (void)rename_with(to_folder, to, from_folder, from,
                      replaced ? RENAME_EXCHANGE : RENAME_NOREPLACE);
}

int
stage_place(const struct stage *stage, const char *name, const char *path, struct stage_put how,
            char ret_old[STAGE_NAME_BYTES])
{
    struct stage_path to;
    struct stat old;
    bool replaced = false;
    int error = stage_path_open(stage->root, path, &to);

    ret_old[0] = '\0';
    if (error)
        return error;
    if (fstatat(to.parent, to.name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
        if (how.fresh)
            error = -EEXIST;
        else if (S_ISDIR(old.st_mode) && !how.directory_into)
            error = -EISDIR;
        else if (how.keep_mode && S_ISREG(old.st_mode))
            take_mode(stage->folder, name, &old);
    }
    if (!error && how.fresh)
        error = rename_with(stage->folder, name, to.parent, to.name, RENAME_NOREPLACE);
    else if (!error)
        error = place(stage->folder, name, to.parent, to.name, &replaced);
    if (!error) {
        error = sync_folder(stage, to.parent);
        if (error)
            take_back(stage->folder, name, to.parent, to.name, replaced);
        else if (replaced)
            memcpy(ret_old, name, STAGE_NAME_BYTES);
    }
    stage_path_close(&to);
    return error;
}

int
stage_take(const struct stage *stage, const char *path, const char *name)
{
    struct stage_path from;
    int error = stage_path_open(stage->root, path, &from);

    if (error)
        return error;
    error = rename_with(from.parent, from.name, stage->folder, name, RENAME_NOREPLACE);
    if (!error) {
        error = sync_folder(stage, from.parent);
        if (error)
            take_back(from.parent, from.name, stage->folder, name, false);
    }
    stage_path_close(&from);
    return error;
}

/* What follows a rename within the root: what was exchanged is out of the way, for its old name
 * must be free again, and all is on the disk. */
static int
settle_move(const struct stage *stage, const struct stage_path *from, const struct stage_path *to,
            bool replaced, const char *old)
{
    int error = 0;

    if (replaced)
        error = rename_with(from->parent, from->name, stage->folder, old, RENAME_NOREPLACE);
    if (!error)
        error = sync_folder(stage, to->parent);
    if (!error)
        error = sync_folder(stage, from->parent);
    if (error && replaced)
        take_back(from->parent, from->name, stage->folder, old, false);
    if (error)
        take_back(from->parent, from->name, to->parent, to->name, replaced);
    return error;
}

int
stage_move(const struct stage *stage, const char *from_path, const char *to_path, const char *old)
{
    struct stage_path from = {.parent = -1}, to = {.parent = -1};
    int error = stage_path_open(stage->root, from_path, &from);
    bool replaced = false;

    if (!error)
        error = stage_path_open(stage->root, to_path, &to);
    if (!error && !old[0])
        error = rename_with(from.parent, from.name, to.parent, to.name, RENAME_NOREPLACE);
    else if (!error)
        error = place(from.parent, from.name, to.parent, to.name, &replaced);
    if (!error)
        error = settle_move(stage, &from, &to, replaced, old);
    stage_path_close(&from);
    stage_path_close(&to);
    return error;
}

int
stage_mkdir(const struct stage *stage, const char *path)
{
    struct stage_path to;
    int error = stage_path_open(stage->root, path, &to);

    if (error)
        return error;
    if (mkdirat(to.parent, to.name, S_IRWXU | S_IRWXG | S_IRWXO) < 0)
        error = -errno;
    if (!error) {
        error = sync_folder(stage, to.parent);
        if (error)
            (void)unlinkat(to.parent, to.name, AT_REMOVEDIR);
    }
    stage_path_close(&to);
    return error;
}

static int
number_in(int folder, const char *name, int64_t *ret_number)
{
    struct stat st;

    *ret_number = 0;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    *ret_number = (int64_t)st.st_ino;
    return 0;
}

int
stage_number(const struct stage *stage, const char *path, int64_t *ret_number)
{
    struct stage_path at;
    int error = stage_path_open(stage->root, path, &at);

    *ret_number = 0;
    if (error)
        return error == -ENOENT || error == -ENOTDIR ? 0 : error;
    error = number_in(at.parent, at.name, ret_number);
    stage_path_close(&at);
    return error;
}

int
stage_number_staged(const struct stage *stage, const char *name, int64_t *ret_number)
{
    return number_in(stage->folder, name, ret_number);
}

int64_t
stage_free_bytes(const struct stage *stage)
{
    struct statvfs s;

    if (fstatvfs(stage->folder, &s) < 0)
        return -errno;
    return (int64_t)(s.f_bavail * s.f_frsize);
}
