/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/feature.h"

static struct ern_request
request_with(struct ern_field *field, const char *value)
{
    struct ern_request r;

    ern_request_init(&r, field, 1);
    if (value)
        assert_true(ern_request_add(&r, ERN_SLICE("Accept-Features"), slice_text(value)));
    return r;
}

enum truth { NO, YES, UNKNOWN, MALFORMED };

/* Does a predicate hold? Told by what it makes of a quality when it does, and when not; of what is
 * unknown the better is taken. */
static enum truth
truth_of(const struct ern_request *request, const char *predicate)
{
    enum { BUFFER = 128 };
    unsigned factor[2];

    for (int i = 0; i < 2; i++) {
        char list[BUFFER];
        int n = snprintf(list, sizeof list, "%s;%s", predicate, i == 0 ? "+2-3" : "+3-2");

        assert_in_range(n, 0, BUFFER - 1);
        factor[i] = features_factor((struct features){request, false}, slice_text(list));
    }
    if (factor[0] == 0 && factor[1] == 0)
        return MALFORMED;
    return factor[0] == factor[1] ? UNKNOWN : factor[0] < factor[1] ? YES : NO;
}

/* Each predicate of the list is as said. */
static void
check_all(const char *said, const char *const *predicates, size_t n, enum truth truth)
{
    struct ern_field field;
    struct ern_request r = request_with(&field, said);

    for (size_t i = 0; i < n; i++)
        if (truth_of(&r, predicates[i]) != truth)
            fail_msg("%s with %s is not %d", predicates[i], said ? said : "nothing", (int)truth);
}

#define CHECK(said, truth, ...)                                                                    \
    do {                                                                                           \
        static const char *const predicates[] = {__VA_ARGS__};                                     \
        check_all(said, predicates, sizeof predicates / sizeof *predicates, truth);                \
    } while (0)

/* The set of RFC 2295 6.3, as a client would say it. */
#define SET_6_3                                                                                    \
    "blex, colordepth={5}, UA-media=stationary, paper=A4, paper=A3, x-version=104, x-version=200"

static void
features_are_those_of_rfc2295_6_3(void **state)
{
    (void)state;
    CHECK(SET_6_3, YES, "blex", "colordepth=[4-]", "colordepth!=6", "colordepth", "!screenwidth",
          "UA-media=stationary", "UA-media!=screen", "paper=A4", "paper!=A0",
          "colordepth=[ 4 - 6 ]", "x-version=[100-300]", "x-version=[200-300]");
    CHECK(SET_6_3, NO, "!blex", "blebber", "colordepth=6", "colordepth=foo", "!colordepth",
          "screenwidth", "screenwidth=640", "screenwidth!=640", "x-version=99", "UA-media=screen",
          "paper=A0", "paper=a4", "x-version=[100-199]", "wuxta");
}

#define SAID_8_2                                                                                   \
    "blex, !blebber, colordepth={5}, !screenwidth, paper = A4, paper!=\"A2\", x-version=104, *"

static void
features_are_those_of_rfc2295_8_2(void **state)
{
    (void)state;
    CHECK(SAID_8_2, YES, "blex", "colordepth=[4-]", "colordepth!=6", "colordepth", "!screenwidth",
          "paper=A4", "colordepth=[4-6]", "paper!=A2", "BLEX", "\"blex\"");
    CHECK(SAID_8_2, NO, "!blex", "blebber", "colordepth=6", "colordepth=foo", "!colordepth",
          "screenwidth", "screenwidth=640", "screenwidth!=640", "paper=A2");
    CHECK(SAID_8_2, UNKNOWN, "UA-media=stationary", "UA-media!=screen", "paper!=a0",
          "x-version=[100-300]", "x-version=[200-300]", "x-version=99", "UA-media=screen",
          "paper=A0", "paper=a4", "x-version=[100-199]", "wuxta");
    CHECK(NULL, UNKNOWN, "blex", "!blex", "paper=A4"); /* as "*" */
    CHECK("", NO, "blex", "paper=A4");
    CHECK("blex;extension=1, *", YES, "blex");
}

static void
features_malformed_have_no_quality(void **state)
{
    (void)state;
    CHECK("blex, colordepth=5", MALFORMED, "", "!", "!!blex", "blex=", "=5", "colordepth=[",
          "\"blex");
    CHECK("blex, colordepth=5", NO, "colordepth=[5]", "colordepth=[a-]"); /* nothing is within */
}

static void
features_multiply(void **state)
{
    static const struct {
        const char *said, *list;
        unsigned factor, closed;
    } rows[] = {
        {"tables, frames", "tables frames", 1000000, 1000000},
        {"tables", "tables frames", 0, 0},
        {"tables, *", "tables frames", 1000000, 0},
        {"blebber, x, !y, *", "blebber [x y]", 1000000, 1000000}, /* RFC 2296 3.4 */
        {"blebber, x, *", "blebber [x y]", 1000000, 1000000},
        {"blebber, !y, *", "blebber [x y]", 1000000, 0},
        {"textonly", "!textonly [blebber !wolx] colordepth=3;+0.7", 0, 0}, /* RFC 2295 6.4 */
        {"blebber, colordepth=3", "!textonly [blebber !wolx] colordepth=3;+0.7", 700000, 700000},
        {"blebber", "!textonly [blebber !wolx] colordepth=3;+0.7", 1000000, 1000000},
        {"blink, background, wolx", "!blink;-0.5 background;+1.5 [blebber !wolx];+1.4-0.8", 600000,
         600000},
        {"!blink, background, !wolx", "!blink;-0.5 background;+1.5 [blebber !wolx];+1.4-0.8",
         2100000, 2100000},
        {"*", "!blink;-0.5", 1000000, 1000000},
        {"*", "blink;-0.5", 1000000, 500000},
        {"a", "a;+999.999 a;+999.999 a;+999.999", 1000000000, 1000000000}, /* not past that */
        {"a", "a;+1000", 0, 0},
        {"a", "a;+0.1234", 0, 0},
        {"a", "a;+", 0, 0},
        {"a", "a;-.5", 0, 0},
        {"a", "[a", 0, 0},
        {"a", "a ]", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ern_field field;
        struct ern_request r = request_with(&field, rows[i].said);
        struct ern_slice list = slice_text(rows[i].list);
        unsigned factor = features_factor((struct features){&r, false}, list);
        unsigned closed = features_factor((struct features){&r, true}, list);

        if (factor != rows[i].factor || closed != rows[i].closed)
            fail_msg("%s with %s: %u and %u", rows[i].list, rows[i].said, factor, closed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_those_of_rfc2295_6_3),
        cmocka_unit_test(features_are_those_of_rfc2295_8_2),
        cmocka_unit_test(features_malformed_have_no_quality),
        cmocka_unit_test(features_multiply),
    };

    return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
