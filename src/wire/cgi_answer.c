/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cgi_answer.h"

#include "base/chars.h"
#include "base/slice.h"
#include "earnest/status.h"
#include "msg/framing.h"
#include "wire/h1_parts.h"

enum { STATUS_DIGITS = 3 };

/* ---- lines -------------------------------------------------------------------------------------
 */

/* Where the line at head->at has to have ended, and what it is if it has not. */
static size_t
line_stop(const struct h1_head *head, enum finding *ret_finding)
{
    size_t line = head->at + (size_t)head->limits->field_bytes_max;
    size_t section = (size_t)head->limits->fields_bytes_max;

    *ret_finding = line <= section ? FINDING_field_too_large : FINDING_fields_too_large;
    return line <= section ? line : section;
}

/* What a line says that begins with no name and colon. */
static enum finding
name_finding(struct ern_slice line, size_t name)
{
    if (name == line.len || (line.ptr[name] != ' ' && line.ptr[name] != '\t'))
        return FINDING_field_name_syntax;
    return name == 0 ? FINDING_field_fold : FINDING_field_name_space;
}

/* RFC 3875 6.3: a field, whose line is bytes from head->at, without its end. */
static enum parse
read_field(struct h1_answer *a, struct ern_slice bytes, struct ern_slice line)
{
    struct h1_head *head = &a->head;
    struct ern_request *m = &a->message;
    struct ern_slice value;
    size_t name = 0;

    while (name < line.len && char_is(line.ptr[name], CHAR_TCHAR))
        name++;
    if (name == 0 || name == line.len || line.ptr[name] != ':')
        return h1_bad(head, name_finding(line, name), head->at + (name < line.len ? name : 0),
                      ERN_ABSENT);
    value = slice_skip(line, name + 1);
    for (size_t i = 0; i < value.len; i++)
        if (!char_is(value.ptr[i], CHAR_FIELD))
            return h1_bad(head, FINDING_field_value_syntax, (size_t)(value.ptr + i - bytes.ptr),
                          slice_first(line, name));
    if (m->fields_n >= head->limits->fields_max ||
        !ern_request_add(m, slice_first(line, name), slice_trim(value)))
        return h1_bad(head, FINDING_fields_too_many, head->at, ERN_ABSENT);
    return PARSE_DONE;
}

/* Reads the line at head->at. PARSE_DONE: it was the empty one; PARSE_MORE with *ret_whole: it was
 * a field. */
static enum parse
read_line(struct h1_answer *a, struct ern_slice bytes, bool *ret_whole)
{
    struct h1_head *head = &a->head;
    enum finding finding;
    size_t stop = line_stop(head, &finding);
    struct ern_slice line =
        slice_skip(slice_first(bytes, bytes.len < stop ? bytes.len : stop), head->at);
    size_t end = slice_find(line, '\n');
    enum parse parse;

    *ret_whole = end < line.len;
    if (!*ret_whole)
        return bytes.len < stop ? PARSE_MORE : h1_bad(head, finding, stop - 1, ERN_ABSENT);
    line = slice_first(line, end);
    if (slice_ends(line, ERN_SLICE("\r")))
        line.len--;
    parse = line.len ? read_field(a, bytes, line) : PARSE_DONE;
    if (parse == PARSE_BAD)
        return parse;
    head->at += end + 1;
    return line.len ? PARSE_MORE : PARSE_DONE;
}

/* ---- the fields of CGI -------------------------------------------------------------------------
 */

/* The field with this name; NULL: there is none. *ret_again: there is another one. */
static const struct ern_field *
find_field(const struct ern_request *m, struct ern_slice name, bool *ret_again)
{
    const struct ern_field *found = NULL;

    for (unsigned i = 0; i < m->fields_n; i++) {
        if (!slice_eq_nocase(m->fields[i].name, name))
            continue;
        *ret_again |= found != NULL;
        found = found ? found : &m->fields[i];
    }
    return found;
}

