/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to find a file that is remembered: the one asked for most, and one of many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "bench.h"
#include "res/cache.h"

enum { FILES = 1000 };

static char folder[] = "/tmp/bench_cache.XXXXXX";
static char names[FILES][24];
static struct files_route route;
static struct limits limits;
static struct cache *cache;

static void
remember(const char *name)
{
    struct entry *entry = NULL;
    struct ern_slice path = {name, strlen(name)};
    char file[64];
    FILE *f;

    snprintf(file, sizeof file, "%s%s", folder, name);
    f = fopen(file, "w");
    bench_must(f && fputs("x", f) >= 0 && fclose(f) == 0, "a file is written");
    bench_must(entry_load(&route, path, NULL, 1000000000, false, &entry) == 0 && entry,
               "an entry is loaded");
    cache_put(cache, entry, 0);
    unlink(file);
}

static void
prepare(void)
{
    bench_must(mkdtemp(folder) != NULL, "a folder is made");
    route = (struct files_route){.root = file_open_root(folder)};
    bench_must(route.root >= 0, "the folder is opened");
    limits = limits_standard();
    cache = cache_new(&limits, (struct hash_key){1, 2});
    bench_must(cache != NULL, "a cache is made");
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "/file%05d.txt", i);
        remember(names[i]);
    }
    rmdir(folder);
}

/* Finds a file, `step` further each time. */
static void
find(size_t step, size_t times)
{
    size_t at = 0;

    for (size_t i = 0; i < times; i++) {
        struct ern_slice path = {names[at], strlen(names[at])};
        struct entry *entry = cache_find(cache, &route, path);

        bench_must(entry && cache_is_fresh(cache, entry, 1), "the entry is there");
        cache_pin(entry);
        bench_use(entry);
        cache_unpin(entry);
        at = (at + step) % FILES;
    }
}

static void
find_hot(size_t times)
{
    find(0, times);
}

static void
find_any(size_t times)
{
    find(617, times);
}

static const struct bench benches[] = {
    {"cache_hot", find_hot},
    {"cache_any", find_any},
};

int
main(int argc, char **argv)
{
    int code;

    prepare();
    code = bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
    cache_free(cache);
    close(route.root);
    return code;
}
