/* SPDX-License-Identifier: Apache-2.0 */
#include "res/form.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "msg/form.h"

static const struct fault {
    enum form_verdict verdict;
    const char *limit, *english, *bengali;
} faults[] = {
#define FAULT(name, verdict, limit, english, bengali) {FORM_##verdict, #limit, english, bengali},
#include "res/form_fault.def"
#undef FAULT
};

enum { CULPRIT_BYTES = 64 /* of a field's name in a sentence; a longer one is cut */ };

enum form_type
form_type_of(struct ern_slice content_type)
{
    static const struct ern_slice names[FORM_TYPES] = {
        [FORM_URLENCODED] = {"application/x-www-form-urlencoded", 33},
        [FORM_MULTIPART] = {"multipart/form-data", 19},
        [FORM_JSON] = {"application/json", 16},
    };
    struct ern_slice name = slice_trim(slice_first(content_type, slice_find(content_type, ';')));
    unsigned type = 0;

    while (type < FORM_TYPES && !slice_eq_nocase(name, names[type]))
        type++;
    return (enum form_type)type;
}

enum form_verdict
form_verdict(enum form_fault fault)
{
    return faults[fault].verdict;
}

struct ern_slice
form_limit(enum form_fault fault)
{
    struct ern_slice limit = slice_text(faults[fault].limit);

    return slice_eq(limit, ERN_SLICE("none")) ? ERN_ABSENT : limit;
}

