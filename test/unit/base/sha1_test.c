/* SPDX-License-Identifier: Apache-2.0 */
/* sha1_test.c - the vectors of RFC 3174 7.3, and lengths around the end of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "base/sha1.h"

static void
check(struct ern_slice text, const char *hex)
{
    char digest[SHA1_BYTES];
    char memory[2 * SHA1_BYTES];
    struct out o = out_init(memory, sizeof memory);

    sha1(text, digest);
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        out_hex(&o, (uint8_t)digest[i] >> 4);
        out_hex(&o, (uint8_t)digest[i] & 15);
    }
    if (!slice_eq(out_done(&o), slice_text(hex)))
        fail_msg("%zu bytes: %.*s", text.len, (int)o.len, memory);
}

static void
gives_the_digests_of_known_texts(void **state)
{
    static char many_a[1000000];

    (void)state;
    check(ERN_SLICE("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    check(ERN_SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    memset(many_a, 'a', sizeof many_a);
    check(slice_from(many_a, sizeof many_a), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

static void
pads_texts_of_any_length(void **state)
{
    static const struct {
        size_t len;
        const char *hex;
    } rows[] = {
        {0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {1, "5ba93c9db0cff93f52b521d7420e43f6eda2784f"},
        {55, "8ae2d46729cfe68ff927af5eec9c7d1b66d65ac2"},
        {56, "636e2ec698dac903498e648bd2f3af641d3c88cb"},
        {63, "6d942da0c4392b123528f2905c713a3ce28364bd"},
        {64, "c6138d514ffa2135bfce0ed0b8fac65669917ec7"},
        {119, "41c89d06001bab4ab78736b44efe7ce18ce6ae08"},
        {120, "d3dbd653bd8597b7475321b60a36891278e6a04a"},
        {128, "e6434bc401f98603d7eda504790c98c67385d535"},
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(slice_from(text, rows[i].len), rows[i].hex);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_digests_of_known_texts),
        cmocka_unit_test(pads_texts_of_any_length),
    };

    return cmocka_run_group_tests_name("sha1", tests, NULL, NULL);
}
