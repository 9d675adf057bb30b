/* SPDX-License-Identifier: Apache-2.0 */
/* finding_test.c - each row of finding.def says what is wrong, where that is written, twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "code/finding.h"

static void
has_one_row_for_nothing(void **state)
{
    const struct finding_row *none = finding_row(FINDING_none);

    (void)state;
    assert_int_equal(FINDING_none, 0);
    assert_int_equal(none->english.len + none->bengali.len, 0);
    for (int f = 0; f < FINDINGS; f++)
        assert_int_equal(finding_row((enum finding)f)->kind == FINDING_NONE, f == FINDING_none);
}

static void
names_each_once(void **state)
{
    (void)state;
    assert_string_equal(finding_row(FINDING_bare_cr)->name, "bare_cr");
    for (int f = 0; f < FINDINGS; f++)
        for (int g = 0; g < f; g++) {
            const struct finding_row *a = finding_row((enum finding)f);
            const struct finding_row *b = finding_row((enum finding)g);

            if (slice_eq(slice_text(a->name), slice_text(b->name)) ||
                slice_eq(a->english, b->english) || slice_eq(a->bengali, b->bengali))
                fail_msg("%s and %s", a->name, b->name);
        }
}

/* Is there a byte outside ASCII? */
static bool
is_foreign(struct ern_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return true;
    return false;
}

static void
says_it_in_a_sentence_of_each_language(void **state)
{
    (void)state;
    for (int f = FINDING_none + 1; f < FINDINGS; f++) {
        const struct finding_row *row = finding_row((enum finding)f);

        if (!slice_ends(row->english, ERN_SLICE(".")) || is_foreign(row->english))
            fail_msg("%s: %s", row->name, row->english.ptr);
        /* U+0964 is the full stop of Bengali */
        if (!slice_ends(row->bengali, ERN_SLICE("\xe0\xa5\xa4")) || !utf8_is(row->bengali))
            fail_msg("%s: %s", row->name, row->bengali.ptr);
    }
}

static void
cites_a_section(void **state)
{
    (void)state;
    for (int f = FINDING_none + 1; f < FINDINGS; f++) {
        struct ern_slice source = slice_text(finding_row((enum finding)f)->source);

        if (!slice_starts(source, ERN_SLICE("RFC ")) &&
            !slice_starts(source, ERN_SLICE("PROXY protocol ")))
            fail_msg("%s", finding_row((enum finding)f)->name);
    }
}

static void
knows_which_are_not_just_malformed(void **state)
{
    (void)state;
    assert_int_equal(finding_row(FINDING_version_unknown)->kind, FINDING_VERSION);
    assert_int_equal(finding_row(FINDING_target_too_long)->kind, FINDING_TOO_LONG);
    assert_int_equal(finding_row(FINDING_field_too_large)->kind, FINDING_TOO_LARGE);
    assert_int_equal(finding_row(FINDING_fields_too_large)->kind, FINDING_TOO_LARGE);
    assert_int_equal(finding_row(FINDING_fields_too_many)->kind, FINDING_TOO_LARGE);
    assert_int_equal(finding_row(FINDING_coding_unknown)->kind, FINDING_CODING);
    assert_int_equal(finding_row(FINDING_timed_out)->kind, FINDING_TIMED_OUT);
    assert_int_equal(finding_row(FINDING_forwarded_node)->kind, FINDING_IGNORED);
    assert_int_equal(finding_row(FINDING_bare_lf)->kind, FINDING_MALFORMED);
    assert_int_equal(finding_row(FINDING_host_missing)->kind, FINDING_MALFORMED);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_row_for_nothing),
        cmocka_unit_test(names_each_once),
        cmocka_unit_test(says_it_in_a_sentence_of_each_language),
        cmocka_unit_test(cites_a_section),
        cmocka_unit_test(knows_which_are_not_just_malformed),
    };

    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
