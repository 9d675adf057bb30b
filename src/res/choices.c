/* SPDX-License-Identifier: Apache-2.0 */
#include "res/choices.h"

#include <dirent.h>
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/num.h"
#include "res/variant_name.h"

enum {
    ALTERNATES_MAX = 4096, /* bytes: a head has room for so much beside all else */
    LINES_BYTES = 256,     /* Vary, the validator */
};

/* ---- a list of descriptions -------------------------------------------------------------------*/

/* What a relative reference names in the same folder; absent if it leads elsewhere. */
static struct ern_slice
read_path(struct out *o, struct ern_slice folder, struct ern_slice uri)
{
    size_t at = o->len;

    if (slice_starts(uri, ERN_SLICE("./")))
        uri = slice_skip(uri, 2);
    if (slice_starts(uri, ERN_SLICE("."))) /* a name for the server's owner, or no name at all */
        return ERN_ABSENT;
    out_slice(o, folder);
    for (size_t i = 0; i < uri.len; i++) {
        char c = uri.ptr[i];

        if (c == '%' && i + 2 < uri.len && hex_value(uri.ptr[i + 1]) >= 0 &&
            hex_value(uri.ptr[i + 2]) >= 0) {
            c = (char)(hex_value(uri.ptr[i + 1]) * 16 + hex_value(uri.ptr[i + 2]));
            i += 2;
        } else if (c == ':' || c == '?' || c == '#') {
            return ERN_ABSENT;
        }
        if (c == '/' || c == '\0' || (c == '.' && o->len == at + folder.len))
            return ERN_ABSENT;
        out_char(o, c);
    }
    return slice_skip(out_done(o), at);
}

static bool
differs(const struct choices *c, size_t offset)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct ern_slice *part =
            (const struct ern_slice *)(const void *)((const char *)&c->choice[i].variant + offset);

        if (slice_is_there(*part))
            return true;
    }
    return false;
}

/* RFC 2295 10.6.1: negotiate, and the fields of the dimensions that the list has. */
static struct ern_slice
write_vary(struct out *o, const struct choices *c)
{
    static const struct {
        size_t offset;
        struct ern_slice field;
    } dimensions[] = {
        {offsetof(struct variant, type), {", Accept", 8}},
        {offsetof(struct variant, language), {", Accept-Language", 17}},
        {offsetof(struct variant, charset), {", Accept-Charset", 16}},
        {offsetof(struct variant, coding), {", Accept-Encoding", 17}},
        {offsetof(struct variant, features), {", Accept-Features", 17}},
    };
    size_t at = o->len;

    out_literal(o, "Vary: Negotiate");
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++)
        if (differs(c, dimensions[i].offset))
            out_slice(o, dimensions[i].field);
    out_literal(o, "\r\n");
    return slice_skip(out_done(o), at);
}

/* Adds a description to the field; as it stands there it becomes a choice. */
static bool
add_choice(struct out *o, const struct variant *v, struct choices *c)
{
    struct ern_slice own;
    size_t at;

    if (c->n)
        out_literal(o, ", ");
    at = o->len;
    variant_write(o, v);
    own = slice_skip(out_done(o), at);
    return !o->full && variant_next(&own, &c->choice[c->n++].variant) == VARIANT_READ;
}

/* Writes the list as a field. What is more than a head has room for is passed over. */
static int
write_alternates(struct out *o, struct ern_slice list, unsigned max, struct choices *c,
                 size_t *ret_at)
{
    struct ern_slice rest = list;
    struct variant v;
    size_t at = o->len;

    out_literal(o, "Alternates: ");
    while (c->n < max && o->len - at < ALTERNATES_MAX) {
        enum variant_read read = variant_next(&rest, &v);

        *ret_at = list.len - rest.len;
        if (read == VARIANT_WRONG)
            return -EINVAL;
        if (read == VARIANT_END)
            break;
        if (!add_choice(o, &v, c))
            return -ENOMEM;
    }
    out_literal(o, "\r\n");
    c->alternates = slice_skip(out_done(o), at);
    return c->n ? 0 : -ENOENT;
}

int
choices_read(struct ern_slice list, struct ern_slice folder, unsigned max,
             struct choices **ret_choices, size_t *ret_at)
{
    /* A description grows by a fallback's quality, and by the spaces between its attributes. */
    size_t room = 2 * list.len + LINES_BYTES + max * (folder.len + 16);
    size_t memory = sizeof(struct choices) + max * sizeof(struct choice) + 2 * room;
    struct choices *c = malloc(memory);
    struct out o;
    int error;

