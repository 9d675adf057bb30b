/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "res/intake.h"

#define MONDAY 1780000000 /* a day: the 28th of May 2026 */

static const struct limits *
limits(void)
{
    static struct limits standard;

    standard = limits_standard();
    return &standard;
}

/* ---- forms -------------------------------------------------------------------------------------
 */

static void
expect_json(enum form_type type, const char *content, const char *json)
{
    char room[4096];
    struct out o = out_init(room, sizeof room);
    struct form form;

    assert_int_equal(form_read(type, slice_text(content), ERN_SLICE("b"), limits(), &form), 0);
    assert_int_equal(form.fault, FAULT_none);
    form_write(&form, &o);
    assert_true(o.len <= form_json_max(&form));
    form_done(&form);
    assert_true(slice_eq(out_done(&o), slice_text(json)));
}

static void
forms_become_json(void **state)
{
    (void)state;
    expect_json(FORM_URLENCODED, "", "{}");
    expect_json(FORM_URLENCODED, "b=2&a=1&b=+&c", "{\"b\":[\"2\",\" \"],\"a\":\"1\",\"c\":\"\"}");
    expect_json(FORM_URLENCODED, "%22=%0A%00", "{\"\\\"\":\"\\u000a\\u0000\"}");
    expect_json(FORM_JSON, " {\"a\" : [ 1.10, \"b \\\" c\" , 99999999999999999999 ]}\r\n",
                "{\"a\":[1.10,\"b \\\" c\",99999999999999999999]}");
    expect_json(
        FORM_MULTIPART,
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x%0D%0Ay\"\r\n\r\n\xff\r\n"
        "--b--",
        "{\"a\":\"1\",\"f\":{\"file\":\"\",\"name\":\"x\\u000d\\u000ay\",\"type\":\"text/plain\","
        "\"bytes\":1}}");
}

static void
expect_fault(enum form_type type, const char *content, enum form_fault fault, const char *culprit)
{
    struct form form;

    assert_int_equal(form_read(type, slice_text(content), ERN_SLICE("b"), limits(), &form), 0);
    assert_int_equal(form.fault, fault);
    assert_true(slice_eq(form.culprit, slice_text(culprit)));
    form_done(&form);
}

static void
faults_are_found(void **state)
{
    static const char disposition[] = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n";
    char text[512];

    (void)state;
    expect_fault(FORM_URLENCODED, "a=%c3%28", FAULT_utf8, "a");
    expect_fault(FORM_URLENCODED, "%ff=1", FAULT_utf8, "\xff");
    expect_fault(FORM_JSON, "{\"a\":1", FAULT_json, NULL);
    expect_fault(FORM_JSON, "{\"a\":1} {}", FAULT_json, NULL);
    expect_fault(FORM_JSON, "{\"a\":1,\"\\u0061\":2}", FAULT_json, NULL);
    expect_fault(FORM_JSON, "{\"a\":\"\xff\"}", FAULT_json, NULL);
    expect_fault(FORM_JSON, "\"a\"", FAULT_not_object, NULL);
    expect_fault(FORM_MULTIPART, "", FAULT_multipart, NULL);
    expect_fault(FORM_MULTIPART, "--b\r\nX: y\r\n\r\n\r\n--b--", FAULT_head, NULL);
    (void)snprintf(text, sizeof text, "%s\r\n1\r\n", disposition);
    expect_fault(FORM_MULTIPART, text, FAULT_multipart, NULL);
    (void)snprintf(text, sizeof text, "%sContent-Transfer-Encoding: base64\r\n\r\n1\r\n--b--",
                   disposition);
    expect_fault(FORM_MULTIPART, text, FAULT_encoded, "a");
    (void)snprintf(text, sizeof text, "%sContent-Type: Multipart/mixed\r\n\r\n1\r\n--b--",
                   disposition);
    expect_fault(FORM_MULTIPART, text, FAULT_nested, "a");
}

