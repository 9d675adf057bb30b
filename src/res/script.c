/* SPDX-License-Identifier: Apache-2.0 */
#include "res/script.h"

#include <errno.h>

#include "base/slice.h"
#include "io/file.h"

bool
script_has_suffix(const struct script_route *route, struct ern_slice path)
{
    for (size_t i = 0; i < route->suffixes_n; i++)
        if (slice_ends(path, route->suffixes[i]))
            return true;
    return route->suffixes_n == 0;
}

/* What a path below the folder, from its slash, is: FILE_REGULAR and so on, or a negative errno. */
static int
look(const struct script_route *route, struct ern_slice path)
{
    char name[PATH_MAX];
    struct file_info info;
    int error;

    path = slice_skip(path, 1);
    if (path.len >= sizeof name)
        return -ENAMETOOLONG;
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    error = file_look(route->files.root, path.len ? name : ".", &info);
    return error ? error : (int)info.kind;
}

static enum script_kind
kind_of_error(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG ? SCRIPT_MISSING
                                                                           : SCRIPT_UNREADABLE;
}

/* The path names a folder: which of its files stands for it? */
static void
find_index(const struct script_route *route, struct ern_slice folder, struct out *memory,
           struct script *ret)
{
    for (size_t i = 0; i < FILES_INDEXES && slice_is_there(route->files.indexes[i]); i++) {
        struct ern_slice path;

        memory->len = 0;
        out_slice(memory, folder);
        out_slice(memory, route->files.indexes[i]);
        path = out_done(memory);
        if (memory->full || look(route, path) != FILE_REGULAR)
            continue;
        ret->kind = script_has_suffix(route, path) ? SCRIPT_RUNS : SCRIPT_PLAIN;
        ret->name = path;
        return;
    }
    ret->kind = route->suffixes_n ? SCRIPT_PLAIN : SCRIPT_MISSING;
}

/* A file was found, at the beginning of the path. */
static void
take_file(const struct script_route *route, struct ern_slice name, struct ern_slice rest,
          struct script *ret)
{
    if (script_has_suffix(route, name))
        *ret = (struct script){SCRIPT_RUNS, name, rest};
    else
        ret->kind = rest.len ? SCRIPT_MISSING : SCRIPT_PLAIN;
}

/* Follows the path name by name, up to the first that is no folder. */
static void
follow(const struct script_route *route, struct ern_slice path, struct out *memory,
       struct script *ret)
{
    for (size_t at = 1; at < path.len;) {
        size_t end = at + slice_find(slice_skip(path, at), '/');
        int found = look(route, slice_first(path, end));

        if (found == FILE_REGULAR) {
            take_file(route, slice_first(path, end), slice_skip(path, end), ret);
            return;
        }
        if (found != FILE_DIRECTORY) {
            ret->kind = found < 0 ? kind_of_error(found) : SCRIPT_UNREADABLE;
            return;
        }
        if (end == path.len) {
            ret->kind = SCRIPT_UNSLASHED;
            return;
        }
        at = end + 1;
    }
    find_index(route, path, memory, ret);
}

void
script_find(const struct script_route *route, struct ern_slice path, struct out *memory,
            struct script *ret)
{
    *ret = (struct script){SCRIPT_MISSING, ERN_SLICE(""), ERN_SLICE("")};
    follow(route, path, memory, ret);
    if (!slice_is_there(route->fallback))
        return;
    if (ret->kind == SCRIPT_MISSING ||
        (ret->kind == SCRIPT_PLAIN && slice_ends(path, ERN_SLICE("/")) && ret->name.len == 0))
        *ret = (struct script){SCRIPT_RUNS, route->fallback, ERN_SLICE("")};
}

bool
script_is_plain(const struct script_route *route, struct ern_slice path)
{
    if (route->suffixes_n == 0 || slice_is_there(route->fallback) ||
        slice_ends(path, ERN_SLICE("/")))
        return false;
    for (size_t at = 1; at < path.len;) {
        size_t end = at + slice_find(slice_skip(path, at), '/');

        if (script_has_suffix(route, slice_first(path, end)))
            return false;
        at = end + 1;
    }
    return true;
}
