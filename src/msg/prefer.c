/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/prefer.h"

#include "base/num.h"
#include "base/out.h"
#include "msg/list.h"

enum { SEEN_ASYNC = 1 << 0, SEEN_RETURN = 1 << 1, SEEN_HANDLING = 1 << 2, SEEN_WAIT = 1 << 3 };

/* Is the text a word: a token, or a quoted-string? *ret is its value, without quotes. */
static bool
word_read(struct ern_slice text, struct ern_slice *ret)
{
    size_t i = 1;

    *ret = text;
    if (text.len == 0 || token_is(text))
        return true; /* RFC 7240 2: an empty value is no value */
    if (text.len < 2 || text.ptr[0] != '"')
        return false;
    while (i < text.len && text.ptr[i] != '"')
        i += text.ptr[i] == '\\' ? 2 : 1;
    *ret = slice_from(text.ptr + 1, text.len - 2);
    return i == text.len - 1;
}

/* Where the parameters of a preference begin: at a semicolon outside quotes. */
static size_t
find_parameters(struct ern_slice text)
{
    bool quoted = false;
    size_t i = 0;

    for (; i < text.len && (quoted || text.ptr[i] != ';'); i++) {
        if (text.ptr[i] == '"')
            quoted = !quoted;
        else if (text.ptr[i] == '\\' && quoted && i + 1 < text.len)
            i++;
    }
    return i;
}

/* preference = token [ BWS "=" BWS word ], with its parameters, which none of ours has, left out */
static bool
preference_read(struct ern_slice text, struct ern_slice *ret_name, struct ern_slice *ret_value)
{
    size_t equals;

    text = slice_trim(slice_first(text, find_parameters(text)));
    equals = slice_find(text, '=');
    *ret_name = slice_trim(slice_first(text, equals));
    *ret_value = ERN_ABSENT;
    if (!token_is(*ret_name))
        return false;
    return equals == text.len || word_read(slice_trim(slice_skip(text, equals + 1)), ret_value);
}

/* delta-seconds; what is too large to count is as large as can be (RFC 9111 1.2.2). */
static int64_t
wait_read(struct ern_slice value)
{
    uint64_t wait_s;

    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return -1;
    if (value.len == 0)
        return -1;
    return u64_parse(value, INT32_MAX, &wait_s) ? (int64_t)wait_s : INT32_MAX;
}

/* rfc7240#2 "If any preference is specified more than once, only the first instance is to be" */
static void
apply(struct prefer *p, unsigned *seen, struct ern_slice name, struct ern_slice value)
{
    unsigned before = *seen;

    if (slice_eq_nocase(name, ERN_SLICE("respond-async"))) {
        *seen |= SEEN_ASYNC;
        if (*seen != before)
            p->respond_async = value.len == 0;
    } else if (slice_eq_nocase(name, ERN_SLICE("return"))) {
        *seen |= SEEN_RETURN;
        if (*seen != before) {
            p->return_minimal = parameter_same(value, ERN_SLICE("minimal"));
            p->return_representation = parameter_same(value, ERN_SLICE("representation"));
        }
    } else if (slice_eq_nocase(name, ERN_SLICE("handling"))) {
        *seen |= SEEN_HANDLING;
        if (*seen != before) {
            p->handling_strict = parameter_same(value, ERN_SLICE("strict"));
            p->handling_lenient = parameter_same(value, ERN_SLICE("lenient"));
        }
    } else if (slice_eq_nocase(name, ERN_SLICE("wait"))) {
        *seen |= SEEN_WAIT;
        if (*seen != before)
            p->wait_s = wait_read(value);
    }
}

struct prefer
prefer_read(const struct ern_request *request)
{
    struct prefer prefer = {.wait_s = -1};
    struct ern_slice line, member, name, value;
    unsigned seen = 0;

    for (uint16_t at = 0; ern_request_next(request, ERN_FIELD_prefer, &at, &line);)
        while (list_next(&line, &member))
            if (preference_read(member, &name, &value))
                apply(&prefer, &seen, name, value);
    return prefer;
}

static void
add(struct out *o, bool *any, struct ern_slice preference)
{
    if (*any)
        out_literal(o, ", ");
    *any = true;
    out_slice(o, preference);
}

void
prefer_write(struct out *o, const struct prefer *prefer)
{
    bool any = false;

    if (prefer->respond_async)
        add(o, &any, ERN_SLICE("respond-async"));
    if (prefer->return_minimal)
        add(o, &any, ERN_SLICE("return=minimal"));
    if (prefer->return_representation)
        add(o, &any, ERN_SLICE("return=representation"));
    if (prefer->handling_strict)
        add(o, &any, ERN_SLICE("handling=strict"));
    if (prefer->handling_lenient)
        add(o, &any, ERN_SLICE("handling=lenient"));
    if (prefer->wait_s >= 0) {
        add(o, &any, ERN_SLICE("wait="));
        out_u64(o, (uint64_t)prefer->wait_s);
    }
}
