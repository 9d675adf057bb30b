/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RES_MEDIA_H
#define RES_MEDIA_H

#include <stdbool.h>

#include "earnest/slice.h"

/*
 * The media type of a file by the last extension of its name (media.def), in any case;
 * "application/octet-stream" if that says nothing. Text types carry charset=utf-8.
 */
struct ern_slice media_type(struct ern_slice name);

/* Does an extension, without its dot, say a media type? */
bool media_has(struct ern_slice extension);

/* Can content of this type run scripts where a browser shows it? */
bool media_runs(struct ern_slice type);

/* Does content of this type become much smaller when it is compressed? What is compressed already,
 * as images and archives are, does not. */
bool media_compresses(struct ern_slice type);

#endif