void
form_tell(const struct form *form, enum language language, struct out *o)
{
    const struct fault *fault = &faults[form->fault];
    struct ern_slice name = form->culprit;

    out_text(o, language == LANGUAGE_BN ? fault->bengali : fault->english);
    if (!slice_is_there(name))
        return;
    out_text(o, language == LANGUAGE_BN ? " ফিল্ডটির নাম " : " The field is ");
    out_plain(o, slice_first(name, name.len < CULPRIT_BYTES ? name.len : CULPRIT_BYTES));
    if (name.len > CULPRIT_BYTES)
        out_literal(o, "...");
    out_text(o, language == LANGUAGE_BN ? "।" : ".");
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Remembers what is wrong. Returns false. */
static bool
blame(struct form *form, enum form_fault fault, struct ern_slice culprit)
{
    form->fault = fault;
    form->culprit = culprit;
    return false;
}

/* Judges a value by the limits, and by what JSON can say. */
static bool
judge(struct form *form, const struct form_value *v, const struct limits *limits)
{
    bool is_file = slice_is_there(v->filename);
    uint64_t max = (uint64_t)(is_file ? limits->form_file_bytes_max : limits->form_field_bytes_max);

    if (is_file ? form->files_n >= (size_t)limits->form_files_max
                : form->n - form->files_n >= (size_t)limits->form_fields_max)
        return blame(form, is_file ? FAULT_files : FAULT_fields, v->name);
    if (v->value.len > max || v->name.len > (size_t)limits->form_field_bytes_max)
        return blame(form, is_file ? FAULT_file : FAULT_field, v->name);
    if (!utf8_is(v->name) ||
        (is_file ? !utf8_is(v->filename) || !utf8_is(v->type) : !utf8_is(v->value)))
        return blame(form, FAULT_utf8, v->name);
    return true;
}

/* Adds a value. Returns 1; 0 if there is something wrong with it; or -ENOMEM. */
static int
add(struct form *form, const struct form_value *v, const struct limits *limits)
{
    if (!judge(form, v, limits))
        return 0;
    if (form->n == form->cap) {
        size_t cap = form->cap ? 2 * form->cap : 16;
        struct form_value *more = reallocarray(form->values, cap, sizeof *more);

        if (!more)
            return -ENOMEM;
        form->values = more;
        form->cap = cap;
    }
    form->values[form->n++] = *v;
    form->files_n += slice_is_there(v->filename);
    return 1;
}

/* Keeps a text decoded: it needs no more room than before. */
static struct ern_slice
keep(struct out *o, void (*write)(struct out *o, struct ern_slice text), struct ern_slice text)
{
    size_t before = o->len;

    write(o, text);
    return slice_skip(out_done(o), before);
}

static int
read_urlencoded(struct form *form, struct ern_slice content, const struct limits *limits,
                struct out *o)
{
    struct ern_slice name, value;
    int added = 1;

    while (added > 0 && urlencoded_next(&content, &name, &value)) {
        const struct form_value v = {.name = keep(o, urlencoded_write, name),
                                     .value = keep(o, urlencoded_write, value),
                                     .filename = ERN_ABSENT,
                                     .type = ERN_ABSENT};

        added = add(form, &v, limits);
    }
    return added;
}

/* RFC 7578 4.7: what has been obsolete since is not taken for the bytes themselves. */
static bool
is_plain(struct ern_slice encoding)
{
    return !slice_is_there(encoding) || slice_eq_nocase(encoding, ERN_SLICE("7bit")) ||
           slice_eq_nocase(encoding, ERN_SLICE("8bit")) ||
           slice_eq_nocase(encoding, ERN_SLICE("binary"));
}

static int
read_part(struct form *form, const struct multipart_part *part, const struct limits *limits,
          struct out *o)
{
    struct form_part said;
    struct form_value v;

    if (part->head.len > (size_t)limits->form_head_bytes_max)
        return blame(form, FAULT_long_head, ERN_ABSENT);
    if (!form_part_read(part->head, &said))
        return blame(form, FAULT_head, ERN_ABSENT);
    v = (struct form_value){.name = keep(o, form_part_write, said.name),
                            .value = part->content,
                            .filename = ERN_ABSENT,
                            .type = said.type};
    if (!is_plain(said.encoding))
        return blame(form, FAULT_encoded, v.name);
    if (slice_is_there(said.type) &&
        slice_eq_nocase(slice_first(said.type, said.type.len < 10 ? said.type.len : 10),
                        ERN_SLICE("multipart/")))
        return blame(form, FAULT_nested, v.name);
    if (slice_is_there(said.filename))
        v.filename = keep(o, form_part_write, said.filename);
    if (slice_is_there(v.filename) && v.filename.len == 0 && v.value.len == 0)
        return 1; /* a browser's word for no file at all */
    return add(form, &v, limits);
}

static int
read_multipart(struct form *form, struct ern_slice content, struct ern_slice boundary,
               const struct limits *limits, struct out *o)
{
    enum multipart_step step = MULTIPART_BAD;
    struct multipart_part part;
    struct multipart m;
    int added = 1;

    if (multipart_begin(&m, content, boundary))
        while (added > 0 && (step = multipart_next(&m, &part)) == MULTIPART_PART)
            added = read_part(form, &part, limits, o);
    if (added > 0 && step == MULTIPART_BAD)
        return blame(form, FAULT_multipart, ERN_ABSENT);
    return added;
}

/* Judges the members of an object as fields; o keeps the name of one that is too long. */
static int
judge_members(struct form *form, json_t *object, const struct limits *limits, struct out *o)
{
    const char *key;
    json_t *value;

    if (json_object_size(object) > (size_t)limits->form_fields_max)
        return blame(form, FAULT_fields, ERN_ABSENT);
    json_object_foreach(object, key, value)
    {
        struct ern_slice name = slice_text(key);
        size_t n = json_is_string(value)
                       ? json_string_length(value)
                       : json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
        size_t before = o->len;

        if (n <= (size_t)limits->form_field_bytes_max &&
            name.len <= (size_t)limits->form_field_bytes_max)
            continue;
        out_slice(o, name);
        return blame(form, FAULT_field, slice_skip(out_done(o), before));
    }
    return 1;
}

size_t
form_json_depth(struct ern_slice json)
{
    size_t depth = 0, max = 0;
    bool quoted = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];

        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        max = depth > max ? depth : max;
    }
    return max;
}

/* Looks whether it is JSON; the text is kept as it is, so that no number becomes another one. */
static int
read_json(struct form *form, struct ern_slice content, const struct limits *limits, struct out *o)
{
    const size_t how =
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_t *json;
    int read = 0;

    if (form_json_depth(content) > (size_t)limits->form_depth_max)
        return blame(form, FAULT_deep, ERN_ABSENT);
    json = json_loadb(content.ptr, content.len, how, NULL);
    if (!json)
        (void)blame(form, FAULT_json, ERN_ABSENT);
    else if (!json_is_object(json))
        (void)blame(form, FAULT_not_object, ERN_ABSENT);
    else
        read = judge_members(form, json, limits, o);
    json_decref(json);
    form->json = content;
    return read;
}

