/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSG_EXTENSION_H
#define MSG_EXTENSION_H

#include "earnest/message.h"

/* An extension that a request declares (RFC 2774 3); slices into its field. */
struct extension {
    struct ern_slice id;     /* a URI, or the name of a field */
    struct ern_slice prefix; /* digits, with which the names of its fields begin; absent: none */
};

/* Reads a member of Man, Opt, C-Man or C-Opt, all of text. False if it is no declaration. */
bool extension_read(struct ern_slice text, struct extension *ret);

/*
 * The value of the field PREFIX-name of a declaration (RFC 2774 3.1).
 * Returns false if there is no such field, or more than one.
 */
bool extension_field(const struct ern_request *request, const struct extension *extension,
                     struct ern_slice name, struct ern_slice *ret_value);

#endif
