/* SPDX-License-Identifier: Apache-2.0 */
#include "res/variant_name.h"

#include <linux/limits.h>
#include <stdlib.h>

#include "base/chars.h"
#include "msg/accept.h"
#include "msg/target.h"
#include "res/entry.h"
#include "res/media.h"

enum {
    EXTENSIONS_MAX = 8,
    LIST_BYTES = 512, /* of one description without its name */
};

static struct ern_slice
extension_of(struct ern_slice name)
{
    size_t at = name.len;

    while (at && name.ptr[at - 1] != '.')
        at--;
    return at ? slice_skip(name, at) : ERN_ABSENT;
}

/* Two letters, or a longer tag of several subtags: "en", "pt-BR", "yue-HK". A word of three letters
 * is too likely to be something else, as in "page.min.js". */
static bool
is_language(struct ern_slice text)
{
    size_t first = slice_find(text, '-');

    if (first < 2 || first > 3 || (first == text.len && first != 2))
        return false;
    for (size_t i = 0, n = 0; i < text.len; i++) {
        n = text.ptr[i] == '-' ? 0 : n + 1;
        if (n > 8 || (text.ptr[i] == '-' && i + 1 == text.len) ||
            (text.ptr[i] != '-' && !char_is(text.ptr[i], CHAR_ALPHA | CHAR_DIGIT)) ||
            (i < first && !char_is(text.ptr[i], CHAR_ALPHA)))
            return false;
    }
    return true;
}

/* Takes one extension for what it says. */
static bool
read_extension(struct ern_slice extension, struct variant_name *v)
{
    if (media_has(extension)) {
        if (slice_is_there(v->type))
            return false;
        v->type = extension;
        return true;
    }
    if (!is_language(extension) || slice_is_there(v->language))
        return false;
    v->language = extension;
    return true;
}

/*
 * Do the extensions of asked stand in those of the name, in their order? What else stands there is
 * read. Both begin with a dot, or are empty.
 */
static bool
read_extensions(struct ern_slice asked, struct ern_slice name, struct variant_name *v)
{
    while (name.len) {
        struct ern_slice one = slice_skip(name, 1), wanted = asked;

        one = slice_first(one, slice_find(one, '.'));
        if (asked.len)
            wanted = slice_first(slice_skip(asked, 1), slice_find(slice_skip(asked, 1), '.'));
        if (one.len == 0)
            return false;
        if (asked.len && slice_eq(one, wanted)) {
            (void)read_extension(one, v);
            asked = slice_skip(asked, wanted.len + 1);
        } else if (!read_extension(one, v)) {
            return false;
        }
        name = slice_skip(name, one.len + 1);
    }
    return asked.len == 0;
}

bool
variant_name_read(struct ern_slice asked, struct ern_slice name, struct variant_name *ret)
{
    size_t stem = slice_find(asked, '.');
    struct ern_slice coding;

    *ret = (struct variant_name){.plain = name};
    coding = entry_coding(extension_of(name));
    if (slice_is_there(coding)) {
        ret->coding = coding;
        ret->plain = slice_first(name, name.len - extension_of(name).len - 1);
    }
    if (stem == 0 || ret->plain.len < stem || slice_eq(ret->plain, asked) ||
        !slice_eq(slice_first(ret->plain, stem), slice_first(asked, stem)) ||
        (ret->plain.len > stem && ret->plain.ptr[stem] != '.'))
        return false;
    if (!read_extensions(slice_skip(asked, stem), slice_skip(ret->plain, stem), ret))
        return false;
    if (!slice_is_there(ret->type) || !slice_eq(ret->type, extension_of(ret->plain)))
        return false; /* the file itself would not be known for what it is */
    ret->type = media_type(ret->plain);
    ret->type = slice_first(ret->type, slice_find(ret->type, ';'));
    return true;
}

/* ---- lists -----------------------------------------------------------------------------------*/

struct named {
    char text[NAME_MAX + 1];
    uint16_t len;
};

struct variant_names {
    struct ern_slice asked;
    unsigned n, max;
    struct named *named;
    char *list;
    size_t list_cap;
    char asked_text[NAME_MAX + 1];
};

struct variant_names *
variant_names_new(unsigned max)
{
    size_t list = max * ((size_t)NAME_MAX * 3 + LIST_BYTES);
    struct variant_names *names = malloc(sizeof *names + max * sizeof(struct named) + list);

    if (!names)
        return NULL;
    names->n = 0;
    names->max = max;
    names->asked = ERN_ABSENT;
    names->named = (struct named *)(void *)(names + 1);
    names->list = (char *)(names->named + max);
    names->list_cap = list;
    return names;
}

void
variant_names_add(struct variant_names *names, struct ern_slice asked, struct ern_slice name)
{
    struct variant_name v;
    unsigned at = 0;
    int order = 1;

    if (asked.len > NAME_MAX || name.len > NAME_MAX || !variant_name_read(asked, name, &v))
        return;
    if (!slice_is_there(names->asked)) {
        memcpy(names->asked_text, asked.ptr, asked.len);
        names->asked = slice_from(names->asked_text, asked.len);
    }
    for (; at < names->n && order > 0; at++) {
        struct ern_slice other = slice_from(names->named[at].text, names->named[at].len);

        order = memcmp(v.plain.ptr, other.ptr, v.plain.len < other.len ? v.plain.len : other.len);
        order = order ? order : (v.plain.len > other.len) - (v.plain.len < other.len);
        if (order <= 0)
            break;
    }
    if ((at < names->n && order == 0) || names->n == names->max)
        return;
    memmove(&names->named[at + 1], &names->named[at], (names->n - at) * sizeof *names->named);
    memcpy(names->named[at].text, v.plain.ptr, v.plain.len);
    names->named[at].len = (uint16_t)v.plain.len;
    names->n++;
}

/* How far behind it stands: what is in the language goes first. */
enum rank { RANK_WANTED, RANK_NEUTRAL, RANK_OTHER, RANKS };

static enum rank
rank_of(struct ern_slice tag, struct ern_slice language)
{
    if (!slice_is_there(tag))
        return RANK_NEUTRAL;
    return slice_is_there(language) && language_range_matches(language, tag) ? RANK_WANTED
                                                                             : RANK_OTHER;
}

static void
write_one(struct out *o, struct ern_slice name, const struct variant_name *read)
{
    char uri[3 * NAME_MAX + 2];
    struct out u = out_init(uri, sizeof uri);
    struct variant v = {.quality = VARIANT_QUALITY_FULL,
                        .length = -1,
                        .type = read->type,
                        .language = read->language};

    if (slice_find(name, ':') < name.len) /* no scheme begins it: RFC 3986 4.2 */
        out_literal(&u, "./");
    path_write(&u, name);
    v.uri = out_done(&u);
    variant_write(o, &v);
    out_char(o, '\n');
}

struct ern_slice
variant_names_list(struct variant_names *names, struct ern_slice language)
{
    struct out o = out_init(names->list, names->list_cap);

    for (enum rank rank = RANK_WANTED; rank < RANKS; rank++) {
        for (unsigned i = 0; i < names->n; i++) {
            struct ern_slice name = slice_from(names->named[i].text, names->named[i].len);
            struct variant_name read;

            if (variant_name_read(names->asked, name, &read) &&
                rank_of(read.language, language) == rank)
                write_one(&o, name, &read);
        }
    }
    return out_done(&o);
}
