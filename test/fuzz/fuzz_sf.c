/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sf.c - structured fields. What passes a check is read to its end; written again it passes
 * too, and writing that again changes nothing; each value decoded and written alone is what the
 * whole has in its place.
 *
 * Input: a byte that chooses list, dictionary or item, then the text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "msg/sf.h"

enum { TEXT_MAX = 4096 };

static void
must(bool right)
{
    if (!right)
        abort();
}

static const struct {
    bool (*is)(struct ern_slice text);
    void (*rewrite)(struct out *o, struct ern_slice text);
} kinds[] = {
    {sf_is_list, sf_rewrite_list},
    {sf_is_dictionary, sf_rewrite_dictionary},
    {sf_is_item, sf_rewrite_item},
};

/* A bare item: decoded, written and rewritten as an item of its own, it is the same. */
static void
try_bare_item(struct ern_slice whole, struct sf_value value)
{
    static char decoded[TEXT_MAX], written[4 * TEXT_MAX], rewritten[4 * TEXT_MAX];
    struct out d = out_init(decoded, sizeof decoded), w = out_init(written, sizeof written);
    struct out r = out_init(rewritten, sizeof rewritten);
    struct sf_value again;
    struct ern_slice text;

    if (value.text.len)
        must(value.text.ptr >= whole.ptr &&
             value.text.ptr + value.text.len <= whole.ptr + whole.len);
    sf_decode(&d, &value);
    must(d.len <= value.text.len);
    value.text = out_done(&d);
    if (value.type == SF_DISPLAY)
        must(utf8_is(value.text));
    must(sf_write_value(&w, &value) && !w.full);
    must(sf_is_item(out_done(&w)));
    sf_rewrite_item(&r, out_done(&w));
    must(slice_eq(out_done(&w), out_done(&r)));
    text = out_done(&r);
    must(sf_item_next(&text, &again) && text.len == 0);
    must(again.type == value.type && again.integer == value.integer);
}

static void
try_parameters(struct ern_slice whole, struct ern_slice parameters)
{
    char memory[TEXT_MAX];
    struct ern_slice key;
    struct sf_value value;

    while (sf_parameter_next(&parameters, &key, &value)) {
        struct out o = out_init(memory, sizeof memory);

        must(sf_write_key(&o, key) && slice_eq(out_done(&o), key));
        try_bare_item(whole, value);
    }
    must(parameters.len == 0);
}

static void
try_value(struct ern_slice whole, const struct sf_value *value)
{
    struct ern_slice items = value->text;
    struct sf_value item;

    if (value->type == SF_INNER_LIST) {
        while (sf_item_next(&items, &item)) {
            must(item.type != SF_INNER_LIST);
            try_bare_item(whole, item);
            try_parameters(whole, item.parameters);
        }
        must(items.len == 0);
    } else {
        try_bare_item(whole, *value);
    }
    try_parameters(whole, value->parameters);
}

static void
read_all(unsigned kind, struct ern_slice text)
{
    struct ern_slice rest = text, key;
    struct sf_value value;

    if (kind == 0) {
        while (sf_list_next(&rest, &value))
            try_value(text, &value);
    } else if (kind == 1) {
        while (sf_dictionary_next(&rest, &key, &value))
            try_value(text, &value);
    } else {
        must(sf_item_next(&rest, &value));
        try_value(text, &value);
        rest = slice_trim(rest);
    }
    must(rest.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char once_memory[4 * TEXT_MAX], twice_memory[4 * TEXT_MAX];
    struct out once = out_init(once_memory, sizeof once_memory);
    struct out twice = out_init(twice_memory, sizeof twice_memory);
    struct ern_slice text;
    unsigned kind;

    if (size == 0 || size > TEXT_MAX)
        return 0;
    kind = data[0] % 3;
    text = slice_skip(slice_from((const char *)data, size), 1);
    if (!kinds[kind].is(text))
        return 0;
    read_all(kind, text);
    kinds[kind].rewrite(&once, text);
    must(!once.full && kinds[kind].is(out_done(&once)));
    kinds[kind].rewrite(&twice, out_done(&once));
    must(slice_eq(out_done(&once), out_done(&twice)));
    if (kind == 2 || text.len == 0)
        return 0;
    /* what is an item is a list of one, and both say the same */
    if (kind == 0 && sf_is_item(text)) {
        twice = out_init(twice_memory, sizeof twice_memory);
        sf_rewrite_item(&twice, text);
        must(slice_eq(out_done(&once), out_done(&twice)));
    }
    return 0;
}
