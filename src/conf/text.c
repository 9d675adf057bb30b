/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/text.h"

#include <assert.h>

#include "conf/token.h"

struct level { /* a section that is open */
    struct text_node *section;
    struct text_node **tail; /* where its next item goes */
};

struct reader {
    struct tokens t;
    unsigned nodes, depth; /* nodes made, index of the innermost level */
    struct level levels[TEXT_DEPTH_MAX + 1];
};

static bool
is_mark(const struct reader *r, char mark)
{
    return r->t.token == TOKEN_MARK && r->t.mark == mark;
}

static bool
is_text(const struct reader *r)
{
    return r->t.token == TOKEN_WORD || r->t.token == TOKEN_STRING;
}

/* Goes to the first token past `line` and out of `open` braces, so that reading can go on there. */
static void
recover(struct reader *r, uint32_t line, unsigned open)
{
    while (r->t.token != TOKEN_END && (open > 0 || r->t.at.line <= line)) {
        if (is_mark(r, '}') && open == 0)
            break;
        if (is_mark(r, '}'))
            open--;
        else if (is_mark(r, '{'))
            open++;
        if (open == 0 && r->t.at.line > line)
            line = r->t.at.line;
        r->t.quiet_line = open > 0 ? UINT32_MAX : line;
        tokens_next(&r->t);
    }
    r->t.quiet_line = line;
}

/* Memory for a node or value, or NULL and stop. */
static void *
take(struct reader *r, size_t size)
{
    void *at = NULL;

    if (r->nodes++ < TEXT_NODES_MAX)
        at = memory_take(r->t.memory, 1, size);
    else
        tokens_wrong(&r->t, r->t.at,
                     CONF_SAY("there are more settings than one file may have",
                              "leave out what is not needed", ERN_ABSENT));
    if (!at)
        r->t.stop = true;
    return at;
}

static struct text_value **
read_value(struct reader *r, struct text_value **tail)
{
    struct text_value *value = take(r, sizeof *value);

    if (value) {
        value->text = r->t.value;
        value->at = r->t.at;
        *tail = value;
        tail = &value->next;
    }
    tokens_next(&r->t);
    return tail;
}

/* Reads { a, b }; the token is the opening brace. */
static void
read_list(struct reader *r, struct text_node *node)
{
    struct text_value **tail = &node->values;
    uint32_t line = r->t.at.line;
    unsigned open;

    node->is_list = true;
    tokens_next(&r->t);
    while (is_text(r)) {
        line = r->t.at.line;
        tail = read_value(r, tail);
        if (is_mark(r, ','))
            tokens_next(&r->t);
        else if (!is_mark(r, '}'))
            break;
    }
    if (is_mark(r, '}')) {
        tokens_next(&r->t);
        return;
    }
    /* A key on a line of its own begins the next item: the brace is missing before it. */
    open = r->t.token == TOKEN_WORD && r->t.at.line > line ? 0 : 1;
    line = open ? r->t.at.line : line;
    if (r->t.token == TOKEN_END)
        tokens_wrong(
            &r->t, node->value_at,
            CONF_SAY("the { of \"%1\" is not closed", "write } after the last value", node->key));
    else if (r->t.token != TOKEN_BAD)
        tokens_wrong(&r->t, r->t.at,
                     CONF_SAY("the values of \"%1\" go on without a comma",
                              "write a comma between two values and } after the last", node->key));
    if (r->t.token == TOKEN_BAD) {
        r->t.quiet_line = line;
        tokens_next(&r->t);
        open = r->t.at.line > line ? 0 : 1; /* a string without end has taken the brace along */
    }
    recover(r, line, open);
}

/* Reads what stands after "key ="; the token is the "=". */
static void
read_setting(struct reader *r, struct text_node *node)
{
    struct conf_position equals = r->t.at;

    tokens_next(&r->t);
    node->value_at = r->t.at;
    if (is_mark(r, '{')) {
        read_list(r, node);
    } else if (is_text(r) && r->t.at.line == equals.line) {
        read_value(r, &node->values);
    } else {
        if (r->t.token != TOKEN_BAD)
            tokens_wrong(&r->t, equals,
                         CONF_SAY("\"%1\" has no value", "write one after the =, on the same line",
                                  node->key));
        recover(r, equals.line, 0);
        node->value_at = equals;
    }
}

