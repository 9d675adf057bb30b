/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "io/crypto.h"

/* The first digits of H(A1), H(A2) and the response of RFC 7616 3.9.1. */
static struct ern_slice
response_of(enum crypto_hash hash, char response[CRYPTO_HEX_BYTES])
{
    static const struct ern_slice secret[] = {
        {"Mufasa", 6}, {"http-auth@example.org", 21}, {"Circle of Life", 14}};
    static const struct ern_slice request[] = {{"GET", 3}, {"/dir/index.html", 15}};
    char a1[CRYPTO_HEX_BYTES], a2[CRYPTO_HEX_BYTES];
    const struct ern_slice all[] = {
        crypto_joined(hash, secret, 3, a1),
        ERN_SLICE("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
        ERN_SLICE("00000001"),
        ERN_SLICE("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
        ERN_SLICE("auth"),
        crypto_joined(hash, request, 2, a2),
    };

    return crypto_joined(hash, all, 6, response);
}

static void
hashes_as_the_examples_of_digest(void **state)
{
    char hex[CRYPTO_HEX_BYTES];

    (void)state;
    assert_true(
        slice_eq(response_of(CRYPTO_SHA256, hex),
                 ERN_SLICE("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")));
    assert_true(
        slice_eq(response_of(CRYPTO_MD5, hex), ERN_SLICE("8ca523f5e9506fed4657c9700eebdbec")));
}

static void
hashes_with_sha_512_256(void **state)
{
    static const struct ern_slice abc = {"abc", 3}; /* FIPS 180-4 */
    char hex[CRYPTO_HEX_BYTES];

    (void)state;
    assert_true(
        slice_eq(crypto_joined(CRYPTO_SHA512_256, &abc, 1, hex),
                 ERN_SLICE("53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23")));
}

static void
macs_as_rfc_4231(void **state)
{
    static const unsigned char wanted[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                           0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                           0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                           0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    unsigned char mac[CRYPTO_BYTES];

    (void)state;
    crypto_mac(ERN_SLICE("Jefe"), ERN_SLICE("what do ya want for nothing?"), mac);
    assert_memory_equal(mac, wanted, sizeof wanted);
    assert_true(crypto_same(mac, wanted, sizeof mac));
    mac[31] ^= 1;
    assert_false(crypto_same(mac, wanted, sizeof mac));
    assert_true(crypto_same(mac, wanted, 31));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_examples_of_digest),
        cmocka_unit_test(hashes_with_sha_512_256),
        cmocka_unit_test(macs_as_rfc_4231),
    };

    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
