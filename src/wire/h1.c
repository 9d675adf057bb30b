/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1.c - the head of an HTTP/1.1 request, a line at a time.
 *
 * A line is read from its first byte up to `stop`: the end of what has come, or the first byte
 * past a limit, whichever is first. Who wants the byte at `stop` does not get it: more must come,
 * or the limit is passed. So limits cost nothing a byte, and each is known at the first byte past
 * it. Each byte is looked at once, and the first one that no valid head has there is the finding,
 * however the bytes were split.
 *
 * What a limit counts: target_bytes_max the method, the target and the space after each;
 * field_bytes_max a line with its CRLF; fields_bytes_max all lines, without the empty one at the
 * end.
 */
#include "wire/h1.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/chars.h"
#include "base/slice.h"
#include "msg/framing.h"
#include "msg/target.h"
#include "wire/h1_parts.h"

/*
 * Where the run of bytes of a class that begins at p ends: at its first other byte, or at stop.
 * With SSE2, 16 bytes at a time are passed over that are in the class for sure: all of them for
 * CHAR_FIELD and CHAR_TARGET, letters and hyphens for CHAR_TCHAR.
 */
static inline __attribute__((always_inline)) const char *
skip(const char *p, const char *stop, unsigned class)
{
#ifdef __SSE2__
    for (; stop - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i in; /* 0xff where a byte is in the class */
        unsigned out;

        if (class == CHAR_TCHAR) { /* (v | 0x20) - 'a' is at most 25, or v is a hyphen */
            in = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
            in = _mm_cmpeq_epi8(_mm_min_epu8(in, _mm_set1_epi8(25)), in);
            in = _mm_or_si128(in, _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
        } else if (class == CHAR_TARGET) { /* signed: bytes from 0x80 on are below 0x21 */
            in = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x20));
            in = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)), in);
        } else {
            in = _mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8(0x20)), v);
            in = _mm_or_si128(in, _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
            in = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)), in);
        }
        out = (unsigned)_mm_movemask_epi8(in) ^ 0xffff;
        if (out) {
            p += __builtin_ctz(out);
            if (class != CHAR_TCHAR)
                return p;
            break; /* a digit or the like may go on */
        }
    }
#endif
    while (p < stop && char_is(*p, class))
        p++;
    return p;
}

static enum parse
bad(struct h1_head *head, enum finding finding, size_t at, struct ern_slice field)
{
    head->finding = finding;
    head->finding_at = at;
    head->finding_field = field;
    return PARSE_BAD;
}

/* A CR came where a line may end, at offset cr. Is it followed by LF? */
static enum parse
line_end(struct h1_head *head, struct ern_slice bytes, size_t cr)
{
    if (bytes.len - cr < 2)
        return PARSE_MORE;
    /* rfc9112#2.2 "A recipient of such a bare CR MUST consider that element to be invalid" */
    if (bytes.ptr[cr + 1] != '\n')
        return bad(head, FINDING_bare_cr, cr + 1, ERN_ABSENT);
    head->at = cr + 2;
    return PARSE_DONE;
}

/*
 * rfc9112#2.3 "HTTP-version  = HTTP-name "/" DIGIT "." DIGIT"
 *
 * Reads the version and the CRLF after it, at offset at; sets the version on PARSE_DONE.
 */
static enum parse
read_version(struct h1_head *head, struct ern_slice bytes, size_t at, struct ern_request *request)
{
    static const char form[] = "HTTP/1.1\r"; /* each 1 stands for a digit */
    const char *p = bytes.ptr + at;
    size_t left = bytes.len - at;
    enum parse parse;

    if (left < 10 || memcmp(p, "HTTP/1.1\r\n", 10) != 0) {
        for (size_t i = 0; i < sizeof form - 1; i++) {
            if (i == left)
                return PARSE_MORE;
            if (form[i] == '1' ? char_is(p[i], CHAR_DIGIT) : p[i] == form[i])
                continue;
            return bad(head, p[i] == '\n' ? FINDING_bare_lf : FINDING_version_syntax, at + i,
                       ERN_ABSENT);
        }
    }
    parse = line_end(head, bytes, at + 8);
    if (parse == PARSE_DONE) {
        request->version_major = (uint8_t)(p[5] - '0');
        request->version_minor = (uint8_t)(p[7] - '0');
    }
    return parse;
}

/* The method or the target wants the byte at stop. */
static enum parse
want_more_line(struct h1_head *head, struct ern_slice bytes, const char *stop)
{
    size_t at = (size_t)(stop - bytes.ptr);

    return at == bytes.len ? PARSE_MORE : bad(head, FINDING_target_too_long, at, ERN_ABSENT);
}

