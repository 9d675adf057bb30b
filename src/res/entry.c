/* SPDX-License-Identifier: Apache-2.0 */
#include "res/entry.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "msg/date.h"
#include "pack/hints.h"
#include "res/choices.h"
#include "res/dictionary.h"
#include "res/media.h"

enum { FIELDS_BYTES = 512 /* of one variant, without those of any length */ };

#define LINK_BEFORE "Link: "
#define LINK_AFTER "\r\n"
enum { LINK_BYTES = sizeof LINK_BEFORE - 1 + sizeof LINK_AFTER - 1 };

static const struct {
    const char *suffix, *coding;
} siblings[ENTRY_VARIANTS - 1] = {{".br", "br"}, {".zst", "zstd"}, {".gz", "gzip"}};

struct found { /* a file that is open, and its content if it was small */
    int fd;    /* -1: none */
    struct file_info info;
    struct ern_slice coding;
};

/* One look at a path. */
struct look {
    const struct files_route *route;
    bool quick;
    enum entry_kind kind;
    struct out name; /* relative to the root and, but for the moment of appending, ended by NUL */
    unsigned found_n;
    struct found found[ENTRY_VARIANTS]; /* the file itself first */
    struct files_other other;           /* what stands there, if there is no file */
    bool bound;                         /* name is the home of what the path is bound to */
    const struct entry *known;          /* as in entry_load() */
    struct choices *choices;            /* of ENTRY_CHOICES; NULL: those of known are right */
    char *hints;                        /* the line Link of a page, to be freed, and */
    size_t hints_n;                     /* its length; 0: there is none */
    char text[PATH_MAX];
};

/* Is it an answer, rather than a failure of ours, that the path could not be opened? */
static bool
is_answer(int error, enum entry_kind *ret_kind)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
    case -ELOOP:
        *ret_kind = ENTRY_MISSING;
        return true;
    case -EACCES:
    case -EPERM:
    case -EXDEV: /* a symbolic link leads out of the root */
    case -ENXIO: /* a socket */
    case -ENODEV:
        *ret_kind = ENTRY_UNREADABLE;
        return true;
    default:
        return false;
    }
}

/* Opens the name with an end appended. Returns as file_open(); -ENAMETOOLONG if it does not fit. */
static int
open_with(struct look *l, struct ern_slice end, struct file_info *ret_info)
{
    size_t len = l->name.len;
    int fd = -ENAMETOOLONG;

    out_slice(&l->name, end);
    out_char(&l->name, '\0');
    if (!l->name.full)
        fd = file_open(l->route->root, l->text, l->quick, ret_info);
    l->name.len = len;
    l->name.full = false;
    return fd;
}

/* Are there variants of the name? Then it is ENTRY_CHOICES. */
static int
try_choices(struct look *l)
{
    const struct choices *known = l->known ? l->known->choices : NULL;
    int error = l->name.full
                    ? -ENOENT
                    : choices_find(l->route, out_done(&l->name), known, l->quick, &l->choices);

    if (error)
        return error == -ENOENT ? 0 : error;
    l->kind = ENTRY_CHOICES;
    return 0;
}

/* The file that the name is: opened, or -1. Returns 0, or a negative errno. */
static int
try_regular(struct look *l, struct ern_slice end, struct found *ret_found)
{
    enum entry_kind ignored;
    int fd = open_with(l, end, &ret_found->info);

    ret_found->fd = -1;
    if (fd < 0)
        return is_answer(fd, &ignored) ? 0 : fd;
    if (ret_found->info.kind == FILE_REGULAR)
        ret_found->fd = fd;
    else
        (void)close(fd);
    return 0;
}

/* Is there an index in several variants? The name ends with a slash. */
static int
find_index_choices(struct look *l)
{
    size_t len = l->name.len;

    for (unsigned i = 0; i < FILES_INDEXES && slice_is_there(l->route->indexes[i]); i++) {
        int error;

        out_slice(&l->name, l->route->indexes[i]);
        error = try_choices(l);
        if (error || l->kind == ENTRY_CHOICES)
            return error;
        l->name.len = len;
    }
    return 0;
}

