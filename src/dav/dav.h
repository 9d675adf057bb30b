/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dav.h - a request to a writable folder, from its fields to what was done.
 *
 * It goes through four steps, each on the pool but the first:
 *   fields   what its own fields say                      (fields.c, on the loop: no waiting)
 *   look     what is there: files, locks, ghosts, quota   (look.c)   answers the ASK facts
 *   check    what the content says                        (dav_method.check)   the BODY facts
 *   act      does it                                      (dav_method.act)     the ACT facts
 *
 * act() runs within journal_begin() and journal_end(), after the look was made again:
 * if that gives other facts than the ones decided on, the whole decision is made anew. So what the
 * preconditions said is still true when the change is made.
 */
#ifndef DAV_DAV_H
#define DAV_DAV_H

#include "dav/body.h"
#include "dav/share.h"
#include "msg/dav.h"
#include "pack/coding.h"

struct transfer;

enum place_kind { PLACE_NOTHING, PLACE_FILE, PLACE_COLLECTION, PLACE_REFERENCE, PLACE_OTHER };

struct place {              /* a path of the share, and what is there */
    struct ern_slice asked; /* decoded, begins with a slash, ends without one; "/": the share */
    struct ern_slice path;  /* asked with bindings followed: its home. The same if it has none */
    const char *file;       /* path as io/file.h wants it: relative, NUL-terminated, "." */
    bool slashed;           /* the URL ended with a slash */
    bool parent;            /* its parent is a collection */
    bool bound;             /* asked is itself a binding (its last segment), not the home */
    bool escapes, withheld; /* leads out of the root; a name that is never served */
    enum place_kind kind;
    int error;             /* of a look that failed for another reason: -EACCES ... */
    struct file_info info; /* of PLACE_FILE and PLACE_COLLECTION */
    struct ghost ghost;    /* of PLACE_NOTHING and PLACE_REFERENCE; slices in the request's arena */
    struct ern_slice etag; /* of PLACE_FILE: with quotes, the same that GET gives */
};

struct dav_fields {
    bool wrong; /* one of them is malformed; why says which (static text) */
    const char *why;
    bool has_depth, has_destination, overwrite, has_if, has_timeout;
    enum dav_depth depth;         /* the method's default if there is no field */
    bool destination_here;        /* it is a path of this share */
    struct ern_slice destination; /* decoded, below the share, as place.asked */
    bool destination_slashed;
    int64_t timeout_s;
    struct ern_slice lock_token; /* URI; absent if there is none */
    bool binds;                  /* DAV: bind (RFC 5842 8.2): the client knows of bindings */
    bool respond_async;          /* Prefer: respond-async */
    bool wants_representation, wants_minimal; /* Prefer: return=representation, return=minimal */
};

struct dav_lock { /* one that covers the target, the destination, or stands beneath one of them */
    struct ern_slice token, path; /* token URI; root of the lock */
    bool exclusive, submitted;    /* submitted: an If names it */
    bool beneath; /* its root is beneath the target (or destination): matters for whole trees */
};

enum dav_outcome {                  /* what act() found, as facts */
                   DAV_CREATED = 1, /* a resource was made */
                   DAV_EMPTY = 2,   /* there is nothing to send */
                   DAV_MIXED = 4,   /* the answer is a multistatus */
                   DAV_LATER = 8,   /* accepted, and done later */
                   DAV_CONFLICTS = 16,
                   DAV_LOCK_CONFLICTS = 32,
                   DAV_FORBIDDEN = 64,
                   DAV_ELSEWHERE = 128, /* the outcome lives at evidence.location (303) */
};