    if (!c)
        return -ENOMEM;
    *c = (struct choices){.memory = memory};
    o = out_init((char *)&c->choice[max], 2 * room);
    error = write_alternates(&o, list, max, c, ret_at);
    if (error) {
        free(c);
        return error;
    }
    c->vary = write_vary(&o, c);
    for (unsigned i = 0; i < c->n; i++)
        c->choice[i].path = read_path(&o, folder, c->choice[i].variant.uri);
    c->validator = slice_from(o.ptr + o.len, 0);
    out_hex(&o, hash_bytes((struct hash_key){0, 0}, c->alternates));
    c->validator.len = (size_t)(o.ptr + o.len - c->validator.ptr);
    if (o.full) {
        free(c);
        return -ENOMEM;
    }
    *ret_choices = c;
    return 0;
}

/* ---- where lists come from --------------------------------------------------------------------*/

struct search {
    const struct files_route *route;
    struct ern_slice name;       /* relative to the root */
    struct ern_slice folder;     /* of it: below the route, between slashes */
    struct ern_slice last;       /* its last segment */
    const struct choices *known; /* as in choices_find(), and so on */
    bool quick;
    struct choices **ret;
    char path[PATH_MAX]; /* "/" and the name */
};

/* Reads the whole of a type map. */
static int
read_map(struct search *s, int fd, const struct file_info *info)
{
    size_t n = (size_t)info->stamp.bytes, at;
    char *text;
    ssize_t got;
    int error;

    if (s->quick)
        return -EAGAIN;
    if (info->stamp.bytes > (uint64_t)s->route->limits->type_map_bytes_max)
        return -ENOENT;
    text = malloc(n + 1);
    if (!text)
        return -ENOMEM;
    got = file_read(fd, text, n, 0, false);
    error = got < 0 ? (int)got
                    : choices_read(slice_from(text, (size_t)got), s->folder,
                                   (unsigned)s->route->limits->variants_max, s->ret, &at);
    free(text);
    return error == -EINVAL ? -ENOENT : error;
}

/* Opens a name beside the one that is asked for: its folder (an empty end) or a type map. */
static int
open_beside(struct search *s, struct ern_slice base, struct ern_slice end, struct file_info *info)
{
    char path[PATH_MAX];
    struct out o = out_init(path, sizeof path);

    out_slice(&o, base.len ? base : ERN_SLICE("."));
    out_slice(&o, end);
    out_char(&o, '\0');
    return o.full ? -ENOENT : file_open(s->route->root, path, s->quick, info);
}

/* Is what was found before still right? */
static bool
is_known(struct search *s, const struct file_info *info)
{
    if (!s->known || !file_stamp_same(&s->known->stamp, &info->stamp))
        return false;
    *s->ret = NULL;
    return true;
}

static int
find_map(struct search *s)
{
    struct ern_slice end =
        slice_ends(s->name, ERN_SLICE(".var")) ? ERN_SLICE("") : ERN_SLICE(".var");
    struct file_info info;
    int fd = open_beside(s, s->name, end, &info), error = -ENOENT;

    if (fd < 0)
        return fd == -EAGAIN ? fd : -ENOENT;
    if (info.kind == FILE_REGULAR)
        error = is_known(s, &info) ? 0 : read_map(s, fd, &info);
    if (!error && *s->ret)
        (*s->ret)->stamp = info.stamp;
    (void)close(fd);
    return error;
}

/* Reads names off an open folder into descriptions. */
static int
read_names(struct search *s, DIR *dir)
{
    const struct limits *limits = s->route->limits;
    struct variant_names *names = variant_names_new((unsigned)limits->variants_max);
    const struct dirent *entry;
    size_t at;
    int error = names ? 0 : -ENOMEM;

    errno = 0;
    for (int64_t n = 0; !error && n < limits->variants_scanned_max && (entry = readdir(dir)); n++)
        if (entry->d_type != DT_DIR && entry->d_name[0] != '.')
            variant_names_add(names, s->last, slice_text(entry->d_name));
    if (!error && errno)
        error = -errno;
    if (!error)
        error = choices_read(variant_names_list(names, s->route->language), s->folder,
                             (unsigned)limits->variants_max, s->ret, &at);
    free(names);
    return error;
}

