/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sf_test.c - structured fields: the vectors of test/data/structured-field-tests, read, compared,
 * rewritten, and written from their expected values; and cases of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/slice.h"
#include "msg/sf.h"

#define LEN(array) (sizeof(array) / sizeof *(array))
#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

enum { TEXT_MAX = 1 << 16, KEYS_MAX = 2048 };

static const char *const parse_files[] = {
    "binary",
    "boolean",
    "date",
    "dictionary",
    "display-string",
    "examples",
    "item",
    "list",
    "listlist",
    "key-generated",
    "number",
    "number-generated",
    "param-dict",
    "param-list",
    "param-listlist",
    "string",
    "string-generated",
    "token",
    "token-generated",
};

static const char *const write_files[] = {"key-generated", "number", "string-generated",
                                          "token-generated"};

struct failure {
    const char *file, *name; /* of the vector that is looked at */
};

static void
check(const struct failure *of, bool right, const char *what)
{
    if (!right)
        fail_msg("%s: \"%s\": %s", of->file, of->name, what);
}

static void
check_text(const struct failure *of, const char *what, struct ern_slice got, struct ern_slice want)
{
    if (!slice_eq(got, want))
        fail_msg("%s: \"%s\": %s is |%.*s|, not |%.*s|", of->file, of->name, what, (int)got.len,
                 got.ptr, (int)want.len, want.ptr);
}

static json_t *
load(const char *folder, const char *file)
{
    const char *data = getenv("ERN_TEST_DATA");
    char path[1024];
    json_error_t error;
    json_t *json;

    (void)snprintf(path, sizeof path, "%s/structured-field-tests/%s%s.json",
                   data ? data : "test/data", folder, file);
    json = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("%s: %s", path, error.text);
    return json;
}

static struct ern_slice
text_of(const json_t *string)
{
    return slice_from(json_string_value(string), json_string_length(string));
}

/* The lines of an array, joined. */
static struct ern_slice
join(const json_t *lines, char *memory, size_t cap)
{
    struct out o = out_init(memory, cap);

    for (size_t i = 0; i < json_array_size(lines); i++) {
        if (i)
            out_literal(&o, ", ");
        out_slice(&o, text_of(json_array_get(lines, i)));
    }
    assert_false(o.full);
    return out_done(&o);
}

/* base32 (RFC 4648 6), as the vectors give byte sequences. */
static struct ern_slice
from_base32(struct ern_slice text, char *memory)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned bits = 0, bits_n = 0;
    size_t n = 0;

    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        const char *at = strchr(alphabet, text.ptr[i]);

        assert_non_null(at);
        bits = (bits << 5 | (unsigned)(at - alphabet)) & 0xfff;
        bits_n += 5;
        if (bits_n >= 8) {
            bits_n -= 8;
            memory[n++] = (char)(bits >> bits_n & 0xff);
        }
    }
    return slice_from(memory, n);
}

/* A decimal in thousandths, rounded half to even (RFC 9651 4.1.5). */
static int64_t
thousandths(double x)
{
    double scaled = x < 0 ? -x * 1000 : x * 1000;
    int64_t n = (int64_t)scaled;
    double rest = scaled - (double)n;

    if (rest > 0.5 || (rest >= 0.5 && n % 2 == 1))
        n++;
    return x < 0 ? -n : n;
}

