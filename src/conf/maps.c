/* SPDX-License-Identifier: Apache-2.0 */
/* maps.c - do the type maps of a folder lead to files? */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "res/choices.h"

enum {
    PATH_BYTES = 4096,
    DEPTH_MAX = 32,     /* folders in folders */
    LOOKS_MAX = 100000, /* names that are looked at, so that a check ends */
};

struct walk {
    struct conf_errors *errors;
    struct conf_position at; /* where the configuration names the folder */
    struct files_route route;
    unsigned depth, looks;
    struct out path; /* relative to the root */
    char text[PATH_BYTES];
};

static void
warn(struct walk *w, const struct conf_say *say)
{
    conf_warn(w->errors, w->at, say);
}

/* Is what the map lists there, and is it a file? */
static void
check_choice(struct walk *w, struct ern_slice map, const struct choice *choice)
{
    struct ern_slice name = slice_skip(choice->path, 1);
    char path[PATH_BYTES];
    struct out o = out_init(path, sizeof path);
    struct file_info info;
    struct choices *own;

    out_slice(&o, name);
    out_char(&o, '\0');
    if (o.full || (file_look(w->route.root, path, &info) == 0 && info.kind == FILE_REGULAR &&
                   !slice_ends(name, ERN_SLICE(".var"))))
        return;
    if (choices_find(&w->route, name, NULL, false, &own) == 0) {
        free(own);
        warn(w, CONF_SAY("the type map \"%1\" lists \"%2\", which is negotiated itself (506)",
                         "list the files that it stands for", map, choice->variant.uri));
    } else {
        warn(w, CONF_SAY("the type map \"%1\" lists \"%2\", which is not there",
                         "make it, or take it out of the list", map, choice->variant.uri));
    }
}

/* Looks at the map whose path is in w->path. */
static void
check_map(struct walk *w)
{
    struct ern_slice map = out_done(&w->path);
    struct choices *choices;
    int error = choices_find(&w->route, map, NULL, false, &choices);

    if (error) {
        warn(w, CONF_SAY("\"%1\" is no type map",
                         "write a list as in {\"page.en.html\" 1.0 {type text/html} {language en}}",
                         map));
        return;
    }
    for (unsigned i = 0; i < choices->n; i++)
        if (slice_is_there(choices->choice[i].path))
            check_choice(w, map, &choices->choice[i]);
    free(choices);
}

static void
walk(struct walk *w, DIR *dir)
{
    const struct dirent *entry;
    size_t len = w->path.len;

    while (w->looks < LOOKS_MAX && (entry = readdir(dir))) {
        struct ern_slice name = slice_text(entry->d_name);
        struct file_info info;
        int fd;

        w->looks++;
        w->path.len = len;
        out_text(&w->path, len ? "/" : "");
        out_slice(&w->path, name);
        if (w->path.full || name.ptr[0] == '.') {
            w->path.full = false;
        } else if (slice_ends(name, ERN_SLICE(".var")) && entry->d_type == DT_REG) {
            check_map(w);
        } else if (entry->d_type == DT_DIR && w->depth < DEPTH_MAX && w->path.len < w->path.cap) {
            DIR *below;

            w->text[w->path.len] = '\0';
            fd = file_open(w->route.root, w->text, false, &info);
            below = fd < 0 ? NULL : fdopendir(fd);
            w->depth++;
            if (below)
                walk(w, below);
            else if (fd >= 0)
                (void)close(fd);
            w->depth--;
        }
    }
    w->path.len = len;
    (void)closedir(dir);
}

static void
check_route(const struct conf *conf, const struct conf_route *route, struct conf_errors *errors)
{
    struct walk w = {
        .errors = errors,
        .at = route->place.given[CONF_route_files].value,
        .route = {.root = file_open_root(route->files.ptr), .limits = &conf->limits},
    };
    struct file_info info;
    int fd = w.route.root < 0 ? -1 : file_open(w.route.root, ".", false, &info);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    w.path = out_init(w.text, sizeof w.text);
    if (dir)
        walk(&w, dir);
    else if (fd >= 0)
        (void)close(fd);
    if (w.route.root >= 0)
        (void)close(w.route.root);
}

void
conf_check_maps(const struct conf *conf, struct conf_errors *errors)
{
    errors->file = conf->file ? conf->file : "the command line";
    for (size_t i = 0; i < conf->sites_n; i++)
        for (size_t j = 0; j < conf->sites[i].routes_n; j++)
            if (conf->sites[i].routes[j].variants)
                check_route(conf, &conf->sites[i].routes[j], errors);
    conf_errors_sort(errors);
}
