/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/error.h"

#include <assert.h>

#include "base/utf8.h"

enum { SHOWN_BYTES = 56 }; /* of an argument; three of them and the sentence fit */

/* Text that a stranger may have written: no control characters, no broken UTF-8, not too long. */
static void
out_clean(struct out *o, struct ern_slice text)
{
    size_t shown = 0;

    while (text.len) {
        size_t n = utf8_len(text);
        char c = text.ptr[0];

        if (shown + n > SHOWN_BYTES) {
            out_literal(o, "...");
            return;
        }
        if (n == 0 || (unsigned char)c < ' ' || c == 0x7f) {
            out_char(o, '?');
            n = 1;
        } else {
            out_slice(o, slice_first(text, n));
        }
        shown += n;
        text = slice_skip(text, n);
    }
}

static void
out_choices(struct out *o, struct ern_slice choices)
{
    for (size_t i = 0; i < choices.len; i++) {
        if (choices.ptr[i] == '|')
            out_literal(o, ", ");
        else
            out_char(o, choices.ptr[i]);
    }
}

/* Fills a sentence of a struct conf_error. */
static void
fill(char *sentence, const char *format, const struct ern_slice *arguments)
{
    struct out o = out_init(sentence, CONF_SENTENCE_BYTES - 1);

    for (const char *at = format; *at; at++) {
        unsigned i = (unsigned)at[1] - '1';

        if ((*at != '%' && *at != '&') || i >= CONF_ARGUMENTS) {
            out_char(&o, *at);
            continue;
        }
        if (*at == '%')
            out_clean(&o, arguments[i]);
        else
            out_choices(&o, arguments[i]);
        at++;
    }
    sentence[o.len] = '\0';
}

static void
add(struct conf_errors *errors, struct conf_position at, bool warning, const struct conf_say *say)
{
    struct conf_error *error;

    if (!warning)
        errors->wrong_n++;
    if (errors->n == CONF_ERRORS_MAX) {
        errors->lost_n++;
        return;
    }
    error = &errors->error[errors->n++];
    error->file = errors->file;
    error->line = at.line;
    error->column = at.column;
    error->warning = warning;
    fill(error->what, say->what, say->arguments);
    fill(error->mend, say->mend, say->arguments);
}

static bool
is_before(const struct conf_error *a, const struct conf_error *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void
conf_errors_init(struct conf_errors *errors, const char *file)
{
    errors->file = file;
    errors->n = 0;
    errors->wrong_n = 0;
    errors->lost_n = 0;
}

void
conf_wrong(struct conf_errors *errors, struct conf_position at, const struct conf_say *say)
{
    add(errors, at, false, say);
}

void
conf_warn(struct conf_errors *errors, struct conf_position at, const struct conf_say *say)
{
    add(errors, at, true, say);
}

void
conf_errors_sort(struct conf_errors *errors)
{
    assert(errors->n <= CONF_ERRORS_MAX);
    for (unsigned i = 1; i < errors->n; i++) {
        struct conf_error moved = errors->error[i];
        unsigned to = i;

        for (; to > 0 && is_before(&moved, &errors->error[to - 1]); to--)
            errors->error[to] = errors->error[to - 1];
        errors->error[to] = moved;
    }
}

void
conf_error_write(const struct conf_error *error, struct out *o)
{
    out_text(o, error->file);
    if (error->line) {
        out_char(o, ':');
        out_u64(o, error->line);
        out_char(o, ':');
        out_u64(o, error->column);
    }
    out_text(o, error->warning ? ": warning: " : ": error: ");
    out_text(o, error->what);
    out_literal(o, "; ");
    out_text(o, error->mend);
    out_char(o, '\n');
}

void
conf_error_write_json(const struct conf_error *error, struct out *o)
{
    out_literal(o, "{\"file\":\"");
    out_json(o, slice_text(error->file));
    out_literal(o, "\",\"line\":");
    out_u64(o, error->line);
    out_literal(o, ",\"column\":");
    out_u64(o, error->column);
    out_text(o, error->warning ? ",\"severity\":\"warning\"" : ",\"severity\":\"error\"");
    out_literal(o, ",\"what\":\"");
    out_json(o, slice_text(error->what));
    out_literal(o, "\",\"mend\":\"");
    out_json(o, slice_text(error->mend));
    out_literal(o, "\"}");
}
