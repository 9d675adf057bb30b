/* SPDX-License-Identifier: Apache-2.0 */
/* limits_test.c - each row of limits.def: its bounds, its rule, and the member that belongs to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/chars.h"
#include "base/slice.h"
#include "code/limits.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name;
    size_t offset;
} members[] = {
#define LIMIT(name, unit, standard, min, max, rule, bounds) {#name, offsetof(struct limits, name)},
#include "limits.def"
#undef LIMIT
};

/* What a limit can lead to: a rule, or one of the two words that are none. */
static const char *const ends[] = {
    "close",
    "ignore",
#define RULE(status, name, yes, no, source) #name,
#include "rules.def"
#undef RULE
};

static void
has_a_member_for_each_row(void **state)
{
    struct limits limits = limits_standard();
    unsigned i = 0;

    (void)state;
    for (; i < LEN(members); i++) {
        const struct limit_row *row = limits_row(i);

        assert_non_null(row);
        assert_true(slice_eq(row->name, slice_text(members[i].name)));
        assert_ptr_equal(limits_at(&limits, i), (char *)&limits + members[i].offset);
    }
    assert_null(limits_row(i));
    assert_null(limits_row(UINT32_MAX));
}

static void
begins_with_its_standards_within_its_bounds(void **state)
{
    struct limits limits = limits_standard();
    const struct limit_row *row;

    (void)state;
    for (unsigned i = 0; (row = limits_row(i)); i++) {
        assert_true(*limits_at(&limits, i) == row->standard);
        if (row->min < 0 || row->min > row->standard || row->standard > row->max)
            fail_msg("%s", row->name.ptr);
    }
    assert_int_equal(limits.target_bytes_max, 8192);
}

static void
sets_one_member_and_no_other(void **state)
{
    struct limits standard = limits_standard();

    (void)state;
    for (unsigned i = 0; limits_row(i); i++) {
        struct limits limits = standard;

        *limits_at(&limits, i) = -7;
        for (unsigned j = 0; limits_row(j); j++)
            assert_true(*limits_at(&limits, j) == (i == j ? -7 : *limits_at(&standard, j)));
    }
}

static void
leads_to_a_rule_that_there_is(void **state)
{
    const struct limit_row *row;

    (void)state;
    for (unsigned i = 0; (row = limits_row(i)); i++) {
        size_t e = 0;

        while (e < LEN(ends) && !slice_eq(row->rule, slice_text(ends[e])))
            e++;
        if (e == LEN(ends))
            fail_msg("%s leads to %s", row->name.ptr, row->rule.ptr);
    }
}

/* The name is a key of the configuration; the rest stands in the manual. */
static void
says_what_it_is(void **state)
{
    const struct limit_row *row;

    (void)state;
    for (unsigned i = 0; (row = limits_row(i)); i++) {
        for (size_t c = 0; c < row->name.len; c++)
            assert_true(row->name.ptr[c] == '_' || lower(row->name.ptr[c]) == row->name.ptr[c]);
        assert_true(row->unit.len > 0);
        assert_true(row->bounds.len > 0);
        for (unsigned j = 0; j < i; j++)
            assert_false(slice_eq(limits_row(j)->name, row->name));
        if (slice_ends(row->name, ERN_SLICE("_ms")) != slice_eq(row->unit, ERN_SLICE("ms")))
            fail_msg("%s is in %s", row->name.ptr, row->unit.ptr);
    }
}

/* Limits that make sense only together. */
static void
fits_together(void **state)
{
    struct limits limits = limits_standard();

    (void)state;
    assert_true(limits.field_bytes_max <= limits.fields_bytes_max);
    assert_true(limits.chunk_extension_max <= limits.chunk_extensions_max);
    assert_true(limits.connections_address_max <= limits.connections_max);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_member_for_each_row),
        cmocka_unit_test(begins_with_its_standards_within_its_bounds),
        cmocka_unit_test(sets_one_member_and_no_other),
        cmocka_unit_test(leads_to_a_rule_that_there_is),
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(fits_together),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
