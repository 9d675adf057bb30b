/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h - the content of a form, whichever of three media types it comes in, as the fields that a
 * person filled in; and these as JSON. It allocates, and so is for the pool.
 */
#ifndef RES_FORM_H
#define RES_FORM_H

#include "base/out.h"
#include "code/language.h"
#include "code/limits.h"
#include "io/digest.h"
#include "io/stage.h"

enum form_type { FORM_URLENCODED, FORM_MULTIPART, FORM_JSON, FORM_TYPES /* none of them */ };

enum form_verdict { FORM_FINE, FORM_ILLFORMED, FORM_LARGE, FORM_INVALID };

enum form_fault {
#define FAULT(name, verdict, limit, english, bengali) FAULT_##name,
#include "res/form_fault.def"
#undef FAULT
    FAULTS
};

struct form_value { /* slices into the content, or into the text of the form */
    struct ern_slice name, value;
    struct ern_slice filename; /* absent: it is no file */
    struct ern_slice type;     /* of a file */
    char staged[STAGE_NAME_BYTES];
};

struct form {
    enum form_type type;
    struct form_value *values; /* none of FORM_JSON */
    size_t n, cap, files_n;
    struct ern_slice json;    /* the text of FORM_JSON; checked */
    char *text;               /* what had to be decoded */
    enum form_fault fault;    /* what is wrong with it, and */
    struct ern_slice culprit; /* the field, if one is to blame */
};

/* The type of a form, by Content-Type; FORM_TYPES. */
enum form_type form_type_of(struct ern_slice content_type);

/*
 * Reads a form.
 *   content   kept by the caller as long as the form
 *   boundary  of FORM_MULTIPART
 *   form      filled in every case; the caller's to form_done()
 * Returns 0, with what is wrong in form->fault, or -ENOMEM.
 */
ERN_MUST_USE int form_read(enum form_type type, struct ern_slice content, struct ern_slice boundary,
                           const struct limits *limits, struct form *form);
void form_done(struct form *form);

enum form_verdict form_verdict(enum form_fault fault);

/* The limit that was passed, by its name; or absent. */
struct ern_slice form_limit(enum form_fault fault);

/* Writes the sentence of the fault, with the name of the field. */
void form_tell(const struct form *form, enum language language, struct out *o);

/* What two forms have in common that say the same: their type and boundary apart. Returns 0 or
 * -ENOMEM. */
ERN_MUST_USE int form_digest(const struct form *form, uint8_t ret_digest[DIGEST_BYTES]);

/*
 * Writes the fields as a JSON object on one line: the value of a name that came once is a string,
 * of one that came more often a list, of a file an object that names it. form_json_max() bytes do.
 */
void form_write(const struct form *form, struct out *o);
size_t form_json_max(const struct form *form);

/* How deep the values of JSON lie within values; of what is no JSON, any number. */
size_t form_json_depth(struct ern_slice json);

#endif