/* The request line is whole: what does it ask for? */
static enum parse
request_line_done(struct h1_head *head, struct ern_slice bytes, struct ern_request *request,
                  struct ern_slice method, struct ern_slice target)
{
    size_t target_at = (size_t)(target.ptr - bytes.ptr);
    size_t in_target = 0;
    enum finding finding;

    ern_request_method(request, method);
    request->target = target;
    head->fields_at = head->at;
    /* Before the target is looked at: the preface of HTTP/2 is PRI * HTTP/2.0 (RFC 9113 3.4). */
    if (request->version_major != 1)
        return bad(head, FINDING_version_unknown, target_at + target.len + 6, ERN_ABSENT);
    finding = target_parse(target, request, &in_target);
    if (finding != FINDING_none)
        return bad(head, finding, target_at + in_target, ERN_ABSENT);
    return PARSE_DONE;
}

/*
 * rfc9112#3 "request-line   = method SP request-target SP HTTP-version"
 *
 * Strictly so; of the liberties that the section lets a recipient take, none is taken.
 */
static enum parse
read_request_line(struct h1_head *head, struct ern_slice bytes, struct ern_request *request)
{
    size_t max = (size_t)head->limits->target_bytes_max;
    size_t left = bytes.len - head->at;
    const char *method = bytes.ptr + head->at;
    const char *stop = method + (left < max ? left : max);
    const char *method_end = skip(method, stop, CHAR_TCHAR);
    const char *target, *target_end;
    enum parse parse;

    if (method_end == stop)
        return want_more_line(head, bytes, stop);
    if (*method_end != ' ' || method_end == method)
        return bad(head, *method_end == '\n' ? FINDING_bare_lf : FINDING_method_syntax,
                   (size_t)(method_end - bytes.ptr), ERN_ABSENT);
    target = method_end + 1;
    target_end = skip(target, stop, CHAR_TARGET);
    if (target_end == stop)
        return want_more_line(head, bytes, stop);
    if (*target_end != ' ' || target_end == target) {
        enum finding finding = FINDING_target_syntax;

        if (*target_end == '\n')
            finding = FINDING_bare_lf;
        else if (*target_end == '\r' && target_end > target)
            finding = FINDING_version_syntax; /* a request of HTTP/0.9 ends here */
        return bad(head, finding, (size_t)(target_end - bytes.ptr), ERN_ABSENT);
    }
    parse = read_version(head, bytes, (size_t)(target_end + 1 - bytes.ptr), request);
    if (parse != PARSE_DONE)
        return parse;
    return request_line_done(head, bytes, request,
                             slice_from(method, (size_t)(method_end - method)),
                             slice_from(target, (size_t)(target_end - target)));
}

/* The field line at head->at wants the byte at stop. */
static enum parse
want_more_field(struct h1_head *head, struct ern_slice bytes, const char *stop,
                struct ern_slice name)
{
    size_t at = (size_t)(stop - bytes.ptr);

    if (at == bytes.len)
        return PARSE_MORE;
    if (at - head->at == (size_t)head->limits->field_bytes_max)
        return bad(head, FINDING_field_too_large, at, name);
    return bad(head, FINDING_fields_too_large, at, name);
}

/* What a byte says that stands where a field name has its next character or its colon. */
static enum finding
name_finding(char c, bool is_first)
{
    if (c == '\n')
        return FINDING_bare_lf;
    if (c == ' ' || c == '\t')
        return is_first ? FINDING_field_fold : FINDING_field_name_space;
    return FINDING_field_name_syntax;
}

/* The first byte of the field line that may not be read: it has not come, or is past a limit. */
static inline const char *
field_line_stop(const struct h1_head *head, struct ern_slice bytes)
{
    size_t line_stop = head->at + (size_t)head->limits->field_bytes_max;
    size_t section_stop = head->fields_at + (size_t)head->limits->fields_bytes_max;
    size_t stop = line_stop < section_stop ? line_stop : section_stop;

    return bytes.ptr + (stop < bytes.len ? stop : bytes.len);
}

static inline bool
has_room(const struct h1_head *head, const struct ern_request *request)
{
    return request->fields_n < head->limits->fields_max && request->fields_n < request->fields_cap;
}

