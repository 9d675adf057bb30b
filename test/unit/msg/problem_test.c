/* SPDX-License-Identifier: Apache-2.0 */
/* problem_test.c - problem details: what is written, what is left out, and what is escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/slice.h"
#include "msg/problem.h"

static void
check(const struct problem *problem, const char *want)
{
    char memory[1024];
    struct out o = out_init(memory, sizeof memory);

    problem_write(&o, problem, NULL, NULL);
    assert_false(o.full);
    if (!slice_eq(out_done(&o), slice_text(want)))
        fail_msg("%.*s\nis not\n%s", (int)o.len, memory, want);
}

static void
leaves_out_what_is_absent(void **state)
{
    (void)state;
    check(&(struct problem){.status = 404, .offset = -1}, "{\"status\":404}");
}

static void
writes_empty_texts(void **state)
{
    (void)state;
    check(&(struct problem){.status = 404, .offset = -1, .detail = ERN_SLICE("")},
          "{\"status\":404,\"detail\":\"\"}");
}

static void
writes_every_member_in_order(void **state)
{
    (void)state;
    check(
        &(struct problem){
            .status = 431,
            .type = ERN_SLICE("https://example.org/p"),
            .title = ERN_SLICE("Request Header Fields Too Large"),
            .detail = ERN_SLICE("One field line is larger than this server reads."),
            .instance = ERN_SLICE("urn:uuid:1"),
            .rule = ERN_SLICE("fields_too_large"),
            .source = ERN_SLICE("RFC 6585 5"),
            .fact = ERN_SLICE("fields_too_large"),
            .question = ERN_SLICE("Is it?"),
            .answer = true,
            .offset = 8214,
            .limit = ERN_SLICE("field_bytes_max"),
            .limit_value = 8192,
        },
        "{\"type\":\"https://example.org/p\",\"title\":\"Request Header Fields Too Large\","
        "\"status\":431,\"detail\":\"One field line is larger than this server reads.\","
        "\"instance\":\"urn:uuid:1\",\"rule\":\"fields_too_large\",\"source\":\"RFC 6585 5\","
        "\"fact\":{\"name\":\"fields_too_large\",\"question\":\"Is it?\",\"answer\":true},"
        "\"offset\":8214,\"limit\":{\"name\":\"field_bytes_max\",\"value\":8192}}");
}

static void
writes_an_answer_of_no(void **state)
{
    (void)state;
    check(&(struct problem){.status = 404, .offset = 0, .fact = ERN_SLICE("exists")},
          "{\"status\":404,\"fact\":{\"name\":\"exists\",\"answer\":false},\"offset\":0}");
}

static void
writes_no_answer_and_no_value_without_their_names(void **state)
{
    (void)state;
    check(&(struct problem){.status = 404,
                            .offset = -1,
                            .question = ERN_SLICE("?"),
                            .answer = true,
                            .limit_value = 7},
          "{\"status\":404}");
}

static void
writes_the_least_number(void **state)
{
    (void)state;
    check(
        &(struct problem){
            .status = 500, .offset = INT64_MAX, .limit = ERN_SLICE("{"), .limit_value = INT64_MIN},
        "{\"status\":500,\"offset\":9223372036854775807,"
        "\"limit\":{\"name\":\"{\",\"value\":-9223372036854775808}}");
}

static void
escapes_what_strangers_wrote(void **state)
{
    (void)state;
    check(&(struct problem){.status = 400,
                            .offset = -1,
                            .detail = ERN_SLICE("a\"b\\c\n\x1f\0d\xff\xe0\xa6\x95}")},
          "{\"status\":400,\"detail\":\"a\\\"b\\\\c\\u000a\\u001f\\u0000d\xef\xbf\xbd\xe0\xa6\x95}"
          "\"}");
}

/* Another parser of JSON reads back what was put in. */
static void
can_be_read_by_others(void **state)
{
    char memory[1024];
    struct out o = out_init(memory, sizeof memory);
    struct problem problem = {.status = 416,
                              .offset = 3,
                              .title = ERN_SLICE("\"{},:[]\\/\b\f\r\t"),
                              .fact = ERN_SLICE("f"),
                              .limit = ERN_SLICE("l")};
    json_error_t error;
    json_t *json;

    (void)state;
    problem_write(&o, &problem, NULL, NULL);
    json = json_loadb(memory, o.len, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: %.*s", error.text, (int)o.len, memory);
    assert_string_equal(json_string_value(json_object_get(json, "title")), problem.title.ptr);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 416);
    assert_true(json_is_false(json_object_get(json_object_get(json, "fact"), "answer")));
    json_decref(json);
}

static void
says_that_there_is_no_room(void **state)
{
    char memory[64];
    struct problem problem = {.status = 404, .offset = -1, .title = ERN_SLICE("Not Found")};
    size_t whole = sizeof "{\"title\":\"Not Found\",\"status\":404}" - 1;

    (void)state;
    for (size_t cap = 0; cap < sizeof memory; cap++) {
        struct out o = out_init(memory, cap);

        problem_write(&o, &problem, NULL, NULL);
        assert_int_equal(o.full, cap < whole);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_out_what_is_absent),
        cmocka_unit_test(writes_empty_texts),
        cmocka_unit_test(writes_every_member_in_order),
        cmocka_unit_test(writes_an_answer_of_no),
        cmocka_unit_test(writes_no_answer_and_no_value_without_their_names),
        cmocka_unit_test(writes_the_least_number),
        cmocka_unit_test(escapes_what_strangers_wrote),
        cmocka_unit_test(can_be_read_by_others),
        cmocka_unit_test(says_that_there_is_no_room),
    };

    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
