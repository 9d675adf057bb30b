/* SPDX-License-Identifier: Apache-2.0 */
/* body.h - what the XML content of each DAV method says (RFC 4918 14, 5689, 5842, 4437, 6578). */
#ifndef DAV_BODY_H
#define DAV_BODY_H

#include "base/arena.h"
#include "dav/xml.h"
#include "earnest/message.h"
#include "msg/dav.h"

enum body_result {
    BODY_FINE,
    BODY_ILLFORMED, /* 400: not XML */
    BODY_LARGE,     /* 413: over a limit of XML */
    BODY_INVALID, /* 422: XML, but it does not say what the method needs; why says which element */
    BODY_MEMORY,
};

struct body_name {
    struct ern_slice space, name;
};

enum find_kind { FIND_ALLPROP, FIND_PROPNAME, FIND_PROP };

struct body_find { /* propfind; and the DAV:prop of a REPORT */
    enum find_kind kind;
    struct body_name *names; /* FIND_PROP: those asked for; FIND_ALLPROP: those of include */
    uint16_t names_n;
};

struct body_change { /* one property of a propertyupdate or of an extended MKCOL, in their order */
    bool remove;
    struct body_name name;
    const struct xml_element *value; /* the property element; NULL for remove */
};

struct body { /* by method; all of it lives as long as xml */
    struct xml xml;
    struct body_find find;       /* PROPFIND, REPORT */
    struct body_change *changes; /* PROPPATCH, MKCOL */
    uint16_t changes_n;
    bool collection;           /* MKCOL: resourcetype has D:collection, or says nothing */
    bool strange_type;         /* MKCOL: resourcetype has something besides it (RFC 5689 3) */
    bool shared, has_lockinfo; /* LOCK; without lockinfo it is a refresh */
    struct ern_slice owner; /* LOCK: the owner element, standing alone; absent if there is none */
    struct ern_slice segment,
        href;                     /* BIND, REBIND; UNBIND: segment only; decoded text as it came */
    struct ern_slice target;      /* (M|UPDATE)REDIRECTREF: reftarget's href; absent: as it was */
    bool has_lifetime, permanent; /* redirect-lifetime */
    struct body_name report;      /* REPORT: the root element */
    struct ern_slice sync_token;  /* sync-collection; empty: the first time */
    enum dav_depth sync_level;
    int64_t limit;   /* DAV:limit/nresults, or -1 */
    const char *why; /* when it is not fine: static text */
    unsigned line;
};

/*
 * Reads the content of a request; empty content is fine for PROPFIND (allprop), LOCK (refresh) and
 * MKCOL. On BODY_FINE the caller gives it back with body_free().
 */
ERN_MUST_USE enum body_result body_read(enum ern_method method, struct ern_slice content,
                                        const struct limits *limits, struct body *ret_body);
void body_free(struct body *body);

#endif
