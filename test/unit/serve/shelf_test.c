/* SPDX-License-Identifier: Apache-2.0 */
/* shelf_test.c - stored answers are found by what they answer, bounded, and dropped; flights land.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "serve/shelf.h"

enum { FIELDS = 8, NOW_S = 1700000000, ANSWERS = 4, VARIANTS = 3, BYTES = 4096 };

struct fixture {
    struct limits limits;
    struct shelf *shelf;
    struct ern_field fields[FIELDS], asked[FIELDS];
    struct ern_request message, request;
};

static int
begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->limits = limits_standard();
    f->limits.stored_bytes_max = BYTES;
    f->limits.stored_answers_max = ANSWERS;
    f->limits.stored_variants_max = VARIANTS;
    f->limits.stored_files_max = 1;
    f->shelf = shelf_new(&f->limits, ERN_SLICE("/tmp"), (struct hash_key){1, 2});
    assert_non_null(f->shelf);
    *state = f;
    return 0;
}

static int
end(void **state)
{
    struct fixture *f = *state;

    shelf_free(f->shelf);
    free(f);
    return 0;
}

static uint64_t
hash(const struct fixture *f, const char *key)
{
    return shelf_hash(f->shelf, slice_text(key));
}

/* A request with this field X. */
static const struct ern_request *
asks(struct fixture *f, const char *x)
{
    ern_request_init(&f->request, f->asked, FIELDS);
    assert_true(ern_request_add(&f->request, ERN_SLICE("X"), slice_text(x)));
    return &f->request;
}

/* An answer to it, which is held; of so many bytes, in a file if fd is one. */
static struct shelved *
make(struct fixture *f, const char *key, const char *x, size_t n, int fd)
{
    const struct freshness_times times = {NOW_S, NOW_S, 0};
    struct freshness freshness;
    struct shelved *a;

    ern_request_init(&f->message, f->fields, FIELDS);
    assert_true(ern_request_add(&f->message, ERN_SLICE("Cache-Control"),
                                ERN_SLICE("max-age=60, private=\"X-Own\"")));
    assert_true(ern_request_add(&f->message, ERN_SLICE("X-Own"), ERN_SLICE("1")));
    assert_true(ern_request_add(&f->message, ERN_SLICE("Age"), ERN_SLICE("1")));
    assert_true(ern_request_add(&f->message, ERN_SLICE("ETag"), ERN_SLICE("\"e\"")));
    assert_true(ern_request_add(&f->message, ERN_SLICE("X-All"), ERN_SLICE("2")));
    assert_true(ern_request_add(&f->message, ERN_SLICE("Vary"), ERN_SLICE("X")));
    freshness = freshness_read(&f->message, 200, &times);
    a = shelved_new(&(struct shelved_source){.key = slice_text(key),
                                             .hash = hash(f, key),
                                             .request = asks(f, x),
                                             .message = &f->message,
                                             .freshness = &freshness});
    assert_non_null(a);
    a->content = shelved_content_new(n, fd < 0 && n ? calloc(1, n) : NULL, fd);
    assert_non_null(a->content);
    return a;
}

static void
put(struct fixture *f, const char *key, const char *x, size_t n)
{
    struct shelved *a = make(f, key, x, n, -1);

    shelf_put(f->shelf, a, shelf_mark(f->shelf, a->hash), 0);
    shelved_leave(a);
}

static bool
has(struct fixture *f, const char *key, const char *x)
{
    bool is_known;
    struct shelved *a =
        shelf_find(f->shelf, slice_text(key), hash(f, key), asks(f, x), 100000, &is_known);

    assert_true(is_known || !a);
    shelved_leave(a);
    return a != NULL;
}

static void
what_answers_is_found(void **state)
{
    struct fixture *f = *state;

    put(f, "http://a/", "1", 10);
    assert_true(has(f, "http://a/", "1"));
    assert_false(has(f, "http://a/", "2"));
    assert_false(has(f, "http://a/b", "1"));
    put(f, "http://a/", "2", 10);
    assert_true(has(f, "http://a/", "1") && has(f, "http://a/", "2"));
}