struct dav { /* in the request's arena */
    struct share *share;
    struct res_request *request;
    struct ern_decision *decision;
    const struct dav_method *method;
    struct ern_slice asked; /* decoded path below the share, as place.asked */
    struct dav_fields fields;
    struct place target, destination; /* destination only for methods that have one */
    struct dav_lock *locks;           /* living locks that matter, in the request's arena */
    uint16_t locks_n;
    struct ern_evidence *evidence; /* where the look puts it: the decision's, as a rule */
    struct ern_facts answers;      /* what the look found, to the ASK facts */
    bool looked, failed_look, checked, wellformed, valid, prepared, done;
    int error;         /* what look, check or act ended with */
    unsigned tries;    /* decisions that were made anew */
    bool passes_quota; /* what it does would go over the quota */
    bool locked;       /* someone else's lock forbids the method: 423 */
    bool states_match; /* the If field holds, or there is none */
    bool over_quota;
    bool binding_loops;          /* a binding beneath the target leads back above itself */
    uint64_t generation;         /* of the store when the look was made */
    bool decoded;                /* content that came coded was looked into, and */
    bool undecodable, unbounded; /* is not what its coding says, or more than it may become */
    struct body body;            /* of methods whose content is XML, once check() read it */
    bool has_body;
    struct store_session *session; /* while look(), check() and act() run */
    struct store_clock now;
    unsigned outcome; /* enum dav_outcome */
    bool dropped;     /* what act() did to the state is not to be kept: part of it failed */
    char staged[STAGE_NAME_BYTES]; /* what prepare() or the sink made; "": nothing. Removed at the
                                      end unless act() placed it and emptied the name */
    char old[STAGE_NAME_BYTES];    /* what act() replaced or took away: removed after the answer */
    struct transfer *transfer;     /* of a resumable upload, whose content goes to a file at once */
    void *more;                    /* of the method's own, in the request's arena */
};

struct dav_method { /* a row of methods.c */
    enum ern_method method;
    bool reads; /* changes nothing: runs without share->writing, in a STORE_READ session */
    bool makes; /* may make its target: needs a parent, and that this is not locked */
    bool tree;  /* also concerns what is beneath the target */
    bool has_destination;
    bool conditional;     /* it changes what is there: 428 where a precondition is required */
    bool takes_xml;       /* its content is XML, in memory up to limits.xml_bytes_max */
    bool needs_xml;       /* and it cannot be without */
    bool takes_file;      /* its content goes to the staging folder */
    enum dav_depth depth; /* without a Depth field */
    /* Reads the content (request->sink is full). Learns content_wellformed, content_valid; NULL:
     * nothing to read. Returns 0 or a negative errno (fails). */
    int (*check)(struct dav *dav);
    /* What can be long and changes nothing that others see: staging content (and fsync), copying a
     * tree. Runs before act(), without a session and without share->writing. NULL: nothing.
     * Returns as act(). */
    int (*prepare)(struct dav *dav);
    /*
     * Does it. Fills outcome, evidence (etag, location, detail), request->fields,
     * request->condition and the representation. Returns 0, or a negative errno: -ENOSPC and
     * -EDQUOT are no_room; -EACCES, -EPERM, -EROFS and -EXDEV are act_forbidden; -EEXIST, -ENOENT
     * and their like conflict; -EBUSY is state_unreachable; all others fail (500).
     */
    int (*act)(struct dav *dav);
};

/* methods.c: the row of a method; NULL for those that files.c answers, and for unknown ones. */
const struct dav_method *dav_method_find(enum ern_method method);

/* What DAV:error is to say if the decision turns on the fact (RFC 4918 16): <D:name>, with the href
 * of a path of the share in it; or absent. */
void dav_condition(struct dav *dav, enum ern_fact fact, const char *name, struct ern_slice href);

/* The state of a request that is about a path of a share: the decision's own from now on, released
 * after the answer. NULL without memory. */
struct dav *dav_new(struct ern_decision *decision, struct share *share,
                    const struct dav_method *method, struct ern_slice asked, bool slashed);

/* The asks that an upload resource shares: how its content came, and what was done. */
enum ern_answer dav_ask_resumes(struct ern_decision *decision, enum ern_fact fact);
enum ern_answer dav_ask_content(struct ern_decision *decision, enum ern_fact fact);
enum ern_answer dav_ask_check(struct ern_decision *decision, enum ern_fact fact);
enum ern_answer dav_ask_act(struct ern_decision *decision, enum ern_fact fact);

/* The state cannot be reached, for a while: a STORE session ended with this error. */
bool dav_is_unreachable(int error);

/* Adds a field line to the answer. */
void dav_field(struct dav *dav, const char *name, struct ern_slice value);

/* ---- fields.c -------------------------------------------------------------------------------- */
/* Reads what the fields of the request say into dav->fields; on the loop. */
void dav_read_fields(struct dav *dav);

/* Reads If alone: has_if, and whether it is wrong. */
void dav_read_if(struct dav *dav);

/*
 * What a URI reference of a client names in this share: decoded, as place.asked. Absent if that is
 * elsewhere; ret_wrong says that it is no reference to a resource at all.
 */
