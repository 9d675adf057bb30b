/* SPDX-License-Identifier: Apache-2.0 */
/* hash_test.c - SipHash-1-3 against values that other implementations give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

#define LEN(array) (sizeof(array) / sizeof *(array))
#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* Of the bytes 00 01 02 ..., as many as the index says, under the key 00 01 ... 0f. */
static const uint64_t counting[] = {
    0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
    0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
    0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
    0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956,
    0xcc4fdd1a7d908b66,
};

/* Under a key of zeros: what Python 3.11 says with PYTHONHASHSEED=0. */
static const struct {
    struct ern_slice text;
    uint64_t hash;
} texts[] = {
    {S("a"), 0x407448d2b89b1813},        {S("abcdefg"), 0x6db12aae9070f506},
    {S("abcdefgh"), 0x3f7b849c0b8e35ea}, {S("abcdefghi"), 0xf89b34a3d11eb6e5},
    {S("Earnest"), 0xebf3d5d091b3467a},
};

static void
gives_what_others_give(void **state)
{
    struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    char bytes[LEN(counting)], long_text[300];

    (void)state;
    for (size_t i = 0; i < LEN(counting); i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < LEN(counting); i++)
        if (hash_bytes(key, slice_from(bytes, i)) != counting[i])
            fail_msg("%zu bytes", i);
    for (size_t i = 0; i < LEN(texts); i++)
        if (hash_bytes((struct hash_key){0, 0}, texts[i].text) != texts[i].hash)
            fail_msg("\"%s\"", texts[i].text.ptr);
    memset(long_text, 'x', sizeof long_text); /* only the low byte of the length counts */
    assert_true(hash_bytes((struct hash_key){0, 0}, slice_from(long_text, sizeof long_text)) ==
                0x2f58903130dc04e4);
}

static void
depends_on_the_key_and_not_on_the_place(void **state)
{
    struct hash_key key = {1, 2};
    char memory[32] = "0123456789";
    uint64_t hash = hash_bytes(key, ERN_SLICE("0123456789"));

    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(memory + shift, "0123456789", 10);
        assert_true(hash_bytes(key, slice_from(memory + shift, 10)) == hash);
    }
    assert_true(hash_bytes((struct hash_key){2, 1}, ERN_SLICE("0123456789")) != hash);
    assert_true(hash_bytes((struct hash_key){1, 3}, ERN_SLICE("0123456789")) != hash);
    assert_true(hash_bytes(key, ERN_ABSENT) == hash_bytes(key, ERN_SLICE("")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_others_give),
        cmocka_unit_test(depends_on_the_key_and_not_on_the_place),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