static void
an_answer_is_a_message_again(void **state)
{
    struct fixture *f = *state;
    struct shelved *a = make(f, "http://a/", "1", 0, -1);
    struct ern_field fields[FIELDS];
    struct ern_request m;

    assert_true(shelved_message(a, fields, FIELDS, &m));
    assert_int_equal(m.fields_n, 5); /* and a Date */
    assert_true(ern_request_has(&m, ERN_FIELD_date));
    assert_true(slice_eq(fields[m.fields_n - 1].value, ERN_SLICE("2")));
    assert_true(slice_eq(a->etag, ERN_SLICE("\"e\"")));
    assert_false(shelved_message(a, fields, 4, &m));
    shelved_leave(a);
}

static void
a_newer_one_takes_its_place(void **state)
{
    struct fixture *f = *state;
    struct shelved *a;
    bool is_known;

    put(f, "http://a/", "1", 10);
    put(f, "http://a/", "1", 20);
    a = shelf_find(f->shelf, ERN_SLICE("http://a/"), hash(f, "http://a/"), asks(f, "1"), 0,
                   &is_known);
    assert_int_equal(a->content->length, 20);
    shelved_leave(a);
}

static void
what_was_used_longest_ago_goes(void **state)
{
    struct fixture *f = *state;

    put(f, "a", "1", 10);
    put(f, "b", "1", 10);
    assert_int_equal(shelf_sizes(f->shelf).answers, 2);
    assert_in_range(shelf_sizes(f->shelf).bytes, 20, BYTES);
    put(f, "c", "1", 10);
    put(f, "d", "1", 10);
    assert_true(has(f, "a", "1"));
    put(f, "e", "1", 10);
    assert_true(has(f, "a", "1"));
    assert_false(has(f, "b", "1"));
    put(f, "f", "1", BYTES / 2);
    put(f, "g", "1", BYTES / 2); /* with what an answer takes besides it is more than that */
    assert_false(has(f, "f", "1") && has(f, "g", "1"));
    put(f, "h", "1", BYTES);
    assert_false(has(f, "h", "1"));
    assert_true(has(f, "g", "1")); /* for what can not be kept nothing goes */
}

static void
variants_and_files_are_few(void **state)
{
    struct fixture *f = *state;
    struct shelved *first, *second;

    put(f, "a", "1", 1);
    put(f, "a", "2", 1);
    put(f, "a", "3", 1);
    put(f, "a", "4", 1);
    assert_false(has(f, "a", "1"));
    assert_true(has(f, "a", "2") && has(f, "a", "3") && has(f, "a", "4"));
    first = make(f, "x", "1", 1 << 20, shelf_file(f->shelf));
    second = make(f, "y", "1", 1 << 20, shelf_file(f->shelf));
    assert_true(first->content->fd >= 0 && second->content->fd >= 0);
    shelf_put(f->shelf, first, 0, 0);
    assert_true(has(f, "x", "1"));
    shelf_put(f->shelf, second, 0, 0);
    assert_false(has(f, "x", "1"));
    assert_true(has(f, "y", "1"));
    assert_true(has(f, "a", "3"));                              /* for a file no memory goes */
    assert_int_equal(pwrite(first->content->fd, "1", 1, 0), 1); /* who holds it has it */
    shelved_leave(first);
    shelved_leave(second);
}

