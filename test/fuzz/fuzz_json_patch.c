/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json_patch.c - JSON Patch and JSON Merge Patch agree with a second implementation that
 * changes nothing in place: each operation makes a new document of the old one. A patch gives the
 * same twice, is not changed by it, and after each add a test of what was added holds. Merging
 * again changes nothing.
 *
 * Input: a document up to the first line feed, then the patch.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "dav/patch.h"

enum {
    INPUT_MAX = 1000, /* less than the longest name that a pointer may have */
    TOKENS_MAX = INPUT_MAX,
    COPIED_MAX = 20000,
};

static void
must(bool right)
{
    if (!right)
        abort();
}

/* ---- the plain way ----------------------------------------------------------------------------*/

struct pointer {
    size_t n;
    char *token[TOKENS_MAX];
    char text[2 * INPUT_MAX];
};

/* Cuts at the slashes, then puts back ~1 and after it ~0, as RFC 6901 4 says. */
static void
plain_pointer(const json_t *text, struct pointer *p)
{
    static const char *const names[] = {"~1/", "~0~"};

    p->n = 0;
    must(json_string_length(text) < sizeof p->text);
    memcpy(p->text, json_string_value(text), json_string_length(text) + 1);
    for (char *at = strchr(p->text, '/'); at; at = strchr(at, '/')) {
        *at++ = '\0';
        p->token[p->n++] = at;
    }
    for (size_t i = 0; i < p->n; i++) {
        for (unsigned name = 0; name < 2; name++) {
            for (char *at = p->token[i]; (at = strstr(at, name ? "~0" : "~1")); at++) {
                *at = names[name][2];
                memmove(at + 1, at + 2, strlen(at + 2) + 1);
            }
        }
    }
}

/* The place that a token says, or SIZE_MAX: it must be written as we would. */
static size_t
plain_index(const char *token, size_t places)
{
    char text[32];

    for (size_t i = 0; i < places; i++) {
        (void)snprintf(text, sizeof text, "%zu", i);
        if (strcmp(text, token) == 0)
            return i;
    }
    return SIZE_MAX;
}

static json_t *
plain_get(json_t *value, const struct pointer *p)
{
    for (size_t i = 0; value && i < p->n; i++) {
        if (json_is_object(value))
            value = json_object_get(value, p->token[i]);
        else if (json_is_array(value))
            value = json_array_get(value, plain_index(p->token[i], json_array_size(value)));
        else
            value = NULL;
    }
    return value;
}

enum change { PUT, TAKE, SWAP };

/* A new array, with value before the i-th member, or in its place, or without it. */
static json_t *
plain_array(const json_t *old, const char *token, enum change change, json_t *value)
{
    size_t n = json_array_size(old), i = plain_index(token, n + (change == PUT));
    json_t *made = json_array();

    if (change == PUT && strcmp(token, "-") == 0)
        i = n;
    if (i == SIZE_MAX) {
        json_decref(made);
        return NULL;
    }
    for (size_t k = 0; k <= n; k++) {
        if (k == i && change != TAKE)
            must(json_array_append(made, value) == 0);
        if (k < n && (k != i || change == PUT))
            must(json_array_append(made, json_array_get(old, k)) == 0);
    }
    return made;
}

/* A new document with one change at the pointer, from its token i on; NULL if it leads nowhere. */
static json_t *
plain_change(json_t *old, const struct pointer *p, size_t i, enum change change, json_t *value)
{
    json_t *made = NULL, *member;

    if (i == p->n)
        return change == TAKE ? json_null() : json_incref(value);
    if (json_is_array(old) && i + 1 == p->n)
        return plain_array(old, p->token[i], change, value);
    if (json_is_array(old)) {
        size_t at = plain_index(p->token[i], json_array_size(old));

        member =
            at == SIZE_MAX ? NULL : plain_change(json_array_get(old, at), p, i + 1, change, value);
        if (member)
            made = plain_array(old, p->token[i], SWAP, member);
        json_decref(member);
    } else if (json_is_object(old)) {
        member = json_object_get(old, p->token[i]);
        if (!member && (change != PUT || i + 1 < p->n))
            return NULL;
        made = json_copy(old);
        if (i + 1 == p->n && change == TAKE) {
            (void)json_object_del(made, p->token[i]);
            return made;
        }
        member = plain_change(member, p, i + 1, change, value);
        if (member && json_object_set_new(made, p->token[i], member) == 0)
            return made;
        json_decref(made);
        made = NULL;
    }
    return made;
}

/* The value with its numbers as text, by which jansson tells whether two are equal. */
static json_t *
plain_numbers(const json_t *value)
{
    json_t *made, *member;
    const char *name;
    char text[64];
    size_t i;

    if (json_is_number(value)) {
        long double n = json_is_integer(value) ? (long double)json_integer_value(value)
                                               : (long double)json_real_value(value);

        (void)snprintf(text, sizeof text, "number %.40Lg", n < 0 || n > 0 ? n : 0.0L);
        return json_string(text);
    }
    if (json_is_string(value))
        return json_sprintf("text %s", json_string_value(value));
    made = json_copy((json_t *)(uintptr_t)value);
    json_array_foreach(value, i, member)
        must(json_array_set_new(made, i, plain_numbers(member)) == 0);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
        must(json_object_set_new(made, name, plain_numbers(member)) == 0);
    return made;
}

static bool
plain_same(const json_t *a, const json_t *b)
{
    json_t *one = plain_numbers(a), *other = plain_numbers(b);
    bool same = json_equal(one, other);

    json_decref(one);
    json_decref(other);
    return same;
}

/* Does the first lead to what the other is within? */
static bool
plain_leads(const struct pointer *a, const struct pointer *b)
{
    if (a->n >= b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->token[i], b->token[i]) != 0)
            return false;
    return true;
}

