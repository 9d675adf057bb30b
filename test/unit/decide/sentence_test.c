/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "decide/sentence.h"

static const struct {
    const char *name, *text[LANGUAGES];
} rows[] = {
#define SENTENCE(name, english, bengali) {#name, {english, bengali}},
#include "sentence.def"
#undef SENTENCE
};

static void
rows_are_those_of_the_rules(void **state)
{
    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, ern_rules_n);
    for (size_t i = 0; i < ern_rules_n; i++) {
        assert_string_equal(rows[i].name, ern_rules[i].name);
        for (unsigned l = 0; l < LANGUAGES; l++)
            assert_true(slice_eq(sentence_of(&ern_rules[i], (enum language)l),
                                 slice_text(rows[i].text[l])));
    }
}

/* The characters of text, which is UTF-8. */
static size_t
characters(struct ern_slice text)
{
    size_t n = 0;

    for (; text.len; n++)
        text = slice_skip(text, utf8_len(text));
    return n;
}

static void
sentences_are_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++) {
        struct ern_slice english = sentence_of(&ern_rules[i], LANGUAGE_EN);
        struct ern_slice bengali = sentence_of(&ern_rules[i], LANGUAGE_BN);

        assert_true(utf8_is(bengali));
        for (size_t j = 0; j < english.len; j++)
            if (english.ptr[j] < ' ' || english.ptr[j] > '~')
                fail_msg("%s: not plain ASCII text", rows[i].name);
        if (!slice_ends(english, ERN_SLICE(".")) || !slice_ends(bengali, ERN_SLICE("\u0964")))
            fail_msg("%s: a sentence does not end", rows[i].name);
        if (english.len > 150 || characters(bengali) > 150)
            fail_msg("%s: too long for a line of explanation", rows[i].name);
        if (slice_find(english, '/') < english.len &&
            slice_starts(slice_skip(english, slice_find(english, '/')), ERN_SLICE("//")))
            fail_msg("%s: names a place", rows[i].name);
    }
}

/* A hidden resource must not be told from a missing one (RFC 9110 15.5.4). */
static void
what_is_hidden_reads_as_missing(void **state)
{
    const struct ern_rule *missing = ern_rule_find(ERN_SLICE("missing"));

    (void)state;
    for (size_t i = 0; i < ern_rules_n; i++)
        for (unsigned l = 0; ern_rules[i].status == missing->status && l < LANGUAGES; l++)
            assert_true(slice_eq(sentence_of(&ern_rules[i], (enum language)l),
                                 sentence_of(missing, (enum language)l)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_the_rules),
        cmocka_unit_test(sentences_are_sentences),
        cmocka_unit_test(what_is_hidden_reads_as_missing),
    };

    return cmocka_run_group_tests_name("sentence", tests, NULL, NULL);
}
