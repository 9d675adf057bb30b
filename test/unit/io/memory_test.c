/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/memory.h"

struct tree {
    char root[64], groups[96];
};

static void
put(const struct tree *t, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", t->root, name);
    for (char *slash = path + strlen(t->root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        (void)mkdir(path, 0700);
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
    struct tree *t = calloc(1, sizeof *t);

    assert_non_null(t);
    (void)snprintf(t->root, sizeof t->root, "/tmp/earnest-memory-XXXXXX");
    assert_non_null(mkdtemp(t->root));
    (void)snprintf(t->groups, sizeof t->groups, "%s/self", t->root);
    *state = t;
    return 0;
}

static int
tear_down(void **state)
{
    struct tree *t = *state;
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", t->root);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a path of our own
    free(t);
    return 0;
}

static void
the_least_of_all_counts(void **state)
{
    const struct tree *t = *state;
    int64_t machine = memory_most("/nowhere", t->root);

    assert_true(machine > 1 << 20);
    put(t, "self", "0::/a/b\n");
    assert_int_equal(memory_most(t->groups, t->root), machine); /* there are no files */
    put(t, "a/b/memory.max", "max\n");
    assert_int_equal(memory_most(t->groups, t->root), machine);
    put(t, "a/memory.max", "67108864\n");
    assert_int_equal(memory_most(t->groups, t->root), 67108864);
    put(t, "a/b/memory.max", "33554432\n");
    assert_int_equal(memory_most(t->groups, t->root), 33554432);
    put(t, "memory.max", "16777216\n");
    assert_int_equal(memory_most(t->groups, t->root), 16777216);
}

static void
version_one_is_read_too(void **state)
{
    const struct tree *t = *state;
    int64_t machine = memory_most("/nowhere", t->root);

    put(t, "self", "5:cpu,memory:/x\n4:memoryless:/y\n0::/\n");
    put(t, "memory/x/memory.limit_in_bytes", "9223372036854771712\n"); /* none is set */
    put(t, "memory/y/memory.limit_in_bytes", "1\n");
    assert_int_equal(memory_most(t->groups, t->root), machine);
    put(t, "memory/memory.limit_in_bytes", "50331648\n");
    assert_int_equal(memory_most(t->groups, t->root), 50331648);
}

/* Kibibytes of ours that are resident, and are a file's. */
static long
resident_files(void)
{
    char line[256];
    long kib, sum = 0;
    FILE *file = fopen("/proc/self/status", "r");

    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssFile: %ld", &kib) == 1)
            sum += kib;
    assert_int_equal(fclose(file), 0);
    return sum;
}

static void
what_was_written_to_stays(void **state)
{
    static char text[] = "before";
    long before = resident_files();

    (void)state;
    text[0] = 'B';
    memory_give_back();
    assert_true(resident_files() < before);
    assert_string_equal(text, "Before");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_least_of_all_counts, set_up, tear_down),
        cmocka_unit_test(what_was_written_to_stays),
        cmocka_unit_test_setup_teardown(version_one_is_read_too, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
