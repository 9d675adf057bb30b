/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg/variant.h"

enum { TEXT_BYTES = 512 };

static void
variants_are_read_and_written(void **state)
{
    static const struct {
        const char *text, *written; /* NULL: the same */
    } rows[] = {
        {"{\"paper.1\" 0.9 {type text/html} {language en}}", NULL}, /* RFC 2295 8.3 */
        {"{\"paper.3\" 1.0 {type application/postscript}\n   {language en}}",
         "{\"paper.3\" 1.0 {type application/postscript} {language en}}"},
        {"{\"index.html\" 1.0 {type text/html} {features tables frames}}", NULL}, /* 6.1 */
        {"{\"HYPERLINK.html\" 0.000001 {type text/html;charset=utf-8}}", NULL},
        {"{\"fallback.html\"}", "{\"fallback.html\" 0.000001}"}, /* RFC 2296 3.1 */
        {"{ \"a\" 1 { TYPE text/plain } {charset utf-8}{length 12} }",
         "{\"a\" 1.0 {type text/plain} {charset utf-8} {length 12}}"},
        {"{\"a\" 0.5 {encoding gzip} {language en, fr-CA}}",
         "{\"a\" 0.5 {language en, fr-CA} {encoding gzip}}"},
        {"{\"a\" 0 {description \"a \\\"page} of\" en} {unknown x {y}}}",
         "{\"a\" 0.0 {description \"a \\\"page} of\"}}"},
        {"# of the house\n proxy-rvsa=\"1.0, {2.5\", {\"a\" 1.}", "{\"a\" 1.0}"},
        {"{\"a\" 0.123456{features a;+1.5}}", "{\"a\" 0.123456 {features a;+1.5}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice list = slice_text(rows[i].text);
        const char *written = rows[i].written ? rows[i].written : rows[i].text;
        char text[TEXT_BYTES];
        struct out o = out_init(text, sizeof text);
        struct variant v;

        if (variant_next(&list, &v) != VARIANT_READ)
            fail_msg("%s is not read", rows[i].text);
        variant_write(&o, &v);
        if (!slice_eq(out_done(&o), slice_text(written)))
            fail_msg("%s is written %.*s", rows[i].text, (int)o.len, o.ptr);
        assert_int_equal(variant_next(&list, &v), VARIANT_END);
    }
}

static void
variants_that_are_none_are_told(void **state)
{
    static const char *const rows[] = {
        "{",
        "{}",
        "{a 1.0}",
        "{\"a}",
        "{\"\" 1.0}",
        "{\"a\" 2}",
        "{\"a\" 1.1}",
        "{\"a\" .5}",
        "{\"a\" 0.1234567}",
        "{\"a\" 1.0 type}",
        "{\"a\" 1.0 {type}}",
        "{\"a\" 1.0 {type text}}",
        "{\"a\" 1.0 {type text/html;charset}x}",
        "{\"a\" 1.0 {type text/html/x}}",
        "{\"a\" 1.0 {language}}",
        "{\"a\" 1.0 {language en_GB}}",
        "{\"a\" 1.0 {charset a b}}",
        "{\"a\" 1.0 {encoding gz ip}}",
        "{\"a\" 1.0 {length -1}}",
        "{\"a\" 1.0 {length 99999999999999999999}}",
        "{\"a\" 1.0 {description a}}",
        "{\"a\" 1.0 {features}}",
        "{\"a\r\nb\" 1.0}",
        "{\"a\" 1.0 {description \"a\r\nb\"}}",
        "{\"a\" 1.0 {{x}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_slice list = slice_text(rows[i]);
        struct variant v;

        if (variant_next(&list, &v) != VARIANT_WRONG)
            fail_msg("%s is not wrong", rows[i]);
        assert_ptr_equal(list.ptr, rows[i]);
    }
}

static void
variants_come_one_after_another(void **state)
{
    struct ern_slice list = ERN_SLICE("{\"a\" 1},{\"b\" 1}\n# {\"c\" 1}\n{\"d\" 1} {\"e\"");
    static const char names[] = "abd";
    struct variant v;

    (void)state;
    for (const char *name = names; *name; name++) {
        assert_int_equal(variant_next(&list, &v), VARIANT_READ);
        assert_true(v.uri.len == 1 && v.uri.ptr[0] == *name);
    }
    assert_int_equal(variant_next(&list, &v), VARIANT_WRONG);
    assert_true(slice_eq(list, ERN_SLICE("{\"e\"")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variants_are_read_and_written),
        cmocka_unit_test(variants_that_are_none_are_told),
        cmocka_unit_test(variants_come_one_after_another),
    };

    return cmocka_run_group_tests_name("variant", tests, NULL, NULL);
}
