/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.h - uploads that go on after a cut (draft-ietf-httpbis-resumable-upload). A PUT that says
 * Upload-Complete makes an upload resource: a row in the store, and a file in the staging folder
 * whose size is the offset. What it becomes in the end is judged as the PUT that it is.
 */
#ifndef DAV_UPLOAD_H
#define DAV_UPLOAD_H

#include "dav/dav.h"

#define UPLOAD_PATH "/.earnest/upload/" /* and the number of the share, a slash, a name */

struct upload_route {
    struct res_route any; /* first */
    struct share *share;  /* whose uploads these are */
    struct store *store;  /* NULL: the state cannot be reached */
};

struct transfer {      /* a request that brings content to an upload; in the request's arena */
    struct upload row; /* slices in the arena */
    char name[STAGE_NAME_BYTES]; /* of the upload, and of its file in the staging folder */
    bool begun;                  /* the row and the file are there, or error says why not */
    bool joined;                 /* it is in the share's list */
    bool appends;                /* PATCH of the upload resource; else it is the PUT that made it */
    bool ends;                   /* Upload-Complete: ?1 */
    bool judged;                 /* the offset was compared */
    bool on_offset;              /* and is the right one */
    int error;
    uint64_t ticket;      /* requests are numbered as they come */
    uint64_t offset;      /* where its content begins */
    uint64_t written;     /* bytes of content that are in the file, and */
    uint64_t told;        /* that the client was told of */
    pthread_mutex_t lock; /* held over each write, and guards */
    bool over;            /* another request took the upload over */
    struct transfer *next;
    struct transfers *list;
};

/* Is it a POST of content that may come in parts, or go on after a cut? */
bool upload_adds(const struct ern_request *request);

/* Reads Upload-Complete and Upload-Length of a PUT: sets dav->transfer if it begins an upload. */
void upload_read_fields(struct dav *dav);

/* A number, or a boolean, as the field of an upload has it (an Item of RFC 9651); anything else
 * counts as no field: false. */
bool upload_number(const struct ern_request *request, enum ern_field_id field, int64_t *ret_n);
bool upload_flag(const struct ern_request *request, enum ern_field_id field, bool *ret_yes);

/* May 104 be sent: is it the version of the draft that is spoken here? */
bool upload_resumes(const struct ern_request *request);

/* Makes the row and the file. A step (res/step.h). */
void upload_begin_run(struct res_request *request);
/* Sets the sink up so that content goes to the file as it comes. */
void upload_begin_content(struct ern_decision *decision);
/* Is all there that a length spoke of? */
bool upload_is_whole(struct dav *dav);
/* As dav_method.prepare, and dav_method.act. */
ERN_MUST_USE int upload_prepare(struct dav *dav);
ERN_MUST_USE int upload_end(struct dav *dav);

/* Adds Upload-Limit to the answer; max_age_s: what is left of an upload's life, or -1. */
void upload_write_limit(struct dav *dav, int64_t max_age_s);

/* The number of a request, taken when it has come. */
uint64_t transfers_ticket(void);
/*
 * Ends the requests that write to the upload and came before this one, even those that have yet to
 * join (draft 4.6): the offset stays as it is now, until another request comes.
 */
void transfers_end(struct transfers *list, struct ern_slice id, uint64_t ticket);
/* It writes from now on, unless a request that came later has ended it. */
void transfer_join(struct transfer *transfer, struct transfers *list);
void transfer_leave(struct transfer *transfer);

/* The kind of resource of UPLOAD_PATH. */
extern struct ern_resource upload_resource;

#endif
