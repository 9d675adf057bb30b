/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "res/media.h"

static const char *const extensions[] = {
#define MEDIA(extension, type) extension,
#include "res/media.def"
#undef MEDIA
};

static const char *const types[] = {
#define MEDIA(extension, type) type,
#include "res/media.def"
#undef MEDIA
};

enum { ROWS = sizeof extensions / sizeof *extensions };

static void
check(struct ern_slice name, const char *type)
{
    struct ern_slice got = media_type(name);

    if (!slice_eq(got, slice_text(type)))
        fail_msg("%.*s is %.*s, not %s", (int)name.len, name.ptr, (int)got.len, got.ptr, type);
}

static void
every_row_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct ern_slice extension = slice_text(extensions[i]);
        char name[64] = "some/where.d/name.x.";

        assert_in_range(extension.len, 1, 15);
        memcpy(name + 20, extension.ptr, extension.len);
        check(slice_from(name, 20 + extension.len), types[i]);
        for (size_t j = 20; j < 20 + extension.len; j++)
            if (name[j] >= 'a' && name[j] <= 'z')
                name[j] = (char)(name[j] - 'a' + 'A');
        check(slice_from(name, 20 + extension.len), types[i]);
    }
}

static void
rows_are_sorted_and_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct ern_slice type = slice_text(types[i]);

        for (const char *c = extensions[i]; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'));
        if (i > 0 && strcmp(extensions[i - 1], extensions[i]) >= 0)
            fail_msg("%s stands before %s", extensions[i - 1], extensions[i]);
        if (slice_starts(type, ERN_SLICE("text/")) &&
            !slice_ends(type, ERN_SLICE("; charset=utf-8")))
            fail_msg("%s has no charset", types[i]);
    }
}

static void
names(void **state)
{
    static const struct {
        const char *name, *type;
    } rows[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"/a/b/INDEX.HTML", "text/html; charset=utf-8"},
        {"app.js", "text/javascript; charset=utf-8"},
        {"data.json", "application/json"},
        {"README.md", "text/markdown; charset=utf-8"},
        {"picture.svg", "image/svg+xml"},
        {"site.webmanifest", "application/manifest+json"},
        {"archive.tar.gz", "application/gzip"},
        {"page.html.br", "application/octet-stream"},
        {"README", "text/plain; charset=utf-8"},
        {"readme", "text/plain; charset=utf-8"},
        {"usr/share/doc/x/copyright", "text/plain; charset=utf-8"},
        {"Makefile", "text/plain; charset=utf-8"},
        {"README.", "application/octet-stream"},
        {"README.unknown", "application/octet-stream"},
        {"READMES", "application/octet-stream"},
        {"program", "application/octet-stream"},
        {"html", "application/octet-stream"},
        {"a.html/b", "application/octet-stream"},
        {".html", "text/html; charset=utf-8"},
        {"a.htm", "text/html; charset=utf-8"},
        {"a.ht", "application/octet-stream"},
        {"a.htmll", "application/octet-stream"},
        {"a.0", "application/octet-stream"},
        {"a.zzzz", "application/octet-stream"},
        {"a.an-extension-that-is-longer-than-any", "application/octet-stream"},
        {".", "application/octet-stream"},
        {"", "application/octet-stream"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(slice_text(rows[i].name), rows[i].type);
    check(ERN_SLICE("a.ht\0l"), "application/octet-stream");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(rows_are_sorted_and_well_formed),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
