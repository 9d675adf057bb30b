/* SPDX-License-Identifier: Apache-2.0 */
#include "res/folder.h"

#include "io/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_BYTES = 32768 };

struct folder_names { /* a block of names, each ended by NUL */
    struct folder_names *older;
    size_t used;
    char bytes[NAMES_BYTES];
};

/* Opens the folder. Returns 0, or a negative errno. */
static int
open_folder(struct folder *f)
{
    struct file_info info;
    int fd = file_open(f->root, f->name_at ? f->place : ".", false, &info);

    if (fd < 0)
        return fd;
    f->dir = fdopendir(fd);
    if (!f->dir) {
        int error = -errno;

        (void)close(fd);
        return error;
    }
    if (f->name_at)
        f->place[f->name_at++] = '/'; /* names of members follow from here on */
    return 0;
}

/* What a symbolic link leads to. Returns false if there is nothing. */
static bool
look_along(struct folder *f, struct member *m)
{
    struct file_info info;
    int fd;

    if (m->name.len >= sizeof f->place - f->name_at)
        return false;
    memcpy(f->place + f->name_at, m->name.ptr, m->name.len + 1);
    fd = file_open(f->root, f->place, false, &info);
    m->kind = MEMBER_OUTSIDE;
    if (fd < 0)
        return fd == -EXDEV || fd == -EACCES || fd == -EPERM;
    (void)close(fd);
    m->kind = info.kind == FILE_DIRECTORY ? MEMBER_FOLDER : MEMBER_FILE;
    m->bytes = info.stamp.bytes;
    m->modified_s = info.stamp.modified_s;
    return info.kind != FILE_SPECIAL;
}

/* Looks at a member whose name is set. Returns false if it is none that can be asked for. */
static bool
look(struct folder *f, struct member *m)
{
    struct stat s;

    m->bytes = 0;
    m->modified_s = 0;
    if (fstatat(dirfd(f->dir), m->name.ptr, &s, AT_SYMLINK_NOFOLLOW) < 0)
        return false; /* it has gone since */
    if (S_ISLNK(s.st_mode))
        return look_along(f, m);
    m->kind = S_ISDIR(s.st_mode) ? MEMBER_FOLDER : MEMBER_FILE;
    m->bytes = (uint64_t)s.st_size;
    m->modified_s = s.st_mtim.tv_sec;
    return S_ISDIR(s.st_mode) || S_ISREG(s.st_mode);
}

/* May the client read it? */
static bool
is_shown(const struct folder *f, struct ern_slice name)
{
    char text[PATH_MAX + NAME_MAX + 3];
    struct out o = out_init(text, sizeof text);

    if (!f->request->may)
        return true;
    out_char(&o, '/');
    out_slice(&o, slice_from(f->place, f->place_len));
    if (f->place_len > 0)
        out_char(&o, '/');
    out_slice(&o, name);
    return !o.full && res_may(f->request, out_done(&o), RES_READ);
}

/*
 * Reads on to the next member. Its name lasts until the next call.
 * Returns 1; 0 after the last; or a negative errno.
 */
static int
read_member(struct folder *f, struct member *ret)
{
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(f->dir);
        if (!entry)
            return -errno;
        ret->name = slice_text(entry->d_name);
        if (slice_eq(ret->name, ERN_SLICE(".")) || slice_eq(ret->name, ERN_SLICE("..")) ||
            (ret->name.ptr[0] == '.' && !f->hidden) || slice_eq(ret->name, ERN_SLICE(STAGE_FOLDER)))
            continue;
        if (is_shown(f, ret->name) && look(f, ret))
            return 1;
    }
}

/* Copies a name, with its NUL. Returns false without memory. */
static bool
keep_name(struct folder *f, struct ern_slice *name)
{
    struct folder_names *block = f->names;
    char *at;

    if (!block || NAMES_BYTES - block->used <= name->len) {
        block = malloc(sizeof *block);
        if (!block)
            return false;
        block->older = f->names;
        block->used = 0;
        f->names = block;
    }
    at = block->bytes + block->used;
    memcpy(at, name->ptr, name->len + 1);
    block->used += name->len + 1;
    name->ptr = at;
    return true;
}

/* Remembers a member. Returns false without memory. */
static bool
keep_member(struct folder *f, struct member member)
{
    if (f->members_n == f->members_cap) {
        size_t cap = f->members_cap ? 2 * f->members_cap : 64;
        struct member *more = reallocarray(f->members, cap, sizeof *more);

        if (!more)
            return false;
        f->members = more;
        f->members_cap = cap;
    }
    if (!keep_name(f, &member.name))
        return false;
    f->members[f->members_n++] = member;
    return true;
}

static void
forget_members(struct folder *f)
{
    while (f->names) {
        struct folder_names *older = f->names->older;

        free(f->names);
        f->names = older;
    }
    free(f->members);
    f->members = NULL;
    f->members_n = f->members_cap = 0;
}

/* By name without case, as people look for them; names that differ in case alone bytewise. */
static int
compare_names(struct ern_slice a, struct ern_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)lower(a.ptr[i]), y = (unsigned char)lower(b.ptr[i]);

        if (x != y)
            return x < y ? -1 : 1;
    }
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    order = memcmp(a.ptr, b.ptr, n);
    return order;
}

/* Folders come first, in any order. */
static int
compare(const void *left, const void *right, void *folder)
{
    const struct member *a = left, *b = right;
    const struct folder *f = folder;
    int order = 0;

    if ((a->kind == MEMBER_FOLDER) != (b->kind == MEMBER_FOLDER))
        return a->kind == MEMBER_FOLDER ? -1 : 1;
    if (f->sort == FOLDER_BY_SIZE && a->kind != MEMBER_FOLDER)
        order = (a->bytes > b->bytes) - (a->bytes < b->bytes);
    if (f->sort == FOLDER_BY_MODIFIED)
        order = (a->modified_s > b->modified_s) - (a->modified_s < b->modified_s);
    if (order == 0)
        order = compare_names(a->name, b->name);
    return f->down ? -order : order;
}

bool
folder_init(struct folder *f, const struct res_request *request)
{
    const struct files_route *route = request->route;
    struct ern_slice below = request->below;

    *f = (struct folder){
        .request = request,
        .root = route->root,
        .hidden = route->hidden,
        .sorted_max = route->listing_sorted_max,
    };
    while (below.len && below.ptr[0] == '/')
        below = slice_skip(below, 1);
    while (below.len && below.ptr[below.len - 1] == '/')
        below.len--;
    if (below.len + 1 >= sizeof f->place)
        return false;
    memcpy(f->place, below.ptr, below.len);
    f->place[below.len] = '\0';
    f->name_at = f->place_len = below.len;
    return true;
}

int
folder_read(struct folder *f)
{
    struct member m;
    int got = open_folder(f);

    if (got < 0)
        return got;
    while ((got = read_member(f, &m)) > 0) {
        if ((int64_t)f->members_n >= f->sorted_max) {
            forget_members(f);
            rewinddir(f->dir);
            f->large = true;
            return 0;
        }
        if (!keep_member(f, m))
            return -ENOMEM;
    }
    if (got == 0 && f->members_n)
        qsort_r(f->members, f->members_n, sizeof *f->members, compare, f);
    return got;
}

int
folder_next(struct folder *f, struct member *ret)
{
    if (f->large)
        return read_member(f, ret);
    if (f->next == f->members_n)
        return 0;
    *ret = f->members[f->next++];
    return 1;
}

void
folder_done(struct folder *f)
{
    if (f->dir)
        (void)closedir(f->dir);
    f->dir = NULL;
    forget_members(f);
}
