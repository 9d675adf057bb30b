/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - a request as RFC 9110 sees it: method, target, fields. Text stays where it came
 * from; everything here is slices into memory that the caller keeps for as long as the request.
 */
#ifndef ERN_MESSAGE_H
#define ERN_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The registered methods, ERN_GET first; ERN_METHODS stands for one that is not registered. */
enum ern_method {
#define METHOD(name, id, safe, idempotent, source) ERN_##id,
#include "method.def"
#undef METHOD
    ERN_METHODS
};

/* The fields that Earnest reads; ERN_FIELDS stands for any other. */
enum ern_field_id {
#define FIELD(name, id, kind, source) ERN_FIELD_##id,
#include "field.def"
#undef FIELD
    ERN_FIELDS
};

/* Fields: one bit an enum ern_field_id. */
struct ern_field_set {
    uint64_t word[2];
};

struct ern_field {
    struct ern_slice name;  /* as it came */
    struct ern_slice value; /* without white space around it */
    uint8_t id;             /* an enum ern_field_id */
};

enum ern_target_form { /* RFC 9112 3.2 */
                       ERN_ORIGIN_FORM,
                       ERN_ABSOLUTE_FORM,
                       ERN_AUTHORITY_FORM,
                       ERN_ASTERISK_FORM,
};

struct ern_request {
    struct ern_slice method_text;
    enum ern_method method; /* what follows M-, where that is said: */
    bool is_mandatory;      /* the name begins with M- (RFC 2774 5) */
    enum ern_target_form form;
    struct ern_slice target;    /* as it came */
    struct ern_slice scheme;    /* the target's, in any case; absent if it does not say */
    struct ern_slice authority; /* the target's if it has one, else Host; absent if neither */
    struct ern_slice path;  /* as it came, still encoded; empty for authority- and asterisk-form */
    struct ern_slice query; /* after the question mark; absent if there is none */
    struct ern_slice protocol; /* that an extended CONNECT asks for (RFC 8441 4), or absent */
    uint8_t version_major, version_minor;
    bool chunked;           /* content comes in the chunked coding */
    int64_t content_length; /* bytes of content that were declared; -1: no Content-Length */
    struct ern_field_set present, repeated; /* are there such fields, and more than one of them? */
    uint16_t first[ERN_FIELDS]; /* where the first such field is; read only if its bit is set */
    uint16_t fields_n, fields_cap;
    struct ern_field *fields; /* the caller's memory, fields_cap long, in order of arrival */
};

/*
 * Empties a request over the caller's memory for fields.
 *   fields, cap   room for cap fields (1 to 512), kept by the caller as long as the request
 */
void ern_request_init(struct ern_request *request, struct ern_field *fields, uint16_t cap);

/*
 * Sets the method from its name, which is case-sensitive (RFC 9110 9.1). M- before that of a
 * registered method (but CONNECT, PRI) makes the request mandatory: the fact extended is no, unless
 * somebody who knows the extensions that it declares states otherwise.
 */
void ern_request_method(struct ern_request *request, struct ern_slice name);

/* Adds a field; the name is not case-sensitive. Returns false when there is no room. */
ERN_MUST_USE bool ern_request_add(struct ern_request *request, struct ern_slice name,
                                  struct ern_slice value);

static inline bool
ern_field_set_has(const struct ern_field_set *set, enum ern_field_id id)
{
    return (set->word[id / 64] >> id % 64 & 1) != 0;
}

/* Do the two have a field in common? */
static inline bool
ern_field_sets_meet(const struct ern_field_set *a, const struct ern_field_set *b)
{
    return ((a->word[0] & b->word[0]) | (a->word[1] & b->word[1])) != 0;
}

/* Is there such a field? */
static inline bool
ern_request_has(const struct ern_request *request, enum ern_field_id id)
{
    return ern_field_set_has(&request->present, id);
}

/* The value of the first field with this id, or absent. */
static inline struct ern_slice
ern_request_field(const struct ern_request *request, enum ern_field_id id)
{
    return ern_request_has(request, id) ? request->fields[request->first[id]].value : ERN_ABSENT;
}

/*
 * Walks the fields with this id, for lists that stand on several lines (RFC 9110 5.3).
 *   at          0 to begin; moves past what was found
 *   ret_value   the next value; written only on success
 * Returns false after the last one.
 */
bool ern_request_next(const struct ern_request *request, enum ern_field_id id, uint16_t *at,
                      struct ern_slice *ret_value);

/*
 * The same for the fields with this name, in any case, that are not registered. It looks at each
 * field: for those that few requests are asked for.
 */
bool ern_request_named(const struct ern_request *request, struct ern_slice name, uint16_t *at,
                       struct ern_slice *ret_value);

/* The method's name as registered; "?" for ERN_METHODS. */
struct ern_slice ern_method_name(enum ern_method method);

/* Is the method safe, idempotent (RFC 9110 9.2)? ERN_METHODS is neither. */
bool ern_method_is_safe(enum ern_method method);
bool ern_method_is_idempotent(enum ern_method method);

/* The method with this name, or ERN_METHODS. */
enum ern_method ern_method_find(struct ern_slice name);

/* The field with this name in any case, or ERN_FIELDS. */
enum ern_field_id ern_field_find(struct ern_slice name);

/* The field's name as registered; "?" for ERN_FIELDS. */
struct ern_slice ern_field_name(enum ern_field_id id);

#ifdef __cplusplus
}
#endif

#endif
