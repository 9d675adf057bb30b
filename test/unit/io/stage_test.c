/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "io/stage.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define NEW "new"

struct fixture {
    char top[64]; /* with "outside" and "root" in it */
    int at, root;
    struct stage stage;
    char told[1024];
    struct out o;
    struct stage_progress progress;
};

static void
write_file(int at, const char *path, const char *text)
{
    int fd = openat(at, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0)
        fail_msg("%s: errno %d", path, errno);
    assert_int_equal(stage_write(fd, slice_text(text)), 0);
    (void)close(fd);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    if (!f)
        return -1;
    (void)snprintf(f->top, sizeof f->top, "/tmp/earnest-stage-XXXXXX");
    if (!mkdtemp(f->top))
        return -1;
    f->at = open(f->top, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(f->at, "outside", 0755), 0);
    write_file(f->at, "outside/secret", "secret");
    assert_int_equal(mkdirat(f->at, "root", 0755), 0);
    f->root = openat(f->at, "root", O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(f->root, "folder", 0755), 0);
    write_file(f->root, "folder/member", "member");
    write_file(f->root, "file", "old");
    assert_int_equal(symlinkat("../outside", f->root, "out"), 0);
    assert_int_equal(symlinkat("folder", f->root, "in"), 0);
    assert_int_equal(symlinkat("nowhere", f->root, "broken"), 0);
    f->o = out_init(f->told, sizeof f->told);
    return stage_open(f->root, true, &f->stage);
}

/* The test of removing trees has shown by then that this can. */
static int
tear_down(void **state)
{
    struct fixture *f = *state;
    struct stage top = {.root = -1, .folder = open("/tmp", O_RDONLY | O_DIRECTORY)};
    int error = stage_remove(&top, f->top + sizeof "/tmp/" - 1);

    stage_close(&f->stage);
    (void)close(f->root);
    (void)close(f->at);
    stage_close(&top);
    free(f);
    return error;
}

/* The content of a file, or what else is there: "/" a folder, "@" a symbolic link, "" nothing. */
static void
there_is(int at, const char *path, const char *expected)
{
    char text[64] = "";
    struct stat st;

    if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        assert_int_equal(errno, ENOENT);
    } else if (!S_ISREG(st.st_mode)) {
        text[0] = S_ISDIR(st.st_mode) ? '/' : '@';
    } else {
        int fd = openat(at, path, O_RDONLY);

        assert_true(read(fd, text, sizeof text - 1) >= 0);
        (void)close(fd);
    }
    if (!slice_eq(slice_text(text), slice_text(expected)))
        fail_msg("%s: %s, not %s", path, text, expected);
}

static unsigned
members(int at)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY);
    DIR *all = fdopendir(fd);
    unsigned n = 0;

    assert_non_null(all);
    while (readdir(all))
        n++;
    (void)closedir(all);
    return n - 2; /* dots */
}

static void
make(struct fixture *f, char name[STAGE_NAME_BYTES])
{
    int fd = stage_create(&f->stage, name);

    assert_true(fd >= 0);
    assert_int_equal(slice_text(name).len, STAGE_NAME_BYTES - 1);
    assert_int_equal(stage_write(fd, ERN_SLICE(NEW)), 0);
    assert_int_equal(stage_sync(&f->stage, fd), 0);
    (void)close(fd);
}

static void
the_folder_is_private(void **state)
{
    struct fixture *f = *state;
    struct stage again;
    struct stat st;
    char name[STAGE_NAME_BYTES];
    int fd;

    assert_int_equal(fstatat(f->root, STAGE_FOLDER, &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
    assert_int_equal(stage_open(f->root, false, &again), 0); /* it is there already */
    make(f, name);
    fd = stage_reopen(&again, name);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), sizeof NEW - 1);
    (void)close(fd);
    assert_int_equal(stage_reopen(&again, "none"), -ENOENT);
    assert_true(stage_free_bytes(&again) > 0);
    stage_close(&again);
    /* a link in its place is not followed */
    assert_int_equal(renameat(f->root, STAGE_FOLDER, f->root, "aside"), 0);
    assert_int_equal(symlinkat("../outside", f->root, STAGE_FOLDER), 0);
    assert_true(stage_open(f->root, false, &again) < 0);
    assert_int_equal(again.folder, -1);
}

static const struct stage_put plain, fresh = {.fresh = true}, into = {.directory_into = true};

