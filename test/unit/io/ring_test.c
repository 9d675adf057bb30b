/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "io/ring.h"

enum { BYTES = 256, READERS = 3, RECORDS = 200000 };

static bool
write_text(struct ring *ring, const char *text)
{
    struct ern_slice parts[] = {slice_first(slice_text(text), 1), slice_skip(slice_text(text), 1)};

    return ring_write(ring, parts, 2);
}

static void
assert_next(struct ring *ring, unsigned reader, const char *wanted)
{
    char text[BYTES];
    size_t n = ring_read(ring, reader, text, sizeof text);

    assert_true(slice_eq(slice_from(text, n), slice_text(wanted)));
}

static void
each_reader_reads_all_that_is_written_while_it_reads(void **state)
{
    struct ring *ring = ring_new(2, BYTES);

    (void)state;
    assert_true(write_text(ring, "nobody reads this"));
    ring_begin(ring, 0);
    assert_next(ring, 0, "");
    assert_true(write_text(ring, "one"));
    ring_begin(ring, 1);
    assert_true(write_text(ring, "two"));
    assert_next(ring, 0, "one");
    assert_next(ring, 1, "two");
    assert_next(ring, 0, "two");
    assert_next(ring, 0, "");
    assert_next(ring, 1, "");
    ring_free(ring);
}

static void
the_slowest_reader_is_not_written_over(void **state)
{
    struct ring *ring = ring_new(2, BYTES);
    const char *text = "0123456789abcdef0123456789abcdef"; /* 36 bytes with its length */

    (void)state;
    ring_begin(ring, 0);
    ring_begin(ring, 1);
    for (int i = 0; i < BYTES / 36; i++) {
        assert_true(write_text(ring, text));
        assert_next(ring, 0, text);
    }
    assert_false(write_text(ring, text));
    assert_next(ring, 1, text);
    assert_true(write_text(ring, text)); /* over the end of the memory */
    assert_false(write_text(ring, text));
    ring_end(ring, 1);
    assert_next(ring, 0, text);
    assert_true(write_text(ring, text));
    assert_next(ring, 0, text);
    ring_begin(ring, 1); /* behind all of it, however far that is from where it was */
    assert_true(write_text(ring, text));
    assert_next(ring, 1, text);
    assert_next(ring, 1, "");
    ring_free(ring);
}

static void
what_is_too_long_is_passed_over(void **state)
{
    struct ring *ring = ring_new(1, BYTES);
    char text[BYTES] = "";

    (void)state;
    ring_begin(ring, 0);
    assert_false(ring_write(ring, (struct ern_slice[]){slice_from(text, sizeof text)}, 1));
    assert_true(write_text(ring, "0123456789"));
    assert_true(write_text(ring, "next"));
    assert_int_equal(ring_read(ring, 0, text, 5), 4);
    ring_free(ring);
}

struct reading {
    struct ring *ring;
    unsigned reader;
    pthread_t thread;
    unsigned wrong;
};

/* Every number comes, in its order, whole. */
static void *
read_numbers(void *self)
{
    struct reading *r = self;
    uint64_t record[5];

    for (uint64_t wanted = 0; wanted < RECORDS;) {
        size_t n = ring_read(r->ring, r->reader, (char *)record, sizeof record);

        if (n == 0) {
            (void)sched_yield();
            continue;
        }
        for (size_t i = 0; i < n / sizeof *record; i++)
            r->wrong += record[i] != wanted;
        r->wrong += n != (1 + wanted % 5) * sizeof *record;
        wanted++;
    }
    return NULL;
}

static void
threads_read_what_one_writes(void **state)
{
    struct ring *ring = ring_new(READERS, BYTES);
    struct reading readings[READERS];

    (void)state;
    for (unsigned i = 0; i < READERS; i++) {
        readings[i] = (struct reading){.ring = ring, .reader = i};
        ring_begin(ring, i);
        assert_int_equal(pthread_create(&readings[i].thread, NULL, read_numbers, &readings[i]), 0);
    }
    for (uint64_t n = 0; n < RECORDS; n++) {
        const uint64_t record[5] = {n, n, n, n, n};
        struct ern_slice part = slice_from((const char *)record, (1 + n % 5) * sizeof *record);

        while (!ring_write(ring, &part, 1))
            (void)sched_yield();
    }
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(readings[i].thread, NULL);
        assert_int_equal(readings[i].wrong, 0);
    }
    ring_free(ring);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_reads_all_that_is_written_while_it_reads),
        cmocka_unit_test(the_slowest_reader_is_not_written_over),
        cmocka_unit_test(what_is_too_long_is_passed_over),
        cmocka_unit_test(threads_read_what_one_writes),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