static void
digest_of(enum form_type type, const char *content, uint8_t digest[DIGEST_BYTES])
{
    struct form form;

    assert_int_equal(form_read(type, slice_text(content), ERN_SLICE("b"), limits(), &form), 0);
    assert_int_equal(form_digest(&form, digest), 0);
    form_done(&form);
}

/* What says the same in two types is the same; nothing else is. */
static void
digests_tell_forms_apart(void **state)
{
    static const char *const contents[] = {"a=1&b=2", "a=1&b=3", "b=2&a=1", "a=1b=2", "a=1&b", ""};
    uint8_t digests[sizeof contents / sizeof *contents][DIGEST_BYTES], same[DIGEST_BYTES];
    size_t n = sizeof contents / sizeof *contents;

    (void)state;
    for (size_t i = 0; i < n; i++)
        digest_of(FORM_URLENCODED, contents[i], digests[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(digests[i], digests[j], DIGEST_BYTES);
    digest_of(FORM_MULTIPART,
              "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
              "--b\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n--b--",
              same);
    assert_memory_equal(same, digests[0], DIGEST_BYTES);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static void
keys_are_known_for_a_while(void **state)
{
    struct once_done done = {.key = {1}, .content = {2}, .at_s = 100};
    uint8_t content[DIGEST_BYTES];
    struct once once;

    (void)state;
    assert_true(once_init(&once, 2, 10));
    assert_false(once_find(&once, done.key, 100, content));
    once_keep(&once, &done);
    assert_true(once_find(&once, done.key, 110, content));
    assert_memory_equal(content, done.content, sizeof content);
    assert_false(once_find(&once, done.key, 111, content));
    for (uint8_t i = 2; i < 4; i++)
        once_keep(&once, &(struct once_done){.key = {i}, .at_s = 100});
    assert_false(once_find(&once, done.key, 100, content)); /* the oldest went */
    once_free(&once);
}

static void
keys_belong_to_one_request(void **state)
{
    struct once_claim one = {.key = {1}}, same = {.key = {1}}, other = {.key = {2}};
    struct once once;

    (void)state;
    assert_true(once_init(&once, 2, 10));
    assert_true(once_claim(&once, &one));
    assert_false(once_claim(&once, &same));
    assert_true(once_claim(&once, &other));
    once_release(&once, &same); /* nothing */
    once_release(&once, &one);
    assert_true(once_claim(&once, &same));
    once_release(&once, &other);
    once_release(&once, &same);
    assert_null(once.claims);
    once_free(&once);
}

/* ---- lines -------------------------------------------------------------------------------------
 */

struct folder {
    char path[64], file[80];
};

static int
make_folder(void **state)
{
    static struct folder f;

    (void)snprintf(f.path, sizeof f.path, "/tmp/intake_test.XXXXXX");
    if (!mkdtemp(f.path))
        return -1;
    (void)snprintf(f.file, sizeof f.file, "%s/lines", f.path);
    *state = &f;
    return 0;
}

static int
remove_folder(void **state)
{
    const struct folder *f = *state;
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", f->path);
    return system(command);
}

static void
write_file(const struct folder *f, const char *text)
{
    FILE *file = fopen(f->file, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
expect_file(const struct folder *f, const char *text)
{
    char got[4096];
    int fd = open(f->file, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, got, sizeof got);

    assert_true(n >= 0);
    assert_true(slice_eq(slice_from(got, (size_t)n), slice_text(text)));
    (void)close(fd);
}

static enum intake_reply
keep(struct intake *intake, const char *content, const uint8_t *key)
{
    struct form form;
    struct intake_entry entry = {.form = &form, .now_s = MONDAY, .user = ERN_ABSENT, .key = key};
    enum intake_reply reply;

    assert_int_equal(form_read(FORM_URLENCODED, slice_text(content), ERN_ABSENT, limits(), &form),
                     0);
    assert_int_equal(form_digest(&form, entry.content), 0);
    assert_int_equal(intake_keep(intake, &entry, &reply), 0);
    form_done(&form);
    return reply;
}

static int64_t
bytes_of(const struct folder *f)
{
    struct stat st;

    assert_int_equal(stat(f->file, &st), 0);
    return st.st_size;
}

/* Cut after each byte, a line is taken away, or was whole. */
static void
what_a_kill_leaves_is_mended(void **state)
{
    static const char whole[] = "{\"at\":\"x\",\"fields\":{\"a\":\"{}\"}}\n";
    const struct folder *f = *state;
    char cut[128], wanted[128];

    for (size_t n = 1; n < sizeof whole; n++) {
        struct intake intake;
        bool lost = n < sizeof whole - 2;

        (void)snprintf(cut, sizeof cut, "%s%.*s", whole, (int)n, whole);
        (void)snprintf(wanted, sizeof wanted, "%s%s", whole, lost ? "" : whole);
        write_file(f, cut);
        assert_int_equal(intake_open(&intake, f->file, limits()), 0);
        expect_file(f, wanted);
        intake_close(&intake);
    }
}

static void
keys_are_in_the_lines(void **state)
{
    const uint8_t one[ONCE_KEY_BYTES] = {1}, two[ONCE_KEY_BYTES] = {2};
    const struct folder *f = *state;
    struct intake intake, other;
    int64_t bytes;

    write_file(f, "");
    assert_int_equal(intake_open(&intake, f->file, limits()), 0);
    assert_int_equal(keep(&intake, "a=1", one), INTAKE_KEPT);
    bytes = bytes_of(f);
    assert_int_equal(keep(&intake, "a=1", one), INTAKE_KEPT);
    assert_int_equal(keep(&intake, "a=2", one), INTAKE_OTHER);
    assert_int_equal(bytes_of(f), bytes);
    assert_int_equal(intake_open(&other, f->file, limits()), 0); /* another process */
    assert_int_equal(keep(&other, "a=2", one), INTAKE_OTHER);
    assert_int_equal(keep(&other, "a=2", two), INTAKE_KEPT);
    assert_int_equal(keep(&intake, "a=1", two), INTAKE_OTHER);
    assert_int_equal(bytes_of(f), 2 * bytes);
    intake_close(&other);
    assert_int_equal(unlink(f->file), 0); /* put away: the next line makes a new one */
    assert_int_equal(keep(&intake, "a=1", one), INTAKE_KEPT);
    assert_int_equal(keep(&intake, "b=1", NULL), INTAKE_KEPT);
    assert_true(bytes_of(f) > 0 && bytes_of(f) < bytes);
    intake_close(&intake);
}

static void
heads_are_read(void **state)
{
    struct form form = {.type = FORM_URLENCODED};
    const uint8_t key[ONCE_KEY_BYTES] = {1, 0xab};
    struct intake_entry entry = {
        .form = &form, .now_s = MONDAY, .user = ERN_SLICE("a\nb"), .key = key, .content = {3}};
    char text[512];
    struct out o = out_init(text, sizeof text);
    struct once_done done;

    (void)state;
    intake_write_head(&entry, "0123456789abcdef0123456789abcdef", &o);
    assert_true(intake_read_head(out_done(&o), &done));
    assert_int_equal(done.at_s, MONDAY);
    assert_memory_equal(done.key, key, sizeof key);
    assert_memory_equal(done.content, entry.content, sizeof done.content);
    for (size_t n = 0; n < 185; n++)
        assert_false(intake_read_head(slice_first(out_done(&o), n), &done));
    o.len = 0;
    entry.key = NULL;
    intake_write_head(&entry, "0123456789abcdef0123456789abcdef", &o);
    assert_false(intake_read_head(out_done(&o), &done));
    assert_false(intake_read_head(ERN_SLICE("{\"at\":\"2026-02-30T00:00:00Z\","), &done));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_become_json),
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(digests_tell_forms_apart),
        cmocka_unit_test(keys_are_known_for_a_while),
        cmocka_unit_test(keys_belong_to_one_request),
        cmocka_unit_test(what_a_kill_leaves_is_mended),
        cmocka_unit_test(keys_are_in_the_lines),
        cmocka_unit_test(heads_are_read),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