static int
find_names(struct search *s)
{
    struct ern_slice folder =
        slice_from(s->folder.ptr + 1, s->folder.len > 1 ? s->folder.len - 2 : 0);
    struct file_info info;
    int fd = open_beside(s, folder, ERN_SLICE(""), &info), error;
    DIR *dir;

    if (fd < 0)
        return fd == -EAGAIN ? fd : -ENOENT;
    if (is_known(s, &info) || s->quick) {
        (void)close(fd);
        return is_known(s, &info) ? 0 : -EAGAIN;
    }
    dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return -ENOMEM;
    }
    error = read_names(s, dir);
    (void)closedir(dir);
    if (!error)
        (*s->ret)->stamp = info.stamp;
    return error;
}

int
choices_find(const struct files_route *route, struct ern_slice name, const struct choices *known,
             bool quick, struct choices **ret_choices)
{
    struct search s = {.route = route, .known = known, .quick = quick, .ret = ret_choices};
    struct out o = out_init(s.path, sizeof s.path);
    size_t at;
    int error;

    out_char(&o, '/');
    out_slice(&o, name);
    if (o.full)
        return -ENOENT;
    for (at = o.len; o.ptr[at - 1] != '/'; at--)
        ;
    s.name = slice_skip(out_done(&o), 1);
    s.folder = slice_first(out_done(&o), at);
    s.last = slice_skip(out_done(&o), at);
    if (s.last.len == 0)
        return -ENOENT;
    *ret_choices = NULL;
    error = find_map(&s);
    return error == -ENOENT ? find_names(&s) : error;
}

/* ---- for people, and programs -----------------------------------------------------------------*/

/* What stands between parentheses: "text/html, en". */
static void
write_about(struct out *o, const struct variant *v,
            void (*write)(struct out *o, struct ern_slice s))
{
    const struct ern_slice parts[] = {v->type, v->language, v->charset, v->coding};
    const char *before = " (";

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!slice_is_there(parts[i]))
            continue;
        out_text(o, before);
        write(o, parts[i]);
        before = ", ";
    }
    if (before[0] == ',')
        out_char(o, ')');
}

/* Writes what stood between quotes: a backslash is not part of it, what follows is (RFC
 * 9110 5.6.4). */
static void
write_unquoted(struct out *o, struct ern_slice text,
               void (*write)(struct out *o, struct ern_slice s))
{
    for (;;) {
        size_t n = slice_find(text, '\\');

        write(o, slice_first(text, n));
        if (text.len - n < 2)
            return;
        write(o, slice_from(text.ptr + n + 1, 1));
        text = slice_skip(text, n + 2);
    }
}

void
choices_write_html(struct out *o, const struct choices *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct variant *v = &c->choice[i].variant;

        out_literal(o, "<li><a href=\"");
        out_html(o, v->uri);
        out_literal(o, "\">");
        if (slice_is_there(v->description))
            write_unquoted(o, v->description, out_html);
        else
            out_html(o, v->uri);
        out_literal(o, "</a>");
        write_about(o, v, out_html);
        out_literal(o, "</li>\n");
    }
}

void
choices_write_text(struct out *o, const struct choices *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        out_plain(o, c->choice[i].variant.uri);
        write_about(o, &c->choice[i].variant, out_plain);
        out_char(o, '\n');
    }
}

static void
write_member(struct out *o, const char *name, struct ern_slice value)
{
    if (!slice_is_there(value))
        return;
    out_literal(o, ",\"");
    out_text(o, name);
    out_literal(o, "\":\"");
    out_json(o, value);
    out_char(o, '"');
}

void
choices_write_json(struct out *o, const struct choices *c)
{
    out_char(o, '[');
    for (unsigned i = 0; i < c->n; i++) {
        const struct variant *v = &c->choice[i].variant;

        out_text(o, i ? ",{\"uri\":\"" : "{\"uri\":\"");
        out_json(o, v->uri);
        out_char(o, '"');
        write_member(o, "type", v->type);
        write_member(o, "language", v->language);
        write_member(o, "charset", v->charset);
        write_member(o, "encoding", v->coding);
        write_member(o, "features", v->features);
        if (slice_is_there(v->description)) {
            out_literal(o, ",\"description\":\"");
            write_unquoted(o, v->description, out_json);
            out_char(o, '"');
        }
        out_char(o, '}');
    }
    out_char(o, ']');
}
