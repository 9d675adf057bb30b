/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "msg/prefer.h"

static const struct {
    const char *line1, *line2;
    const char *written; /* all that was understood */
} preferences[] = {
    {"respond-async, wait=100", "handling=lenient", /* RFC 7240 2 */
     "respond-async, handling=lenient, wait=100"},
    {"handling=lenient, wait=100, respond-async", NULL,
     "respond-async, handling=lenient, wait=100"},
    {"respond-async, wait=10", "priority=5", "respond-async, wait=10"},
    {"Lenient", NULL, ""},
    {"return=minimal; foo=\"some parameter\"", NULL, "return=minimal"},
    {"return=representation", NULL, "return=representation"},
    {"handling=strict", NULL, "handling=strict"},
    {NULL, NULL, ""},
    {"", "", ""},
    {"RESPOND-ASYNC", NULL, "respond-async"},
    {"Return=minimal", NULL, "return=minimal"},
    {"return=Minimal", NULL, ""}, /* values are case-sensitive */
    {"return=\"minimal\"", NULL, "return=minimal"},
    {"return=\"mini\\mal\"", NULL, "return=minimal"},
    {"return = minimal", NULL, "return=minimal"}, /* BWS around "=" */
    {"respond-async=\"\"", NULL, "respond-async"},
    {"respond-async=", NULL, "respond-async"},
    {"respond-async=yes", NULL, ""},
    {"respond-async; x=\"a;b,c\" ;y", "wait=1", "respond-async, wait=1"},
    {"return=minimal, return=representation", NULL, "return=minimal"},
    {"return=representation", "return=minimal", "return=representation"},
    {"return=other, return=minimal", NULL, ""}, /* only the first instance is considered */
    {"handling=lenient, handling=strict", NULL, "handling=lenient"},
    {"wait=5, wait=6", NULL, "wait=5"},
    {"wait=0", NULL, "wait=0"},
    {"wait=\"7\"", NULL, "wait=7"},
    {"wait=2147483647", NULL, "wait=2147483647"},
    {"wait=2147483648", NULL, "wait=2147483647"},
    {"wait=99999999999999999999999", NULL, "wait=2147483647"},
    {"wait", NULL, ""},
    {"wait=", NULL, ""},
    {"wait=-1", NULL, ""},
    {"wait=1.5", NULL, ""},
    {"wait=x", NULL, ""},
    {"wait=x, wait=5", NULL, ""},
    {"wait=(1), wait=5", NULL, "wait=5"}, /* malformed: as if it were not there */
    {"return=\"minimal, wait=5", NULL, ""},
    {"return=\"minimal\"x, wait=5", NULL, "wait=5"},
    {"=minimal, wait=5", NULL, "wait=5"},
    {"return minimal, wait=5", NULL, "wait=5"},
    {"return=\"minimal\\\"", NULL, ""},
    {"return=\"", NULL, ""},
};

static void
prefer_reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++) {
        struct ern_field fields[2];
        struct ern_request r;
        struct prefer prefer;
        char buffer[128];
        struct out o = out_init(buffer, sizeof buffer);

        ern_request_init(&r, fields, 2);
        if (preferences[i].line1)
            assert_true(ern_request_add(&r, ERN_SLICE("Prefer"), slice_text(preferences[i].line1)));
        if (preferences[i].line2)
            assert_true(ern_request_add(&r, ERN_SLICE("prefer"), slice_text(preferences[i].line2)));
        prefer = prefer_read(&r);
        prefer_write(&o, &prefer);
        if (!slice_eq(out_done(&o), slice_text(preferences[i].written)))
            fail_msg("%s: %.*s, not %s", preferences[i].line1, (int)o.len, buffer,
                     preferences[i].written);
        assert_false(prefer.return_minimal && prefer.return_representation);
        assert_false(prefer.handling_strict && prefer.handling_lenient);
    }
}

static void
prefer_writes_all_at_once(void **state)
{
    const struct prefer prefer = {.respond_async = true,
                                  .return_representation = true,
                                  .handling_strict = true,
                                  .wait_s = 12};
    char buffer[64];
    struct out o = out_init(buffer, sizeof buffer);

    (void)state;
    prefer_write(&o, &prefer);
    assert_true(slice_eq(
        out_done(&o), ERN_SLICE("respond-async, return=representation, handling=strict, wait=12")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefer_reads_and_writes),
        cmocka_unit_test(prefer_writes_all_at_once),
    };

    return cmocka_run_group_tests_name("prefer", tests, NULL, NULL);
}