/* Looks for an index in the directory of that name. */
static int
find_index(struct look *l)
{
    out_char(&l->name, '/');
    for (unsigned i = 0; i < FILES_INDEXES && slice_is_there(l->route->indexes[i]); i++) {
        int error = try_regular(l, l->route->indexes[i], &l->found[0]);

        if (error)
            return error;
        if (l->found[0].fd >= 0) {
            out_slice(&l->name, l->route->indexes[i]);
            l->found_n = 1;
            l->kind = ENTRY_FILE;
            return 0;
        }
    }
    l->kind = l->route->listing ? ENTRY_LISTING : ENTRY_MISSING;
    return l->route->variants ? find_index_choices(l) : 0;
}

/* Finds out what the path is; the file itself, or the directory's index, is then found[0]. */
static int
find(struct look *l, bool slashed)
{
    struct found *file = &l->found[0];
    int fd = open_with(l, ERN_SLICE(""), &file->info);

    if (fd < 0)
        return is_answer(fd, &l->kind) ? 0 : fd;
    if (file->info.kind == FILE_REGULAR && !slashed) {
        file->fd = fd;
        l->found_n = 1;
        l->kind = ENTRY_FILE;
        return 0;
    }
    (void)close(fd);
    if (file->info.kind == FILE_DIRECTORY && slashed)
        return find_index(l);
    l->kind = file->info.kind == FILE_SPECIAL     ? ENTRY_UNREADABLE
              : file->info.kind == FILE_DIRECTORY ? ENTRY_UNSLASHED
                                                  : ENTRY_MISSING;
    return 0;
}

/* There is no file: what else stands there? A bound path is looked at where it lies. */
static int
find_other(struct look *l, struct ern_slice path, bool slashed)
{
    static const enum entry_kind kinds[] = {
        [FILES_MISSING] = ENTRY_MISSING, [FILES_GONE] = ENTRY_GONE,
        [FILES_MOVED] = ENTRY_MOVED,     [FILES_REFERENCE] = ENTRY_REFERENCE,
        [FILES_BOUND] = ENTRY_MISSING,
    };
    int error;

    if (l->quick)
        return -EAGAIN; /* to ask may block */
    l->other.kind = FILES_MISSING;
    error = l->route->other(l->route, slice_first(path, path.len - (slashed && path.len > 1)),
                            &l->other);
    l->kind = kinds[l->other.kind];
    if (error || l->other.kind != FILES_BOUND)
        return error;
    l->bound = true;
    l->name.len = 0;
    out_slice(&l->name, slice_skip(slice_text(l->other.target), 1));
    return l->name.full ? 0 : find(l, slashed);
}

struct ern_slice
entry_coding(struct ern_slice extension)
{
    for (unsigned i = 0; i < ENTRY_VARIANTS - 1; i++)
        if (slice_eq(slice_skip(slice_text(siblings[i].suffix), 1), extension))
            return slice_text(siblings[i].coding);
    return ERN_ABSENT;
}

static bool
is_sibling_name(struct ern_slice name)
{
    for (unsigned i = 0; i < ENTRY_VARIANTS - 1; i++)
        if (slice_ends(name, slice_text(siblings[i].suffix)))
            return true;
    return false;
}

/* Finds the precompressed siblings of the file. */
static int
find_siblings(struct look *l)
{
    if (!l->route->precompressed || is_sibling_name(out_done(&l->name)))
        return 0;
    for (unsigned i = 0; i < ENTRY_VARIANTS - 1; i++) {
        struct found *sibling = &l->found[l->found_n];
        int error = try_regular(l, slice_text(siblings[i].suffix), sibling);

        if (error)
            return error;
        sibling->coding = slice_text(siblings[i].coding);
        l->found_n += sibling->fd >= 0;
    }
    return 0;
}

/* There is no file, or it is a type map: is it there in a coding alone, or in variants? */
static int
find_choices(struct look *l)
{
    int error;

    if (l->kind == ENTRY_MISSING) {
        error = find_siblings(l);
        if (error || l->found_n) {
            l->kind = l->found_n ? ENTRY_FILE : ENTRY_MISSING;
            return error;
        }
    }
    error = try_choices(l);
    for (; l->kind == ENTRY_CHOICES && l->found_n; l->found_n--)
        (void)close(l->found[l->found_n - 1].fd);
    return error;
}

