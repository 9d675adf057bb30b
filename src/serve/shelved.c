/* SPDX-License-Identifier: Apache-2.0 */
/* shelved.c - one stored answer: made of the message that it came as, and made a message again. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "msg/date.h"
#include "msg/hop.h"
#include "msg/vary.h"
#include "serve/shelf.h"

enum {
    LINE_MORE = 4, /* of a field line, besides its name and value */
    DATE_LINE = DATE_BYTES + 8,
    VARY_BYTES = 1024,     /* of the names that Vary has, and */
    SELECTED_BYTES = 4096, /* of what a request says in these fields: what is more is not kept */
};

/* ---- making one --------------------------------------------------------------------------------
 */

/* rfc9110#15.4.5 "Content-Location, Date, ETag, and Vary" and "Cache-Control and Expires" */
static bool
is_validator(struct ern_slice name)
{
    static const struct ern_slice names[] = {
        {"Cache-Control", 13}, {"Content-Location", 16}, {"Date", 4},
        {"ETag", 4},           {"Expires", 7},           {"Vary", 4},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* RFC 9111 3.1, 5.2.2.4, 5.2.2.7: what is not kept, and what is said anew. */
static bool
is_left_out(const struct shelved_source *from, const struct ern_field *f)
{
    const struct cache_control *c = &from->freshness->control;

    return hop_ends(from->message, f) || slice_eq_nocase(f->name, ERN_SLICE("Age")) ||
           cache_control_names(c, CACHE_NO_CACHE, f->name) ||
           cache_control_names(c, CACHE_PRIVATE, f->name);
}

static struct ern_slice
write_lines(const struct shelved_source *from, bool validators, struct out *o)
{
    size_t before = o->len;

    if (validators && !ern_request_has(from->message, ERN_FIELD_date)) {
        out_literal(o, "Date: ");
        date_write(o, from->freshness->date_s);
        out_literal(o, "\r\n");
    }
    for (unsigned i = 0; i < from->message->fields_n; i++) {
        const struct ern_field *f = &from->message->fields[i];

        if (is_left_out(from, f) || is_validator(f->name) != validators)
            continue;
        out_slice(o, f->name);
        out_literal(o, ": ");
        out_slice(o, f->value);
        out_literal(o, "\r\n");
    }
    return slice_from(o->ptr + before, o->len - before);
}

/* The members of all its lines. */
static void
write_vary(const struct ern_request *message, struct out *o)
{
    struct ern_slice line;
    uint16_t at = 0;

    while (ern_request_named(message, ERN_SLICE("Vary"), &at, &line)) {
        out_slice(o, line);
        out_char(o, ',');
    }
}

/* The value of a field among lines; absent if there is none. */
static struct ern_slice
value_of(const struct ern_request *m, struct ern_slice name)
{
    struct ern_slice value = ERN_ABSENT;
    uint16_t at = 0;

    (void)ern_request_named(m, name, &at, &value);
    return value;
}

static struct ern_slice
copy(struct out *o, struct ern_slice text)
{
    size_t before = o->len;

    if (!slice_is_there(text))
        return text;
    out_slice(o, text);
    return slice_from(o->ptr + before, o->len - before);
}

/* How much memory it takes at most. */
static size_t
room_for(const struct shelved_source *from, struct ern_slice vary, struct ern_slice selected)
{
    size_t n = from->key.len + DATE_LINE + vary.len + selected.len;

    for (unsigned i = 0; i < from->message->fields_n; i++) {
        const struct ern_field *f = &from->message->fields[i];

        n += f->name.len + 2 * f->value.len + LINE_MORE; /* ETag and type stand alone, too */
    }
    return n;
}

static void
fill(struct shelved *a, const struct shelved_source *from, struct out *o)
{
    const struct ern_request *m = from->message;

    a->key = copy(o, from->key);
    a->etag = copy(o, value_of(m, ERN_SLICE("ETag")));
    a->type = copy(o, ern_request_field(m, ERN_FIELD_content_type));
    a->validators = write_lines(from, true, o);
    a->description = write_lines(from, false, o);
    for (unsigned i = 0; i < CACHE_NAMED; i++)
        if (slice_is_there(a->freshness.control.names[i]))
            a->freshness.control.names[i] = ERN_SLICE("");
}

struct shelved *
shelved_new(const struct shelved_source *from)
{
    char vary_text[VARY_BYTES], text[SELECTED_BYTES];
    struct out vary = out_init(vary_text, sizeof vary_text);
    struct out selected = out_init(text, sizeof text), o;
    struct shelved *a;
    size_t room;

    write_vary(from->message, &vary);
    vary_write(from->request, out_done(&vary), &selected);
    if (vary.full || selected.full)
        return NULL;
    room = room_for(from, out_done(&vary), out_done(&selected));
    a = malloc(sizeof *a + room);
    if (!a)
        return NULL;
    *a = (struct shelved){
        .hash = from->hash, .freshness = *from->freshness, .bytes = sizeof *a + room};
    atomic_init(&a->holders, 1);
    o = out_init((char *)(a + 1), room);
    a->vary = copy(&o, out_done(&vary));
    a->selected = copy(&o, out_done(&selected));
    fill(a, from, &o);
    assert(!o.full);
    return a;
}

/* ---- making it a message again -----------------------------------------------------------------
 */

static bool
add_lines(struct ern_request *m, struct ern_slice lines)
{
    while (lines.len) {
        size_t end = slice_find(lines, '\r'), colon = slice_find(lines, ':');
        struct ern_slice value = slice_from(lines.ptr + colon + 2, end - colon - 2);

        if (!ern_request_add(m, slice_first(lines, colon), value))
            return false;
        lines = slice_skip(lines, end + 2);
    }
    return true;
}

bool
shelved_message(const struct shelved *a, struct ern_field *fields, uint16_t cap,
                struct ern_request *ret_message)
{
    ern_request_init(ret_message, fields, cap);
    return add_lines(ret_message, a->validators) && add_lines(ret_message, a->description);
}

/* ---- content -----------------------------------------------------------------------------------
 */

struct shelved_content *
shelved_content_new(uint64_t length, char *bytes, int fd)
{
    struct shelved_content *c = malloc(sizeof *c);

    if (!c)
        return NULL;
    atomic_init(&c->holders, 1);
    c->length = length;
    c->bytes = bytes;
    c->fd = fd;
    return c;
}

void
shelved_share_content(struct shelved *a, const struct shelved *from)
{
    a->content = from->content;
    atomic_fetch_add_explicit(&a->content->holders, 1, memory_order_relaxed);
}

static void
leave_content(struct shelved_content *c)
{
    if (!c || atomic_fetch_sub(&c->holders, 1) > 1)
        return;
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->bytes);
    free(c);
}

void
shelved_leave(struct shelved *a)
{
    if (!a || atomic_fetch_sub(&a->holders, 1) > 1)
        return;
    leave_content(a->content);
    free(a);
}
