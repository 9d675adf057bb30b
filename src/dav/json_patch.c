/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/patch.h"

#include "base/num.h"
#include "base/slice.h"

enum { KEY_BYTES = 1024, MERGE_DEPTH = 256 };

enum op { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST, OPS };
static const char *const names[OPS] = {"add", "remove", "replace", "move", "copy", "test"};

/* One operation, read. */
struct operation {
    enum op op;
    struct ern_slice path, from;
    json_t *value;
};

static struct ern_slice
text_of(const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);

    return json_is_string(text) ? slice_from(json_string_value(text), json_string_length(text))
                                : ERN_ABSENT;
}

/* RFC 6901 3: empty, or slashes with tokens in which ~ stands before 0 or 1. */
static bool
is_pointer(struct ern_slice p)
{
    if (!slice_is_there(p) || (p.len && p.ptr[0] != '/'))
        return false;
    for (size_t i = 0; i < p.len; i++)
        if (p.ptr[i] == '~' && (i + 1 == p.len || (p.ptr[i + 1] != '0' && p.ptr[i + 1] != '1')))
            return false;
    return true;
}

static bool
read_operation(const json_t *object, struct operation *ret)
{
    struct ern_slice op = text_of(object, "op");
    unsigned i = 0;

    while (i < OPS && !slice_eq(op, slice_text(names[i])))
        i++;
    *ret = (struct operation){(enum op)i, text_of(object, "path"), text_of(object, "from"),
                              json_object_get(object, "value")};
    if (i == OPS || !is_pointer(ret->path))
        return false;
    if (ret->op == OP_MOVE || ret->op == OP_COPY)
        return is_pointer(ret->from);
    return ret->op == OP_REMOVE || ret->value;
}

static void
say(struct out *why, const char *what, size_t i, struct ern_slice path)
{
    out_literal(why, "Operation ");
    out_u64(why, i + 1);
    out_literal(why, " of the patch ");
    out_text(why, what);
    if (slice_is_there(path)) {
        out_literal(why, " at \"");
        out_plain(why, path);
        out_char(why, '"');
    }
    out_char(why, '.');
}

bool
json_patch_is_valid(const json_t *patch, struct out *why)
{
    struct operation o;

    if (!json_is_array(patch)) {
        out_literal(why, "A JSON Patch is an array of operations (RFC 6902 3).");
        return false;
    }
    for (size_t i = 0; i < json_array_size(patch); i++) {
        if (!read_operation(json_array_get(patch, i), &o)) {
            say(why, "lacks what it needs, or has a pointer that is none", i, ERN_ABSENT);
            return false;
        }
    }
    return true;
}

/* Cuts the next token off a pointer, and decodes it (RFC 6901 4). */
static bool
next_token(struct ern_slice *p, char key[KEY_BYTES])
{
    size_t n, len = 0;

    *p = slice_skip(*p, 1);
    n = slice_find(*p, '/');
    for (size_t i = 0; i < n; i++) {
        char c = p->ptr[i];

        if (c == '~')
            c = p->ptr[++i] == '1' ? '/' : '~';
        if (len + 1 == KEY_BYTES || c == '\0')
            return false;
        key[len++] = c;
    }
    key[len] = '\0';
    *p = slice_skip(*p, n);
    return true;
}

/* An array index (RFC 6901 4): digits without a leading zero; "-" is the place after the last. */
static bool
read_index(const char *key, size_t size, bool appends, size_t *ret)
{
    struct ern_slice text = slice_text(key);
    uint64_t n;

    if (appends && slice_eq(text, ERN_SLICE("-"))) {
        *ret = size;
        return true;
    }
    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0') || !u64_parse(text, INT32_MAX, &n) ||
        n >= size + appends)
        return false;
    *ret = (size_t)n;
    return true;
}

/* The value that a token leads to, or NULL. */
static json_t *
child(const json_t *of, const char *key)
{
    size_t i;

    if (json_is_object(of))
        return json_object_get(of, key);
    return json_is_array(of) && read_index(key, json_array_size(of), false, &i)
               ? json_array_get(of, i)
               : NULL;
}

static json_t *
find(json_t *document, struct ern_slice p)
{
    char key[KEY_BYTES];

    while (document && p.len)
        document = next_token(&p, key) ? child(document, key) : NULL;
    return document;
}

