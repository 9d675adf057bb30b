/* SPDX-License-Identifier: Apache-2.0 */
/* field_test.c - the fields that are read are found by their names in any case, and only by them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/chars.h"
#include "base/slice.h"
#include "earnest/message.h"

/* The search goes by length, and a set of fields is one word of 64 bits. */
static void
has_its_rows_in_order_of_length(void **state)
{
    size_t before = 0;

    (void)state;
    assert_true(ERN_FIELDS <= 8 * sizeof(struct ern_field_set));
    for (int f = 0; f < ERN_FIELDS; f++) {
        struct ern_slice name = ern_field_name((enum ern_field_id)f);

        if (name.len < before)
            fail_msg("%s stands after a longer one", name.ptr);
        before = name.len;
        for (size_t i = 0; i < name.len; i++)
            assert_true(char_is(name.ptr[i], CHAR_TCHAR));
    }
}

/* Its id is the name in lower case with _ for -. */
static void
names_each_as_its_id_says(void **state)
{
    static const char *const ids[] = {
#define FIELD(name, id, kind, source) #id,
#include "field.def"
#undef FIELD
    };

    (void)state;
    for (int f = 0; f < ERN_FIELDS; f++) {
        struct ern_slice name = ern_field_name((enum ern_field_id)f);

        assert_int_equal(slice_text(ids[f]).len, name.len);
        for (size_t i = 0; i < name.len; i++)
            if (ids[f][i] != (name.ptr[i] == '-' ? '_' : lower(name.ptr[i])))
                fail_msg("%s is %s", name.ptr, ids[f]);
    }
}

static void
finds_each_name_in_any_case(void **state)
{
    (void)state;
    for (int f = 0; f < ERN_FIELDS; f++) {
        struct ern_slice name = ern_field_name((enum ern_field_id)f);
        char other[32];

        assert_int_equal(ern_field_find(name), f);
        assert_true(name.len <= sizeof other);
        for (unsigned pattern = 0; pattern < 4; pattern++) {
            for (size_t i = 0; i < name.len; i++) {
                bool upper =
                    pattern == 0 || (pattern == 2 && i % 2) || (pattern == 3 && i % 2 == 0);
                char c = lower(name.ptr[i]);

                other[i] = upper && c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
            }
            if (ern_field_find(slice_from(other, name.len)) != (enum ern_field_id)f)
                fail_msg("%.*s", (int)name.len, other);
        }
    }
}

/* Is each byte, changed to any other one, a miss? */
static void
check_changed_bytes(enum ern_field_id id)
{
    struct ern_slice name = ern_field_name(id);
    char other[32];

    memcpy(other, name.ptr, name.len);
    for (size_t i = 0; i < name.len; i++) {
        for (int c = 0; c < 256; c++) {
            bool same = lower((char)c) == lower(name.ptr[i]);

            other[i] = (char)c;
            if ((ern_field_find(slice_from(other, name.len)) == id) != same)
                fail_msg("%s with 0x%02x at %zu", name.ptr, (unsigned)c, i);
        }
        other[i] = name.ptr[i];
    }
}

static void
misses_what_is_only_near(void **state)
{
    (void)state;
    for (int f = 0; f < ERN_FIELDS; f++) {
        struct ern_slice name = ern_field_name((enum ern_field_id)f);
        char longer[33] = "X";

        check_changed_bytes((enum ern_field_id)f);
        assert_int_not_equal(ern_field_find(slice_skip(name, 1)), f);
        assert_int_not_equal(ern_field_find(slice_first(name, name.len - 1)), f);
        memcpy(longer + 1, name.ptr, name.len);
        assert_int_not_equal(ern_field_find(slice_from(longer, name.len + 1)), f);
        longer[name.len + 1] = ' ';
        assert_int_equal(ern_field_find(slice_from(longer + 1, name.len + 1)), ERN_FIELDS);
    }
    assert_int_equal(ern_field_find(ERN_SLICE("")), ERN_FIELDS);
    assert_int_equal(ern_field_find(ERN_ABSENT), ERN_FIELDS);
    assert_int_equal(ern_field_find(ERN_SLICE("A-Name-That-Is-Longer-Than-All-Others")),
                     ERN_FIELDS);
}

static void
knows_nothing_of_any_other(void **state)
{
    (void)state;
    assert_true(slice_eq(ern_field_name(ERN_FIELDS), ERN_SLICE("?")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_its_rows_in_order_of_length),
        cmocka_unit_test(names_each_as_its_id_says),
        cmocka_unit_test(finds_each_name_in_any_case),
        cmocka_unit_test(misses_what_is_only_near),
        cmocka_unit_test(knows_nothing_of_any_other),
    };

    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