/* The value that a bare item of the vectors stands for, its text decoded. */
static struct sf_value
bare_from(const json_t *bare, char *memory)
{
    const json_t *value = json_object_get(bare, "value");
    struct ern_slice type;

    if (json_is_integer(bare))
        return (struct sf_value){.type = SF_INTEGER, .integer = json_integer_value(bare)};
    if (json_is_real(bare))
        return (struct sf_value){.type = SF_DECIMAL, .integer = thousandths(json_real_value(bare))};
    if (json_is_boolean(bare))
        return (struct sf_value){.type = SF_BOOLEAN, .integer = json_is_true(bare)};
    if (json_is_string(bare))
        return (struct sf_value){.type = SF_STRING, .text = text_of(bare)};
    type = text_of(json_object_get(bare, "__type"));
    if (slice_eq(type, ERN_SLICE("token")))
        return (struct sf_value){.type = SF_TOKEN, .text = text_of(value)};
    if (slice_eq(type, ERN_SLICE("date")))
        return (struct sf_value){.type = SF_DATE, .integer = json_integer_value(value)};
    if (slice_eq(type, ERN_SLICE("displaystring")))
        return (struct sf_value){.type = SF_DISPLAY, .text = text_of(value)};
    assert_true(slice_eq(type, ERN_SLICE("binary")));
    return (struct sf_value){.type = SF_BYTES, .text = from_base32(text_of(value), memory)};
}

static void
compare_bare(const struct failure *of, const struct sf_value *got, const json_t *want_json)
{
    char memory[TEXT_MAX / 16], decoded[TEXT_MAX / 16];
    struct sf_value want = bare_from(want_json, memory);
    struct out o = out_init(decoded, sizeof decoded);

    check(of, got->type == want.type, "the type of a value");
    check(of, got->integer == want.integer, "a number");
    sf_decode(&o, got);
    assert_false(o.full);
    check_text(of, "a value", out_done(&o), want.text);
}

struct members {
    size_t n;
    struct {
        struct ern_slice key;
        struct sf_value value;
    } at[KEYS_MAX];
};

/* Adds a member, or overrides the one that has its key. */
static void
put(struct members *members, struct ern_slice key, const struct sf_value *value)
{
    size_t i = 0;

    while (i < members->n && !slice_eq(members->at[i].key, key))
        i++;
    assert_true(i < KEYS_MAX);
    members->at[i].key = key;
    members->at[i].value = *value;
    members->n += i == members->n;
}

static void
compare_parameters(const struct failure *of, struct ern_slice text, const json_t *want)
{
    struct members *members = calloc(1, sizeof *members);
    struct ern_slice key;
    struct sf_value value;

    assert_non_null(members);
    while (sf_parameter_next(&text, &key, &value))
        put(members, key, &value);
    check(of, text.len == 0, "parameters that were not read");
    check(of, members->n == json_array_size(want), "the number of parameters");
    for (size_t i = 0; i < members->n; i++) {
        const json_t *pair = json_array_get(want, i);

        check_text(of, "a parameter's key", members->at[i].key, text_of(json_array_get(pair, 0)));
        compare_bare(of, &members->at[i].value, json_array_get(pair, 1));
    }
    free(members);
}

/* want is [bare item or inner list, parameters]. */
static void
compare_value(const struct failure *of, const struct sf_value *got, const json_t *want)
{
    const json_t *items = json_array_get(want, 0);
    struct ern_slice text = got->text;
    struct sf_value item;
    size_t n = 0;

    if (json_is_array(items)) {
        check(of, got->type == SF_INNER_LIST, "an inner list");
        for (; sf_item_next(&text, &item); n++) {
            check(of, n < json_array_size(items), "an inner list too long");
            compare_bare(of, &item, json_array_get(json_array_get(items, n), 0));
            compare_parameters(of, item.parameters, json_array_get(json_array_get(items, n), 1));
        }
        check(of, n == json_array_size(items), "an inner list too short");
    } else {
        compare_bare(of, got, items);
    }
    compare_parameters(of, got->parameters, json_array_get(want, 1));
}

static void
compare_dictionary(const struct failure *of, struct ern_slice text, const json_t *want)
{
    struct members *members = calloc(1, sizeof *members);
    struct ern_slice key;
    struct sf_value value;

    assert_non_null(members);
    while (sf_dictionary_next(&text, &key, &value))
        put(members, key, &value);
    check(of, text.len == 0, "members that were not read");
    check(of, members->n == json_array_size(want), "the number of members");
    for (size_t i = 0; i < members->n; i++) {
        const json_t *pair = json_array_get(want, i);

        check_text(of, "a key", members->at[i].key, text_of(json_array_get(pair, 0)));
        compare_value(of, &members->at[i].value, json_array_get(pair, 1));
    }
    free(members);
}