/* What the last token is a member of, and that token. */
static json_t *
find_parent(json_t *document, struct ern_slice p, char key[KEY_BYTES])
{
    size_t n = p.len;

    while (n > 0 && p.ptr[n - 1] != '/')
        n--;
    document = find(document, slice_first(p, n ? n - 1 : 0));
    p = slice_skip(p, n ? n - 1 : 0);
    return document && p.len && next_token(&p, key) ? document : NULL;
}

/* Takes the value over, in every case. */
static bool
add(json_t **document, struct ern_slice p, json_t *value)
{
    char key[KEY_BYTES];
    json_t *parent;
    size_t i;

    if (!value)
        return false;
    if (p.len == 0) {
        json_decref(*document);
        *document = value;
        return true;
    }
    parent = find_parent(*document, p, key);
    if (json_is_object(parent))
        return json_object_set_new(parent, key, value) == 0;
    if (json_is_array(parent) && read_index(key, json_array_size(parent), true, &i))
        return json_array_insert_new(parent, i, value) == 0;
    json_decref(value);
    return false;
}

static bool
drop(json_t **document, struct ern_slice p)
{
    char key[KEY_BYTES];
    json_t *parent;
    size_t i;

    if (p.len == 0) { /* the whole document goes: null is left */
        json_decref(*document);
        *document = json_null();
        return true;
    }
    parent = find_parent(*document, p, key);
    if (json_is_object(parent))
        return json_object_del(parent, key) == 0;
    return json_is_array(parent) && read_index(key, json_array_size(parent), false, &i) &&
           json_array_remove(parent, i) == 0;
}

/* Numbers are equal by value (RFC 6902 4.6), all else as jansson has it. */
static bool
equal(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_number(a) && json_is_number(b)) {
        if (json_is_integer(a) && json_is_integer(b))
            return json_integer_value(a) == json_integer_value(b);
        return !(json_number_value(a) < json_number_value(b)) &&
               !(json_number_value(a) > json_number_value(b));
    }
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach(a, i, member) if (!equal(member, json_array_get(b, i))) return false;
        return true;
    }
    if (json_is_object(a)) {
        if (json_object_size(a) != json_object_size(b))
            return false;
        json_object_foreach((json_t *)(uintptr_t)a, key, member)
        {
            const json_t *other = json_object_get(b, key);

            if (!other || !equal(member, other))
                return false;
        }
        return true;
    }
    return json_equal(a, b);
}

static bool
apply(const struct operation *o, json_t **document)
{
    json_t *there;
    bool done;

    switch (o->op) {
    case OP_ADD:
        return add(document, o->path, json_deep_copy(o->value));
    case OP_REMOVE:
        return drop(document, o->path);
    case OP_REPLACE: {
        char key[KEY_BYTES];
        json_t *parent = o->path.len ? find_parent(*document, o->path, key) : NULL;

        if (!find(*document, o->path))
            return false;
        if (json_is_array(parent)) /* in its place: an add would push it on */
            return drop(document, o->path) && add(document, o->path, json_deep_copy(o->value));
        return add(document, o->path, json_deep_copy(o->value));
    }
    case OP_MOVE:
        /* RFC 6902 4.4: a value cannot move into one of its children */
        there = find(*document, o->from);
        if (!there || (slice_starts(o->path, o->from) && o->path.len > o->from.len &&
                       o->path.ptr[o->from.len] == '/'))
            return false;
        json_incref(there);
        done = drop(document, o->from);
        if (!done)
            json_decref(there);
        return done && add(document, o->path, there);
    case OP_COPY:
        there = find(*document, o->from);
        return there && add(document, o->path, json_deep_copy(there));
    case OP_TEST:
        there = find(*document, o->path);
        return there && equal(there, o->value);
    case OPS:
        break;
    }
    return false;
}

bool
json_patch_apply(const json_t *patch, json_t **document, struct out *why)
{
    struct operation o;

    for (size_t i = 0; i < json_array_size(patch); i++) {
        if (!read_operation(json_array_get(patch, i), &o) || !apply(&o, document)) {
            say(why, o.op == OP_TEST ? "tests what is not so" : "leads to what is not there", i,
                o.path);
            return false;
        }
    }
    return true;
}

json_t *
json_merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;

    if (!json_is_object(patch)) {
        json_decref(target);
        return json_deep_copy(patch);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    json_object_foreach((json_t *)(uintptr_t)patch, key, value)
    {
        json_t *before = json_object_get(target, key);

        if (json_is_null(value)) {
            (void)json_object_del(target, key);
            continue;
        }
        if (json_object_set_new(target, key, json_merge(json_incref(before), value)) < 0) {
            json_decref(target);
            return NULL;
        }
    }
    return target;
}
