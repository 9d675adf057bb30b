/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "io/seal.h"

/* RFC 4231 4.2 and 4.3: the secrets there are shorter than what a file may hold. */
static const struct {
    const char *secret, *text, *seal;
} cases[] = {
    {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
};

static bool
holds(const char *secret_text, const char *text, const char *seal)
{
    struct seal_secret secret = {.n = strlen(secret_text)};

    memcpy(secret.bytes, secret_text, secret.n);
    return seal_holds(&secret, slice_text(text), slice_text(seal));
}

static void
a_seal_holds_for_its_text_and_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char seal[65];

        assert_true(holds(cases[i].secret, cases[i].text, cases[i].seal));
        assert_false(holds("another", cases[i].text, cases[i].seal));
        assert_false(holds(cases[i].secret, "another", cases[i].seal));
        assert_false(holds("", cases[i].text, cases[i].seal));
        for (size_t j = 0; j < 64; j++) { /* each digit counts */
            memcpy(seal, cases[i].seal, sizeof seal);
            seal[j] = seal[j] == '0' ? '1' : '0';
            assert_false(holds(cases[i].secret, cases[i].text, seal));
            seal[j] = 'g';
            assert_false(holds(cases[i].secret, cases[i].text, seal));
            seal[j] = '\0';
            assert_false(holds(cases[i].secret, cases[i].text, seal));
        }
    }
}

static int
read_file_of(size_t n, struct seal_secret *ret)
{
    char path[] = "/tmp/seal_test.XXXXXX", bytes[SEAL_SECRET_MOST + 1];
    int fd = mkstemp(path), error;

    memset(bytes, 's', sizeof bytes);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    (void)close(fd);
    error = seal_read(path, ret);
    (void)unlink(path);
    return error;
}

static void
a_secret_is_neither_short_nor_cut(void **state)
{
    struct seal_secret secret;

    (void)state;
    assert_int_equal(read_file_of(SEAL_SECRET_LEAST, &secret), 0);
    assert_int_equal(secret.n, SEAL_SECRET_LEAST);
    assert_int_equal(read_file_of(SEAL_SECRET_MOST, &secret), 0);
    assert_int_equal(secret.n, SEAL_SECRET_MOST);
    assert_int_equal(read_file_of(SEAL_SECRET_LEAST - 1, &secret), -EINVAL);
    assert_int_equal(secret.n, 0);
    assert_int_equal(read_file_of(SEAL_SECRET_MOST + 1, &secret), -EINVAL);
    assert_int_equal(read_file_of(0, &secret), -EINVAL);
    assert_int_equal(seal_read("/nothing/there", &secret), -ENOENT);
    assert_int_equal(seal_read("/tmp", &secret), -EISDIR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_holds_for_its_text_and_secret),
        cmocka_unit_test(a_secret_is_neither_short_nor_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