/* Opens a section; the token is its brace. */
static void
open_section(struct reader *r, struct text_node *node)
{
    struct conf_position brace = r->t.at;

    node->is_section = true;
    if (node->value_at.line == 0)
        node->value_at = brace;
    tokens_next(&r->t);
    if (r->depth == TEXT_DEPTH_MAX) {
        tokens_wrong(&r->t, brace,
                     CONF_SAY("\"%1\" stands in too many braces",
                              "close the sections before it with }", node->key));
        recover(r, brace.line, 1);
        return;
    }
    r->depth++;
    r->levels[r->depth] = (struct level){node, &node->items};
}

/* Reads one item, without the items of a section; the token is its key. */
static void
read_item(struct reader *r)
{
    struct level *level = &r->levels[r->depth];
    struct text_node *node = take(r, sizeof *node);

    if (!node)
        return;
    node->key = r->t.value;
    node->key_at = r->t.at;
    tokens_next(&r->t);
    if (is_mark(r, '=')) {
        read_setting(r, node);
    } else {
        if (is_text(r) && r->t.at.line == node->key_at.line) {
            node->title = r->t.value;
            node->value_at = r->t.at;
            tokens_next(&r->t);
        }
        if (!is_mark(r, '{')) {
            if (r->t.token != TOKEN_BAD)
                tokens_wrong(&r->t, node->key_at,
                             CONF_SAY("\"%1\" has neither a value nor a section",
                                      "write = and a value after it, or { and } for a section",
                                      node->key));
            recover(r, node->key_at.line, 0);
            return;
        }
        open_section(r, node);
    }
    *level->tail = node;
    level->tail = &node->next;
}

static void
close_section(struct reader *r)
{
    if (r->depth > 0)
        r->depth--;
    else
        tokens_wrong(&r->t, r->t.at,
                     CONF_SAY("this } closes nothing", "leave it out, or write the { it belongs to",
                              ERN_ABSENT));
    tokens_next(&r->t);
}

static void
read_items(struct reader *r)
{
    tokens_next(&r->t);
    while (r->t.token != TOKEN_END && !r->t.stop) {
        if (r->t.token == TOKEN_WORD) {
            read_item(r);
        } else if (is_mark(r, '}')) {
            close_section(r);
        } else {
            if (r->t.token != TOKEN_BAD)
                tokens_wrong(&r->t, r->t.at,
                             CONF_SAY("a key is missing here",
                                      "begin with a key, as in workers = 4", ERN_ABSENT));
            recover(r, r->t.at.line, 0);
        }
    }
    for (; r->depth > 0; r->depth--) {
        struct text_node *section = r->levels[r->depth].section;

        if (!r->t.stop)
            conf_wrong(r->t.errors, section->key_at,
                       CONF_SAY("the section \"%1\" is not closed",
                                "write } after its last setting", section->key));
    }
}

struct text_node *
text_parse(struct ern_slice text, struct memory *memory, struct conf_errors *errors)
{
    struct reader r = {.t = {.rest = text, .here = {1, 1}, .memory = memory, .errors = errors}};
    struct text_node *root = take(&r, sizeof *root);

    if (!root)
        return NULL;
    root->is_section = true;
    root->key_at = (struct conf_position){1, 1};
    r.levels[0] = (struct level){root, &root->items};
    if (text.len > TEXT_BYTES_MAX) {
        conf_wrong(errors, root->key_at,
                   CONF_SAY("this file is longer than 1 MiB", "split the work between two servers",
                            ERN_ABSENT));
        return root;
    }
    if (slice_starts(text, ERN_SLICE("\xef\xbb\xbf"))) /* a byte order mark is no character */
        r.t.rest = slice_skip(text, 3);
    read_items(&r);
    return root;
}
