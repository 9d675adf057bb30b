/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/h1_answer.h"

#include "base/chars.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "msg/framing.h"
#include "msg/list.h"
#include "wire/h1_parts.h"

/* Each digit but the first stands for any. */
static const char form[] = "HTTP/1.1 200 ";

enum { FORM_BYTES = sizeof form - 1, MAJOR_AT = 5, MINOR_AT = 7, STATUS_AT = 9, STATUS_LAST = 11 };

struct limits
h1_answer_limits(const struct limits *limits)
{
    struct limits l = *limits;

    l.fields_bytes_max = limits->upstream_fields_bytes_max;
    l.field_bytes_max = limits->upstream_field_bytes_max;
    l.fields_max = limits->upstream_fields_max;
    return l;
}

void
h1_answer_init(struct h1_answer *answer, const struct limits *limits, struct ern_field *fields,
               uint16_t cap)
{
    h1_head_init(&answer->head, limits);
    ern_request_init(&answer->message, fields, cap);
    answer->status = 0;
    answer->end = H1_END_NONE;
    answer->is_last = false;
}

/* rfc9110#15 "Values outside the range 100..599 are invalid." */
bool
h1_is_status(unsigned status)
{
    return status >= 100 && status <= 599 && status != ERN_306_UNUSED_306;
}

/* What the byte at offset i of the line says that can not be there. */
static enum finding
form_finding(char c, size_t i)
{
    if (c == '\n')
        return FINDING_bare_lf;
    if (i == MAJOR_AT && char_is(c, CHAR_DIGIT))
        return FINDING_version_unknown;
    return i < STATUS_AT - 1 ? FINDING_version_syntax : FINDING_status_syntax;
}

/* Reads what the line says up to its reason phrase. */
static enum parse
read_form(struct h1_answer *answer, struct ern_slice bytes)
{
    const char *p = bytes.ptr;
    unsigned status = 0;

    for (size_t i = 0; i < FORM_BYTES; i++) {
        bool is_any = char_is(form[i], CHAR_DIGIT) && i != MAJOR_AT;

        if (i == bytes.len)
            return PARSE_MORE;
        if (is_any ? !char_is(p[i], CHAR_DIGIT) : p[i] != form[i])
            return h1_bad(&answer->head, form_finding(p[i], i), i, ERN_ABSENT);
        if (i >= STATUS_AT && is_any)
            status = status * 10 + (unsigned)(p[i] - '0');
        if (i == STATUS_LAST && !h1_is_status(status))
            return h1_bad(&answer->head, FINDING_status_unknown, i, ERN_ABSENT);
    }
    answer->status = (uint16_t)status;
    answer->message.version_major = 1;
    answer->message.version_minor = (uint8_t)(p[MINOR_AT] - '0');
    return PARSE_DONE;
}

/*
 * rfc9112#4 "status-line = HTTP-version SP status-code SP [ reason-phrase ]"
 *
 * The reason phrase is checked and dropped: it says nothing (RFC 9112 4).
 */
static enum parse
read_status_line(struct h1_answer *answer, struct ern_slice bytes)
{
    struct h1_head *head = &answer->head;
    size_t max = (size_t)head->limits->field_bytes_max;
    enum parse parse = read_form(answer, bytes);
    size_t at = FORM_BYTES;

    if (parse != PARSE_DONE)
        return parse;
    while (at < bytes.len && at < max && char_is(bytes.ptr[at], CHAR_FIELD))
        at++;
    if (at == bytes.len)
        return PARSE_MORE;
    if (at == max)
        return h1_bad(head, FINDING_field_too_large, at, ERN_ABSENT);
    if (bytes.ptr[at] != '\r')
        return h1_bad(head, bytes.ptr[at] == '\n' ? FINDING_bare_lf : FINDING_reason_syntax, at,
                      ERN_ABSENT);
    parse = h1_line_end(head, bytes, at);
    if (parse == PARSE_DONE)
        head->fields_at = head->at;
    return parse;
}

/* RFC 9112 9.3: does the connection end after this answer? */
static bool
closes(const struct ern_request *m)
{
    if (m->version_minor == 0)
        return !list_has(m, ERN_FIELD_connection, ERN_SLICE("keep-alive"));
    return list_has(m, ERN_FIELD_connection, ERN_SLICE("close"));
}

/* Where the content ends (RFC 9112 6.3), once the framing is beyond doubt. */
static enum h1_end
end_of(const struct h1_answer *answer, enum ern_method method)
{
    const struct ern_request *m = &answer->message;
    uint16_t status = answer->status;

    if (status == ERN_101_SWITCHING_PROTOCOLS || (method == ERN_CONNECT && status / 100 == 2))
        return H1_END_TUNNEL;
    if (method == ERN_HEAD || status / 100 == 1 || status == ERN_204_NO_CONTENT ||
        status == ERN_304_NOT_MODIFIED)
        return H1_END_NONE;
    if (!m->chunked && m->content_length < 0)
        return H1_END_CLOSE;
    return m->content_length == 0 ? H1_END_NONE : H1_END_SAID;
}

/* Does it say that content follows where none may (RFC 9112 6.1, RFC 9110 8.6)? Whether it does is
 * not to be relied on. */
static bool
contradicts(const struct h1_answer *answer)
{
    const struct ern_request *m = &answer->message;
    bool is_empty = answer->status / 100 == 1 || answer->status == ERN_204_NO_CONTENT;

    return is_empty && (m->chunked || m->content_length > 0);
}

static enum parse
head_done(struct h1_answer *answer, struct ern_slice bytes, enum ern_method method)
{
    const struct ern_field *blame = NULL;
    enum finding finding = framing_check_answer(&answer->message, &blame);

    if (finding != FINDING_none)
        return h1_bad(&answer->head, finding, (size_t)(blame->value.ptr - bytes.ptr), blame->name);
    answer->end = end_of(answer, method);
    answer->is_last = answer->end == H1_END_CLOSE || answer->end == H1_END_TUNNEL ||
                      closes(&answer->message) || contradicts(answer);
    return PARSE_DONE;
}

enum parse
h1_answer_feed(struct h1_answer *answer, struct ern_slice bytes, enum ern_method method)
{
    struct h1_head *head = &answer->head;
    enum parse parse = PARSE_DONE;

    assert(head->at <= bytes.len);
    if (head->finding != FINDING_none)
        return PARSE_BAD;
    if (head->fields_at == 0)
        parse = read_status_line(answer, bytes);
    if (parse == PARSE_DONE)
        parse = h1_fields_feed(head, bytes, &answer->message);
    return parse == PARSE_DONE ? head_done(answer, bytes, method) : parse;
}

void
h1_answer_content(const struct h1_answer *answer, const struct limits *limits,
                  struct h1_content *content)
{
    if (answer->end == H1_END_CLOSE || answer->end == H1_END_TUNNEL) {
        h1_content_open(content, limits);
    } else {
        static const struct ern_request none = {.content_length = 0};

        h1_content_init(content, limits, answer->end == H1_END_NONE ? &none : &answer->message);
    }
}