bool
cgi_answer_is_ours(const struct ern_field *field)
{
    return slice_eq_nocase(field->name, ERN_SLICE("Status"));
}

/* RFC 3875 6.3.3: three digits and a phrase, which may be missing, as scripts have it. 0: it is
 * none.
 */
static uint16_t
read_status(struct ern_slice value)
{
    unsigned status = 0;

    for (size_t i = 0; i < STATUS_DIGITS; i++) {
        if (i == value.len || !char_is(value.ptr[i], CHAR_DIGIT))
            return 0;
        status = status * 10 + (unsigned)(value.ptr[i] - '0');
    }
    if (value.len > STATUS_DIGITS && value.ptr[STATUS_DIGITS] != ' ')
        return 0;
    return h1_is_status(status) ? (uint16_t)status : 0;
}

/* RFC 3875 6.3.2: a path of this server, and not the beginning of another's authority? */
static bool
is_local(struct ern_slice location)
{
    return slice_starts(location, ERN_SLICE("/")) && !slice_starts(location, ERN_SLICE("//"));
}

/* What the answer is (RFC 3875 6.2). FINDING_none, or what is wrong with the field at fault. */
static enum finding
read_kind(struct h1_answer *a, const struct ern_field **ret_blame)
{
    const struct ern_request *m = &a->message;
    bool again = false;
    const struct ern_field *status = find_field(m, ERN_SLICE("Status"), &again);
    const struct ern_field *location = find_field(m, ERN_SLICE("Location"), &again);
    const struct ern_field *type = find_field(m, ERN_SLICE("Content-Type"), &again);

    *ret_blame = status;
    /* RFC 3875 6.3: one of them at least, and each once at most */
    if (again || (!status && !location && !type))
        return again ? FINDING_single_repeated : FINDING_script_head;
    if (status) {
        a->status = read_status(status->value);
        if (a->status == ERN_101_SWITCHING_PROTOCOLS) /* there is nothing to change to */
            a->status = 0;
        return a->status ? FINDING_none : FINDING_status_unknown;
    }
    if (!location)
        a->status = ERN_200_OK;
    else if (!is_local(location->value))
        a->status = ERN_302_FOUND;
    return FINDING_none;
}

/* Where the content ends: a script knows nothing of codings of the connection (RFC 3875 6.3.4). */
static enum finding
read_end(struct h1_answer *a, enum ern_method method, const struct ern_field **ret_blame)
{
    struct ern_request *m = &a->message;
    enum finding finding = framing_check_answer(m, ret_blame);

    if (finding != FINDING_none)
        return finding;
    if (m->chunked)
        return FINDING_coding_unknown;
    if (method == ERN_HEAD || a->status / 100 <= 1 || a->status == ERN_204_NO_CONTENT ||
        a->status == ERN_304_NOT_MODIFIED || m->content_length == 0)
        a->end = H1_END_NONE;
    else
        a->end = m->content_length < 0 ? H1_END_CLOSE : H1_END_SAID;
    return FINDING_none;
}

static enum parse
head_done(struct h1_answer *a, enum ern_method method)
{
    const struct ern_field *blame = NULL;
    enum finding finding;

    a->message.version_major = a->message.version_minor = 1;
    a->is_last = true;
    finding = read_kind(a, &blame);
    if (finding == FINDING_none)
        finding = read_end(a, method, &blame);
    if (finding == FINDING_none)
        return PARSE_DONE;
    return h1_bad(&a->head, finding, a->head.at - 1, blame ? blame->name : ERN_ABSENT);
}

enum parse
cgi_answer_feed(struct h1_answer *a, struct ern_slice bytes, enum ern_method method)
{
    enum parse parse = PARSE_MORE;
    bool whole = true;

    assert(a->head.at <= bytes.len);
    if (a->head.finding != FINDING_none)
        return PARSE_BAD;
    while (parse == PARSE_MORE && whole)
        parse = read_line(a, bytes, &whole);
    return parse == PARSE_DONE ? head_done(a, method) : parse;
}
