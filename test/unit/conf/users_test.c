/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem() */
/* Who can log in, by the configuration and by the file that it names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/users.h"

#define HASH "$y$j75$kEpsA1tYkEpsA1tY$JIRHXLKDnnkdsg0dgIi7Fusw8eyyfhh9Owx2LgI8sz4"
#define ANN "user \"ann\" { password = \"" HASH "\" groups = { a, b } }\n"
#define ROUTE "route \"/\" { files = \"/\" auth = basic }\n"

static char path[] = "/tmp/earnest-users-XXXXXX";

static void
write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Reads the users of this file beside ann. Returns what users_new() does. */
static int
users_of(const char *text, struct conf **ret_conf, struct users **ret_users,
         struct users_fault *ret_fault)
{
    struct conf_errors errors;
    char config[512];

    write_file(text);
    (void)snprintf(config, sizeof config, "users = \"%s\"\n" ANN ROUTE, path);
    if (conf_parse(slice_text(config), "t.conf", ret_conf, &errors) < 0)
        fail_msg("%s", errors.error[0].what);
    return users_new(*ret_conf, ret_users, ret_fault);
}

static void
both_count_and_the_configuration_first(void **state)
{
    struct users_fault fault;
    struct users *users;
    struct conf *conf;
    const struct user *ann, *bob;

    (void)state;
    assert_int_equal(users_of("# a comment\n\nbob:" HASH ":more\r\nann:" HASH "\nz z:" HASH, &conf,
                              &users, &fault),
                     0);
    assert_int_equal(users->n, 3);
    ann = users_find(users, ERN_SLICE("ann"));
    bob = users_find(users, ERN_SLICE("bob"));
    assert_non_null(ann);
    assert_non_null(bob);
    assert_int_equal(ann->groups->n, 2);
    assert_int_equal(bob->groups->n, 0);
    assert_true(slice_eq(slice_text(bob->hash), ERN_SLICE(HASH)));
    assert_non_null(users_find(users, ERN_SLICE("z z")));
    assert_null(users_find(users, ERN_SLICE("")));
    assert_null(users_find(users, ERN_SLICE("an")));
    assert_null(users_find(users, ERN_SLICE("annn")));
    users_free(users);
    conf_free(conf);
}

/* Who has no password here has that of the file, or none. */
static void
groups_can_be_said_alone(void **state)
{
    struct conf_errors errors;
    struct users_fault fault;
    struct users *users;
    struct conf *conf;
    const struct user *ann, *eve;
    char config[512];

    (void)state;
    write_file("ann:" HASH "\n");
    (void)snprintf(config, sizeof config,
                   "users = \"%s\"\nuser ann { groups = a }\nuser eve { groups = b }\n" ROUTE,
                   path);
    assert_int_equal(conf_parse(slice_text(config), "t.conf", &conf, &errors), 0);
    assert_int_equal(users_new(conf, &users, &fault), 0);
    assert_int_equal(users->n, 2);
    ann = users_find(users, ERN_SLICE("ann"));
    eve = users_find(users, ERN_SLICE("eve"));
    assert_string_equal(ann->hash, HASH);
    assert_int_equal(ann->groups->n, 1);
    assert_null(eve->hash);
    assert_int_equal(eve->groups->n, 1);
    for (uint64_t number = 0; number < 4; number++)
        assert_string_equal(users_decoy(users, number), HASH);
    users_free(users);
    conf_free(conf);
    write_file("ann:" HASH "\nann:" HASH "\n");
    assert_int_equal(conf_parse(slice_text(config), "t.conf", &conf, &errors), 0);
    assert_int_equal(users_new(conf, &users, &fault), -EINVAL);
    assert_int_equal(fault.line, 2);
    conf_free(conf);
    write_file("");
    assert_int_equal(conf_parse(slice_text(config), "t.conf", &conf, &errors), 0);
    assert_int_equal(users_new(conf, &users, &fault), 0);
    assert_null(users_decoy(users, 1));
    users_free(users);
    conf_free(conf);
}

