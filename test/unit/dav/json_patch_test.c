/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "dav/patch.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
enum { COPIED_MAX = 1000 };

static json_t *
read_json(const char *text)
{
    return json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

static void
is_json(const json_t *value, const char *expected)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert_non_null(text);
    if (!slice_eq(slice_text(text), slice_text(expected)))
        fail_msg("%s, not %s", text, expected);
    free(text);
}

static const struct {
    const char *document, *patch;
    const char *result; /* NULL: it cannot be applied */
} patches[] = {
    /* RFC 6902 A.1 to A.16, without A.13 */
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
    {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
     "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
     "{\"foo\":\"bar\"}"},
    {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
     "{\"foo\":[\"bar\",\"baz\"]}"},
    {"{\"baz\":\"qux\",\"foo\":\"bar\"}",
     "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
     "{\"baz\":\"boo\",\"foo\":\"bar\"}"},
    {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
     "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
     "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"},
    {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
     "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
     "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"},
    {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
     "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},"
     "{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
     "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}"},
    {"{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", NULL},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
     "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}"},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", NULL},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
     "{\"/\":9,\"~1\":10}"},
    {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", NULL},
    {"{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
     "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}"},
    /* the whole document */
    {"1", "[]", "1"},
    {"1", "[{\"op\":\"add\",\"path\":\"\",\"value\":[2]}]", "[2]"},
    {"1", "[{\"op\":\"replace\",\"path\":\"\",\"value\":2}]", "2"},
    {"1", "[{\"op\":\"remove\",\"path\":\"\"}]", "null"},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":{\"a\":1}}"},
    {"{\"a\":[1]}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"\"}]", "[1]"},
    /* a value into itself */
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"/c\"}]", NULL},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]",
     "{\"a\":{\"b\":1}}"},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab\"}]",
     "{\"ab\":{\"b\":1}}"},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"}]",
     "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}"},
    /* names and indices */
    {"{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]", "{\"\":{\"\":2}}"},
    {"{\"a\":{\"~/\":1}}", "[{\"op\":\"replace\",\"path\":\"/a/~0~1\",\"value\":2}]",
     "{\"a\":{\"~/\":2}}"},
    {"[1,2]", "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":3}]", "[1,3]"},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]", "[1,2,3]"},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":3}]", NULL},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/01\",\"value\":3}]", NULL},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/-1\",\"value\":3}]", NULL},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/+1\",\"value\":3}]", NULL},
    {"[1,2]", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":3}]", NULL},
    {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", NULL},
    {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/2\"}]", NULL},
    {"[1,2]", "[{\"op\":\"replace\",\"path\":\"/2\",\"value\":3}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":3}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a/b\"}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/b\",\"path\":\"/c\"}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/c\"}]", NULL},
    /* equal, or not: RFC 6902 4.6 */
    {"1", "[{\"op\":\"test\",\"path\":\"\",\"value\":1.0}]", "1"},
    {"9007199254740993", "[{\"op\":\"test\",\"path\":\"\",\"value\":9007199254740992.0}]", NULL},
    {"9007199254740993", "[{\"op\":\"test\",\"path\":\"\",\"value\":9007199254740992}]", NULL},
    {"{\"a\":1,\"b\":[2]}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"b\":[2.0],\"a\":1}}]",
     "{\"a\":1,\"b\":[2]}"},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"b\":1}}]", NULL},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{}}]", NULL},
    {"[1]", "[{\"op\":\"test\",\"path\":\"\",\"value\":[1,1]}]", NULL},
    {"[1]", "[{\"op\":\"test\",\"path\":\"\",\"value\":[2]}]", NULL},
    {"null", "[{\"op\":\"test\",\"path\":\"\",\"value\":false}]", NULL},
    {"null", "[{\"op\":\"test\",\"path\":\"\",\"value\":null}]", "null"},
    /* the second does not hold */
    {"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/b\"}]",
     NULL},
};

static void
patches_are_applied(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(patches); i++) {
        char text[256];
        struct out why = out_init(text, sizeof text);
        json_t *document = read_json(patches[i].document), *patch = read_json(patches[i].patch);
        bool applied;

        assert_true(document && json_patch_is_valid(patch, &why) && why.len == 0);
        applied = json_patch_apply(patch, COPIED_MAX, &document, &why);
        if (applied != (patches[i].result != NULL) || applied == (why.len > 0))
            fail_msg("%s: %.*s", patches[i].patch, (int)why.len, text);
        if (applied)
            is_json(document, patches[i].result);
        json_decref(document);
        json_decref(patch);
    }
}

static void
what_is_no_patch_is_refused(void **state)
{
    static const char *const wrong[] = {
        "null",
        "{}",
        "[1]",
        "[[]]",
        "[{}]",
        "[{\"op\":\"add\",\"path\":\"/a\"}]",
        "[{\"op\":\"replace\",\"path\":\"/a\"}]",
        "[{\"op\":\"test\",\"path\":\"/a\"}]",
        "[{\"op\":\"add\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/~\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":\"/~2\",\"value\":1}]",
        "[{\"op\":\"add\",\"path\":1,\"value\":1}]",
        "[{\"op\":\"move\",\"path\":\"/a\"}]",
        "[{\"op\":\"copy\",\"path\":\"/a\",\"from\":\"b\"}]",
        "[{\"op\":\"spam\",\"path\":\"/a\",\"value\":1}]",
        "[{\"op\":1,\"path\":\"/a\",\"value\":1}]",
        "[{\"op\":\"remove\",\"path\":\"\"},{\"op\":\"remove\"}]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char text[256];
        struct out why = out_init(text, sizeof text);
        json_t *patch = read_json(wrong[i]);

        assert_non_null(patch);
        if (json_patch_is_valid(patch, &why) || why.len == 0)
            fail_msg("%s", wrong[i]);
        json_decref(patch);
    }
    /* RFC 6902 A.13: a name that stands twice */
    assert_null(
        read_json("[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"op\":\"remove\"}]"));
}