static bool
has_variants(const struct look *l, bool slashed)
{
    return l->route->variants && !slashed &&
           (l->kind == ENTRY_MISSING ||
            (l->kind == ENTRY_FILE && slice_ends(out_done(&l->name), ERN_SLICE(".var"))));
}

void
entry_etag(struct out *o, const struct file_stamp *stamp)
{
    out_char(o, '"');
    out_hex(o, hash_bytes((struct hash_key){0, 0}, slice_from((const char *)stamp, sizeof *stamp)));
    out_char(o, '"');
}

/* What somebody wrote to a folder is read by others in the name of the site: a page of theirs is
 * shown as if it were of another one, and nothing is taken for a page that is none. What runs no
 * script is left alone: viewers of documents refuse to work in a sandbox. */
static void
write_sandbox(struct out *o, struct ern_slice type)
{
    out_literal(o, "X-Content-Type-Options: nosniff\r\n");
    if (media_runs(type))
        out_literal(o, "Content-Security-Policy: sandbox\r\n");
}

/* Writes the fields of a variant into o, which has room. */
static void
write_fields(struct out *o, const struct entry *e, struct entry_variant *v)
{
    size_t at = o->len;

    out_literal(o, "ETag: ");
    v->etag.ptr = o->ptr + o->len;
    entry_etag(o, &v->stamp);
    v->etag.len = (size_t)(o->ptr + o->len - v->etag.ptr);
    out_literal(o, "\r\n");
    if (e->route->strict)
        out_literal(o, "Vary: Accept, Accept-Encoding\r\n");
    else if (e->variants_n > 1 || e->compresses || e->route->compresses_by)
        out_literal(o, "Vary: Accept-Encoding\r\n");
    if (e->route->compresses_by)
        out_literal(o, "Vary: Available-Dictionary\r\n");
    if (slice_is_there(e->route->cache_control)) {
        out_literal(o, "Cache-Control: ");
        out_slice(o, e->route->cache_control);
        out_literal(o, "\r\n");
    }
    v->validators = slice_from(o->ptr + at, o->len - at);
    at = o->len;
    out_literal(o, "Content-Type: ");
    out_slice(o, e->type);
    out_literal(o, "\r\nLast-Modified: ");
    date_write(o, e->last_modified_s);
    out_literal(o, "\r\n");
    out_slice(o, e->hints);
    dictionary_write_field(o, e);
    if (slice_is_there(e->route->content_policy)) {
        out_literal(o, "Content-Security-Policy: ");
        out_slice(o, e->route->content_policy);
        out_literal(o, "\r\n");
    }
    if (e->route->sandbox)
        write_sandbox(o, e->type);
    out_literal(o, "Accept-Ranges: bytes\r\n");
    if (slice_is_there(v->coding)) {
        out_literal(o, "Content-Encoding: ");
        out_slice(o, v->coding);
        out_literal(o, "\r\n");
    }
    v->description = slice_from(o->ptr + at, o->len - at);
}

/* Reads the content of a small file into room at *bytes, and closes it. */
static int
read_small(struct found *found, char **bytes, bool quick)
{
    size_t n = (size_t)found->info.stamp.bytes;
    ssize_t got = file_read(found->fd, *bytes, n, 0, quick);

    if (got < 0)
        return (int)got;
    if ((size_t)got < n)
        return -EAGAIN; /* it shrank meanwhile: look again */
    (void)close(found->fd);
    found->fd = -1;
    *bytes += n;
    return 0;
}

static bool
is_small(const struct found *found)
{
    return found->info.stamp.bytes <= ENTRY_BYTES_MAX;
}

static size_t
front_of(const struct found *found)
{
    return is_small(found) && found->info.stamp.bytes >= ENTRY_FRONT_LEAST ? RES_FRONT_BYTES : 0;
}

static bool
has_target(const struct look *l)
{
    return l->bound || l->kind == ENTRY_MOVED || l->kind == ENTRY_REFERENCE;
}

/* Keeps where the path leads. Returns the memory after it. */
static char *
keep_target(struct entry *e, const struct look *l, char *at)
{
    struct ern_slice target = slice_text(l->other.target);

    if (!has_target(l))
        return at;
    memcpy(at, target.ptr, target.len);
    if (l->kind == ENTRY_LISTING) /* a folder is named with its slash */
        at[target.len++] = '/';
    *(l->bound ? &e->home : &e->target) = slice_from(at, target.len);
    e->for_good = l->other.for_good;
    return at + PATH_MAX;
}

