/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diffe.c - which lines stay is found by those that both texts have exactly once: of them the
 * longest series that is in order in both, and then what is the same before and after each. What
 * stands between is changed. So it takes n log n, whatever the texts are.
 */
#include "pack/diffe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

enum { NONE = -1 };

struct text {
    struct ern_slice *line; /* each with its line feed */
    int32_t n;
};

struct seen { /* a line, wherever it stands */
    struct ern_slice line;
    int32_t base, target;    /* where it was seen last, and */
    uint32_t bases, targets; /* how often; neither: the slot is free */
};

struct differ {
    struct text base, target;
    int32_t *match; /* of each line of the target: the line of the base that it is, or NONE */
    struct seen *seen;
    size_t mask;
    int32_t *tail, *before; /* of the longest series */
    struct out *out;
};

/* Cuts a text into its lines. */
static int
read_lines(struct ern_slice text, struct text *ret)
{
    size_t n = 0;

    if (slice_find(text, '\0') < text.len || (text.len && text.ptr[text.len - 1] != '\n'))
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    if (n > INT32_MAX / 4)
        return -EINVAL;
    ret->line = malloc((n + 1) * sizeof *ret->line);
    if (!ret->line)
        return -ENOMEM;
    for (ret->n = 0; text.len; ret->n++) {
        size_t len = slice_find(text, '\n') + 1;

        ret->line[ret->n] = slice_first(text, len);
        text = slice_skip(text, len);
    }
    return 0;
}

static struct seen *
see(struct differ *d, struct ern_slice line)
{
    size_t at = (size_t)hash_bytes((struct hash_key){0, 0}, line) & d->mask;

    while ((d->seen[at].bases || d->seen[at].targets) && !slice_eq(d->seen[at].line, line))
        at = (at + 1) & d->mask;
    d->seen[at].line = line;
    return &d->seen[at];
}

static void
see_all(struct differ *d)
{
    for (int32_t i = 0; i < d->base.n; i++) {
        struct seen *s = see(d, d->base.line[i]);

        s->base = i;
        s->bases++;
    }
    for (int32_t j = 0; j < d->target.n; j++) {
        struct seen *s = see(d, d->target.line[j]);

        s->target = j;
        s->targets++;
    }
}

/*
 * Matches the lines that both have once, as far as they are in order in both. tail[k] is the line
 * of the target that ends a series of k + 1 with the earliest line of the base; before[] leads
 * back.
 */
static void
match_series(struct differ *d)
{
    int32_t longest = 0;

    for (int32_t j = 0; j < d->target.n; j++) {
        const struct seen *s = see(d, d->target.line[j]);
        int32_t from = 0, to = longest;

        if (s->bases != 1 || s->targets != 1)
            continue;
        d->match[j] = s->base;
        while (from < to) {
            int32_t middle = from + (to - from) / 2;

            if (d->match[d->tail[middle]] < s->base)
                from = middle + 1;
            else
                to = middle;
        }
        d->before[j] = from ? d->tail[from - 1] : NONE;
        d->tail[from] = j;
        longest += from == longest;
    }
    for (int32_t j = longest ? d->tail[longest - 1] : NONE, next = d->target.n;;) {
        for (int32_t k = j + 1; k < next; k++)
            d->match[k] = NONE;
        if (j == NONE)
            return;
        next = j;
        j = d->before[j];
    }
}

/* What is the same beside a match is one, too. */
static void
grow_matches(struct differ *d)
{
    for (int32_t j = 0, i = 0; j < d->target.n; j++) { /* i: the line after the last match */
        if (d->match[j] == NONE && i < d->base.n && slice_eq(d->base.line[i], d->target.line[j]))
            d->match[j] = i;
        else if (d->match[j] == NONE)
            i = d->base.n; /* not beside one */
        if (d->match[j] != NONE)
            i = d->match[j] + 1;
        if (j + 1 < d->target.n && d->match[j + 1] != NONE && d->match[j + 1] < i)
            d->match[j] = NONE; /* the next has it */
    }
    for (int32_t j = d->target.n - 1, i = d->base.n - 1; j >= 0; j--) {
        if (d->match[j] == NONE && i >= 0 && slice_eq(d->base.line[i], d->target.line[j]))
            d->match[j] = i;
        else if (d->match[j] == NONE)
            i = NONE;
        if (d->match[j] != NONE)
            i = d->match[j] - 1;
    }
}

/* Only what goes up may stay: each line of the base is one line of the target at most. */
static void
keep_order(struct differ *d)
{
    int32_t last = NONE;

    for (int32_t j = 0; j < d->target.n; j++) {
        if (d->match[j] == NONE)
            continue;
        if (d->match[j] <= last)
            d->match[j] = NONE;
        else
            last = d->match[j];
    }
}

static void
write_lines(struct out *o, int32_t from, int32_t to)
{
    out_u64(o, (uint64_t)from);
    if (to > from) {
        out_char(o, ',');
        out_u64(o, (uint64_t)to);
    }
}

/* Lines of the base after i and before its end become those of the target after j. */
static int
write_change(struct differ *d, int32_t i, int32_t i_end, int32_t j, int32_t j_end)
{
    bool takes = i_end - i > 1, gives = j_end - j > 1;

    if (!takes && !gives)
        return 0;
    if (takes)
        write_lines(d->out, i + 2, i_end);
    else
        out_u64(d->out, (uint64_t)(i + 1));
    out_text(d->out, !gives ? "d\n" : takes ? "c\n" : "a\n");
    for (int32_t k = j + 1; k < j_end; k++) {
        if (slice_eq(d->target.line[k], ERN_SLICE(".\n")))
            return -EINVAL;
        out_slice(d->out, d->target.line[k]);
    }
    if (gives)
        out_literal(d->out, ".\n");
    return d->out->full ? -ENOSPC : 0;
}

static int
write_script(struct differ *d)
{
    int32_t i_end = d->base.n, j_end = d->target.n;
    int error = 0;

    for (int32_t j = d->target.n - 1; !error && j >= 0; j--) {
        if (d->match[j] == NONE)
            continue;
        error = write_change(d, d->match[j], i_end, j, j_end);
        i_end = d->match[j];
        j_end = j;
    }
    return error ? error : write_change(d, NONE, i_end, NONE, j_end);
}

static int
differ_open(struct differ *d)
{
    size_t n = (size_t)d->target.n + 1, slots = 16;

    while (slots < 2 * ((size_t)d->base.n + (size_t)d->target.n))
        slots *= 2;
    d->mask = slots - 1;
    d->match = malloc(n * sizeof *d->match);
    d->tail = malloc(n * sizeof *d->tail);
    d->before = malloc(n * sizeof *d->before);
    d->seen = calloc(slots, sizeof *d->seen);
    return d->match && d->tail && d->before && d->seen ? 0 : -ENOMEM;
}

int
diffe_write(struct ern_slice base, struct ern_slice target, struct out *o)
{
    struct differ d = {.out = o};
    int error = read_lines(base, &d.base);

    if (!error)
        error = read_lines(target, &d.target);
    if (!error)
        error = differ_open(&d);
    if (!error) {
        for (int32_t j = 0; j < d.target.n; j++)
            d.match[j] = NONE;
        see_all(&d);
        match_series(&d);
        grow_matches(&d);
        keep_order(&d);
        error = write_script(&d);
    }
    free(d.base.line);
    free(d.target.line);
    free(d.match);
    free(d.tail);
    free(d.before);
    free(d.seen);
    return error;
}