/* Applies a patch of so many operations; says why not, or "". */
static void
apply_many(json_t **document, const char *operation, unsigned n, struct out *why)
{
    json_t *patch = json_array();
    bool applied;

    for (unsigned i = 0; i < n; i++)
        assert_int_equal(json_array_append_new(patch, read_json(operation)), 0);
    assert_true(json_patch_is_valid(patch, why));
    applied = json_patch_apply(patch, COPIED_MAX, document, why);
    assert_int_equal(applied, why->len == 0);
    json_decref(patch);
}

static void
copies_of_copies_have_a_limit(void **state)
{
    char text[256];
    struct out why = out_init(text, sizeof text);
    json_t *document = read_json("{\"a\":\"some text\"}");

    (void)state;
    apply_many(&document, "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}", 60, &why);
    assert_true(slice_starts(out_done(&why), ERN_SLICE("Operation ")));
    assert_true(slice_ends(out_done(&why), ERN_SLICE("copies more than this server copies at "
                                                     "\"/b\".")));
    json_decref(document);
}

/* An array in an array, and so on: the text of such a document, or the pointer to the inmost. */
static char *
repeat(const char *piece, size_t n, const char *middle, const char *end)
{
    char *text = malloc(n * (slice_text(piece).len + slice_text(end).len) + 64);
    struct out o = out_init(text, SIZE_MAX);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        out_text(&o, piece);
    out_text(&o, middle);
    for (size_t i = 0; i < n; i++)
        out_text(&o, end);
    out_char(&o, '\0');
    return text;
}

/* Chains that are moved into one another would grow deeper than anything that walks them stands. */
static void
depth_has_a_limit(void **state)
{
    enum { CHAIN = 700, CHAINS = 8, LEVELS = JSON_PARSER_MAX_DEPTH };
    char text[1024];
    struct out why = out_init(text, sizeof text);
    char *chain = repeat("[", CHAIN, "", "]"), *pointer = repeat("/0", LEVELS - 2, "", "");
    json_t *document = json_array(), *patch = json_array();

    (void)state;
    for (unsigned i = 0; i < CHAINS; i++)
        assert_int_equal(json_array_append_new(document, read_json(chain)), 0);
    for (size_t i = 1; i < CHAINS; i++) {
        pointer[2 * (i * CHAIN < LEVELS - 2 ? i * CHAIN : LEVELS - 2)] = '\0';
        assert_int_equal(json_array_append_new(patch, json_pack("{ss ss ss+}", "op", "move", "from",
                                                                "/1", "path", pointer, "/0")),
                         0);
        pointer[2 * (i * CHAIN < LEVELS - 2 ? i * CHAIN : LEVELS - 2)] = '/';
    }
    assert_true(json_patch_is_valid(patch, &why));
    assert_false(json_patch_apply(patch, COPIED_MAX, &document, &why));
    assert_true(slice_starts(out_done(&why), ERN_SLICE("Operation 2 of the patch makes the "
                                                       "document too deep at \"/0/0/0")));
    assert_true(slice_ends(out_done(&why), ERN_SLICE("/0...\"."))); /* not all of the pointer */
    json_decref(document);
    json_decref(patch);
    free(chain);
    free(pointer);
}

/* Many moves that make nothing deeper are no matter. */
static void
moves_are_not_depth(void **state)
{
    char text[256];
    struct out why = out_init(text, sizeof text);
    json_t *document = read_json("{\"a\":{\"b\":{\"c\":1}}}");

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        apply_many(&document, "{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/d\"}", 1, &why);
        apply_many(&document, "{\"op\":\"move\",\"from\":\"/d\",\"path\":\"/a/b\"}", 1, &why);
    }
    is_json(document, "{\"a\":{\"b\":{\"c\":1}}}");
    json_decref(document);
    document = read_json("[[[1]]]");
    apply_many(&document, "{\"op\":\"move\",\"from\":\"/0/0/0\",\"path\":\"/0/0/0\"}", 3000, &why);
    assert_int_equal(why.len, 0);
    is_json(document, "[[[1]]]");
    json_decref(document);
}

static void
merges_are_made(void **state)
{
    static const struct {
        const char *document, *patch, *result;
    } merges[] = {
        /* RFC 7396 A */
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        /* nulls within an array stay, and what is not named */
        {"{\"a\":1}", "{\"b\":[null,{\"c\":null}]}", "{\"a\":1,\"b\":[null,{\"c\":null}]}"},
        {"{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"c\":null}}}",
         "{\"a\":{\"b\":{\"d\":2}}}"},
        {"1", "{}", "{}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(merges); i++) {
        json_t *patch = read_json(merges[i].patch);
        json_t *document = json_merge(read_json(merges[i].document), patch);

        is_json(document, merges[i].result);
        is_json(patch, merges[i].patch);
        json_decref(document);
        json_decref(patch);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_are_applied),
        cmocka_unit_test(what_is_no_patch_is_refused),
        cmocka_unit_test(copies_of_copies_have_a_limit),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(moves_are_not_depth),
        cmocka_unit_test(merges_are_made),
    };

    return cmocka_run_group_tests_name("json_patch", tests, NULL, NULL);
}
