/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to say what changed in a text of one MiB, twenty lines of it. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "pack/dictionary.h"
#include "pack/vcdiff.h"

enum { BYTES = 1 << 20, LINE = 64, CHANGES = 20 };

static char base[BYTES], target[BYTES], made[BYTES];

/* Words in an order that is the same each time. */
static void
write_line(char *line, uint64_t *random)
{
    for (unsigned i = 0; i < LINE; i++) {
        *random = *random * UINT64_C(6364136223846793005) + 1;
        line[i] = i % 8 == 7 ? ' ' : (char)('a' + (*random >> 60));
    }
    line[LINE - 1] = '\n';
}

static void
make_texts(void)
{
    uint64_t random = 1;

    for (size_t at = 0; at < BYTES; at += LINE)
        write_line(base + at, &random);
    memcpy(target, base, BYTES);
    for (unsigned i = 0; i < CHANGES; i++)
        write_line(target + (size_t)(i * 797 % (BYTES / LINE)) * LINE, &random);
}

static void
write_vcdiff(size_t times)
{
    for (size_t i = 0; i < times; i++) {
        struct out o = out_init(made, sizeof made);

        bench_must(vcdiff_write(slice_from(base, BYTES), slice_from(target, BYTES), &o) == 0 &&
                       o.len < BYTES / 100,
                   "a delta is small");
        bench_use(made);
    }
}

static void
write_dictionary(size_t times)
{
    static const char digest[DIGEST_SHA256_BYTES] = {0};

    for (size_t i = 0; i < times; i++) {
        struct out o = out_init(made, sizeof made);

        bench_must(
            dictionary_write(slice_from(base, BYTES), digest, slice_from(target, BYTES), &o) == 0 &&
                o.len < BYTES / 100,
            "it is small");
        bench_use(made);
    }
}

static const struct bench benches[] = {
    {"vcdiff_1m", write_vcdiff},
    {"dcz_1m", write_dictionary},
};

int
main(int argc, char **argv)
{
    make_texts();
    return bench_main(argc, argv, benches, sizeof benches / sizeof *benches);
}
