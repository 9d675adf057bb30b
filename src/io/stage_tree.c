/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_tree.c - whole trees: copied into the staging folder, removed from it, counted. A walk
 * holds one descriptor a level, and goes no deeper than DEPTH_MAX.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "io/stage_path.h"

enum {
    DEPTH_MAX = 1024,
    REMOVE_DEPTH = 64, /* what lies deeper is brought up, and removed from there */
    COPY_BYTES = 1 << 20,
    LINK_BYTES = PATH_MAX,
};

static bool
is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

struct walk { /* of a tree, member by member */
    int64_t members, bytes;
    struct stage_progress *progress; /* or NULL */
    struct out path;                 /* below the top, of the member that is looked at */
    char *text;
    unsigned depth;
    bool durable; /* what is copied is synced */
};

static int
tell(struct walk *w, int error)
{
    w->members++;
    if (!w->progress)
        return error;
    w->path.ptr[w->path.len] = '\0';
    return w->progress->member(w->progress, w->path.ptr, error);
}

/* Adds a name to the path, and takes it away again: the length before it. */
static size_t
enter(struct walk *w, const char *name)
{
    size_t before = w->path.len;

    if (before)
        out_char(&w->path, '/');
    out_text(&w->path, name);
    return before;
}

static void
leave(struct walk *w, size_t before)
{
    w->path.len = before;
    w->path.full = false;
}

static int
walk_begin(struct walk *w, struct stage_progress *progress)
{
    enum { PATH_BYTES = 1 << 18 /* DEPTH_MAX names of the longest kind do not come up */ };

    *w = (struct walk){.progress = progress, .text = malloc(PATH_BYTES)};
    if (!w->text)
        return -ENOMEM;
    w->path = out_init(w->text, PATH_BYTES - 1);
    return 0;
}

/* ---- copying -----------------------------------------------------------------------------------
 */

static int copy_member(struct walk *w, int from, const char *from_name, int to, const char *to_name,
                       bool shallow);

/* By reflink, else within the kernel, else by hand. */
static int
copy_content(int from, int to, int64_t *ret_bytes)
{
    char *bytes = NULL;
    int error = 0;

    *ret_bytes = 0;
    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    while (!error) {
        ssize_t n = bytes ? 0 : copy_file_range(from, NULL, to, NULL, COPY_BYTES, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
            return -errno;
        if (n == 0 && !bytes)
            break;
        if (n > 0) {
            *ret_bytes += n;
            continue;
        }
        if (!bytes)
            bytes = malloc(COPY_BYTES);
        n = bytes ? read(from, bytes, COPY_BYTES) : -1;
        if (n < 0 && bytes && errno == EINTR)
            continue;
        if (n <= 0) {
            error = !bytes ? -ENOMEM : n < 0 ? -errno : 0;
            break;
        }
        error = stage_write(to, slice_from(bytes, (size_t)n));
        *ret_bytes += n;
    }
    free(bytes);
    return error;
}

static void
keep_times(int fd, const struct stat *st)
{
    const struct timespec times[] = {st->st_atim, st->st_mtim};

    (void)fchmod(fd, st->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO));
    (void)futimens(fd, times);
}