static void
staged_files_are_placed(void **state)
{
    static const struct {
        const char *path;
        const struct stage_put *how;
        int error;
        const char *there, *old; /* afterwards; what was replaced */
    } rows[] = {
        {"none", &plain, 0, NEW, ""},
        {"none", &fresh, 0, NEW, ""},
        {"file", &plain, 0, NEW, "old"},
        {"file", &fresh, -EEXIST, "old", ""},
        {"folder", &plain, -EISDIR, "/", ""},
        {"folder", &fresh, -EEXIST, "/", ""},
        {"folder", &into, 0, NEW, "/"},
        {"folder/none", &plain, 0, NEW, ""},
        {"folder/member", &plain, 0, NEW, "member"},
        {"in", &plain, 0, NEW, "@"}, /* a link is replaced, not followed */
        {"broken", &plain, 0, NEW, "@"},
        {"broken", &fresh, -EEXIST, "@", ""},
        {"in/member", &plain, 0, NEW, "member"},
        {"file/none", &plain, -ENOTDIR, NULL, ""},
        {"none/none", &plain, -ENOENT, "", ""},
        {"out/none", &plain, -EXDEV, "", ""},
        {"out/secret", &plain, -EXDEV, "secret", ""},
        {"../none", &plain, -EXDEV, "", ""},
        {"/tmp/earnest-none", &plain, -EXDEV, "", ""},
        {".", &plain, -EINVAL, "/", ""},
        {"..", &plain, -EINVAL, "/", ""},
        {"folder/..", &plain, -EINVAL, "/", ""},
        {"folder/", &plain, -EINVAL, "/", ""},
    };

    tear_down(state);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[STAGE_NAME_BYTES], old[STAGE_NAME_BYTES];
        struct fixture *f;
        int error;

        assert_int_equal(set_up(state), 0);
        f = *state;
        make(f, name);
        error = stage_place(&f->stage, name, rows[i].path, *rows[i].how, old);
        if (error != rows[i].error)
            fail_msg("%s: %d", rows[i].path, error);
        if (rows[i].there)
            there_is(f->root, rows[i].path, rows[i].there);
        if (old[0])
            there_is(f->stage.folder, old, rows[i].old);
        if (error) /* then it is where it was */
            there_is(f->stage.folder, name, NEW);
        there_is(f->at, "outside/secret", "secret");
        if (i + 1 < COUNT(rows))
            assert_int_equal(tear_down(state), 0);
    }
}

