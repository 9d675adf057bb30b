/* SPDX-License-Identifier: Apache-2.0 */
/* reference_test.c - where a reference leads to, as long as that is the origin of its base. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "msg/reference.h"

static void
references_lead_to(void **state)
{
    static const struct {
        const char *reference;
        const char *path, *query; /* NULL: elsewhere; none */
    } cases[] = {
        {"/b", "/b", NULL},
        {"/b?q", "/b", "q"},
        {"/b?", "/b", ""},
        {"/b?q#f?", "/b", "q"},
        {"b", "/x/b", NULL},
        {"./b", "/x/./b", NULL},
        {"../b", "/x/../b", NULL},
        {"b:c", NULL, NULL},
        {"./b:c", "/x/./b:c", NULL},
        {"?b:c", "/x/y", "b:c"},
        {"b/c:d", "/x/b/c:d", NULL},
        {"", "/x/y", NULL},
        {"#f", "/x/y", NULL},
        {"?q", "/x/y", "q"},
        {"http://a.example", "/", NULL},
        {"http://a.example?q", "/", "q"},
        {"HTTP://A.Example/b", "/b", NULL},
        {"//a.example/b", "/b", NULL},
        {"//a.example:80/b", NULL, NULL},
        {"//a.example.evil/b", NULL, NULL},
        {"//u@a.example/b", NULL, NULL},
        {"https://a.example/b", NULL, NULL},
        {"http:/b", NULL, NULL},
        {"http:b", NULL, NULL},
        {"mailto:a@a.example", NULL, NULL},
        {":", NULL, NULL},
    };
    const struct reference_base base = {ERN_SLICE("http"), ERN_SLICE("a.example"),
                                        ERN_SLICE("/x/y")};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        struct out o = out_init(text, sizeof text);
        struct reference_target target;

        if (reference_resolve(slice_text(cases[i].reference), &base, &o, &target) !=
            (cases[i].path != NULL))
            fail_msg("%s", cases[i].reference);
        if (cases[i].path && (!slice_eq(target.path, slice_text(cases[i].path)) ||
                              slice_is_there(target.query) != (cases[i].query != NULL) ||
                              !slice_eq(target.query, slice_text(cases[i].query))))
            fail_msg("%s: %.*s", cases[i].reference, (int)target.path.len, target.path.ptr);
    }
}

static void
bases_without_a_path_have_a_slash(void **state)
{
    const struct reference_base base = {ERN_SLICE("http"), ERN_SLICE("a.example"), ERN_SLICE("")};
    char text[4];
    struct out o = out_init(text, sizeof text);
    struct reference_target target;

    (void)state;
    assert_true(reference_resolve(ERN_SLICE("b"), &base, &o, &target));
    assert_true(slice_eq(target.path, ERN_SLICE("/b")));
    o = out_init(text, sizeof text);
    assert_true(reference_resolve(ERN_SLICE(""), &base, &o, &target));
    assert_true(slice_eq(target.path, ERN_SLICE("/")));
    o = out_init(text, sizeof text);
    assert_false(reference_resolve(ERN_SLICE("much/too/long"), &base, &o, &target));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_lead_to),
        cmocka_unit_test(bases_without_a_path_have_a_slash),
    };

    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