static int
copy_file(struct walk *w, int from, int to_folder, const char *to_name, const struct stat *st)
{
    int to = openat(to_folder, to_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    int64_t bytes;
    int error;

    if (to < 0)
        return -errno;
    error = copy_content(from, to, &bytes);
    w->bytes += bytes;
    if (!error)
        keep_times(to, st);
    if (!error && w->durable && fsync(to) < 0)
        error = -errno;
    if (close(to) < 0 && !error)
        error = -errno;
    if (error)
        (void)unlinkat(to_folder, to_name, 0);
    return error;
}

static int
copy_link(int from, const char *from_name, int to, const char *to_name)
{
    char target[LINK_BYTES];
    ssize_t n = readlinkat(from, from_name, target, sizeof target - 1);

    if (n < 0)
        return -errno;
    target[n] = '\0';
    return symlinkat(target, to, to_name) < 0 ? -errno : 0;
}

/* Everything within an open folder; it is closed. */
static int
copy_all(struct walk *w, int from, int to)
{
    DIR *members = fdopendir(from);
    const struct dirent *d;
    int error = 0;

    if (!members) {
        error = -errno;
        (void)close(from);
        return error;
    }
    while (!error && (errno = 0, d = readdir(members)) != NULL) {
        size_t before;

        if (is_dots(d->d_name) ||
            (w->depth == 1 && strncmp(d->d_name, STAGE_FOLDER, sizeof STAGE_FOLDER) == 0))
            continue;
        before = enter(w, d->d_name);
        error = w->path.full ? tell(w, -ENAMETOOLONG)
                             : copy_member(w, dirfd(members), d->d_name, to, d->d_name, false);
        leave(w, before);
    }
    if (!error && errno)
        error = -errno;
    (void)closedir(members);
    return error;
}

static int
copy_folder(struct walk *w, int from, int to_folder, const char *to_name, bool shallow)
{
    struct stat st;
    int to, error;

    if (w->depth == DEPTH_MAX || fstat(from, &st) < 0 || mkdirat(to_folder, to_name, S_IRWXU) < 0) {
        error = w->depth == DEPTH_MAX ? -ENAMETOOLONG : -errno;
        (void)close(from);
        return error;
    }
    to = openat(to_folder, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0) {
        error = -errno;
        (void)close(from);
        return error;
    }
    error = tell(w, 0);
    w->depth++;
    if (!error && !shallow)
        error = copy_all(w, from, to);
    else
        (void)close(from);
    w->depth--;
    if (!error)
        keep_times(to, &st);
    if (!error && w->durable && fsync(to) < 0)
        error = -errno;
    (void)close(to);
    return error;
}

/* Is the walk to end with this error, or is it the member's own? */
static bool
ends_walk(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -ECANCELED || error == -ENOMEM ||
           error == -EROFS || error == -EIO;
}

static int
copy_member(struct walk *w, int from, const char *from_name, int to, const char *to_name,
            bool shallow)
{
    struct stat st;
    int fd, error;

    if (fstatat(from, from_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tell(w, -errno);
    if (S_ISLNK(st.st_mode))
        return tell(w, copy_link(from, from_name, to, to_name));
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return tell(w, -EPERM);
    fd = openat(from, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return tell(w, -errno);
    if (S_ISDIR(st.st_mode)) {
        error = copy_folder(w, fd, to, to_name, shallow);
        return error == -EACCES || error == -ENAMETOOLONG ? tell(w, error) : error;
    }
    error = copy_file(w, fd, to, to_name, &st);
    (void)close(fd);
    return ends_walk(error) ? error : tell(w, error);
}

int
stage_copy(const struct stage *stage, const char *from_path, bool shallow,
           struct stage_progress *progress, char ret_name[STAGE_NAME_BYTES])
{
    struct stage_path from = {.parent = -1};
    bool is_root = from_path[0] == '.' && from_path[1] == '\0';
    struct walk w;
    int error = is_root ? 0 : stage_path_open(stage->root, from_path, &from);

    ret_name[0] = '\0';
    if (error)
        return error;
    error = walk_begin(&w, progress);
    w.durable = stage->durable;
    if (!error) {
        stage_name(ret_name);
        error = copy_member(&w, is_root ? stage->root : from.parent, is_root ? "." : from.name,
                            stage->folder, ret_name, shallow);
    }
    free(w.text);
    stage_path_close(&from);
    if (error && ret_name[0]) {
        (void)!stage_remove(stage, ret_name);
        ret_name[0] = '\0';
    }
    return error;
}

/* ---- removing, counting
 * -------------------------------------------------------------------------- */

struct removal {    /* of a tree */
    int top;        /* its first folder, while that is open */
    bool flattened; /* a part that lay too deep is in the first folder now */
};

static int remove_member(struct removal *r, int folder, const char *name, unsigned depth);

/* Everything within an open folder; it is closed. */
static int
remove_all(struct removal *r, int fd, unsigned depth)
{
    DIR *members = fdopendir(fd);
    const struct dirent *d;
    int error = 0;

    if (!members) {
        error = -errno;
        (void)close(fd);
        return error;
    }
    if (depth == 0)
        r->top = fd;
    while ((d = readdir(members)) != NULL) {
        if (!is_dots(d->d_name)) {
            int one = remove_member(r, dirfd(members), d->d_name, depth + 1);

            error = error ? error : one;
        }
    }
    (void)closedir(members);
    return error;
}

/* A folder that lies too deep goes to the top, to be removed from there. */
static int
flatten(struct removal *r, int folder, const char *name)
{
    char flat[STAGE_NAME_BYTES];

    stage_name(flat);
    r->flattened = true;
    return renameat(folder, name, r->top, flat) < 0 ? -errno : 0;
}

static int
remove_member(struct removal *r, int folder, const char *name, unsigned depth)
{
    int fd, error;

    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth == REMOVE_DEPTH)
        return flatten(r, folder, name);
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)fchmod(fd, S_IRWXU); /* a folder that was read-only can be emptied all the same */
    error = remove_all(r, fd, depth);
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && !error)
        error = -errno;
    return error;
}

int
stage_remove(const struct stage *stage, const char *name)
{
    struct removal r;
    int error = 0;

    if (!name[0])
        return 0;
    do {
        r = (struct removal){.top = -1};
        error = remove_member(&r, stage->folder, name, 0);
    } while (error == -ENOTEMPTY && r.flattened);
    return error;
}

static int
count_member(struct walk *w, int folder, const char *name)
{
    struct stat st;
    DIR *members;
    const struct dirent *d;
    int fd, error = 0;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    w->members++;
    if (S_ISREG(st.st_mode))
        w->bytes += st.st_size;
    if (!S_ISDIR(st.st_mode) || w->depth == DEPTH_MAX)
        return 0;
    fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    members = fd < 0 ? NULL : fdopendir(fd);
    if (!members) {
        if (fd >= 0)
            (void)close(fd);
        return 0; /* what cannot be read is counted as one */
    }
    w->depth++;
    while (!error && (d = readdir(members)) != NULL)
        if (!is_dots(d->d_name) &&
            !(w->depth == 1 && strncmp(d->d_name, STAGE_FOLDER, sizeof STAGE_FOLDER) == 0))
            error = count_member(w, dirfd(members), d->d_name);
    w->depth--;
    (void)closedir(members);
    return error;
}

static int
count_tree(const struct stage *stage, const char *path, struct walk *w)
{
    struct stage_path at = {.parent = -1};
    bool is_root = path[0] == '.' && path[1] == '\0';
    int error = is_root ? 0 : stage_path_open(stage->root, path, &at);

    *w = (struct walk){.progress = NULL};
    if (!error)
        error = count_member(w, is_root ? stage->root : at.parent, is_root ? "." : at.name);
    stage_path_close(&at);
    return error;
}

int64_t
stage_count(const struct stage *stage, const char *path)
{
    struct walk w;
    int error = count_tree(stage, path, &w);

    return error ? error : w.members;
}

int64_t
stage_bytes(const struct stage *stage, const char *path)
{
    struct walk w;
    int error = count_tree(stage, path, &w);

    return error ? error : w.bytes;
}

void
stage_sweep(const struct stage *stage, bool (*keep)(void *self, const char *name), void *self)
{
    int fd = openat(stage->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *members = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *d;

    if (!members) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((d = readdir(members)) != NULL)
        if (!is_dots(d->d_name) && !keep(self, d->d_name))
            (void)!stage_remove(stage, d->d_name);
    (void)closedir(members);
}
