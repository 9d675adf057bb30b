/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "code/text.h"
#include "earnest/status.h"

enum { CODES = 64 };

static bool
has_byte(struct ern_slice text, char c)
{
    return slice_find(text, c) < text.len;
}

/* Bengali letters, U+0980 to U+09FF, are the bytes E0 A6 .. and E0 A7 .. */
static bool
has_bengali(struct ern_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == '\xe0' && (text.ptr[i + 1] == '\xa6' || text.ptr[i + 1] == '\xa7'))
            return true;
    return false;
}

static bool
ends_sentence(struct ern_slice text, enum language language)
{
    if (language == LANGUAGE_BN)
        return slice_ends(text, ERN_SLICE("।")) || slice_ends(text, ERN_SLICE("?"));
    return slice_ends(text, ERN_SLICE(".")) || slice_ends(text, ERN_SLICE("?"));
}

/* What is wrong with one part of a text, or NULL. */
static const char *
fault_of(struct ern_slice text, enum language language)
{
    if (text.len == 0)
        return "is empty";
    if (text.len < 20)
        return "is too short to say anything";
    if (!utf8_is(text))
        return "is not UTF-8";
    if (has_byte(text, '`') || has_byte(text, '\n'))
        return "has markup or more than one line";
    if (has_bengali(text) != (language == LANGUAGE_BN))
        return "is in the wrong language";
    if (!ends_sentence(text, language))
        return "does not end like a sentence";
    return NULL;
}

static unsigned
faults_in(unsigned code, enum language language)
{
    const struct status_text *text = status_text(code, language);
    const char *fault;
    unsigned faults = 0;

    if (!text) {
        print_error("%u: no text in language %d\n", code, (int)language);
        return 1;
    }
    const struct {
        const char *name;
        struct ern_slice text;
    } parts[] = {{"meaning", text->meaning}, {"when", text->when}, {"client", text->client}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fault = fault_of(parts[i].text, language);
        if (fault) {
            print_error("%u, language %d: %s %s\n", code, (int)language, parts[i].name, fault);
            faults++;
        }
    }
    return faults;
}

static void
test_every_code_has_every_text(void **state)
{
    const struct ern_status *status;
    unsigned faults = 0, n = 0;

    (void)state;
    for (; (status = ern_status_at(n)) != NULL; n++)
        for (int language = 0; language < LANGUAGES; language++)
            faults += faults_in(status->code, (enum language)language);
    assert_int_equal(n, CODES);
    assert_int_equal(faults, 0);
}

static void
test_no_two_codes_mean_the_same(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CODES; i++)
        for (unsigned k = 0; k < i; k++)
            for (int language = 0; language < LANGUAGES; language++) {
                const struct status_text *a =
                    status_text(ern_status_at(i)->code, (enum language)language);
                const struct status_text *b =
                    status_text(ern_status_at(k)->code, (enum language)language);

                if (a && b && slice_eq(a->meaning, b->meaning))
                    fail_msg("%u and %u", ern_status_at(i)->code, ern_status_at(k)->code);
            }
}

/* Method, target and version, then fields, then an empty line: what a client could send. */
static const char *
fault_of_example(struct ern_slice request)
{
    if (!slice_ends(request, ERN_SLICE("\r\n\r\n")))
        return "has no empty line at its end";
    if (request.ptr[0] < 'A' || request.ptr[0] > 'Z')
        return "does not begin with a method";
    for (size_t i = 0; i < request.len; i++) {
        if (request.ptr[i] == '\n' && (i == 0 || request.ptr[i - 1] != '\r'))
            return "has a line that ends without CR";
        if ((unsigned char)request.ptr[i] > '~')
            return "has a byte that is not ASCII";
    }
    return NULL;
}

static void
test_every_code_has_an_example(void **state)
{
    const struct ern_status *status;

    (void)state;
    for (unsigned i = 0; (status = ern_status_at(i)) != NULL; i++) {
        struct ern_slice request = status_example(status->code);
        const char *fault;

        if (!slice_is_there(request))
            fail_msg("%u has no example", status->code);
        if (request.len == 0 && status->kind == ERN_RESERVED)
            continue;
        fault = fault_of_example(request);
        if (fault)
            fail_msg("the example of %u %s", status->code, fault);
    }
}

static void
test_what_is_not_registered_has_no_text(void **state)
{
    static const unsigned codes[] = {0, 99, 105, 299, 419, 427, 509, 512, 600, 70000};

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (int language = 0; language < LANGUAGES; language++)
            assert_null(status_text(codes[i], (enum language)language));
        assert_false(slice_is_there(status_example(codes[i])));
    }
    assert_null(status_text(ERN_404_NOT_FOUND, LANGUAGES));
}

static void
test_language_tags(void **state)
{
    (void)state;
    assert_true(slice_eq(language_tag(LANGUAGE_EN), ERN_SLICE("en")));
    assert_true(slice_eq(language_tag(LANGUAGE_BN), ERN_SLICE("bn")));
    assert_false(slice_is_there(language_tag(LANGUAGES)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_every_text),
        cmocka_unit_test(test_no_two_codes_mean_the_same),
        cmocka_unit_test(test_every_code_has_an_example),
        cmocka_unit_test(test_what_is_not_registered_has_no_text),
        cmocka_unit_test(test_language_tags),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