static void
compare_list(const struct failure *of, struct ern_slice text, const json_t *want)
{
    struct sf_value value;
    size_t n = 0;

    for (; sf_list_next(&text, &value); n++) {
        check(of, n < json_array_size(want), "a list too long");
        compare_value(of, &value, json_array_get(want, n));
    }
    check(of, text.len == 0, "members that were not read");
    check(of, n == json_array_size(want), "a list too short");
}

/* Writes what the vectors expect, with sf_write_value() and sf_write_key() alone. */
static bool
write_parameters(struct out *o, const json_t *parameters)
{
    char memory[TEXT_MAX / 16];
    bool fine = true;

    for (size_t i = 0; i < json_array_size(parameters); i++) {
        const json_t *pair = json_array_get(parameters, i), *bare = json_array_get(pair, 1);
        struct sf_value value = bare_from(bare, memory);

        out_char(o, ';');
        fine &= sf_write_key(o, text_of(json_array_get(pair, 0)));
        if (!json_is_true(bare)) {
            out_char(o, '=');
            fine &= sf_write_value(o, &value);
        }
    }
    return fine;
}

static bool
write_item(struct out *o, const json_t *item)
{
    char memory[TEXT_MAX / 16];
    struct sf_value value = bare_from(json_array_get(item, 0), memory);
    bool fine = sf_write_value(o, &value);

    return fine & write_parameters(o, json_array_get(item, 1));
}

static bool
write_member(struct out *o, const json_t *member)
{
    const json_t *items = json_array_get(member, 0);
    bool fine = true;

    if (!json_is_array(items))
        return write_item(o, member);
    out_char(o, '(');
    for (size_t i = 0; i < json_array_size(items); i++) {
        out_text(o, i ? " " : "");
        fine &= write_item(o, json_array_get(items, i));
    }
    out_char(o, ')');
    return fine & write_parameters(o, json_array_get(member, 1));
}

static bool
write_expected(struct out *o, struct ern_slice type, const json_t *expected)
{
    bool fine = true;

    if (slice_eq(type, ERN_SLICE("item")))
        return write_item(o, expected);
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *member = json_array_get(expected, i);

        out_text(o, i ? ", " : "");
        if (slice_eq(type, ERN_SLICE("dictionary"))) {
            fine &= sf_write_key(o, text_of(json_array_get(member, 0)));
            member = json_array_get(member, 1);
            if (json_is_true(json_array_get(member, 0))) {
                fine &= write_parameters(o, json_array_get(member, 1));
                continue;
            }
            out_char(o, '=');
        }
        fine &= write_member(o, member);
    }
    return fine;
}

static bool
is_of_type(struct ern_slice type, struct ern_slice text)
{
    if (slice_eq(type, ERN_SLICE("list")))
        return sf_is_list(text);
    if (slice_eq(type, ERN_SLICE("dictionary")))
        return sf_is_dictionary(text);
    assert_true(slice_eq(type, ERN_SLICE("item")));
    return sf_is_item(text);
}

static void
compare(const struct failure *of, struct ern_slice type, struct ern_slice text, const json_t *want)
{
    struct sf_value value;

    if (slice_eq(type, ERN_SLICE("list"))) {
        compare_list(of, text, want);
    } else if (slice_eq(type, ERN_SLICE("dictionary"))) {
        compare_dictionary(of, text, want);
    } else {
        check(of, sf_item_next(&text, &value), "an item");
        compare_value(of, &value, want);
    }
}

