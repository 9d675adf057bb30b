/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - what a path below a root was found to be, ready to be sent: the fields are written
 * already, and the content of a small file lies in memory.
 */
#ifndef RES_ENTRY_H
#define RES_ENTRY_H

#include "io/file.h"
#include "pack/coding.h"
#include "pack/digest.h"
#include "res/files.h"

enum entry_kind {
    ENTRY_MISSING,
    ENTRY_UNREADABLE, /* not allowed to us, outside the root, or no file at all (a fifo, a device)
                       */
    ENTRY_UNSLASHED,  /* a directory asked for without its slash */
    ENTRY_LISTING,    /* a directory without an index, on a route that lists */
    ENTRY_FILE,
    ENTRY_GONE,      /* it was here, and */
    ENTRY_MOVED,     /* is now at target, a path below the route */
    ENTRY_REFERENCE, /* a redirect to target, a URI reference */
    ENTRY_CHOICES,   /* no file, but there are variants of it */
};

enum {
    ENTRY_VARIANTS = 4,
    ENTRY_BYTES_MAX = 16384, /* content kept in memory: PERFORMANCE 8.2 */
    ENTRY_FRONT_LEAST =
        4096, /* content that has room in front: to copy it costs more than a head */
};

struct entry_digest { /* of what a variant holds; worked out when it is wanted */
    enum { DIGEST_UNKNOWN, DIGEST_KNOWN, DIGEST_FAILED } state;
    char bytes[DIGEST_BYTES_MAX];
};

struct entry_variant {            /* the file itself, or a precompressed sibling of it */
    struct ern_slice coding;      /* absent: identity */
    struct ern_slice etag;        /* within validators */
    struct ern_slice validators;  /* field lines, as in struct res_representation */
    struct ern_slice description; /* likewise */
    struct file_stamp stamp;
    char *front; /* as in struct res_representation */
    char *bytes; /* the content, or NULL if it is larger than ENTRY_BYTES_MAX: then */
    int fd;      /* it is open here; else -1 */
    struct entry_digest digest[DIGESTS];
};

struct entry_coded { /* the file in a coding, made when it was first sent so */
    char *bytes;     /* NULL: it was not, or is too large to be kept */
    size_t n;
};

struct entry {
    const struct files_route *route; /* with path the key */
    struct ern_slice path;           /* below the route, as in struct res_request */
    uint64_t hash;
    struct entry *chain;         /* the next with the same hash bucket */
    struct entry *newer, *older; /* in the order of use */
    int64_t checked_ms;          /* when it was last seen to be so, and */
    uint64_t changes;            /* what the route's changes() said before that look */
    struct ern_slice target;     /* of ENTRY_MOVED and ENTRY_REFERENCE */
    struct ern_slice home;       /* where a bound path lies, below the route; absent: at path */
    bool for_good;               /* of ENTRY_REFERENCE */
    uint32_t pins;               /* answers that use it */
    bool used;                   /* since it last came to the end of the order */
    bool dropped;                /* out of the table; freed with its last pin */
    uint8_t fds_n;               /* descriptors it holds */
    uint8_t variants_n;
    enum entry_kind kind;
    struct choices *choices; /* of ENTRY_CHOICES; else NULL */
    struct ern_slice hints;  /* the line Link of what the page links to; absent: none is known */
    struct ern_slice type;   /* media type */
    int64_t last_modified_s;
    size_t memory;   /* bytes it takes */
    bool compresses; /* it may be sent coded, though it lies here as it is */
    struct entry_coded coded[CODINGS];
    struct entry_coded by_dictionary;     /* likewise, with the dictionary that has */
    char dictionary[DIGEST_SHA256_BYTES]; /* this digest */
    struct entry_variant variants[ENTRY_VARIANTS];
};

/*
 * Looks at a path below a route's root.
 *   path   as in struct res_request, without NUL; copied
 *   known  an older entry of the same path, or NULL: if it is still right, *ret_entry is NULL
 *   quick  only if it needs no wait for a disk: -EAGAIN otherwise
 * Returns 0 and an entry that the caller owns, or a negative errno. What a stranger can ask for is
 * no error: an entry says that it is missing or unreadable.
 */
ERN_MUST_USE int entry_load(const struct files_route *route, struct ern_slice path,
                            const struct entry *known, int64_t now_s, bool quick,
                            struct entry **ret_entry);

/* The coding of files with this extension, without its dot: "br" has "br", "gz" has "gzip". Absent
 * if it is none. */
struct ern_slice entry_coding(struct ern_slice extension);

/* Writes the entity tag of a file, with its quotes: strong, since every change changes the stamp.
 */
void entry_etag(struct out *o, const struct file_stamp *stamp);

/* Closes and frees; NULL is fine. */
void entry_free(struct entry *entry);

#endif
