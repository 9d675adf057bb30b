/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "io/clock.h"
#include "main/tour_page.h"
#include "res/page.h"

#include "recipes.inc"
#include "world.inc"

const struct ern_slice tour_recipes = {recipes_txt, sizeof recipes_txt};

enum {
    TREE_FILES_MIN = 3000,
    TREE_FILES_MAX = 9000,
    TREE_US = 300000,
    CONF_BYTES = 32768,
    NAME_BYTES = 256,
    OPEN_MAX = 16,
};

struct world {
    int folder;
    const struct tour_ports *ports;
    const char *path;
};

/* Makes the folders that a path leads through; those that are there are as good. */
static void
make_folders(int folder, const char *path)
{
    char name[NAME_BYTES];

    for (size_t i = 0; path[i] && i < sizeof name; i++) {
        name[i] = path[i];
        if (path[i] != '/')
            continue;
        name[i] = '\0';
        (void)mkdirat(folder, name, 0700);
        name[i] = '/';
    }
}

bool
tour_world_write(int folder, const char *path, struct ern_slice content)
{
    int fd;
    bool good = true;

    make_folders(folder, path);
    fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    while (good && content.len) {
        ssize_t n = write(fd, content.ptr, content.len);

        good = n > 0;
        content = slice_skip(content, good ? (size_t)n : 0);
    }
    return close(fd) == 0 && good;
}

/* Writes what a name of the configuration stands for. Returns the length of the name, 0 if it is
 * none. */
static size_t
fill_name(const struct world *w, struct ern_slice text, struct out *o)
{
    const struct {
        struct ern_slice name;
        uint16_t port;
    } ports[] = {
        {ERN_SLICE("$PORTAL"), w->ports->of[TOUR_PORTAL]},
        {ERN_SLICE("$PORT"), w->ports->of[TOUR_SITE]},
        {ERN_SLICE("$FORWARD"), w->ports->of[TOUR_FORWARD]},
        {ERN_SLICE("$GUIDE"), w->ports->guide},
    };

    for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++)
        if (slice_starts(text, ports[i].name)) {
            out_u64(o, ports[i].port);
            return ports[i].name.len;
        }
    if (!slice_starts(text, ERN_SLICE("$DIR")))
        return 0;
    out_text(o, w->path);
    return sizeof "$DIR" - 1;
}

static bool
write_conf(const struct world *w, const char *path, struct ern_slice text)
{
    char conf[CONF_BYTES];
    struct out o = out_init(conf, sizeof conf);

    while (text.len) {
        size_t n = text.ptr[0] == '$' ? fill_name(w, text, &o) : 0;

        if (n == 0)
            out_char(&o, text.ptr[0]);
        text = slice_skip(text, n ? n : 1);
    }
    return !o.full && tour_world_write(w->folder, path, out_done(&o));
}

/* Where the line that begins a file is, or the end. */
static size_t
next_file(struct ern_slice text)
{
    static const char mark[] = "\n== ";
    const char *at = memmem(text.ptr, text.len, mark, sizeof mark - 1);

    return at ? (size_t)(at - text.ptr) + 1 : text.len;
}

static bool
write_files(const struct world *w)
{
    struct ern_slice text = slice_from(world_txt, sizeof world_txt);
    bool good = true;

    while (good && text.len) {
        struct ern_slice file = slice_first(text, next_file(text));
        size_t end = slice_find(file, '\n');
        char path[NAME_BYTES];
        struct out o = out_init(path, sizeof path);
        bool is_conf;

        out_slice(&o, slice_first(slice_skip(file, 3), end - 3));
        out_char(&o, '\0');
        text = slice_skip(text, file.len);
        is_conf = slice_ends(slice_first(file, end), ERN_SLICE(".conf"));
        file = slice_skip(file, end + 1);
        good = !o.full &&
               (is_conf ? write_conf(w, path, file) : tour_world_write(w->folder, path, file));
    }
    return good;
}

/* A tree whose COPY takes its time, on a quick disk and on a slow one: it has as many files as can
 * be written meanwhile. */
static bool
write_tree(const struct world *w)
{
    int64_t end_us = clock_us() + TREE_US;
    bool good = true;

    for (unsigned i = 0; good && i < TREE_FILES_MAX && (i < TREE_FILES_MIN || clock_us() < end_us);
         i++) {
        char path[NAME_BYTES];
        struct out o = out_init(path, sizeof path);

        out_literal(&o, "team/tree/leaf-");
        out_digits(&o, i, 4);
        out_literal(&o, ".txt\0");
        good = tour_world_write(w->folder, path, ERN_SLICE("a leaf\n"));
    }
    return good;
}

bool
tour_world_make(const struct tour_ports *ports, const struct tour_table *table,
                char path[TOUR_PATH_BYTES], const char **ret_why)
{
    const char *place = getenv("TMPDIR");
    struct out o = out_init(path, TOUR_PATH_BYTES);
    struct world w = {.folder = -1, .ports = ports, .path = path};
    bool good;

    out_text(&o, place && place[0] == '/' ? place : "/tmp");
    out_literal(&o, "/earnest-tour.XXXXXX\0");
    good = !o.full && mkdtemp(path) != NULL;
    if (good)
        w.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = w.folder >= 0 && write_files(&w) && write_tree(&w) && tour_pages_write(w.folder, table);
    *ret_why = strerror(errno);
    if (w.folder >= 0)
        (void)close(w.folder);
    return good;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void
tour_world_remove(const char *path)
{
    (void)nftw(path, remove_one, OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}