static void
modes_are_kept(void **state)
{
    struct fixture *f = *state;
    char name[STAGE_NAME_BYTES], old[STAGE_NAME_BYTES];
    struct stat st;

    assert_int_equal(fchmodat(f->root, "file", 0640, 0), 0);
    make(f, name);
    assert_int_equal(
        stage_place(&f->stage, name, "file", (struct stage_put){.keep_mode = true}, old), 0);
    assert_int_equal(fstatat(f->root, "file", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void
names_are_taken(void **state)
{
    static const struct {
        const char *path;
        int error;
        const char *taken;
    } rows[] = {
        {"file", 0, "old"},      {"file", -ENOENT, ""},      {"folder", 0, "/"},
        {"in", 0, "@"},          {"broken", 0, "@"},         {"out/secret", -EXDEV, ""},
        {"none/x", -ENOENT, ""}, {"../outside", -EXDEV, ""}, {".", -EINVAL, ""},
        {"out", 0, "@"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[STAGE_NAME_BYTES];

        stage_name(name);
        assert_int_equal(stage_take(&f->stage, rows[i].path, name), rows[i].error);
        if (rows[i].error)
            continue;
        there_is(f->root, rows[i].path, "");
        there_is(f->stage.folder, name, rows[i].taken);
        assert_int_equal(stage_remove(&f->stage, name), 0);
        there_is(f->stage.folder, name, "");
    }
    there_is(f->at, "outside/secret", "secret"); /* nothing was removed through a link */
    assert_int_equal(members(f->stage.folder), 0);
    assert_int_equal(stage_remove(&f->stage, "none"), 0);
    assert_int_equal(stage_remove(&f->stage, ""), 0);
}

static void
names_are_moved(void **state)
{
    static const struct {
        const char *from, *to;
        bool fresh;
        int error;
        const char *there, *old;
    } rows[] = {
        {"file", "none", false, 0, "old", ""},
        {"file", "folder/none", true, 0, "old", ""},
        {"file", "folder/member", true, -EEXIST, "member", ""},
        {"file", "folder/member", false, 0, "old", "member"},
        {"file", "folder", false, 0, "old", "/"},
        {"folder", "file", false, 0, "/", "old"},
        {"in", "file", false, 0, "@", "old"},
        {"none", "file", false, -ENOENT, "old", ""},
        {"file", "none/x", false, -ENOENT, "", ""},
        {"folder", "folder/x", false, -EINVAL, "", ""},
        {"file", "out/x", false, -EXDEV, "", ""},
        {"out/secret", "x", false, -EXDEV, "", ""},
        {"file", ".", false, -EINVAL, "/", ""},
    };

    tear_down(state);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char old[STAGE_NAME_BYTES] = "";
        struct fixture *f;
        int error;

        assert_int_equal(set_up(state), 0);
        f = *state;
        if (!rows[i].fresh)
            stage_name(old);
        error = stage_move(&f->stage, rows[i].from, rows[i].to, old);
        if (error != rows[i].error)
            fail_msg("%s to %s: %d", rows[i].from, rows[i].to, error);
        there_is(f->root, rows[i].to, rows[i].there);
        if (!error)
            there_is(f->root, rows[i].from, "");
        if (old[0])
            there_is(f->stage.folder, old, rows[i].old);
        there_is(f->at, "outside/secret", "secret");
        if (i + 1 < COUNT(rows))
            assert_int_equal(tear_down(state), 0);
    }
}

static void
folders_are_made(void **state)
{
    static const struct {
        const char *path;
        int error;
    } rows[] = {{"new", 0},           {"new", -EEXIST},    {"new/new", 0},      {"file", -EEXIST},
                {"file/x", -ENOTDIR}, {"none/x", -ENOENT}, {"broken", -EEXIST}, {"out/x", -EXDEV},
                {"in/x", 0},          {".", -EINVAL}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int error = stage_mkdir(&f->stage, rows[i].path);

        if (error != rows[i].error)
            fail_msg("%s: %d", rows[i].path, error);
    }
    there_is(f->root, "new/new", "/");
    there_is(f->root, "folder/x", "/");
    there_is(f->at, "outside/x", "");
}

/* ---- trees ------------------------------------------------------------------------------------*/

static int
tell_member(struct stage_progress *progress, const char *path, int error)
{
    struct fixture *f =
        (struct fixture *)(void *)((char *)progress - offsetof(struct fixture, progress));

    if (error) {
        out_text(&f->o, path);
        out_char(&f->o, error == -EPERM ? '!' : '?');
    } else {
        out_char(&f->o, '.');
    }
    return f->o.len < 10 ? 0 : -ECANCELED;
}

static void
trees_are_copied(void **state)
{
    struct fixture *f = *state;
    char name[STAGE_NAME_BYTES], path[128];
    const struct timespec times[] = {{1, 0}, {1000000000, 0}};
    struct stat st;

    f->progress.member = tell_member;
    assert_int_equal(symlinkat("../../outside", f->root, "folder/link"), 0);
    assert_int_equal(mkfifoat(f->root, "folder/pipe", 0600), 0);
    assert_int_equal(mkdirat(f->root, "folder/sub", 0750), 0);
    assert_int_equal(utimensat(f->root, "folder/member", times, 0), 0);
    assert_int_equal(stage_copy(&f->stage, "folder", false, &f->progress, name), 0);
    assert_int_equal(f->o.len, 4 + sizeof "pipe!" - 1); /* 4 were copied, the pipe was not */
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/member", name);
    there_is(f->root, path, "member");
    assert_int_equal(fstatat(f->root, path, &st, 0), 0);
    assert_int_equal(st.st_mtime, times[1].tv_sec);
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/link", name);
    there_is(f->root, path, "@");
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/pipe", name);
    there_is(f->root, path, "");
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/sub", name);
    assert_int_equal(fstatat(f->root, path, &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(stage_remove(&f->stage, name), 0);
    /* the folder alone; the root, without what is staged in it */
    assert_int_equal(stage_copy(&f->stage, "folder", true, NULL, name), 0);
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/member", name);
    there_is(f->root, path, "");
    assert_int_equal(unlinkat(f->root, "folder/pipe", 0), 0);
    assert_int_equal(stage_copy(&f->stage, ".", false, NULL, name), 0);
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/folder/member", name);
    there_is(f->root, path, "member");
    (void)snprintf(path, sizeof path, STAGE_FOLDER "/%s/" STAGE_FOLDER, name);
    there_is(f->root, path, "");
}

static void
a_copy_that_ends_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    char name[STAGE_NAME_BYTES], path[32];

    f->progress.member = tell_member;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(path, sizeof path, "folder/%u", i);
        write_file(f->root, path, "x");
    }
    assert_int_equal(stage_copy(&f->stage, "folder", false, &f->progress, name), -ECANCELED);
    assert_int_equal(name[0], '\0');
    assert_int_equal(stage_copy(&f->stage, "none", false, NULL, name), -ENOENT);
    assert_int_equal(stage_copy(&f->stage, "out/secret", false, NULL, name), -EXDEV);
    assert_int_equal(mkfifoat(f->root, "pipe", 0600), 0);
    assert_int_equal(stage_copy(&f->stage, "pipe", false, NULL, name), -EPERM);
    assert_int_equal(members(f->stage.folder), 0);
}

static void
trees_are_counted(void **state)
{
    static const struct {
        const char *path;
        int64_t members, bytes;
    } rows[] = {
        {"file", 1, 3},
        {"folder", 2, 6},
        {"out", 1, 0},
        {"in", 1, 0},
        {".", 7, 9}, /* without the staging folder */
        {"out/secret", -EXDEV, -EXDEV},
    };
    struct fixture *f = *state;
    char name[STAGE_NAME_BYTES];

    make(f, name);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t bytes = stage_bytes(&f->stage, rows[i].path);
        int64_t n = stage_count(&f->stage, rows[i].path);

        if (n != rows[i].members || bytes != rows[i].bytes)
            fail_msg("%s: %lld, %lld", rows[i].path, (long long)n, (long long)bytes);
    }
    assert_int_equal(stage_count(&f->stage, "none"), 0);
}

/* Deeper than any path is long, and than there are descriptors: made by moving trees into trees. */
static void
trees_of_any_depth_are_removed(void **state)
{
    enum { DEPTH = 3000 };
    struct fixture *f = *state;
    char name[STAGE_NAME_BYTES];
    int at = openat(f->root, "folder", O_RDONLY | O_DIRECTORY);

    for (unsigned i = 0; i < DEPTH; i++) {
        int next;

        write_file(at, "file", "x");
        assert_int_equal(mkdirat(at, "side", 0755), 0);
        assert_int_equal(mkdirat(at, "d", 0755), 0);
        next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        (void)close(at);
        at = next;
    }
    (void)close(at);
    stage_name(name);
    assert_int_equal(stage_take(&f->stage, "folder", name), 0);
    assert_int_equal(stage_remove(&f->stage, name), 0);
    assert_int_equal(members(f->stage.folder), 0);
}

static bool
keep_one(void *self, const char *name)
{
    return slice_eq(slice_text(self), slice_text(name));
}

static void
what_was_left_is_swept(void **state)
{
    struct fixture *f = *state;
    char kept[STAGE_NAME_BYTES], other[STAGE_NAME_BYTES], tree[STAGE_NAME_BYTES];

    make(f, kept);
    make(f, other);
    stage_name(tree);
    assert_int_equal(stage_take(&f->stage, "folder", tree), 0);
    stage_sweep(&f->stage, keep_one, kept);
    assert_int_equal(members(f->stage.folder), 1);
    there_is(f->stage.folder, kept, NEW);
}

/* Each opening stands for a process. */
static void
processes_see_each_other(void **state)
{
    struct fixture *f = *state;
    struct stage other;

    assert_int_equal(stage_open(f->root, false, &other), 0);
    assert_true(stage_is_alone(&f->stage));
    assert_false(stage_is_alone(&other));
    assert_int_equal(stage_join(&f->stage), 0); /* no longer alone: others may join */
    assert_int_equal(stage_join(&other), 0);
    assert_false(stage_is_alone(&other));
    stage_close(&f->stage);
    assert_true(stage_is_alone(&other));
    stage_close(&other);
    assert_int_equal(stage_open(f->root, false, &f->stage), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_folder_is_private),  TEST(staged_files_are_placed),
        TEST(modes_are_kept),         TEST(names_are_taken),
        TEST(names_are_moved),        TEST(folders_are_made),
        TEST(trees_are_copied),       TEST(a_copy_that_ends_leaves_nothing),
        TEST(trees_are_counted),      TEST(trees_of_any_depth_are_removed),
        TEST(what_was_left_is_swept), TEST(processes_see_each_other),
    };

    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