/* Is it a page, to be looked through for what it links to? */
static bool
is_page(const struct look *l)
{
    return l->route->hints && l->kind == ENTRY_FILE && !slice_is_there(l->found[0].coding) &&
           slice_starts(media_type(out_done(&l->name)), ERN_SLICE("text/html"));
}

/* Writes the line Link of a page, which has room, if there is anything to say. */
static void
write_hints(struct look *l, struct ern_slice page, size_t room)
{
    struct out o = out_init(l->hints, room), links;

    out_literal(&o, LINK_BEFORE);
    links = out_init(o.ptr + o.len, room - LINK_BYTES);
    if (hints_write(page, &links) == 0)
        return;
    o.len += links.len;
    out_literal(&o, LINK_AFTER);
    l->hints_n = o.len;
}

/* Learns what the page links to. Returns 0 or a negative errno. */
static int
find_hints(struct look *l)
{
    const struct limits *limits = l->route->limits;
    const struct file_info *page = &l->found[0].info;
    size_t most = (size_t)limits->hints_page_bytes_max;
    size_t n = page->stamp.bytes < most ? (size_t)page->stamp.bytes : most;
    size_t room = LINK_BYTES + (size_t)limits->hints_bytes_max;
    char *bytes;
    ssize_t got;

    if (l->quick)
        return -EAGAIN; /* to read it may block, and takes its time */
    l->hints = malloc(room);
    bytes = malloc(n + 1);
    got = l->hints && bytes ? file_read(l->found[0].fd, bytes, n, 0, false) : -ENOMEM;
    if (got > 0)
        write_hints(l, slice_from(bytes, (size_t)got), room);
    free(bytes);
    return got < 0 ? (int)got : 0;
}

/* Room for the fields of one variant. */
static size_t
fields_room(const struct look *l, struct ern_slice path)
{
    const struct files_route *route = l->route;
    size_t room = FIELDS_BYTES + route->cache_control.len + route->content_policy.len + l->hints_n;

    return route->compresses_by ? room + DICTIONARY_BYTES + route->prefix.len + path.len : room;
}

static size_t
memory_of(const struct look *l, struct ern_slice path)
{
    size_t n = sizeof(struct entry) + path.len + (has_target(l) ? PATH_MAX : 0) + l->hints_n;

    for (unsigned i = 0; i < l->found_n; i++)
        n += fields_room(l, path) + front_of(&l->found[i]) +
             (is_small(&l->found[i]) ? (size_t)l->found[i].info.stamp.bytes : 0);
    return n;
}

/* Last-Modified is never later than Date: RFC 9110 8.8.2.1. */
static int64_t
modified_at(const struct file_stamp *stamp, int64_t now_s)
{
    int64_t s = stamp->modified_s < now_s ? stamp->modified_s : now_s;

    return s > 0 ? s : 0;
}

/* Is it a file that becomes much smaller, and is large enough to? */
static bool
compresses(const struct look *l, struct ern_slice type)
{
    const struct found *file = &l->found[0];

    return l->route->compress && l->kind == ENTRY_FILE && !slice_is_there(file->coding) &&
           file->info.stamp.bytes >= (uint64_t)l->route->limits->compress_bytes_min &&
           media_compresses(type);
}

static int
fill_variants(struct entry *e, struct look *l, char *at)
{
    e->variants_n = (uint8_t)l->found_n;
    for (unsigned i = 0; i < l->found_n; i++) {
        struct entry_variant *v = &e->variants[i];
        struct out o = out_init(at, fields_room(l, e->path));

        v->coding = l->found[i].coding;
        v->stamp = l->found[i].info.stamp;
        for (unsigned k = 0; k < DIGESTS; k++)
            v->digest[k].state = DIGEST_UNKNOWN;
        write_fields(&o, e, v);
        assert(!o.full);
        at += o.cap;
    }
    for (unsigned i = 0; i < l->found_n; i++) {
        struct entry_variant *v = &e->variants[i];

        if (is_small(&l->found[i])) {
            int error;

            v->front = front_of(&l->found[i]) ? at : NULL;
            at += front_of(&l->found[i]);
            v->bytes = at;
            error = read_small(&l->found[i], &at, l->quick);
            if (error)
                return error;
        }
        v->fd = l->found[i].fd; /* the entry's from here on */
        l->found[i].fd = -1;
        e->fds_n = (uint8_t)(e->fds_n + (v->fd >= 0));
    }
    return 0;
}