static void
what_is_wrong_is_found_with_its_line(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
    } rows[] = {
        {"bob", 1},    {"bob:" HASH "\n:" HASH "\n", 2}, {"\n\nbob:secret\n", 3},
        {"bob:\n", 1}, {"b\tb:" HASH "\n", 1},           {"bob:$apr1$x$y\n", 1},
    };
    struct users_fault fault;
    struct users *users;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(users_of(rows[i].text, &conf, &users, &fault) < 0);
        assert_int_equal(fault.line, rows[i].line);
        conf_free(conf);
    }
    assert_true(users_of("bob:" HASH "\nbob:" HASH "\n", &conf, &users, &fault) < 0);
    assert_int_equal(fault.line, 2);
    conf_free(conf);
}

static void
wrong_users_and_routes_are_errors(void **state)
{
    static const struct {
        const char *text, *what;
    } rows[] = {
        {ANN ANN ROUTE, "is there already"},
        {"user \"a:b\" { password = \"" HASH "\" }" ROUTE, "holds a colon"},
        {"user \"ann\" {}" ROUTE, "has no password"},
        {"digests = x user ann {}" ROUTE, "there are no users"},
        {"user \"ann\" { password = \"open sesame\" }" ROUTE, "safe to keep"},
        {ROUTE, "there are no users"},
        {ANN "route \"/\" { files = \"/\" auth = {} }", "no scheme"},
        {ANN "route \"/\" { files = \"/\" auth = ntlm }", "not a scheme"},
        {ANN "route \"/\" { files = \"/\" allow_users = ann }", "asks clients who they are"},
        {ANN "route \"/\" { files = \"/\" allow_groups = a }", "asks clients who they are"},
        {ANN "route \"/\" { files = \"/\" realm = a }", "asks clients who they are"},
        {ANN "route \"/\" { files = \"/\" auth = { basic, basic } }", "is there already"},
        {ANN "route \"/\" { files = \"/\" auth = digest }", "there is no file for it"},
        {ANN "route \"/\" { files = \"/\" auth = bearer }", "there are no issuers"},
        {ANN "route \"/\" { files = \"/\" auth = basic digest = MD5 }",
         "asks clients who they are"},
        {ANN "route \"/\" { files = \"/\" auth = basic scopes = a }", "asks clients who they are"},
        {"digests = x route \"/\" { files = \"/\" auth = digest digest = SHA-1 }",
         "not an algorithm of Digest"},
        {"issuer a { audience = b }" ANN ROUTE, "has no keys"},
        {"issuer a { keys = b }" ANN ROUTE, "for any other server"},
        {"issuer a { keys = b audience = c algorithms = none }" ANN ROUTE, "may be signed by"},
        {"issuer a { keys = b audience = c } issuer a { keys = b audience = c }" ANN ROUTE,
         "is there already"},
        {"route \"/\" { files = \"/\" right \"a\" {} }", "not a path of the route"},
        {"route \"/\" { files = \"/\" right \"/\" { may = rule } }",
         "nothing that somebody may do"},
        {"route \"/\" { files = \"/\" right \"/\" { users = ann } }", "nobody is asked who he is"},
        {"route \"/\" { files = \"/\" right \"/\" { allow = x } }", "neither an IP address"},
        {"route \"/\" { files = \"/\" cors = \"https://a.example/\" }", "not an origin"},
        {"route \"/\" { files = \"/\" cors = \"https://A.example\" }", "not an origin"},
        {"route \"/\" { files = \"/\" cors = \"a.example\" }", "not an origin"},
        {"route \"/\" { files = \"/\" cors = { \"*\", \"https://a.example\" } }", "beside others"},
        {"route \"/\" { files = \"/\" cors = \"*\" cors_credentials = true }", "sends credentials"},
        {"route \"/\" { files = \"/\" cors = \"*\" cors_methods = \"A B\" }", "not a method"},
        {"route \"/\" { files = \"/\" cors = \"*\" cors_headers = \"a:\" }", "name of a field"},
        {"route \"/\" { files = \"/\" cors_expose = etag }", "pages of other origins"},
        {"user = \"www-data\" user = \"x\"" ANN ROUTE, "second time"},
    };
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = NULL;
        size_t len = 0;
        FILE *all = open_memstream(&line, &len);

        assert_int_equal(conf_parse(slice_text(rows[i].text), "t.conf", &conf, &errors), -1);
        for (unsigned j = 0; j < errors.n; j++)
            (void)fputs(errors.error[j].what, all);
        (void)fclose(all);
        if (!memmem(line, len, rows[i].what, strlen(rows[i].what)))
            fail_msg("%s: %s", rows[i].text, line);
        assert_null(memmem(line, len, "sesame", 6));
        free(line);
    }
}