/* rfc9112#5 "field-line   = field-name ":" OWS field-value OWS" and CRLF, at head->at. */
static inline enum parse
read_field_line(struct h1_head *head, struct ern_slice bytes, struct ern_request *request)
{
    const char *stop = field_line_stop(head, bytes);
    const char *line = bytes.ptr + head->at;
    const char *colon, *end;
    struct ern_slice name;

    if (line == stop)
        return want_more_field(head, bytes, stop, ERN_ABSENT);
    /* A folded line is no further field: let it be called what it is. */
    if (!has_room(head, request) && *line != ' ' && *line != '\t')
        return bad(head, FINDING_fields_too_many, head->at, ERN_ABSENT);
    colon = skip(line, stop, CHAR_TCHAR);
    if (colon == stop)
        return want_more_field(head, bytes, stop, ERN_ABSENT);
    name = slice_from(line, (size_t)(colon - line));
    if (*colon != ':' || name.len == 0)
        return bad(head, name_finding(*colon, name.len == 0), (size_t)(colon - bytes.ptr), name);
    end = skip(colon + 1, stop, CHAR_FIELD);
    if (end == stop || (*end == '\r' && end + 1 == stop))
        return want_more_field(head, bytes, stop, name);
    if (*end != '\r')
        return bad(head, *end == '\n' ? FINDING_bare_lf : FINDING_field_value_syntax,
                   (size_t)(end - bytes.ptr), name);
    if (end[1] != '\n')
        return bad(head, FINDING_bare_cr, (size_t)(end + 1 - bytes.ptr), name);
    if (!ern_request_add(request, name,
                         slice_trim(slice_from(colon + 1, (size_t)(end - colon - 1)))))
        return bad(head, FINDING_fields_too_many, head->at, name);
    head->at = (size_t)(end + 2 - bytes.ptr);
    return PARSE_DONE;
}

/* Reads field lines, from head->at up to and with the empty line after them. */
static inline __attribute__((always_inline)) enum parse
read_fields(struct h1_head *head, struct ern_slice bytes, struct ern_request *message)
{
    while (head->at < bytes.len) {
        enum parse parse;

        if (bytes.ptr[head->at] == '\r')
            return line_end(head, bytes, head->at);
        parse = read_field_line(head, bytes, message);
        if (parse != PARSE_DONE)
            return parse;
    }
    return PARSE_MORE;
}

/* ---- for the other reader: functions that could be replaced when the library is linked are never
 * inlined, so here they are static --------------------------------------------------------------
 */

enum parse
h1_bad(struct h1_head *head, enum finding finding, size_t at, struct ern_slice field)
{
    return bad(head, finding, at, field);
}

enum parse
h1_line_end(struct h1_head *head, struct ern_slice bytes, size_t cr)
{
    return line_end(head, bytes, cr);
}

enum parse
h1_fields_feed(struct h1_head *head, struct ern_slice bytes, struct ern_request *message)
{
    return read_fields(head, bytes, message);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* The empty line has come: do the fields fit together? */
static enum parse
head_done(struct h1_head *head, struct ern_slice bytes, struct ern_request *request)
{
    const struct ern_field *blame = NULL;
    enum finding finding = framing_check(request, &blame);

    if (finding == FINDING_none)
        return PARSE_DONE;
    if (!blame) /* a field that is not there: the last byte of the head shows it */
        return bad(head, finding, head->at - 1, ern_field_name(ERN_FIELD_host));
    return bad(head, finding, (size_t)(blame->value.ptr - bytes.ptr), blame->name);
}

void
h1_head_init(struct h1_head *head, const struct limits *limits)
{
    *head = (struct h1_head){.limits = limits, .finding = FINDING_none};
}

enum parse
h1_head_feed(struct h1_head *head, struct ern_slice bytes, struct ern_request *request)
{
    enum parse parse = PARSE_DONE;

    assert(head->at <= bytes.len);
    if (head->finding != FINDING_none)
        return PARSE_BAD;
    if (head->at == bytes.len)
        return PARSE_MORE;
    if (head->at == 0 && bytes.ptr[0] == '\r') {
        /*
         * rfc9112#2.2 "a server that is expecting to receive and parse a request-line SHOULD
         * ignore at least one empty line (CRLF) received prior to the request-line"
         *
         * We ignore one. The CR of a second one is no character of a method: method_syntax.
         */
        parse = line_end(head, bytes, 0);
        if (parse != PARSE_DONE)
            return parse;
        head->empty_lines = 1;
    }
    if (head->fields_at == 0) {
        parse = head->at == bytes.len ? PARSE_MORE : read_request_line(head, bytes, request);
        if (parse != PARSE_DONE)
            return parse;
    }
    parse = read_fields(head, bytes, request);
    return parse == PARSE_DONE ? head_done(head, bytes, request) : parse;
}