/* Is the older entry still what was found? */
static bool
is_known(const struct entry *known, const struct look *l)
{
    if (!known || known->kind != l->kind || known->variants_n != l->found_n || has_target(l))
        return false;
    if (l->kind == ENTRY_CHOICES)
        return l->choices == NULL;
    for (unsigned i = 0; i < l->found_n; i++)
        if (!slice_eq(known->variants[i].coding, l->found[i].coding) ||
            !file_stamp_same(&known->variants[i].stamp, &l->found[i].info.stamp))
            return false;
    return true;
}

static int
make(struct look *l, struct ern_slice path, int64_t now_s, struct entry **ret_entry)
{
    size_t memory = memory_of(l, path);
    struct entry *e = malloc(memory);
    char *at = (char *)(e + 1);
    int error;

    if (!e)
        return -ENOMEM;
    *e = (struct entry){.route = l->route, .kind = l->kind, .memory = memory};
    for (unsigned i = 0; i < ENTRY_VARIANTS; i++)
        e->variants[i].fd = -1;
    memcpy(at, path.ptr, path.len);
    e->path = slice_from(at, path.len);
    at = keep_target(e, l, at + path.len);
    if (l->hints_n) {
        memcpy(at, l->hints, l->hints_n);
        e->hints = slice_from(at, l->hints_n);
        at += l->hints_n;
    }
    if (l->found_n) {
        e->type = media_type(out_done(&l->name));
        e->compresses = compresses(l, e->type);
        e->last_modified_s = modified_at(&l->found[0].info.stamp, now_s);
    }
    if (l->choices) { /* the entry's from here on */
        e->choices = l->choices;
        e->memory += l->choices->memory;
        l->choices = NULL;
    }
    error = fill_variants(e, l, at);
    if (error) {
        entry_free(e);
        return error;
    }
    *ret_entry = e;
    return 0;
}

int
entry_load(const struct files_route *route, struct ern_slice path, const struct entry *known,
           int64_t now_s, bool quick, struct entry **ret_entry)
{
    bool slashed = path.ptr[path.len - 1] == '/';
    struct look l;
    int error;

    l.route = route;
    l.quick = quick;
    l.found_n = 0;
    l.bound = false;
    l.known = known;
    l.choices = NULL;
    l.hints = NULL;
    l.hints_n = 0;
    l.other.kind = FILES_MISSING;
    l.kind = ENTRY_MISSING;
    l.found[0].coding = ERN_ABSENT;
    l.name = out_init(l.text, sizeof l.text);
    out_slice(&l.name,
              path.len > 1 ? slice_from(path.ptr + 1, path.len - 1 - slashed) : ERN_SLICE("."));
    *ret_entry = NULL;
    error = l.name.full ? 0 : find(&l, slashed);
    if (!error && has_variants(&l, slashed))
        error = find_choices(&l);
    if (!error && l.kind == ENTRY_MISSING && route->other)
        error = find_other(&l, path, slashed);
    if (!error && l.kind == ENTRY_FILE && !route->writable && !slice_is_there(l.found[0].coding))
        error = find_siblings(&l);
    if (!error && !is_known(known, &l)) {
        error = is_page(&l) ? find_hints(&l) : 0;
        if (!error)
            error = make(&l, path, now_s, ret_entry);
    }
    for (unsigned i = 0; i < l.found_n; i++)
        if (l.found[i].fd >= 0)
            (void)close(l.found[i].fd);
    free(l.choices);
    free(l.hints);
    return error;
}

void
entry_free(struct entry *e)
{
    if (!e)
        return;
    for (unsigned i = 0; i < ENTRY_VARIANTS; i++)
        if (e->variants[i].fd >= 0)
            (void)close(e->variants[i].fd);
    for (unsigned i = 0; i < CODINGS; i++)
        free(e->coded[i].bytes);
    free(e->by_dictionary.bytes);
    free(e->choices);
    free(e);
}
