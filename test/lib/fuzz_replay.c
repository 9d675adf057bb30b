/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_replay.c - a main() for fuzz targets that any compiler can build: runs the target once on
 * every file of the folders that are named, and reports in TAP. A folder may be missing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned ran;

/* The input lies in memory of exactly its size, so that a sanitizer sees one byte too many. */
static void
run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    rewind(file);
    data = malloc(size > 0 ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    (void)fclose(file);
    printf("# %s\n", path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    printf("ok %u - %s\n", ++ran, path);
    free(data);
}

static void
run_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char file[4096];

        if (entries[i]->d_name[0] != '.') {
            (void)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
            run_file(file);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_folder(argv[i]);
    printf("1..%u\n", ran);
    return 0;
}