static struct ern_slice
rewrite(struct ern_slice type, struct ern_slice text, char *memory)
{
    struct out o = out_init(memory, TEXT_MAX);

    if (slice_eq(type, ERN_SLICE("list")))
        sf_rewrite_list(&o, text);
    else if (slice_eq(type, ERN_SLICE("dictionary")))
        sf_rewrite_dictionary(&o, text);
    else
        sf_rewrite_item(&o, text);
    assert_false(o.full);
    return out_done(&o);
}

static void
try_vector(const struct failure *of, const json_t *vector)
{
    static char raw_memory[TEXT_MAX], canonical_memory[TEXT_MAX], memory[TEXT_MAX];
    const json_t *canonical_lines = json_object_get(vector, "canonical");
    const json_t *expected = json_object_get(vector, "expected");
    struct ern_slice type = text_of(json_object_get(vector, "header_type")), raw, canonical;
    struct out o = out_init(memory, sizeof memory);

    raw = join(json_object_get(vector, "raw"), raw_memory, sizeof raw_memory);
    canonical =
        canonical_lines ? join(canonical_lines, canonical_memory, sizeof canonical_memory) : raw;
    if (json_is_true(json_object_get(vector, "must_fail"))) {
        check(of, !is_of_type(type, raw), "passes the check");
        return;
    }
    /* what "can fail" passes here too */
    check(of, is_of_type(type, raw), "does not pass the check");
    compare(of, type, raw, expected);
    check_text(of, "rewritten", rewrite(type, raw, memory), canonical);
    check(of, write_expected(&o, type, expected), "cannot be written");
    check_text(of, "written", out_done(&o), canonical);
}

static void
passes_the_vectors_for_parsing(void **state)
{
    size_t vectors = 0;

    (void)state;
    for (size_t f = 0; f < LEN(parse_files); f++) {
        json_t *file = load("", parse_files[f]);

        for (size_t i = 0; i < json_array_size(file); i++) {
            const json_t *vector = json_array_get(file, i);
            struct failure of = {parse_files[f],
                                 json_string_value(json_object_get(vector, "name"))};

            try_vector(&of, vector);
            vectors++;
        }
        json_decref(file);
    }
    assert_true(vectors > 1500);
}

static void
passes_the_vectors_for_serialisation(void **state)
{
    static char memory[TEXT_MAX], canonical[TEXT_MAX];
    size_t vectors = 0;

    (void)state;
    for (size_t f = 0; f < LEN(write_files); f++) {
        json_t *file = load("serialisation-tests/", write_files[f]);

        for (size_t i = 0; i < json_array_size(file); i++, vectors++) {
            const json_t *vector = json_array_get(file, i);
            struct failure of = {write_files[f],
                                 json_string_value(json_object_get(vector, "name"))};
            struct out o = out_init(memory, sizeof memory);
            bool fine = write_expected(&o, text_of(json_object_get(vector, "header_type")),
                                       json_object_get(vector, "expected"));

            if (json_is_true(json_object_get(vector, "must_fail"))) {
                check(&of, !fine, "can be written");
                continue;
            }
            check(&of, fine, "cannot be written");
            check_text(&of, "written", out_done(&o),
                       join(json_object_get(vector, "canonical"), canonical, sizeof canonical));
        }
        json_decref(file);
    }
    assert_true(vectors > 500);
}

