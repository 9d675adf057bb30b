/* SPDX-License-Identifier: Apache-2.0 */
/* dav.h - the field values of WebDAV (RFC 4918 10): Depth, Destination, If, Overwrite, Timeout ...
 */
#ifndef MSG_DAV_H
#define MSG_DAV_H

#include <stdbool.h>
#include <stdint.h>

#include "earnest/message.h"

enum dav_depth { DAV_DEPTH_0, DAV_DEPTH_1, DAV_DEPTH_INFINITY };

/* "0", "1" or "infinity" (in any case). Returns false for anything else. */
bool dav_depth(struct ern_slice value, enum dav_depth *ret_depth);

/* "T" or "F" (RFC 4918 10.6, in any case). Returns false for anything else. */
bool dav_flag(struct ern_slice value, bool *ret_true);

/* "<" absolute-URI ">" (RFC 4918 10.1): the URI within. Absent if it is none. */
struct ern_slice dav_coded_url(struct ern_slice value);

/*
 * The first TimeType that is understood (RFC 4918 10.7): Second-N, or Infinite.
 *   max   what Infinite, and a larger N, stand for; also the answer when the field says nothing
 * Returns false if the value is malformed: then it counts as absent.
 */
bool dav_timeout(struct ern_slice value, int64_t max, int64_t *ret_seconds);

/* What one step of an If field is (RFC 4918 10.4.2). */
enum dav_if_kind {
    DAV_IF_END,
    DAV_IF_TAG,   /* text is a Simple-ref, the resource that the lists that follow are about */
    DAV_IF_LIST,  /* a list begins; the ones of a resource are joined by OR */
    DAV_IF_TOKEN, /* a condition of the list: text is a state token (a URI); joined by AND */
    DAV_IF_ETAG,  /* likewise: text is an entity tag with its quotes (and W/) */
    DAV_IF_WRONG, /* the field is malformed */
};

struct dav_if { /* a walk through an If field; begins as {value} */
    struct ern_slice rest;
    uint8_t state; /* private */
    uint16_t lists, conditions;
};

struct dav_if_step {
    enum dav_if_kind kind;
    struct ern_slice text;
    bool is_not; /* of a condition: Not stands before it */
};

/*
 * The next step. Both productions are read, No-tag-list and Tagged-list, which may not be mixed.
 * More than DAV_IF_LISTS lists or DAV_IF_CONDITIONS conditions is DAV_IF_WRONG. Once END or WRONG
 * it says so for ever.
 */
enum { DAV_IF_LISTS = 32, DAV_IF_CONDITIONS = 256 };
struct dav_if_step dav_if_next(struct dav_if *walk);

/*
 * A Destination, or a tagged reference: an absolute URI or an absolute path.
 *   ret_authority   absent for a path
 *   ret_path        still encoded; begins with a slash
 * Returns false if it is neither, or has a fragment or a query.
 */
bool dav_reference(struct ern_slice value, struct ern_slice *ret_scheme,
                   struct ern_slice *ret_authority, struct ern_slice *ret_path);

#endif
