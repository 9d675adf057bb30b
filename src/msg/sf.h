/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sf.h - Structured Field Values (RFC 9651): lists, dictionaries and items, read one after another
 * without memory of their own. Values are slices into the text, still escaped where that is said.
 */
#ifndef MSG_SF_H
#define MSG_SF_H

#include "base/out.h"

enum sf_type {
    SF_INTEGER,    /* RFC 9651 3.3.1 */
    SF_DECIMAL,    /* 3.3.2 */
    SF_STRING,     /* 3.3.3; text without quotes, still with its backslashes */
    SF_TOKEN,      /* 3.3.4 */
    SF_BYTES,      /* 3.3.5; text between the colons, still in base64 */
    SF_BOOLEAN,    /* 3.3.6 */
    SF_DATE,       /* 3.3.7 */
    SF_DISPLAY,    /* 3.3.8; text without quotes, still percent-encoded */
    SF_INNER_LIST, /* 3.1.1; text between the parentheses: read it with sf_item_next() */
};

struct sf_value {
    enum sf_type type;
    int64_t integer;       /* integer, date (seconds); boolean: 0 or 1; decimal: thousandths */
    struct ern_slice text; /* of the types that have one */
    struct ern_slice parameters; /* what stands after it: read it with sf_parameter_next() */
};

/*
 * Is the whole text a valid sf-list, sf-dictionary, sf-item? Several field lines are joined with
 * ", " before. The readers below may only be used on a text that passed, and then cannot fail.
 */
bool sf_is_list(struct ern_slice text);
bool sf_is_dictionary(struct ern_slice text);
bool sf_is_item(struct ern_slice text);

/*
 * Takes the next member off the front of *text; false at the end. Of keys that are the same the
 * last one counts (RFC 9651 4.2.2, 4.2.3.2): a caller lets it override the ones before. An item is
 * read with sf_item_next(), as an inner list of one.
 */
bool sf_list_next(struct ern_slice *text, struct sf_value *ret_value);
bool sf_dictionary_next(struct ern_slice *text, struct ern_slice *ret_key,
                        struct sf_value *ret_value);
bool sf_item_next(struct ern_slice *inner_list, struct sf_value *ret_value);
bool sf_parameter_next(struct ern_slice *parameters, struct ern_slice *ret_key,
                       struct sf_value *ret_value);

/* Writes the text of a string, a byte sequence or a display string decoded, other text as it is. */
void sf_decode(struct out *o, const struct sf_value *value);

/*
 * Writes in canonical form (RFC 9651 4.1). text of strings, byte sequences and display strings is
 * given decoded. Returns false, having written nothing of worth, if the value cannot be written:
 * a number out of range, a string with other than visible ASCII and space, a display string that is
 * not UTF-8, a token or a key that is none, an inner list.
 */
bool sf_write_value(struct out *o, const struct sf_value *value); /* without its parameters */
bool sf_write_key(struct out *o, struct ern_slice key);

/*
 * Reads text, which passed the check, and writes it again in canonical form. Without memory of its
 * own it looks for each key in the whole of a dictionary: the time is quadratic in its members.
 */
void sf_rewrite_list(struct out *o, struct ern_slice text);
void sf_rewrite_dictionary(struct out *o, struct ern_slice text);
void sf_rewrite_item(struct out *o, struct ern_slice text);

#endif
