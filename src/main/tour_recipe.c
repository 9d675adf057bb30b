/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_recipe.h"

#include "base/num.h"
#include "base/slice.h"

struct reader {
    struct tour_table *table;
    struct tour_recipe *recipe; /* NULL: none has begun */
    struct tour_near *near;     /* NULL: the recipe itself is told of */
    struct tour_step step;      /* whose lines come */
};

static const char *const means[TOUR_MEANS] = {
    [TOUR_CLIENT] = "client", [TOUR_FETCH] = "fetch", [TOUR_WEBSOCKET] = "websocket"};
static const char *const places[TOUR_PLACES] = {
    [TOUR_SITE] = "site", [TOUR_PORTAL] = "portal", [TOUR_FORWARD] = "forward"};

static bool
find_name(const char *const *names, unsigned n, struct ern_slice name, unsigned *ret)
{
    for (*ret = 0; *ret < n; (*ret)++)
        if (slice_eq(name, slice_text(names[*ret])))
            return true;
    return false;
}

static bool
take_code(struct reader *r, struct ern_slice value)
{
    uint64_t code;

    if (!u64_parse(value, UINT16_MAX, &code) || r->table->n == TOUR_RECIPES)
        return false;
    r->recipe = &r->table->recipe[r->table->n++];
    *r->recipe = (struct tour_recipe){.code = (unsigned)code};
    r->near = NULL;
    r->step = (struct tour_step){0};
    return true;
}

static bool
take_by(struct reader *r, struct ern_slice value)
{
    unsigned i;

    if (!r->recipe || !find_name(means, TOUR_MEANS, value, &i))
        return false;
    r->recipe->means = (enum tour_means)i;
    return true;
}

static bool
take_to(struct reader *r, struct ern_slice value)
{
    unsigned i;

    if (!r->recipe || !find_name(places, TOUR_PLACES, value, &i))
        return false;
    r->recipe->to = (enum tour_place)i;
    return true;
}

static bool
take_said(struct reader *r, enum language language, struct ern_slice value)
{
    if (!r->recipe)
        return false;
    (r->near ? r->near->said : r->recipe->said)[language] = value;
    return true;
}

static bool
take_en(struct reader *r, struct ern_slice value)
{
    return take_said(r, LANGUAGE_EN, value);
}

static bool
take_bn(struct reader *r, struct ern_slice value)
{
    return take_said(r, LANGUAGE_BN, value);
}

static bool
take_near(struct reader *r, struct ern_slice value)
{
    if (!r->recipe || r->recipe->steps_n == 0 || r->recipe->nears_n == TOUR_NEARS)
        return false;
    r->near = &r->recipe->nears[r->recipe->nears_n++];
    *r->near = (struct tour_near){.alone = value.len > 0};
    return true;
}

static bool
take_unfinished(struct reader *r, struct ern_slice value)
{
    r->step.unfinished = true;
    return value.len == 0;
}

static bool
take_answer(struct reader *r, struct ern_slice value)
{
    size_t space = slice_find(value, ' ');
    uint64_t status;

    if (!slice_is_there(r->step.lines) ||
        !u64_parse(slice_first(value, space), UINT16_MAX, &status))
        return false;
    r->step.status = (uint16_t)status;
    r->step.rule = slice_trim(slice_skip(value, space));
    if (r->near)
        r->near->step = r->step;
    else if (r->recipe->steps_n < TOUR_STEPS)
        r->recipe->steps[r->recipe->steps_n++] = r->step;
    else
        return false;
    r->step = (struct tour_step){0};
    return true;
}

static const struct {
    const char *name;
    bool (*take)(struct reader *r, struct ern_slice value);
} keys[] = {
    {"code", take_code}, {"by", take_by},    {"to", take_to},     {"en", take_en},
    {"bn", take_bn},     {"<", take_answer}, {"near", take_near}, {"unfinished", take_unfinished},
};

static bool
take_line(struct reader *r, struct ern_slice line)
{
    size_t space = slice_find(line, ' ');
    struct ern_slice name = slice_first(line, space), value = slice_trim(slice_skip(line, space));

    if (slice_starts(line, ERN_SLICE(">"))) {
        if (!slice_is_there(r->step.lines))
            r->step.lines = line;
        r->step.lines.len = (size_t)(line.ptr + line.len - r->step.lines.ptr);
        return r->recipe != NULL;
    }
    if (slice_is_there(r->step.lines) && !slice_eq(name, ERN_SLICE("<")))
        return false; /* nothing stands between a request and its answer */
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_eq(name, slice_text(keys[i].name)))
            return keys[i].take(r, value);
    return line.len == 0 || line.ptr[0] == '#';
}

unsigned
tour_recipes_read(struct ern_slice text, struct tour_table *ret)
{
    struct reader r = {.table = ret};

    ret->n = 0;
    for (unsigned number = 1; text.len; number++) {
        size_t end = slice_find(text, '\n');

        if (!take_line(&r, slice_first(text, end)))
            return number;
        text = slice_skip(text, end < text.len ? end + 1 : end);
    }
    return 0;
}

const struct tour_recipe *
tour_recipe_find(const struct tour_table *table, unsigned code)
{
    for (size_t i = 0; i < table->n; i++)
        if (table->recipe[i].code == code)
            return &table->recipe[i];
    return NULL;
}

void
tour_step_write(const struct tour_step *step, struct out *o)
{
    struct ern_slice rest = step->lines;
    bool in_head = !step->unfinished;

    while (rest.len) {
        size_t end = slice_find(rest, '\n');
        struct ern_slice line = slice_skip(slice_first(rest, end), 1);

        if (slice_starts(line, ERN_SLICE(" ")))
            line = slice_skip(line, 1);
        in_head &= line.len > 0;
        out_slice(o, line);
        rest = slice_skip(rest, end < rest.len ? end + 1 : end);
        if (rest.len || in_head)
            out_char(o, '\n');
    }
    if (in_head)
        out_char(o, '\n');
}
