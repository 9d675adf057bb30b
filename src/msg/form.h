/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h - what a form sends: application/x-www-form-urlencoded (URL Standard 5.1) and
 * multipart/form-data (RFC 7578), read one field after another without memory of their own.
 */
#ifndef MSG_FORM_H
#define MSG_FORM_H

#include "base/out.h"

/* ---- application/x-www-form-urlencoded ---------------------------------------------------------
 */

/* Takes the next name and value, both still encoded, off the front of *text; a field without "="
 * has an empty value, and empty ones are passed over. Returns false at the end. */
bool urlencoded_next(struct ern_slice *text, struct ern_slice *ret_name,
                     struct ern_slice *ret_value);

/* Writes a name or a value decoded, any bytes: a plus is a space, and a percent sign that two
 * digits do not follow is itself. As many bytes as it has do. */
void urlencoded_write(struct out *o, struct ern_slice encoded);

/* ---- multipart/form-data -----------------------------------------------------------------------
 */

struct multipart {             /* content of a multipart type (RFC 2046 5.1.1) */
    struct ern_slice boundary; /* the parameter */
    struct ern_slice left;     /* of the content, behind the last delimiter */
    bool ended;                /* that was the last */
};

struct multipart_part {
    struct ern_slice head;    /* its field lines, without the CRLF of the last one */
    struct ern_slice content; /* any bytes */
};

enum multipart_step { MULTIPART_PART, MULTIPART_END, MULTIPART_BAD };

/*
 * The boundary of a multipart media type, as in Content-Type.
 * Returns false if it has none, more than one, or one that none can be: 1 to 70 characters of
 * RFC 2046 5.1.1, the last no space.
 */
ERN_MUST_USE bool multipart_boundary(struct ern_slice type, struct ern_slice *ret_boundary);

/* Goes behind the first delimiter; what stands before it is passed over. Returns false if there is
 * none. */
ERN_MUST_USE bool multipart_begin(struct multipart *m, struct ern_slice content,
                                  struct ern_slice boundary);

/* The next part. END: the last delimiter was met, and what stands behind it is nobody's; BAD: there
 * is none, or a part has no end to its head. */
enum multipart_step multipart_next(struct multipart *m, struct multipart_part *ret_part);

struct form_part { /* what the head of a part says */
    struct ern_slice name;
    struct ern_slice filename; /* absent: it is no file */
    struct ern_slice type;     /* absent: text/plain (RFC 7578 4.4) */
    struct ern_slice encoding; /* Content-Transfer-Encoding; absent: none (RFC 7578 4.7) */
};

/* Reads a head. Returns false if it has a line that is no field, says something twice, or has no
 * Content-Disposition of form-data with a name. */
ERN_MUST_USE bool form_part_read(struct ern_slice head, struct form_part *ret_part);

/*
 * Writes a name or a file's name as a person wrote it: browsers say %22, %0D and %0A for a quote
 * and for what ends a line (HTML 4.10.22.8), older ones \" for a quote. All else, a backslash of
 * another system's path too, is itself. As many bytes as it has do.
 */
void form_part_write(struct out *o, struct ern_slice text);

#endif
