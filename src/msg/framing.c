/* SPDX-License-Identifier: Apache-2.0 */
/*
 * framing.c - what must be single is single, and the end of the content is beyond doubt.
 *
 * Two readers who take a message for two different ones are an attack (RFC 9112 11.2), so where a
 * section lets a recipient choose between refusing and repairing, a request is refused.
 */
#include "msg/framing.h"

#include "base/num.h"
#include "base/slice.h"
#include "msg/field_set.h"
#include "msg/list.h"
#include "msg/target.h"

/* The fields that may stand only once. */
#define SINGLE(id)
#define LIST(id)
#define FIELD(name, id, kind, source) kind(id)
static const struct ern_field_set singles = {{0
#define ONCE FIELD_LOW
#include "code/field.def"
#undef ONCE
                                              ,
                                              0
#define ONCE FIELD_HIGH
#include "code/field.def"
#undef ONCE
}};
#undef FIELD
#undef LIST
#undef SINGLE

static const struct ern_field *
first_of(const struct ern_request *request, enum ern_field_id id)
{
    return &request->fields[request->first[id]];
}

/* The next field line with the id of this one; NULL if there is none. */
static const struct ern_field *
next_of(const struct ern_request *request, const struct ern_field *field)
{
    const struct ern_field *end = request->fields + request->fields_n;

    for (const struct ern_field *f = field + 1; f < end; f++)
        if (f->id == field->id)
            return f;
    return NULL;
}

static enum finding
host_check(struct ern_request *request, const struct ern_field **ret_blame)
{
    const struct ern_field *host;

    if (!ern_request_has(request, ERN_FIELD_host)) {
        *ret_blame = NULL;
        return request->version_minor == 0 ? FINDING_none : FINDING_host_missing;
    }
    host = first_of(request, ERN_FIELD_host);
    /* rfc9112#3.2 "to any request message that contains more than one Host header field line" */
    if (ern_field_set_has(&request->repeated, ERN_FIELD_host)) {
        *ret_blame = next_of(request, host);
        return FINDING_host_repeated;
    }
    /*
     * rfc9112#3.2 "If the authority component is missing or undefined for the target URI, then a
     * client MUST send a Host header field with an empty field value."
     */
    if (!authority_is(host->value, true)) {
        *ret_blame = host;
        return FINDING_host_syntax;
    }
    /* rfc9112#3.2.2 "the origin server MUST ignore the received Host header field (if any) and
     * instead use the host information of the request-target" */
    if (!slice_is_there(request->authority))
        request->authority = host->value;
    return FINDING_none;
}

/* What a transfer coding of the list is. */
enum coding {
    CODING_CHUNKED,
    CODING_OTHER,
    CODING_BAD,
};

/*
 * RFC 9110 10.1.4: transfer-coding = token *( OWS ";" OWS transfer-parameter )
 * rfc9112#7.1 "The chunked coding does not define any parameters. Their presence SHOULD be treated
 * as an error."
 */
static enum coding
coding_of(struct ern_slice member)
{
    size_t semicolon = slice_find(member, ';');
    struct ern_slice name = slice_trim(slice_first(member, semicolon));
    struct ern_slice parameters = slice_skip(member, semicolon);
    struct ern_slice parameter, value;

    if (!token_is(name))
        return CODING_BAD;
    if (slice_eq_nocase(name, ERN_SLICE("chunked")))
        return parameters.len == 0 ? CODING_CHUNKED : CODING_BAD;
    while (parameter_next(&parameters, &parameter, &value))
        if (!slice_is_there(value))
            return CODING_BAD;
    return slice_trim(parameters).len == 0 ? CODING_OTHER : CODING_BAD;
}

/* What the lines of Transfer-Encoding, taken as one list, hold. */
struct codings {
    unsigned n, chunked_n;
    enum coding last;
    const struct ern_field *last_line, *bad_line; /* the first bad one; NULL if none is */
};

static struct codings
read_codings(const struct ern_request *request)
{
    struct codings all = {.last = CODING_BAD};
    const struct ern_field *line = first_of(request, ERN_FIELD_transfer_encoding);

    for (; line; line = next_of(request, line)) {
        struct ern_slice list = line->value;
        struct ern_slice member;

        all.last_line = line;
        while (list_next(&list, &member)) {
            all.n++;
            all.last = coding_of(member);
            all.chunked_n += all.last == CODING_CHUNKED;
            if (all.last == CODING_BAD && !all.bad_line)
                all.bad_line = line;
        }
    }
    return all;
}