/* What the vectors leave open. */
static const struct {
    int line;
    bool (*is)(struct ern_slice text);
    bool yes;
    struct ern_slice text;
} checks[] = {
    {__LINE__, sf_is_item, true, S(" a ")},
    {__LINE__, sf_is_item, false, S("\ta")},
    {__LINE__, sf_is_item, false, S("a\t")},
    {__LINE__, sf_is_item, false, S("")},
    {__LINE__, sf_is_item, false, S("a b")},
    {__LINE__, sf_is_item, false, S("(a)")},
    {__LINE__, sf_is_item, false, S("a;")},
    {__LINE__, sf_is_item, false, S("a;b=")},
    {__LINE__, sf_is_item, false, S("a ;b")},
    {__LINE__, sf_is_item, true, S("a;  b")},
    {__LINE__, sf_is_item, false, S("a;\tb")},
    {__LINE__, sf_is_item, false, S("a\0")},
    {__LINE__, sf_is_item, false, S("\0")},
    {__LINE__, sf_is_item, false, S("\"\\\0\"")},
    {__LINE__, sf_is_item, false, S("\"\\")},
    {__LINE__, sf_is_item, false, S("\"\x80\"")},
    {__LINE__, sf_is_item, false, S("?")},
    {__LINE__, sf_is_item, false, S("?2")},
    {__LINE__, sf_is_item, false, S("@")},
    {__LINE__, sf_is_item, false, S("@-")},
    {__LINE__, sf_is_item, false, S("@a")},
    {__LINE__, sf_is_item, false, S("-")},
    {__LINE__, sf_is_item, false, S("1234567890123.1")},
    {__LINE__, sf_is_item, false, S("1234567890123.1;a")},
    {__LINE__, sf_is_item, false, S("%")},
    {__LINE__, sf_is_item, false, S("%\"%e2%82\"")},
    {__LINE__, sf_is_item, true, S("%\"%e2%82%ac%e2%82%ac\"")},
    {__LINE__, sf_is_item, true, S("%\"%f0%9f%8d%b5\"")},
    {__LINE__, sf_is_item, false, S("%\"%ed%a0%80\"")},
    {__LINE__, sf_is_item, false, S("%\"%c3\"")},
    {__LINE__, sf_is_item, false, S("%\"%c3")},
    {__LINE__, sf_is_item, false, S("%\"%0\"")},
    {__LINE__, sf_is_item, true, S("%\"%00\"")},
    {__LINE__, sf_is_item, false, S("%\"\x7f\"")},
    {__LINE__, sf_is_item, false, S(":A:")},
    {__LINE__, sf_is_item, true, S(":AA:")},
    {__LINE__, sf_is_item, false, S(":AA=:")},
    {__LINE__, sf_is_item, false, S(":AA===:")},
    {__LINE__, sf_is_item, false, S(":AAAA=:")},
    {__LINE__, sf_is_item, false, S(":=:")},
    {__LINE__, sf_is_item, false, S(":A=A=:")},
    {__LINE__, sf_is_item, false, S("1.66666666666666666666666666666666")},
    {__LINE__, sf_is_item, false, S("66666666666666666666666666666666")},
    {__LINE__, sf_is_list, true, S("")},
    {__LINE__, sf_is_list, true, S("   ")},
    {__LINE__, sf_is_list, false, S("\t")},
    {__LINE__, sf_is_list, true, S("a\t,\t b \t")},
    {__LINE__, sf_is_list, false, S("a,")},
    {__LINE__, sf_is_list, false, S("a, ")},
    {__LINE__, sf_is_list, false, S(",a")},
    {__LINE__, sf_is_list, false, S("a,,b")},
    {__LINE__, sf_is_list, true, S("()")},
    {__LINE__, sf_is_list, false, S("(")},
    {__LINE__, sf_is_list, false, S(")")},
    {__LINE__, sf_is_list, false, S("((a))")},
    {__LINE__, sf_is_list, false, S("(a,b)")},
    {__LINE__, sf_is_list, false, S("(\"a\"\"b\")")},
    {__LINE__, sf_is_list, false, S("(a\tb)")},
    {__LINE__, sf_is_dictionary, true, S("")},
    {__LINE__, sf_is_dictionary, true, S("a;x, b=();y")},
    {__LINE__, sf_is_dictionary, false, S("a =1")},
    {__LINE__, sf_is_dictionary, false, S("a= 1")},
    {__LINE__, sf_is_dictionary, false, S("A=1")},
    {__LINE__, sf_is_dictionary, false, S("1=1")},
    {__LINE__, sf_is_dictionary, false, S("a=")},
    {__LINE__, sf_is_dictionary, true, S("*=1")},
    {__LINE__, sf_is_dictionary, false, S("-a")},
};

