/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about the keys of a listener that speaks TLS, and about their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "lib/authority.h"

#define ROUTE "\nroute \"/\" { gone = true }\n"
#define LISTEN(inside) "listen \":8443\" {\n" inside "\n}" ROUTE

static struct authority authority;

static void
one_text_is_a_list_of_one(void **state)
{
    struct conf_errors errors;
    struct conf *conf, *again;
    static char first[1 << 14], second[1 << 14];
    struct out o = out_init(first, sizeof first);
    const struct conf_listen *listen;

    (void)state;
    assert_int_equal(
        conf_parse(
            ERN_SLICE(LISTEN(
                "certificate = \"a.pem\" key = \"a.key\" ocsp = -\n"
                "client_ca = ca.pem client_certificate = required\n"
                "early_data = true http2 = false") "listen \":8444\" { certificate = { a, b } }"),
            "t", &conf, &errors),
        0);
    listen = conf->listens;
    assert_int_equal(listen->certificate.n, 1);
    assert_true(slice_eq(listen->certificate.text[0], ERN_SLICE("a.pem")));
    assert_true(slice_eq(listen->key.text[0], ERN_SLICE("a.key")));
    assert_int_equal(listen->client_certificate, TLS_CLIENT_REQUIRED);
    assert_true(listen->early_data && !listen->http2);
    assert_int_equal(listen[1].certificate.n, 2);
    assert_int_equal(listen[1].client_certificate, TLS_CLIENT_NONE);
    assert_true(!listen[1].early_data && listen[1].http2);
    conf_write(conf, &o);
    assert_int_equal(conf_parse(out_done(&o), "t", &again, &errors), 0);
    o = out_init(second, sizeof second);
    conf_write(again, &o);
    assert_string_equal(first, second);
    conf_free(conf);
    conf_free(again);
}

static void
what_makes_no_sense_is_an_error(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
    } rows[] = {
        {LISTEN("key = a"), 2, 1},
        {LISTEN("ocsp = a"), 2, 1},
        {LISTEN("client_ca = a"), 2, 1},
        {LISTEN("early_data = true"), 2, 1},
        {LISTEN("http2 = false"), 2, 1},
        {LISTEN("client_certificate = none"), 2, 1},
        {LISTEN("certificate = { }"), 2, 1},
        {LISTEN("certificate = { a, b }\n key = c"), 3, 2},
        {LISTEN("certificate = a\nkey = { }"), 3, 1},
        {LISTEN("certificate = a ocsp = { b, c }"), 2, 17},
        {LISTEN("certificate = a client_certificate = optional"), 2, 17},
        {LISTEN("certificate = a client_ca = b"), 2, 17},
        {LISTEN("certificate = a client_certificate = maybe"), 2, 38},
        {LISTEN("certificate = a early_data = \"\""), 2, 30},
        {"certificate = a" ROUTE, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_errors errors;
        struct conf *conf;

        if (conf_parse(slice_text(rows[i].text), "t", &conf, &errors) == 0)
            fail_msg("row %zu is right", i);
        if (errors.error[0].line != rows[i].line || errors.error[0].column != rows[i].column)
            fail_msg("row %zu: %u:%u: %s", i, errors.error[0].line, errors.error[0].column,
                     errors.error[0].what);
        assert_true(errors.error[0].mend[0]);
    }
}

/* Of files, and what is said about them. */
static const struct {
    const char *inside, *sites; /* @ stands for the folder of the authority */
    unsigned wrong, warned;
    uint32_t line, column;
    const char *what;
} looks[] = {
    {"certificate = \"@/a.pem\" key = \"@/a.key\"", "", 0, 0, 0, 0, NULL},
    {"certificate = \"@/both.pem\"", "", 0, 0, 0, 0, NULL},
    {"certificate = \"@/a.pem\" key = \"@/a.key\" ocsp = \"@/a.ocsp\"", "", 0, 0, 0, 0, NULL},
    {"certificate = \"@/none.pem\"", "", 1, 0, 2, 15, "can not be read"},
    {"certificate = \"@/a.key\"", "", 1, 0, 2, 15, "no certificate"},
    {"certificate = \"@/a.pem\"", "", 1, 0, 2, 15, "no key"},
    {"certificate = \"@/a.pem\"\nkey = \"@/none.key\"", "", 1, 0, 3, 7, "can not be read"},
    {"certificate = \"@/a.pem\"\nkey = \"@/a.pem\"", "", 1, 0, 3, 7, "no key"},
    {"certificate = \"@/a.pem\"\nkey = \"@/b.key\"", "", 1, 0, 3, 7, "not the certificate's"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"\nocsp = \"@/none\"", "", 1, 0, 3, 8,
     "can not be read"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"\nocsp = \"@/a.key\"", "", 1, 0, 3, 8,
     "not an OCSP response"},
    {"certificate = { \"@/a.pem\", \"@/b.pem\" } key = { \"@/a.key\", \"@/a.key\" }", "", 1, 0, 0,
     0, "not the certificate's"},
    {"certificate = \"@/old.pem\" key = \"@/old.key\"", "", 0, 1, 2, 15, "has expired"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"\n"
     "client_ca = \"@/none\" client_certificate = optional",
     "", 1, 0, 3, 13, "client authority"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"\n"
     "client_ca = \"@/a.key\" client_certificate = optional",
     "", 1, 0, 3, 13, "client authority"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"\n"
     "client_ca = \"@/ca.pem\" client_certificate = optional",
     "", 0, 0, 0, 0, NULL},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"",
     "site \"A.test\" { aliases = { x.wild.test, \"[::1]\", \"127.0.0.1\" }", 0, 0, 0, 0, NULL},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"", "site \"a.test\" {\naliases = { c.test }", 0, 1,
     5, 13, "no certificate is for"},
    {"certificate = \"@/a.pem\" key = \"@/a.key\"", "site \"x.y.wild.test\" {", 0, 1, 4, 6,
     "no certificate is for"},
};

