/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "earnest/message.h"

static void
request_begins_empty(void **state)
{
    struct ern_field fields[1];
    struct ern_request r;

    (void)state;
    memset(&r, 0xff, sizeof r);
    ern_request_init(&r, fields, 1);
    assert_int_equal(r.method, ERN_METHODS);
    assert_int_equal(r.content_length, -1);
    assert_int_equal(r.fields_n, 0);
    assert_int_equal(r.fields_cap, 1);
    assert_false(r.chunked);
    assert_false(slice_is_there(r.method_text));
    assert_false(slice_is_there(r.target));
    assert_false(slice_is_there(r.authority));
    assert_false(slice_is_there(r.path));
    assert_false(slice_is_there(r.query));
    assert_int_equal(r.version_major, 0);
    assert_int_equal(r.version_minor, 0);
    for (unsigned id = 0; id < ERN_FIELDS; id++)
        assert_false(ern_request_has(&r, (enum ern_field_id)id));
}

static void
request_knows_methods_by_their_exact_names(void **state)
{
    struct ern_field fields[1];
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 1);
    for (unsigned m = 0; m < ERN_METHODS; m++) {
        ern_request_method(&r, ern_method_name((enum ern_method)m));
        assert_int_equal(r.method, m);
    }
    ern_request_method(&r, ERN_SLICE("get"));
    assert_int_equal(r.method, ERN_METHODS);
    assert_true(slice_eq(r.method_text, ERN_SLICE("get")));
    ern_request_method(&r, ERN_SLICE("GETS"));
    assert_int_equal(r.method, ERN_METHODS);
    assert_false(r.is_mandatory);
}

static void
request_looks_behind_what_makes_it_mandatory(void **state)
{
    static const struct {
        const char *name;
        enum ern_method method;
    } cases[] = {
        {"M-GET", ERN_GET},          {"M-PUT", ERN_PUT},     {"M-CONNECT", ERN_METHODS},
        {"M-PRI", ERN_METHODS},      {"M-", ERN_METHODS},    {"M-M-GET", ERN_METHODS},
        {"M-SEARCHES", ERN_METHODS}, {"m-GET", ERN_METHODS},
    };
    struct ern_field fields[1];
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ern_request_method(&r, slice_text(cases[i].name));
        assert_int_equal(r.method, cases[i].method);
        assert_int_equal(r.is_mandatory, cases[i].method != ERN_METHODS);
    }
    ern_request_method(&r, ERN_SLICE("GET"));
    assert_false(r.is_mandatory);
}

static void
request_keeps_every_known_field(void **state)
{
    struct ern_field fields[2 * ERN_FIELDS];
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 2 * ERN_FIELDS);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned id = 0; id < ERN_FIELDS; id++) {
            char name[32];
            struct ern_slice known = ern_field_name((enum ern_field_id)id);

            for (size_t i = 0; i < known.len; i++)
                name[i] = round ? lower(known.ptr[i]) : known.ptr[i];
            assert_true(ern_request_add(&r, slice_from(name, known.len),
                                        round ? ERN_SLICE("second") : known));
            assert_int_equal(r.fields[r.fields_n - 1].id, id);
        }
    }
    for (unsigned id = 0; id < ERN_FIELDS; id++) {
        assert_true(ern_request_has(&r, (enum ern_field_id)id));
        assert_true(slice_eq(ern_request_field(&r, (enum ern_field_id)id),
                             ern_field_name((enum ern_field_id)id)));
    }
}

static void
request_is_full_at_its_cap(void **state)
{
    struct ern_field fields[2];
    struct ern_request r;

    (void)state;
    ern_request_init(&r, fields, 2);
    assert_true(ern_request_add(&r, ERN_SLICE("A"), ERN_SLICE("1")));
    assert_true(ern_request_add(&r, ERN_SLICE("B"), ERN_SLICE("2")));
    assert_false(ern_request_add(&r, ERN_SLICE("Host"), ERN_SLICE("3")));
    assert_int_equal(r.fields_n, 2);
    assert_false(ern_request_has(&r, ERN_FIELD_host));
    assert_int_equal(r.fields[1].id, ERN_FIELDS);
    assert_true(slice_eq(r.fields[1].name, ERN_SLICE("B")));
}

static void
request_walks_fields_of_one_name(void **state)
{
    static const char *const values[] = {"a", "", "c"};
    struct ern_field fields[512];
    struct ern_request r;
    struct ern_slice value = ERN_ABSENT;
    uint16_t at = 0;
    unsigned n = 0;

    (void)state;
    ern_request_init(&r, fields, 512);
    assert_false(ern_request_next(&r, ERN_FIELD_accept, &at, &value));
    assert_int_equal(at, 0);
    /* the first one stands past the 255th field */
    while (r.fields_n < 300)
        assert_true(ern_request_add(&r, ERN_SLICE("X"), ERN_SLICE("x")));
    assert_true(ern_request_add(&r, ERN_SLICE("Accept"), ERN_SLICE("a")));
    assert_true(ern_request_add(&r, ERN_SLICE("Via"), ERN_SLICE("v")));
    assert_true(ern_request_add(&r, ERN_SLICE("ACCEPT"), ERN_SLICE("")));
    while (r.fields_n < 511)
        assert_true(ern_request_add(&r, ERN_SLICE("X"), ERN_SLICE("x")));
    assert_true(ern_request_add(&r, ERN_SLICE("accept"), ERN_SLICE("c")));
    assert_true(slice_eq(ern_request_field(&r, ERN_FIELD_accept), ERN_SLICE("a")));
    for (; ern_request_next(&r, ERN_FIELD_accept, &at, &value); n++)
        assert_true(n < 3 && slice_eq(value, slice_text(values[n])));
    assert_int_equal(n, 3);
    assert_false(ern_request_next(&r, ERN_FIELD_accept, &at, &value));
    assert_true(slice_eq(value, ERN_SLICE("c"))); /* written only on success */
    assert_false(slice_is_there(ern_request_field(&r, ERN_FIELD_host)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_begins_empty),
        cmocka_unit_test(request_knows_methods_by_their_exact_names),
        cmocka_unit_test(request_looks_behind_what_makes_it_mandatory),
        cmocka_unit_test(request_keeps_every_known_field),
        cmocka_unit_test(request_is_full_at_its_cap),
        cmocka_unit_test(request_walks_fields_of_one_name),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