/* The document after one operation, a new reference; NULL if it cannot be. */
static json_t *
plain_apply(json_t *old, const json_t *operation)
{
    static struct pointer path, from;
    const char *op = json_string_value(json_object_get(operation, "op"));
    json_t *value = json_object_get(operation, "value"), *there, *between, *made;

    plain_pointer(json_object_get(operation, "path"), &path);
    there = plain_get(old, &path);
    if (strcmp(op, "add") == 0)
        return plain_change(old, &path, 0, PUT, value);
    if (strcmp(op, "remove") == 0)
        return there ? plain_change(old, &path, 0, TAKE, NULL) : NULL;
    if (strcmp(op, "replace") == 0)
        return there ? plain_change(old, &path, 0, SWAP, value) : NULL;
    if (strcmp(op, "test") == 0)
        return there && plain_same(there, value) ? json_incref(old) : NULL;
    plain_pointer(json_object_get(operation, "from"), &from);
    value = plain_get(old, &from);
    if (!value)
        return NULL;
    if (strcmp(op, "copy") == 0)
        return plain_change(old, &path, 0, PUT, value);
    if (plain_leads(&from, &path))
        return NULL;
    between = plain_change(old, &from, 0, TAKE, NULL);
    made = plain_change(between, &path, 0, PUT, value);
    json_decref(between);
    return made;
}

/* RFC 7396 2, as it stands there. */
static json_t *
plain_merge(const json_t *target, const json_t *patch)
{
    json_t *made, *value;
    const char *name;

    if (!json_is_object(patch))
        return json_deep_copy(patch);
    made = json_is_object(target) ? json_deep_copy(target) : json_object();
    json_object_foreach((json_t *)(uintptr_t)patch, name, value)
    {
        if (json_is_null(value))
            (void)json_object_del(made, name);
        else
            must(json_object_set_new(made, name, plain_merge(json_object_get(made, name), value)) ==
                 0);
    }
    return made;
}

/* ---- both -------------------------------------------------------------------------------------*/

static void
is_document(const json_t *document)
{
    char *text = json_dumps(document, JSON_ENCODE_ANY);
    json_t *again = text ? json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;

    must(again && plain_same(again, document));
    json_decref(again);
    free(text);
}

/* The patch on a copy of the document. NULL if it cannot be applied; then why says it. */
static json_t *
applied(const json_t *document, const json_t *patch, char why_text[INPUT_MAX], bool *ret_limit)
{
    struct out why = out_init(why_text, INPUT_MAX);
    json_t *made = json_deep_copy(document);
    bool done = json_patch_apply(patch, COPIED_MAX, &made, &why);

    must(done == (why.len == 0) && !why.full);
    out_char(&why, '\0');
    *ret_limit = !done && strstr(why_text, "copies more");
    if (done)
        return made;
    json_decref(made);
    return NULL;
}

/* After each add, a test of what was added; not where "-" leads, which is always the place after.
 */
static json_t *
with_tests(const json_t *patch)
{
    json_t *made = json_array(), *operation;
    size_t i;

    json_array_foreach(patch, i, operation)
    {
        const char *op = json_string_value(json_object_get(operation, "op"));
        const char *path = json_string_value(json_object_get(operation, "path"));
        size_t n = strlen(path);

        must(json_array_append(made, operation) == 0);
        if (strcmp(op, "add") == 0 && (n < 2 || strcmp(path + n - 2, "/-") != 0))
            must(json_array_append_new(made,
                                       json_pack("{ss ss sO}", "op", "test", "path", path, "value",
                                                 json_object_get(operation, "value"))) == 0);
    }
    return made;
}

static void
try_patch(json_t *document, const json_t *patch)
{
    static char why[INPUT_MAX];
    json_t *before = json_deep_copy(patch), *tests = with_tests(patch), *made, *again, *plain;
    bool limit, same_limit;
    size_t i = 0;

    made = applied(document, patch, why, &limit);
    again = applied(document, tests, why, &same_limit);
    must(json_equal(patch, before) && limit == same_limit);
    must((made != NULL) == (again != NULL) && (!made || json_equal(made, again)));
    if (made)
        is_document(made);
    if (!limit) {
        plain = json_incref(document);
        for (; plain && i < json_array_size(patch); i++) {
            json_t *next = plain_apply(plain, json_array_get(patch, i));

            json_decref(plain);
            plain = next;
        }
        must((made != NULL) == (plain != NULL) && (!made || plain_same(made, plain)));
        json_decref(plain);
    }
    json_decref(made);
    json_decref(again);
    json_decref(before);
    json_decref(tests);
}

static void
try_merge(const json_t *document, const json_t *patch)
{
    json_t *before = json_deep_copy(patch), *plain = plain_merge(document, patch);
    json_t *made = json_merge(json_deep_copy(document), patch);

    must(made && json_equal(patch, before) && json_equal(made, plain));
    is_document(made);
    made = json_merge(made, patch);
    must(json_equal(made, plain));
    json_decref(made);
    json_decref(plain);
    json_decref(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice text = slice_from((const char *)data, size), first;
    char why_text[INPUT_MAX];
    struct out why = out_init(why_text, sizeof why_text);
    json_t *document, *patch;

    if (size == 0 || size > INPUT_MAX || slice_find(text, '\n') == size)
        return 0;
    first = slice_first(text, slice_find(text, '\n'));
    text = slice_skip(text, first.len + 1);
    document = json_loadb(first.ptr, first.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    patch = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (document && patch) {
        try_merge(document, patch);
        if (json_patch_is_valid(patch, &why))
            try_patch(document, patch);
        else
            must(why.len > 0);
    }
    json_decref(document);
    json_decref(patch);
    return 0;
}
