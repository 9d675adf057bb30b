/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "decide/question.h"

static void
every_fact_has_its_question_in_every_language(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ERN_FACTS; i++) {
        enum ern_fact fact = (enum ern_fact)i;
        struct ern_slice english = question_of(fact, LANGUAGE_EN);
        struct ern_slice bengali = question_of(fact, LANGUAGE_BN);

        assert_true(slice_eq(english, slice_text(ern_fact_question(fact))));
        if (slice_eq(english, bengali))
            fail_msg("question.def has no row for %s", ern_fact_name(fact));
        assert_true(utf8_is(bengali));
        assert_in_range(bengali.len, 10, 300);
        assert_true(slice_find(bengali, '?') < bengali.len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_has_its_question_in_every_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
