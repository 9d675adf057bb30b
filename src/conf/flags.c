/* SPDX-License-Identifier: Apache-2.0 */
/* flags.c - the configuration that the flags of `earnest serve DIR` stand for. */
#include <stdlib.h>

#include "conf/make.h"

enum { MEMORY_MAX = 1 << 24 };

/* A place that is none: given, so that the option counts as written. */
static const struct conf_position somewhere = {1, 1};

static struct text_node *
add(struct maker *m, struct text_node *section, const char *key, const char *title)
{
    struct text_node *node = memory_take(&m->scratch, 1, sizeof *node);
    struct text_node **tail = &section->items;

    if (!node)
        return section; /* what is added is lost; the memory remembers */
    node->key = slice_text(key);
    node->title = slice_text(title);
    node->key_at = somewhere;
    node->value_at = somewhere;
    while (*tail)
        tail = &(*tail)->next;
    *tail = node;
    return node;
}

static struct text_node *
add_section(struct maker *m, struct text_node *section, const char *key, const char *title)
{
    struct text_node *node = add(m, section, key, title);

    node->is_section = true;
    return node;
}

static void
add_value(struct maker *m, struct text_node *node, struct ern_slice text)
{
    struct text_value **tail = &node->values, *value = memory_take(&m->scratch, 1, sizeof *value);

    if (!value)
        return;
    value->text = text;
    value->at = somewhere;
    while (*tail)
        tail = &(*tail)->next;
    *tail = value;
}

static void
add_setting(struct maker *m, struct text_node *section, const char *key, const char *text)
{
    if (text)
        add_value(m, add(m, section, key, NULL), slice_text(text));
}

/* Adds a list of what stands between the commas of text. */
static void
add_list(struct maker *m, struct text_node *section, const char *key, struct ern_slice text)
{
    struct text_node *node = add(m, section, key, NULL);

    node->is_list = true;
    for (;;) {
        size_t n = slice_find(text, ',');

        add_value(m, node, slice_trim(slice_first(text, n)));
        if (n == text.len)
            return;
        text = slice_skip(text, n + 1);
    }
}

/* Where the route goes: a site with the names of --host, or the file itself. */
static struct text_node *
add_site(struct maker *m, struct text_node *root, const char *host)
{
    struct ern_slice names = slice_text(host);
    size_t n = slice_find(names, ',');
    struct text_node *site;

    if (!host)
        return root;
    site = add_section(m, root, "site", host);
    site->title = slice_trim(slice_first(names, n));
    if (n < names.len)
        add_list(m, site, "aliases", slice_skip(names, n + 1));
    return site;
}

static void
add_flags(struct maker *m, struct text_node *root, const struct conf_flags *flags)
{
    struct text_node *listen, *route, *site;

    listen = add_section(m, root, "listen", flags->listen ? flags->listen : "127.0.0.1:8080");
    if (flags->host)
        add_setting(m, listen, "strict", "true");
    add_setting(m, listen, "certificate", flags->certificate);
    add_setting(m, listen, "key", flags->key);
    add_setting(m, root, "user", flags->user);
    add_setting(m, root, "state", flags->state);
    if (flags->log)
        add_setting(m, add_section(m, root, "log", NULL), "file", flags->log);
    site = add_site(m, root, flags->host);
    route = add_section(m, site, "route", "/");
    if (flags->peer) {
        add_setting(m, route, "peer", "true");
        return;
    }
    add_setting(m, route, "files", flags->directory ? flags->directory : ".");
    if (flags->listing)
        add_setting(m, route, "listing", "true");
    if (flags->write)
        add_setting(m, route, "write", "true");
    if (flags->index)
        add_list(m, route, "index", slice_text(flags->index));
}

static void
add_workers(struct maker *m, struct text_node *root, int workers)
{
    char digits[24];
    struct out o = out_init(digits, sizeof digits);

    if (workers == 0)
        return;
    if (workers < 0)
        out_char(&o, '-');
    out_u64(&o, (uint64_t)llabs((long long)workers));
    add_value(m, add(m, root, "workers", NULL), memory_copy(&m->scratch, out_done(&o)));
}

int
conf_from_flags(const struct conf_flags *flags, struct conf **ret_conf, struct conf_errors *errors)
{
    struct maker m;
    struct text_node root = {.is_section = true};
    int result;

    conf_errors_init(errors, "the command line");
    make_begin(&m, MEMORY_MAX, errors);
    add_flags(&m, &root, flags);
    add_workers(&m, &root, flags->workers);
    if (m.conf && !m.scratch.full) {
        m.conf->file = NULL;
        make_conf(&m, &root);
        check_conf(&m);
    }
    result = make_end(&m, ret_conf);
    for (unsigned i = 0; i < errors->n; i++)
        errors->error[i].line = errors->error[i].column = 0;
    return result;
}