static enum finding
coding_check(struct ern_request *request, const struct ern_field **ret_blame)
{
    struct codings all;

    *ret_blame = first_of(request, ERN_FIELD_transfer_encoding);
    /* rfc9112#6.1 "A server or client that receives an HTTP/1.0 message containing a
     * Transfer-Encoding header field MUST treat the message as if the framing is faulty" */
    if (request->version_minor == 0)
        return FINDING_coding_in_old_version;
    /* rfc9112#6.1 "A server MAY reject a request that contains both Content-Length and
     * Transfer-Encoding" */
    if (ern_request_has(request, ERN_FIELD_content_length))
        return FINDING_length_and_coding;
    all = read_codings(request);
    *ret_blame = all.bad_line ? all.bad_line : all.last_line;
    if (all.n == 0 || all.bad_line || all.chunked_n > 1)
        return FINDING_coding_syntax;
    if (all.last != CODING_CHUNKED)
        return FINDING_coding_not_chunked;
    /* rfc9112#6.1 "A server that receives a request message with a transfer coding it does not
     * understand SHOULD respond with 501 (Not Implemented)." */
    if (all.n > 1)
        return FINDING_coding_unknown;
    request->chunked = true;
    return FINDING_none;
}

/* Reads the lengths in a line that is not just one; each must be the same as *length. */
static enum finding
lengths_check(struct ern_slice list, uint64_t length, bool *found)
{
    struct ern_slice member;
    enum finding finding = FINDING_none;
    uint64_t other;

    while (list_next(&list, &member)) {
        if (!u64_parse(member, INT64_MAX, &other))
            return FINDING_length_syntax;
        if (*found && other != length)
            finding = FINDING_length_conflict;
        length = *found ? length : other;
        *found = true;
    }
    return finding;
}

/*
 * rfc9112#6.3 "If a message is received without Transfer-Encoding and with an invalid
 * Content-Length header field, then the message framing is invalid and the recipient MUST treat it
 * as an unrecoverable error"
 *
 * A value that is there twice may be taken as one or refused (RFC 9110 8.6): it is refused.
 */
static enum finding
length_check(struct ern_request *request, const struct ern_field **ret_blame)
{
    const struct ern_field *line = first_of(request, ERN_FIELD_content_length);
    bool found = false;
    uint64_t length = 0;
    enum finding finding;

    *ret_blame = line;
    if (u64_parse(line->value, INT64_MAX, &length)) {
        found = true;
    } else {
        finding = lengths_check(line->value, 0, &found);
        return finding == FINDING_none ? FINDING_length_syntax : finding;
    }
    line = next_of(request, line);
    if (!line) {
        request->content_length = (int64_t)length;
        return FINDING_none;
    }
    for (; line; line = next_of(request, line)) {
        *ret_blame = line;
        finding = lengths_check(line->value, length, &found);
        if (finding != FINDING_none)
            return finding;
    }
    return FINDING_length_syntax;
}

/* Do the fields that are there more often than they may say the same each time? */
static enum finding
repeated_check(const struct ern_request *request, const struct ern_field **ret_blame)
{
    for (uint16_t i = 0; i < request->fields_n; i++) {
        const struct ern_field *field = &request->fields[i];

        if (field->id == ERN_FIELDS || !ern_field_set_has(&singles, field->id))
            continue;
        if (!slice_eq(field->value, first_of(request, field->id)->value)) {
            *ret_blame = field;
            return FINDING_single_repeated;
        }
    }
    return FINDING_none;
}

/* Transfer-Encoding, or else Content-Length. */
static enum finding
end_check(struct ern_request *message, const struct ern_field **ret_blame)
{
    message->chunked = false;
    message->content_length = -1;
    if (ern_request_has(message, ERN_FIELD_transfer_encoding))
        return coding_check(message, ret_blame);
    if (ern_request_has(message, ERN_FIELD_content_length))
        return length_check(message, ret_blame);
    return FINDING_none;
}

enum finding
framing_check_answer(struct ern_request *answer, const struct ern_field **ret_blame)
{
    enum finding finding = end_check(answer, ret_blame);

    if (finding == FINDING_none)
        *ret_blame = NULL;
    return finding;
}

enum finding
framing_check(struct ern_request *request, const struct ern_field **ret_blame)
{
    enum finding finding;

    finding = host_check(request, ret_blame);
    if (finding != FINDING_none)
        return finding;
    finding = end_check(request, ret_blame);
    if (finding == FINDING_none && ern_field_sets_meet(&request->repeated, &singles))
        finding = repeated_check(request, ret_blame);
    if (finding == FINDING_none)
        *ret_blame = NULL;
    return finding;
}