int
form_read(enum form_type type, struct ern_slice content, struct ern_slice boundary,
          const struct limits *limits, struct form *form)
{
    struct out o;
    int read = 0;

    *form = (struct form){.type = type, .json = ERN_ABSENT, .culprit = ERN_ABSENT};
    form->text = malloc(content.len + 1);
    if (!form->text)
        return -ENOMEM;
    o = out_init(form->text, content.len);
    if (type == FORM_URLENCODED)
        read = read_urlencoded(form, content, limits, &o);
    else if (type == FORM_MULTIPART)
        read = read_multipart(form, content, boundary, limits, &o);
    else
        read = read_json(form, content, limits, &o);
    return read < 0 ? read : 0;
}

void
form_done(struct form *form)
{
    free(form->values);
    free(form->text);
    *form = (struct form){.type = FORM_TYPES};
}

/* ---- writing -----------------------------------------------------------------------------------
 */

int
form_digest(const struct form *form, uint8_t ret_digest[DIGEST_BYTES])
{
    enum { PER_VALUE = 5 };
    struct ern_slice *texts;
    size_t n = 0;

    if (form->type == FORM_JSON) {
        digest_texts(&form->json, 1, ret_digest);
        return 0;
    }
    texts = calloc(form->n * PER_VALUE + 1, sizeof *texts);
    if (!texts)
        return -ENOMEM;
    for (size_t i = 0; i < form->n; i++) {
        const struct form_value *v = &form->values[i];

        texts[n++] = v->name;
        texts[n++] = v->value;
        texts[n++] = slice_is_there(v->filename) ? ERN_SLICE("file") : ERN_SLICE("");
        texts[n++] = v->filename;
        texts[n++] = v->type;
    }
    digest_texts(texts, n, ret_digest);
    free(texts);
    return 0;
}

static void
write_string(struct out *o, struct ern_slice text)
{
    out_char(o, '"');
    out_json(o, text);
    out_char(o, '"');
}

static void
write_value(const struct form_value *v, struct out *o)
{
    if (!slice_is_there(v->filename)) {
        write_string(o, v->value);
        return;
    }
    out_literal(o, "{\"file\":\"");
    out_text(o, v->staged);
    out_literal(o, "\",\"name\":");
    write_string(o, v->filename);
    out_literal(o, ",\"type\":");
    write_string(o, slice_is_there(v->type) ? v->type : ERN_SLICE("text/plain"));
    out_literal(o, ",\"bytes\":");
    out_u64(o, v->value.len);
    out_char(o, '}');
}

/* The index of the next value after i with the same name, or n. */
static size_t
next_of(const struct form *form, size_t i)
{
    size_t j = i + 1;

    while (j < form->n && !slice_eq(form->values[j].name, form->values[i].name))
        j++;
    return j;
}

static bool
is_first(const struct form *form, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (slice_eq(form->values[j].name, form->values[i].name))
            return false;
    return true;
}

static void
write_name(const struct form *form, size_t i, struct out *o)
{
    size_t next = next_of(form, i);
    bool is_list = next < form->n;

    write_string(o, form->values[i].name);
    out_text(o, is_list ? ":[" : ":");
    write_value(&form->values[i], o);
    for (; next < form->n; next = next_of(form, next)) {
        out_char(o, ',');
        write_value(&form->values[next], o);
    }
    if (is_list)
        out_char(o, ']');
}

/* JSON on one line: without the white space that stands between its tokens. */
static void
write_compact(struct out *o, struct ern_slice json)
{
    bool quoted = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];

        if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
            continue;
        out_char(o, c);
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            out_char(o, json.ptr[++i]);
    }
}

void
form_write(const struct form *form, struct out *o)
{
    const char *between = "{";

    if (form->type == FORM_JSON) {
        write_compact(o, form->json);
        return;
    }
    for (size_t i = 0; i < form->n; i++) {
        if (!is_first(form, i))
            continue;
        out_text(o, between);
        write_name(form, i, o);
        between = ",";
    }
    out_text(o, form->n ? "}" : "{}");
}

size_t
form_json_max(const struct form *form)
{
    enum { ESCAPED = 6, AROUND = 128 }; /* \u0001; what stands around a value */
    size_t max = form->json.len + AROUND;

    for (size_t i = 0; i < form->n; i++) {
        const struct form_value *v = &form->values[i];

        max += AROUND + ESCAPED * (v->name.len + v->filename.len + v->type.len);
        max += slice_is_there(v->filename) ? 0 : ESCAPED * v->value.len;
    }
    return max;
}
