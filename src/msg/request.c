/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "earnest/message.h"

static_assert(ERN_FIELDS <= 128, "the ids of fields fit a struct ern_field_set");

enum { FIELDS_CAP_MAX = 512 };

void
ern_request_init(struct ern_request *request, struct ern_field *fields, uint16_t cap)
{
    assert(fields);
    assert(cap >= 1);
    assert(cap <= FIELDS_CAP_MAX);
    request->method_text = ERN_ABSENT;
    request->method = ERN_METHODS;
    request->is_mandatory = false;
    request->form = ERN_ORIGIN_FORM;
    request->target = request->scheme = request->authority = request->path = request->query =
        ERN_ABSENT;
    request->protocol = ERN_ABSENT;
    request->version_major = request->version_minor = 0;
    request->chunked = false;
    request->content_length = -1;
    /* first[] is read only where a bit is set, so it can stay as it is. */
    request->present = request->repeated = (struct ern_field_set){0};
    request->fields_n = 0;
    request->fields_cap = cap;
    request->fields = fields;
}

void
ern_request_method(struct ern_request *request, struct ern_slice name)
{
    request->method_text = name;
    request->method = ern_method_find(name);
    request->is_mandatory = false;
    if (request->method != ERN_METHODS || !slice_starts(name, ERN_SLICE("M-")))
        return;
    request->method = ern_method_find(slice_skip(name, 2));
    if (request->method == ERN_CONNECT || request->method == ERN_PRI)
        request->method = ERN_METHODS;
    request->is_mandatory = request->method != ERN_METHODS;
}

bool
ern_request_add(struct ern_request *request, struct ern_slice name, struct ern_slice value)
{
    uint16_t at = request->fields_n;
    enum ern_field_id id;

    if (at == request->fields_cap)
        return false;
    id = ern_field_find(name);
    request->fields[at] = (struct ern_field){name, value, (uint8_t)id};
    request->fields_n = (uint16_t)(at + 1);
    if (id == ERN_FIELDS)
        return true;
    if (ern_request_has(request, id)) {
        request->repeated.word[id / 64] |= UINT64_C(1) << id % 64;
        return true;
    }
    request->present.word[id / 64] |= UINT64_C(1) << id % 64;
    request->first[id] = at;
    return true;
}

bool
ern_request_named(const struct ern_request *request, struct ern_slice name, uint16_t *at,
                  struct ern_slice *ret_value)
{
    for (unsigned i = *at; i < request->fields_n; i++) {
        if (request->fields[i].id != ERN_FIELDS || !slice_eq_nocase(request->fields[i].name, name))
            continue;
        *ret_value = request->fields[i].value;
        *at = (uint16_t)(i + 1);
        return true;
    }
    return false;
}

bool
ern_request_next(const struct ern_request *request, enum ern_field_id id, uint16_t *at,
                 struct ern_slice *ret_value)
{
    unsigned i = *at;

    if (!ern_request_has(request, id))
        return false;
    if (i <= request->first[id]) {
        i = request->first[id];
    } else {
        while (i < request->fields_n && request->fields[i].id != id)
            i++;
    }
    if (i >= request->fields_n)
        return false;
    *ret_value = request->fields[i].value;
    *at = (uint16_t)(i + 1);
    return true;
}