static void
checks_what_the_vectors_leave_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(checks); i++)
        if (checks[i].is(checks[i].text) != checks[i].yes)
            fail_msg("row of line %d", checks[i].line);
}

static void
reads_a_priority(void **state)
{
    struct ern_slice text = ERN_SLICE(" u=1;x, i,  q=1.5 "), key;
    struct sf_value value;

    (void)state;
    assert_true(sf_is_dictionary(text));
    assert_true(sf_dictionary_next(&text, &key, &value));
    assert_true(slice_eq(key, ERN_SLICE("u")));
    assert_int_equal(value.type, SF_INTEGER);
    assert_int_equal(value.integer, 1);
    assert_true(slice_eq(value.parameters, ERN_SLICE(";x")));
    assert_true(sf_dictionary_next(&text, &key, &value));
    assert_true(slice_eq(key, ERN_SLICE("i")));
    assert_int_equal(value.type, SF_BOOLEAN);
    assert_int_equal(value.integer, 1);
    assert_true(sf_dictionary_next(&text, &key, &value));
    assert_int_equal(value.type, SF_DECIMAL);
    assert_int_equal(value.integer, 1500);
    assert_false(sf_dictionary_next(&text, &key, &value));
}

static const struct {
    int line;
    struct ern_slice text, canonical;
} dictionaries[] = {
    {__LINE__, S("a=1, b=2, a=3"), S("a=3, b=2")},
    {__LINE__, S("a, a=?0, a"), S("a")},
    {__LINE__, S("a=?1;x=1;y;x=?1"), S("a;x;y")},
    {__LINE__, S("a=1;b=2;a=3;b"), S("a=1;b;a=3")},
    {__LINE__, S("a=( 1   2;x );y=:/w:"), S("a=(1 2;x);y=:/w==:")},
    {__LINE__, S("a=-0, b=-0.0, c=007, d=1.50, e=@-00"), S("a=0, b=0.0, c=7, d=1.5, e=@0")},
    {__LINE__, S("a=%\"%25%22%7f%c3%a9%5c\""), S("a=%\"%25%22%7f%c3%a9\\\"")},
};

static void
rewrites_dictionaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(dictionaries); i++) {
        char memory[256];
        struct out o = out_init(memory, sizeof memory);

        assert_true(sf_is_dictionary(dictionaries[i].text));
        sf_rewrite_dictionary(&o, dictionaries[i].text);
        if (!slice_eq(out_done(&o), dictionaries[i].canonical))
            fail_msg("row of line %d: |%.*s|", dictionaries[i].line, (int)o.len, memory);
    }
}