static void
what_is_dropped_is_not_put_again(void **state)
{
    struct fixture *f = *state;
    struct shelved *late = make(f, "a", "1", 1, -1);
    uint32_t mark = shelf_mark(f->shelf, late->hash);

    put(f, "a", "1", 1);
    put(f, "a", "2", 1);
    shelf_drop(f->shelf, ERN_SLICE("a"), hash(f, "a"));
    assert_false(has(f, "a", "1") || has(f, "a", "2"));
    shelf_put(f->shelf, late, mark, 0);
    assert_false(has(f, "a", "1"));
    shelf_put(f->shelf, late, shelf_mark(f->shelf, late->hash), 0);
    assert_true(has(f, "a", "1"));
    shelf_remove(f->shelf, late);
    shelf_remove(f->shelf, late);
    assert_false(has(f, "a", "1"));
    shelved_leave(late);
}

static void
room_is_bounded(void **state)
{
    struct fixture *f = *state;

    assert_true(shelf_reserve(f->shelf, BYTES - 1));
    assert_false(shelf_reserve(f->shelf, 2));
    assert_true(shelf_reserve(f->shelf, 1));
    shelf_release(f->shelf, BYTES);
    assert_true(shelf_reserve(f->shelf, BYTES));
    shelf_release(f->shelf, BYTES);
}

/* ---- flights -----------------------------------------------------------------------------------
 */

static unsigned landed_n;

static void
landed(struct job *job)
{
    (void)job;
    landed_n++;
}

static void
who_waits_is_told(void **state)
{
    struct fixture *f = *state;
    struct mailbox mailbox;
    struct waiter waiters[3] = {{.flight = NULL}};
    struct flight *flight, *other;
    bool waits;

    assert_int_equal(mailbox_open(&mailbox), 0);
    landed_n = 0;
    flight = shelf_fly(f->shelf, ERN_SLICE("a"), hash(f, "a"), 0, NULL, &waits);
    assert_true(flight && !waits);
    for (int i = 0; i < 3; i++) {
        waiters[i].job = (struct job){.mailbox = &mailbox, .done = landed};
        assert_null(shelf_fly(f->shelf, ERN_SLICE("a"), hash(f, "a"), 0, &waiters[i], &waits));
        assert_true(waits);
    }
    other = shelf_fly(f->shelf, ERN_SLICE("b"), hash(f, "b"), 0, &waiters[0], &waits);
    assert_true(other && !waits);
    assert_true(shelf_unwait(f->shelf, &waiters[1]));
    assert_false(shelf_unwait(f->shelf, &waiters[1]));
    shelf_land(f->shelf, flight);
    assert_false(shelf_unwait(f->shelf, &waiters[0]));
    mailbox_run(&mailbox);
    assert_int_equal(landed_n, 2);
    shelf_land(f->shelf, other);
    mailbox_close(&mailbox);
}

static void
nobody_waits_for_what_can_not_be_kept(void **state)
{
    struct fixture *f = *state;
    struct waiter waiter;
    struct flight *flight;
    bool waits;

    shelf_barren(f->shelf, hash(f, "a"), 0);
    assert_null(shelf_fly(f->shelf, ERN_SLICE("a"), hash(f, "a"), 0, &waiter, &waits));
    assert_false(waits);
    flight = shelf_fly(f->shelf, ERN_SLICE("a"), hash(f, "a"), 1000000, &waiter, &waits);
    assert_non_null(flight);
    shelf_land(f->shelf, flight);
    shelf_land(f->shelf, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_answers_is_found, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_is_a_message_again, begin, end),
        cmocka_unit_test_setup_teardown(a_newer_one_takes_its_place, begin, end),
        cmocka_unit_test_setup_teardown(what_was_used_longest_ago_goes, begin, end),
        cmocka_unit_test_setup_teardown(variants_and_files_are_few, begin, end),
        cmocka_unit_test_setup_teardown(what_is_dropped_is_not_put_again, begin, end),
        cmocka_unit_test_setup_teardown(room_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(who_waits_is_told, begin, end),
        cmocka_unit_test_setup_teardown(nobody_waits_for_what_can_not_be_kept, begin, end),
    };

    return cmocka_run_group_tests_name("shelf", tests, NULL, NULL);
}