struct ern_slice dav_resolve(struct dav *dav, struct ern_slice reference, bool *ret_slashed,
                             bool *ret_wrong);

/* The limit on the content that a request to a writable folder may bring. */
const int64_t *dav_content_max(const struct ern_request *request, const struct limits *limits);

/* decode.c: the coding that content comes in; CODINGS: none, or none that we know. */
enum coding dav_coding(const struct ern_request *request);
/* Is the content to be decoded before it is kept? */
bool dav_is_coded(const struct dav *dav);
/* Answers content_bounded for content that has come coded, and is decoded on the pool. */
enum ern_answer dav_ask_decoded(struct dav *dav);

/* Is the content of a type and coding that the method takes? Otherwise says which are, in fields.
 */
bool dav_type_supported(struct dav *dav);

/* ---- look.c ---------------------------------------------------------------------------------- */
/* Finds what is at a path: follows bindings, opens nothing for longer than the call. */
ERN_MUST_USE int place_find(struct share *share, struct store_session *session, struct arena *arena,
                            struct ern_slice asked, bool slashed, struct place *ret_place);
/* What a slash and a name follow in the path of a member: nothing of the share's own. */
static inline struct ern_slice
place_prefix(struct ern_slice folder)
{
    return folder.len > 1 ? folder : ERN_SLICE("");
}

/* Looks at the target and the destination, and answers all ASK facts into dav->answers. */
ERN_MUST_USE int dav_look(struct dav *dav);
/*
 * Rights at all places that a method is about, once they were looked at: where bindings lead to,
 * beneath a collection that is taken as a whole, and at the destination, which is replaced. Asked
 * when it is known who asks, which the look need not wait for.
 */
bool dav_may(const struct dav *dav);
/* The path without its last segment: "/" for "/a". */
struct ern_slice path_parent(struct ern_slice path);
/* Does the path lie beneath the other, or is it that itself? */
bool path_is_within(struct ern_slice path, struct ern_slice of);
/* The ETag of a file, as GET gives it: in the arena. */
struct ern_slice place_etag(struct arena *arena, const struct file_info *info);

/* ---- the acts, by file ------------------------------------------------------------------------
 */
int dav_put_prepare(struct dav *dav); /* put.c: content into the staging folder, synced */
int dav_put(struct dav *dav);
int dav_post(struct dav *dav); /* put.c: a new member of a collection, RFC 5995 */
/* The path of a new member that nobody else has, whose name begins with what Slug proposes; absent
 * without memory. */
struct ern_slice dav_member(struct arena *arena, const struct ern_request *http,
                            struct ern_slice folder);
int dav_mkcol(struct dav *dav);        /* mkcol.c */
int dav_delete(struct dav *dav);       /* delete.c; UNBIND shares it */
int dav_copy_prepare(struct dav *dav); /* copy.c: the tree into the staging folder */
int dav_copy(struct dav *dav);
int dav_move(struct dav *dav);          /* copy.c */
int dav_patch_check(struct dav *dav);   /* patch.c: is it a patch, and well-formed? */
int dav_patch_prepare(struct dav *dav); /* applies it to the content, into a staged file */
int dav_patch(struct dav *dav);
int dav_xml_check(struct dav *dav); /* check.c: body_read() of takes_xml methods */
int dav_propfind(struct dav *dav);  /* find.c */
int dav_proppatch(struct dav *dav); /* proppatch.c */
int dav_report(struct dav *dav);    /* report.c */
int dav_lock(struct dav *dav);      /* lock.c */
int dav_unlock(struct dav *dav);
int dav_bind(struct dav *dav); /* bind.c */
int dav_unbind(struct dav *dav);
int dav_rebind(struct dav *dav);
int dav_mkredirectref(struct dav *dav); /* reference.c */
int dav_updateredirectref(struct dav *dav);

/* lock.c: gathers dav->locks; says whether they forbid the method (locked), and whether If holds
 * (states_match). Called by the look, with a session. */
ERN_MUST_USE int dav_look_at_locks(struct dav *dav);

/* proppatch.c: the properties of an extended MKCOL, put on the new collection (RFC 5689 3). All or
 * none: if one cannot be set, *ret_multistatus has the answer and nothing was set. */
ERN_MUST_USE int dav_set_properties(struct dav *dav, struct place *place, bool *ret_failed);

/* The kind of resource of `files = DIR, write = true`. */
extern struct ern_resource dav_resource;

#endif