#define A1 "8482fda2023fe7b4ef0cff303e9565aab9073b14bc6e7b3b0cccb8a7237b325d"

static int
secrets_of(const char *text, struct conf **ret_conf, struct users **ret_users,
           struct users_fault *ret_fault)
{
    struct conf_errors errors;
    char config[512];

    write_file(text);
    (void)snprintf(config, sizeof config,
                   "digests = \"%s\"\n" ANN "route \"/\" { files = \"/\" auth = digest }\n", path);
    if (conf_parse(slice_text(config), "t.conf", ret_conf, &errors) < 0)
        fail_msg("%s", errors.error[0].what);
    return users_new(*ret_conf, ret_users, ret_fault);
}

static void
secrets_are_found_by_name_and_by_hash(void **state)
{
    static const struct ern_slice parts[] = {{"ann", 3}, {"x", 1}};
    const struct ern_slice x = ERN_SLICE("x"), ann = ERN_SLICE("ann");
    struct users_fault fault;
    struct users *users;
    struct conf *conf;
    const struct secret *secret;
    char hex[CRYPTO_HEX_BYTES];

    (void)state;
    assert_int_equal(secrets_of("# htdigest\nbob:x:0123456789ABCDEF0123456789abcdef\nann:x:" A1
                                ":SHA-512-256\r\n\nann:y:" A1 "\nann:x:" A1 ":sha-256",
                                &conf, &users, &fault),
                     0);
    assert_int_equal(users->secrets_n, 4);
    secret = users_secret(users, CRYPTO_SHA256, x, ann);
    assert_non_null(secret);
    assert_int_equal(secret->line, 6);
    assert_int_equal(secret->groups->n, 2); /* of the user of this name */
    assert_memory_equal(secret->a1, A1, sizeof hex);
    (void)crypto_joined(CRYPTO_SHA256, parts, 2, hex);
    assert_ptr_equal(users_secret_hashed(users, CRYPTO_SHA256, x, slice_from(hex, sizeof hex)),
                     secret);
    assert_null(users_secret_hashed(users, CRYPTO_SHA512_256, x, slice_from(hex, sizeof hex)));
    assert_null(users_secret_hashed(users, CRYPTO_SHA256, x, slice_from(hex, 63)));
    assert_null(users_secret_hashed(users, CRYPTO_SHA256, x, ERN_SLICE("z")));
    assert_null(users_secret(users, CRYPTO_MD5, x, ann));
    assert_null(users_secret(users, CRYPTO_SHA256, ERN_SLICE("z"), ann));
    secret = users_secret(users, CRYPTO_MD5, x, ERN_SLICE("bob"));
    assert_non_null(secret);
    assert_memory_equal(secret->a1, "0123456789abcdef0123456789abcdef", 32);
    assert_int_equal(secret->groups->n, 0);
    users_free(users);
    conf_free(conf);
}

static void
wrong_secrets_are_found_with_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"ann:x:" A1 "\nann", 2},
        {"ann:" A1, 1},
        {":x:" A1, 1},
        {"ann::" A1, 1},
        {"ann:x:0123", 1},
        {"ann:x:" A1 "0", 1},
        {"ann:x:0123456789abcdef0123456789abcdeg", 1},
        {"ann:x:" A1 ":SHA-1", 1},
        {"ann:x:" A1 ":MD5", 1},
        {"ann:x:" A1 "\nann:x:" A1 ":SHA-256", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct users_fault fault;
        struct users *users;
        struct conf *conf;

        if (secrets_of(rows[i].text, &conf, &users, &fault) != -EINVAL)
            fail_msg("%s", rows[i].text);
        assert_int_equal(fault.line, rows[i].line);
        assert_int_equal(fault.file, CONF_top_digests);
        conf_free(conf);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_count_and_the_configuration_first),
        cmocka_unit_test(groups_can_be_said_alone),
        cmocka_unit_test(what_is_wrong_is_found_with_its_line),
        cmocka_unit_test(wrong_users_and_routes_are_errors),
        cmocka_unit_test(secrets_are_found_by_name_and_by_hash),
        cmocka_unit_test(wrong_secrets_are_found_with_their_line),
    };
    int fd = mkstemp(path), failed;

    if (fd < 0)
        return 1;
    (void)close(fd);
    failed = cmocka_run_group_tests_name("users", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
