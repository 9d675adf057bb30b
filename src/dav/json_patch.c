/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/patch.h"

#include "base/num.h"
#include "base/slice.h"

enum {
    KEY_BYTES = 1024,
    PATH_SHOWN = 256,                  /* bytes of a pointer that a sentence shows */
    DEPTH_MAX = JSON_PARSER_MAX_DEPTH, /* levels: what is made can be read again */
};

enum op { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST, OPS };
static const char *const names[OPS] = {"add", "remove", "replace", "move", "copy", "test"};

/* A document that is patched. */
struct patched {
    json_t *root;
    size_t copied, copied_max; /* values and bytes of text */
    size_t depth;              /* levels: it has no more than so many */
};

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
        out_plain(why, slice_first(path, path.len < PATH_SHOWN ? path.len : PATH_SHOWN));
        if (path.len > PATH_SHOWN)
            out_literal(why, "...");
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

/* Holds every integer and every real exactly. */
static long double
number(const json_t *n)
{
    return json_is_integer(n) ? (long double)json_integer_value(n)
                              : (long double)json_real_value(n);
}

/* Numbers are equal by value (RFC 6902 4.6), all else as jansson has it. */
static bool
equal(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_number(a) && json_is_number(b))
        return !(number(a) < number(b)) && !(number(a) > number(b));
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

/* ---- the size and depth of what is made --------------------------------------------------------
 */

struct measure {
    size_t size, depth;
};

static struct measure
measure(const json_t *value)
{
    struct measure all = {1 + (json_is_string(value) ? json_string_length(value) : 0), 1}, one;
    const char *key;
    json_t *member;
    size_t i, depth = 0;

    json_array_foreach(value, i, member)
    {
        one = measure(member);
        all.size += one.size;
        depth = one.depth > depth ? one.depth : depth;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        one = measure(member);
        all.size += one.size + slice_text(key).len;
        depth = one.depth > depth ? one.depth : depth;
    }
    all.depth += depth;
    return all;
}

/*
 * Puts a value of so many levels where the pointer leads: takes it over, in every case. Measuring
 * the whole document each time would be slow, so its depth is known from above alone until that is
 * too much.
 */
static bool
put(struct patched *d, struct ern_slice p, json_t *value, size_t depth)
{
    for (size_t i = 0; i < p.len; i++)
        depth += p.ptr[i] == '/';
    if (!add(&d->root, p, value))
        return false;
    if (depth > d->depth)
        d->depth = depth;
    if (d->depth > DEPTH_MAX)
        d->depth = measure(d->root).depth;
    return d->depth <= DEPTH_MAX;
}

/* What is copied is more than the patch brings, and copies of copies double: so they are counted.
 */
static bool
copy(struct patched *d, const struct operation *o)
{
    const json_t *there = find(d->root, o->from);
    struct measure m;

    if (!there)
        return false;
    m = measure(there);
    d->copied += m.size;
    return d->copied <= d->copied_max && put(d, o->path, json_deep_copy(there), m.depth);
}

static bool
move(struct patched *d, const struct operation *o)
{
    json_t *there = find(d->root, o->from);

    /* RFC 6902 4.4: a value cannot move into one of its children */
    if (!there || (slice_starts(o->path, o->from) && o->path.len > o->from.len &&
                   o->path.ptr[o->from.len] == '/'))
        return false;
    json_incref(there);
    if (drop(&d->root, o->from))
        return put(d, o->path, there, d->depth);
    json_decref(there);
    return false;
}

/* In its place: in an array, adding would push it on. */
static bool
replace(struct patched *d, const struct operation *o)
{
    char key[KEY_BYTES];

    if (!find(d->root, o->path))
        return false;
    if (o->path.len && json_is_array(find_parent(d->root, o->path, key)) &&
        !drop(&d->root, o->path))
        return false;
    return put(d, o->path, json_deep_copy(o->value), measure(o->value).depth);
}

static bool
apply(const struct operation *o, struct patched *d)
{
    const json_t *there;

    switch (o->op) {
    case OP_ADD:
        return put(d, o->path, json_deep_copy(o->value), measure(o->value).depth);
    case OP_REMOVE:
        return drop(&d->root, o->path);
    case OP_REPLACE:
        return replace(d, o);
    case OP_MOVE:
        return move(d, o);
    case OP_COPY:
        return copy(d, o);
    case OP_TEST:
        there = find(d->root, o->path);
        return there && equal(there, o->value);
    case OPS:
        break;
    }
    return false;
}

/* Why it could not be carried out. */
static const char *
reason(const struct patched *d, enum op op)
{
    if (d->copied > d->copied_max)
        return "copies more than this server copies";
    if (d->depth > DEPTH_MAX)
        return "makes the document too deep";
    return op == OP_TEST ? "tests what is not so" : "leads to what is not there";
}

bool
json_patch_apply(const json_t *patch, size_t copied_max, json_t **document, struct out *why)
{
    struct patched d = {*document, 0, copied_max, measure(*document).depth};
    struct operation o;
    bool done = true;

    for (size_t i = 0; done && i < json_array_size(patch); i++) {
        done = read_operation(json_array_get(patch, i), &o) && apply(&o, &d);
        if (!done)
            say(why, reason(&d, o.op), i, o.path);
    }
    *document = d.root;
    return done;
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
