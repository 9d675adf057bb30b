/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variant.h - descriptions of the variants of a resource, as RFC 2295 5 has them: in a type map
 * (a file "page.var") they are read, in Alternates they are written.
 */
#ifndef MSG_VARIANT_H
#define MSG_VARIANT_H

#include "base/out.h"

enum {
    VARIANT_QUALITY_FULL = 1000000, /* of a source: millionths, for the fallback has one */
    VARIANT_QUALITY_FALLBACK = 1,   /* RFC 2296 3.1 */
};

struct variant {           /* absent slices: it says nothing of that */
    struct ern_slice uri;  /* a URI reference, as it stands between its quotes */
    unsigned quality;      /* of the source, in millionths: 0 to VARIANT_QUALITY_FULL */
    struct ern_slice type; /* media type with its parameters */
    struct ern_slice charset;
    struct ern_slice language;    /* language tags, separated by commas */
    struct ern_slice coding;      /* content coding: an extension-attribute {encoding gzip} */
    struct ern_slice features;    /* a feature-list: see feature.h */
    struct ern_slice description; /* for people: between its quotes, still with its backslashes */
    int64_t length;               /* of the content, in bytes; -1: unknown */
};

enum variant_read {
    VARIANT_READ,
    VARIANT_END,   /* there are no more */
    VARIANT_WRONG, /* *list begins where the wrong one does */
};

/*
 * Takes the next description off the front of *list. They are separated by commas or white space,
 * lines included; a line that begins with "#" is passed over. {"uri"} alone is the fallback variant
 * (RFC 2295 8.3); directives of a list, which stand outside braces, are passed over.
 */
enum variant_read variant_next(struct ern_slice *list, struct variant *ret_variant);

/* Writes a description, which variant_next() reads as the same. */
void variant_write(struct out *o, const struct variant *variant);

#endif
