/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/form.h"

static void
expect_text(void (*write)(struct out *o, struct ern_slice text), const char *text,
            const char *wanted)
{
    char room[256];
    struct out o = out_init(room, slice_text(text).len);

    write(&o, slice_text(text));
    assert_false(o.full);
    assert_true(slice_eq(out_done(&o), slice_text(wanted)));
}

static void
urlencoded_gives_its_fields(void **state)
{
    static const struct {
        const char *text, *fields[7];
    } rows[] = {
        {"a=b", {"a", "b"}},
        {"a=b&c=d", {"a", "b", "c", "d"}},
        {"a=b=c", {"a", "b=c"}},
        {"a", {"a", ""}},
        {"a=", {"a", ""}},
        {"=b", {"", "b"}},
        {"=", {"", ""}},
        {"&&a=b&&c&", {"a", "b", "c", ""}},
        {"", {NULL}},
        {"&", {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice rest = slice_text(rows[i].text), name, value;
        size_t n = 0;

        for (; urlencoded_next(&rest, &name, &value); n += 2) {
            assert_true(slice_eq(name, slice_text(rows[i].fields[n])));
            assert_true(slice_eq(value, slice_text(rows[i].fields[n + 1])));
        }
        assert_null(rows[i].fields[n]);
    }
}

static void
urlencoded_is_decoded(void **state)
{
    (void)state;
    expect_text(urlencoded_write, "a+b%20c%2B", "a b c+");
    expect_text(urlencoded_write, "%e0%A6%95", "\xe0\xa6\x95");
    expect_text(urlencoded_write, "100%&%4&%zz", "100%&%4&%zz");
    expect_text(urlencoded_write, "%%41", "%A");
    expect_text(urlencoded_write, "", "");
}

static void
boundaries(void **state)
{
    static const struct {
        const char *type, *boundary;
    } rows[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"multipart/form-data;BOUNDARY=\"a b:c\" ; charset=utf-8;", "a b:c"},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=\"a \"", NULL},
        {"multipart/form-data; boundary=\"a;b\"", NULL},
        {"multipart/form-data; boundary=\"a\\\"b\"", NULL},
        {"multipart/form-data; boundary=a; boundary=b", NULL},
        {"multipart/form-data; boundary=a b", NULL},
        {"multipart/form-data; boundary="
         "0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123456789"},
        {"multipart/form-data; boundary="
         "01234567890123456789012345678901234567890123456789012345678901234567890",
         NULL},
    };
    struct ern_slice boundary;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool good = multipart_boundary(slice_text(rows[i].type), &boundary);

        assert_int_equal(good, rows[i].boundary != NULL);
        assert_true(!good || slice_eq(boundary, slice_text(rows[i].boundary)));
    }
}

static void
multipart_gives_its_parts(void **state)
{
    static const struct {
        const char *content;
        enum multipart_step end;
        const char *parts[5]; /* heads and contents */
    } rows[] = {
        {"--b\r\nH: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
         MULTIPART_END,
         {"H: 1", "one", "", "two"}},
        {"before\r\n--b\r\nH: 1\r\n\r\n\r\n--b-- \t", MULTIPART_END, {"H: 1", ""}},
        {"--b \t\r\nH: 1\r\nI: 2\r\n\r\n\r\n\r\n--b--\r\nafter",
         MULTIPART_END,
         {"H: 1\r\nI: 2", "\r\n"}},
        {"--b\r\nH: 1\r\n\r\n--bb\r\n--b-\n--b\r\n--b-- x\r\n--b--",
         MULTIPART_END,
         {"H: 1", "--bb\r\n--b-\n--b\r\n--b-- x"}},
        {"--b--", MULTIPART_END, {NULL}},
        {"--b\r\nH: 1\r\n\r\none", MULTIPART_BAD, {NULL}},
        {"--b\r\nH: 1\r\n\r\none\r\n--b", MULTIPART_BAD, {NULL}},
        {"--b\r\nH: 1\r\n\r\none\r\n--b\r\n", MULTIPART_BAD, {"H: 1", "one"}},
        {"--b\r\nH: 1\r\n--b--", MULTIPART_BAD, {NULL}},
        {"--b\nH: 1\n\none\n--b--", MULTIPART_BAD, {NULL}},
        {"", MULTIPART_BAD, {NULL}},
        {"no delimiter", MULTIPART_BAD, {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum multipart_step step = MULTIPART_BAD;
        struct multipart_part part;
        struct multipart m;
        size_t n = 0;

        if (multipart_begin(&m, slice_text(rows[i].content), ERN_SLICE("b")))
            for (; (step = multipart_next(&m, &part)) == MULTIPART_PART; n += 2) {
                assert_true(slice_eq(part.head, slice_text(rows[i].parts[n])));
                assert_true(slice_eq(part.content, slice_text(rows[i].parts[n + 1])));
            }
        assert_int_equal(step, rows[i].end);
        assert_null(rows[i].parts[n]);
    }
}

static void
heads_of_parts(void **state)
{
    static const struct {
        const char *head, *name, *filename, *type;
    } rows[] = {
        {"Content-Disposition: form-data; name=\"a\"", "a", NULL, NULL},
        {"content-disposition:FORM-DATA;name=a;filename=\"x y\"\r\nContent-Type: image/png", "a",
         "x y", "image/png"},
        {"X-Any: thing\r\nContent-Disposition: form-data; name=\"\"; filename=\"\"", "", "", NULL},
        {"Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b", "a", NULL, NULL},
        {"", NULL, NULL, NULL},
        {"Content-Type: text/plain", NULL, NULL, NULL},
        {"Content-Disposition: form-data", NULL, NULL, NULL},
        {"Content-Disposition: attachment; name=\"a\"", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"; name=\"b\"", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"; filename=b; filename=c", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
         NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"\r\nContent-Type: a/b\r\nContent-Type: a/b",
         NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"\r\n folded", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\"\r\nno field", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\r\nb\"", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\rb\"", NULL, NULL, NULL},
        {"Content-Disposition: form-data; name=\"a\nb\"", NULL, NULL, NULL},
    };
    struct form_part part;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool good = form_part_read(slice_text(rows[i].head), &part);

        assert_int_equal(good, rows[i].name != NULL);
        if (!good)
            continue;
        assert_true(slice_eq(part.name, slice_text(rows[i].name)));
        assert_int_equal(slice_is_there(part.filename), rows[i].filename != NULL);
        assert_true(slice_eq(part.filename, slice_text(rows[i].filename)));
        assert_true(slice_eq(part.type, slice_text(rows[i].type)));
    }
}

static void
names_of_files(void **state)
{
    (void)state;
    expect_text(form_part_write, "a%22b.txt", "a\"b.txt");
    expect_text(form_part_write, "a\\\"b.txt", "a\"b.txt");
    expect_text(form_part_write, "a%0D%0Ab", "a\r\nb");
    expect_text(form_part_write, "100%41 %2", "100%41 %2");
    expect_text(form_part_write, "C:\\new\\a.txt", "C:\\new\\a.txt");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urlencoded_gives_its_fields),
        cmocka_unit_test(urlencoded_is_decoded),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(multipart_gives_its_parts),
        cmocka_unit_test(heads_of_parts),
        cmocka_unit_test(names_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
