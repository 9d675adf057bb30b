/* SPDX-License-Identifier: Apache-2.0 */
#include "io/memory.h"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"

enum { FILE_BYTES = 4096, PATH_BYTES = 4096 };

static struct ern_slice
read_file(const char *path, char *text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, cap);

    if (fd >= 0)
        (void)close(fd);
    return slice_from(text, n > 0 ? (size_t)n : 0);
}

static struct ern_slice
take_until(struct ern_slice *rest, char end)
{
    struct ern_slice part = slice_first(*rest, slice_find(*rest, end));

    *rest = slice_skip(*rest, part.len < rest->len ? part.len + 1 : part.len);
    return part;
}

/* Is "memory" among the controllers, with commas between them? */
static bool
has_memory(struct ern_slice controllers)
{
    while (controllers.len > 0)
        if (slice_eq(take_until(&controllers, ','), ERN_SLICE("memory")))
            return true;
    return false;
}

/* What this group and those above it allow; INT64_MAX: anything. */
static int64_t
allowed(const char *mount, const char *controller, struct ern_slice group, const char *file)
{
    char path[PATH_BYTES], text[64];
    int64_t least = INT64_MAX;
    uint64_t n;

    for (;;) {
        struct out o = out_init(path, sizeof path - 1);
        struct ern_slice line;

        out_text(&o, mount);
        out_text(&o, controller);
        out_slice(&o, group);
        out_char(&o, '/');
        out_text(&o, file);
        if (o.full)
            return least;
        path[o.len] = '\0';
        line = read_file(path, text, sizeof text);
        if (u64_parse(slice_first(line, slice_find(line, '\n')), INT64_MAX, &n) &&
            (int64_t)n < least)
            least = (int64_t)n;
        if (group.len == 0)
            return least;
        while (group.len > 0 && group.ptr[group.len - 1] != '/')
            group.len--;
        group.len -= group.len > 0;
    }
}

int64_t
memory_most(const char *groups, const char *mount)
{
    int64_t least = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    char text[FILE_BYTES];
    struct ern_slice rest = read_file(groups, text, sizeof text);

    while (rest.len > 0) { /* "4:memory:/a/b", or of version 2 "0::/a/b" */
        struct ern_slice line = take_until(&rest, '\n'), controllers;
        int64_t most = INT64_MAX;

        (void)take_until(&line, ':');
        controllers = take_until(&line, ':');
        if (controllers.len == 0)
            most = allowed(mount, "", line, "memory.max");
        else if (has_memory(controllers))
            most = allowed(mount, "/memory", line, "memory.limit_in_bytes");
        if (most < least)
            least = most;
    }
    return least;
}

/* What was written to stays: there is no file behind it. */
static int
give_back(struct dl_phdr_info *loaded, size_t size, void *context)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)context;
    for (int i = 0; i < loaded->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &loaded->dlpi_phdr[i];
        uintptr_t start = loaded->dlpi_addr + part->p_vaddr, aligned = start & ~(page - 1);

        if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
            (void)madvise((void *)aligned, start + part->p_memsz - aligned, MADV_DONTNEED);
    }
    return 0;
}

void
memory_give_back(void)
{
    (void)dl_iterate_phdr(give_back, NULL);
}