static void
the_files_are_looked_at(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        struct conf_errors errors;
        struct conf *conf;
        char text[2048];
        struct out o = out_init(text, sizeof text);
        struct ern_slice inside = slice_text(looks[i].inside);

        out_literal(&o, "listen \":8443\" {\n");
        for (size_t j = 0; j < inside.len; j++)
            if (inside.ptr[j] == '@')
                out_text(&o, authority.folder);
            else
                out_char(&o, inside.ptr[j]);
        out_literal(&o, "\n}\n");
        out_text(&o, looks[i].sites);
        out_literal(&o, " route \"/\" { gone = true }");
        out_text(&o, looks[i].sites[0] ? "}" : "");
        if (conf_parse(out_done(&o), "t", &conf, &errors) < 0)
            fail_msg("row %zu: %s", i, errors.error[0].what);
        assert_int_equal(conf_check_files(conf, &errors), looks[i].wrong ? -1 : 0);
        if (errors.wrong_n != looks[i].wrong || errors.n != looks[i].wrong + looks[i].warned)
            fail_msg("row %zu: %u errors, %u findings: %s", i, errors.wrong_n, errors.n,
                     errors.error[0].what);
        if (looks[i].what && !strstr(errors.error[0].what, looks[i].what))
            fail_msg("row %zu: %s", i, errors.error[0].what);
        if (looks[i].line &&
            (errors.error[0].line != looks[i].line || errors.error[0].column != looks[i].column))
            fail_msg("row %zu: at %u:%u", i, errors.error[0].line, errors.error[0].column);
        conf_free(conf);
    }
}

static void
flags_name_files_too(void **state)
{
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    assert_int_equal(
        conf_from_flags(
            &(struct conf_flags){.directory = "/", .certificate = "/none", .key = "/none"}, &conf,
            &errors),
        0);
    assert_int_equal(conf->listens[0].certificate.n, 1);
    assert_int_equal(conf_check_files(conf, &errors), -1);
    assert_int_equal(errors.error[0].line, 0);
    conf_free(conf);
}

/* Both in one file, as some authorities give them. */
static void
write_both(void)
{
    static const char *const parts[] = {".pem", ".key"};
    FILE *both = fopen(authority_path(&authority, "both", ".pem"), "wb");

    assert_non_null(both);
    for (size_t i = 0; i < 2; i++) {
        FILE *part = fopen(authority_path(&authority, "a", parts[i]), "rb");
        char text[4096];

        assert_non_null(part);
        assert_true(fwrite(text, 1, fread(text, 1, sizeof text, part), both) > 0);
        assert_int_equal(fclose(part), 0);
    }
    assert_int_equal(fclose(both), 0);
}

static int
setup(void **state)
{
    (void)state;
    authority_open(&authority);
    authority_issue(&authority, &(struct issue){"a", "a.test *.wild.test", false, false, 0});
    authority_issue(&authority, &(struct issue){"b", "b.test", false, false, 0});
    authority_issue(&authority, &(struct issue){"old", "a.test", false, false, -60});
    authority_staple(&authority, "a");
    write_both();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    authority_close(&authority);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_text_is_a_list_of_one),
        cmocka_unit_test(what_makes_no_sense_is_an_error),
        cmocka_unit_test(the_files_are_looked_at),
        cmocka_unit_test(flags_name_files_too),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