static const struct {
    int line;
    struct sf_value value;
    const char *written; /* NULL if it cannot be */
} values[] = {
    {__LINE__, {.type = SF_INTEGER, .integer = 999999999999999}, "999999999999999"},
    {__LINE__, {.type = SF_INTEGER, .integer = -999999999999999}, "-999999999999999"},
    {__LINE__, {.type = SF_INTEGER, .integer = INT64_MIN}, NULL},
    {__LINE__, {.type = SF_DATE, .integer = INT64_MAX}, NULL},
    {__LINE__, {.type = SF_DECIMAL, .integer = 999999999999999}, "999999999999.999"},
    {__LINE__, {.type = SF_DECIMAL, .integer = -999999999999999}, "-999999999999.999"},
    {__LINE__, {.type = SF_DECIMAL, .integer = 1000000000000000}, NULL},
    {__LINE__, {.type = SF_DECIMAL, .integer = INT64_MIN}, NULL},
    {__LINE__, {.type = SF_DECIMAL, .integer = -1}, "-0.001"},
    {__LINE__, {.type = SF_DECIMAL, .integer = 10}, "0.01"},
    {__LINE__, {.type = SF_DECIMAL, .integer = 1000}, "1.0"},
    {__LINE__, {.type = SF_STRING, .text = S("a\"\\")}, "\"a\\\"\\\\\""},
    {__LINE__, {.type = SF_STRING, .text = S("\x7f")}, NULL},
    {__LINE__, {.type = SF_STRING, .text = S("\xc3\xa9")}, NULL},
    {__LINE__, {.type = SF_STRING, .text = S("abc\n")}, NULL},
    {__LINE__, {.type = SF_TOKEN, .text = S("")}, NULL},
    {__LINE__, {.type = SF_TOKEN, .text = S("1a")}, NULL},
    {__LINE__, {.type = SF_TOKEN, .text = S("*a:/!")}, "*a:/!"},
    {__LINE__, {.type = SF_TOKEN, .text = S("a b")}, NULL},
    {__LINE__, {.type = SF_TOKEN, .text = S("abc d")}, NULL},
    {__LINE__, {.type = SF_BYTES, .text = S("")}, "::"},
    {__LINE__, {.type = SF_BYTES, .text = S("\0")}, ":AA==:"},
    {__LINE__, {.type = SF_BYTES, .text = S("\xff\xfe")}, "://4=:"},
    {__LINE__, {.type = SF_BYTES, .text = S("foobar")}, ":Zm9vYmFy:"},
    {__LINE__, {.type = SF_BOOLEAN, .integer = 0}, "?0"},
    {__LINE__, {.type = SF_DISPLAY, .text = S("\xc3\xa9\n")}, "%\"%c3%a9%0a\""},
    {__LINE__, {.type = SF_DISPLAY, .text = S("\xc3")}, NULL},
    {__LINE__, {.type = SF_INNER_LIST, .text = S("")}, NULL},
};

static void
writes_values_within_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(values); i++) {
        char memory[64];
        struct out o = out_init(memory, sizeof memory);
        bool fine = sf_write_value(&o, &values[i].value);

        if (fine != (values[i].written != NULL))
            fail_msg("row of line %d: %d", values[i].line, fine);
        if (fine && !slice_eq(out_done(&o), slice_text(values[i].written)))
            fail_msg("row of line %d: |%.*s|", values[i].line, (int)o.len, memory);
    }
}

static void
writes_keys_that_are_some(void **state)
{
    static const char *const good[] = {"a", "*", "a1_-.*"}, *const bad[] = {"", "1", "_a", "aB",
                                                                            "a b"};
    char memory[64];

    (void)state;
    for (size_t i = 0; i < LEN(good); i++) {
        struct out o = out_init(memory, sizeof memory);

        assert_true(sf_write_key(&o, slice_text(good[i])));
        assert_true(slice_eq(out_done(&o), slice_text(good[i])));
    }
    for (size_t i = 0; i < LEN(bad); i++) {
        struct out o = out_init(memory, sizeof memory);

        if (sf_write_key(&o, slice_text(bad[i])))
            fail_msg("\"%s\"", bad[i]);
    }
}

static void
says_that_there_is_no_room(void **state)
{
    char memory[4];
    struct out o = out_init(memory, sizeof memory);
    struct sf_value value = {.type = SF_STRING, .text = ERN_SLICE("abc")};

    (void)state;
    assert_true(sf_write_value(&o, &value));
    assert_true(o.full);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_the_vectors_for_parsing),
        cmocka_unit_test(passes_the_vectors_for_serialisation),
        cmocka_unit_test(checks_what_the_vectors_leave_open),
        cmocka_unit_test(reads_a_priority),
        cmocka_unit_test(rewrites_dictionaries),
        cmocka_unit_test(writes_values_within_bounds),
        cmocka_unit_test(writes_keys_that_are_some),
        cmocka_unit_test(says_that_there_is_no_room),
    };

    return cmocka_run_group_tests_name("sf", tests, NULL, NULL);
}
