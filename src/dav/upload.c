/* SPDX-License-Identifier: Apache-2.0 */
#include "dav/upload.h"

#include <errno.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/slice.h"
#include "dav/journal.h"
#include "msg/sf.h"
#include "msg/target.h"

#define INTEROP_VERSION                                                                            \
    8 /* of the draft; RFC 9110 knows no such thing, and the RFC to be won't                       \
       */

enum {
    PROGRESS_BYTES = 8 << 20, /* a 104 with the offset each time so much came */
    EXPIRED_N = 8,            /* uploads that one new one puts away */
};

/* ---- requests that write
 * ------------------------------------------------------------------------- */

uint64_t
transfers_ticket(void)
{
    static _Atomic uint64_t last;

    return ++last;
}

static uint64_t *
latest_of(struct transfers *list, struct ern_slice id)
{
    return &list->latest[hash_bytes((struct hash_key){0, 0}, id) % TRANSFERS_LATEST];
}

void
transfers_end(struct transfers *list, struct ern_slice id, uint64_t ticket)
{
    uint64_t *latest = latest_of(list, id);

    pthread_mutex_lock(&list->lock);
    *latest = *latest > ticket ? *latest : ticket;
    for (struct transfer *t = list->first; t; t = t->next) {
        if (t->ticket >= ticket || !slice_eq(t->row.id, id))
            continue;
        pthread_mutex_lock(&t->lock);
        t->over = true;
        pthread_mutex_unlock(&t->lock);
    }
    pthread_mutex_unlock(&list->lock);
}

void
transfer_join(struct transfer *t, struct transfers *list)
{
    if (t->joined)
        return;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_lock(&list->lock);
    t->next = list->first;
    t->list = list;
    t->joined = true;
    list->first = t;
    t->over = *latest_of(list, t->row.id) > t->ticket;
    pthread_mutex_unlock(&list->lock);
}

void
transfer_leave(struct transfer *t)
{
    struct transfer **at;

    if (!t->joined)
        return;
    pthread_mutex_lock(&t->list->lock);
    for (at = &t->list->first; *at != t; at = &(*at)->next)
        continue;
    *at = t->next;
    pthread_mutex_unlock(&t->list->lock);
    pthread_mutex_destroy(&t->lock);
    t->joined = false;
}

/* ---- fields
 * -------------------------------------------------------------------------------------- */

static bool
read_item(const struct ern_request *http, enum ern_field_id field, enum sf_type type,
          int64_t *ret_n)
{
    struct ern_slice text = ern_request_field(http, field);
    struct sf_value value;

    if (!slice_is_there(text) || !sf_is_item(text) || !sf_item_next(&text, &value) ||
        value.type != type || value.integer < 0)
        return false;
    *ret_n = value.integer;
    return true;
}

bool
upload_number(const struct ern_request *http, enum ern_field_id field, int64_t *ret_n)
{
    return read_item(http, field, SF_INTEGER, ret_n);
}

bool
upload_flag(const struct ern_request *http, enum ern_field_id field, bool *ret_yes)
{
    int64_t n;
    bool is_there = read_item(http, field, SF_BOOLEAN, &n);

    *ret_yes = is_there && n != 0;
    return is_there;
}

bool
upload_resumes(const struct ern_request *http)
{
    int64_t version;

    return upload_number(http, ERN_FIELD_upload_draft_interop_version, &version) &&
           version == INTEROP_VERSION;
}

bool
upload_adds(const struct ern_request *http)
{
    bool ends;

    return http->method == ERN_POST && upload_flag(http, ERN_FIELD_upload_complete, &ends) &&
           (!ends || upload_resumes(http));
}

void
upload_read_fields(struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    struct transfer *t;
    bool ends;

    if (!upload_flag(http, ERN_FIELD_upload_complete, &ends))
        return;
    t = arena_take(dav->request->arena, sizeof *t);
    if (!t)
        return; /* an ordinary PUT, if it is to be whole; a part would be cut off by its length */
    *t = (struct transfer){.ends = ends, .ticket = transfers_ticket(), .row = {.length = -1}};
    dav->transfer = t;
    (void)upload_number(http, ERN_FIELD_upload_length, &t->row.length);
    if (!ends || http->chunked)
        return;
    if (t->row.length >= 0 && t->row.length != http->content_length) {
        dav->fields.wrong = true;
        dav->fields.why = "Upload-Length and Content-Length say different lengths of one upload.";
    }
    t->row.length = http->content_length;
}

void
upload_write_limit(struct dav *dav, int64_t max_age_s)
{
    struct out o = arena_out(dav->request->arena);

    out_literal(&o, "max-size=");
    out_u64(&o, (uint64_t)dav->share->limits->upload_bytes_max);
    if (max_age_s >= 0) {
        out_literal(&o, ", max-age=");
        out_u64(&o, (uint64_t)max_age_s);
    }
    dav_field(dav, "Upload-Limit", arena_keep(dav->request->arena, &o));
}

static struct ern_slice
location_of(struct dav *dav)
{
    struct out o = arena_out(dav->request->arena);

    share_write_number(&o, UPLOAD_PATH, dav->share);
    out_text(&o, dav->transfer->name);
    return arena_keep(dav->request->arena, &o);
}

/* ---- beginning
 * ------------------------------------------------------------------------------------- */

struct expired { /* uploads whose time is over */
    int64_t now_s;
    unsigned n;
    char names[EXPIRED_N][STAGE_NAME_BYTES];
};

static int
note_expired(void *self, const struct upload *u)
{
    struct expired *e = self;

    if (u->until_s >= e->now_s || e->n == EXPIRED_N || u->staged.len >= STAGE_NAME_BYTES)
        return 0;
    memcpy(e->names[e->n], u->staged.ptr, u->staged.len);
    e->names[e->n++][u->staged.len] = '\0';
    return 0;
}

/* Puts away some of those whose time is over, before a new one takes room. */
static int
expire(struct dav *dav)
{
    struct expired e = {.now_s = dav->now.unix_s};
    int error = upload_walk(dav->session, dav->share->id, note_expired, &e);

    for (unsigned i = 0; !error && i < e.n; i++) {
        error = upload_remove(dav->session, slice_text(e.names[i]));
        if (!error)
            (void)!stage_remove(&dav->share->stage, e.names[i]);
    }
    return error;
}

/* rfc9110#13.1.1: what the preconditions of the request were judged on is remembered, and looked at
 * again when the last byte is there. An empty tag: nothing was there. */
static struct ern_slice
judged_on(const struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    bool conditional = ern_request_has(http, ERN_FIELD_if_match) ||
                       ern_request_has(http, ERN_FIELD_if_none_match) ||
                       ern_request_has(http, ERN_FIELD_if_unmodified_since);

    if (!conditional)
        return ERN_ABSENT;
    return slice_is_there(dav->target.etag) ? dav->target.etag : ERN_SLICE("");
}

static int
keep_row(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    int error = store_begin(dav->share->store, STORE_WRITE, &dav->session);

    if (error)
        return error;
    error = expire(dav);
    if (!error)
        error = upload_put(dav->session, &t->row);
    error = error ? (void)store_end(dav->session, false), error : store_end(dav->session, true);
    dav->session = NULL;
    return error;
}

/* The fields of the 104 that tells where the upload can be resumed. */
static struct ern_slice
interim_of(struct dav *dav)
{
    struct out o = arena_out(dav->request->arena);

    share_write_number(&o, "Location: " UPLOAD_PATH, dav->share);
    out_text(&o, dav->transfer->name);
    out_literal(&o, "\r\nUpload-Draft-Interop-Version: ");
    out_u64(&o, INTEROP_VERSION);
    out_literal(&o, "\r\nUpload-Limit: max-size=");
    out_u64(&o, (uint64_t)dav->share->limits->upload_bytes_max);
    out_literal(&o, ", max-age=");
    out_u64(&o, (uint64_t)dav->share->limits->upload_seconds_max);
    out_literal(&o, "\r\n");
    return arena_keep(dav->request->arena, &o);
}

static int
begin(struct dav *dav)
{
    const struct limits *limits = dav->share->limits;
    struct transfer *t = dav->transfer;
    int fd;

    if (t->row.length > limits->upload_bytes_max)
        return -EDQUOT;
    fd = stage_create(&dav->share->stage, t->name);
    if (fd < 0)
        return fd;
    dav->request->sink.fd = fd;
    t->row.id = t->row.staged = slice_text(t->name);
    t->row.share = dav->share->id;
    t->row.path = dav->target.path;
    t->row.etag = judged_on(dav);
    t->row.until_s = dav->now.unix_s + limits->upload_seconds_max;
    transfer_join(t, &dav->share->transfers);
    dav->request->interim = interim_of(dav);
    return keep_row(dav);
}

void
upload_begin_run(struct res_request *request)
{
    struct dav *dav = request->state;

    dav->transfer->begun = true;
    dav->transfer->error = begin(dav);
}

/* ---- content
 * --------------------------------------------------------------------------------------- */

/* Tells how far it is, now and then. */
static void
tell_offset(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    struct out o = arena_out(dav->request->arena);

    if (t->written - t->told < PROGRESS_BYTES)
        return;
    t->told = t->written;
    if (stage_sync(&dav->share->stage, dav->request->sink.fd))
        return; /* what may be lost is not promised */
    out_literal(&o, "Upload-Offset: ");
    out_u64(&o, t->offset + t->written);
    out_literal(&o, "\r\n");
    dav->request->interim = arena_keep(dav->request->arena, &o);
}

static int
write_content(struct res_sink *sink, struct ern_slice bytes)
{
    struct dav *dav = sink->self;
    struct transfer *t = dav->transfer;
    int error;

    pthread_mutex_lock(&t->lock);
    error = t->over ? -ECANCELED : stage_write(sink->fd, bytes);
    pthread_mutex_unlock(&t->lock);
    t->written += bytes.len;
    if (!error)
        tell_offset(dav);
    return error;
}

void
upload_begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct dav *dav = request->state;
    const struct transfer *t = dav->transfer;
    struct res_sink *sink = &request->sink;
    int64_t most = dav->share->limits->upload_bytes_max;

    sink->max = (uint64_t)(t->row.length >= 0 && t->row.length < most ? t->row.length : most);
    sink->max -= t->offset < sink->max ? t->offset : sink->max;
    sink->memory_max = 0;
    sink->write = write_content;
    sink->self = dav;
    sink->error = t->error;
    sink->state = t->row.length > most ? SINK_GREW : t->error ? SINK_FAILED : SINK_OPEN;
}

bool
upload_is_whole(struct dav *dav)
{
    const struct transfer *t = dav->transfer;

    if (!t->ends || t->row.length < 0 ||
        t->offset + dav->request->sink.total == (uint64_t)t->row.length)
        return true;
    dav->decision->evidence.detail =
        ERN_SLICE("The upload is said to be complete, and is shorter than its Upload-Length.");
    return false;
}

/* ---- end
 * ------------------------------------------------------------------------------------------- */

int
upload_prepare(struct dav *dav)
{
    struct transfer *t = dav->transfer;

    if (!t->begun) /* there was no content that it had to be ready for */
        upload_begin_run(dav->request);
    return t->error ? t->error : stage_sync(&dav->share->stage, dav->request->sink.fd);
}

/* A part is there, and others will come. */
static int
acknowledge(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    int64_t life_s = dav->share->limits->upload_seconds_max;

    t->row.until_s = dav->now.unix_s + life_s;
    dav_field(dav, "Upload-Complete", ERN_SLICE("?0"));
    upload_write_limit(dav, life_s);
    if (!t->appends)
        dav->decision->evidence.location = location_of(dav);
    dav->outcome = t->appends ? DAV_EMPTY : DAV_CREATED;
    return upload_put(dav->session, &t->row);
}

/* What the preconditions were judged on is there no more. */
static bool
has_changed(const struct dav *dav)
{
    struct ern_slice was = dav->transfer->row.etag, is = dav->target.etag;

    return slice_is_there(was) && !slice_eq(was, slice_is_there(is) ? is : ERN_SLICE(""));
}

static int
conflict(struct dav *dav, struct ern_slice why)
{
    dav->decision->evidence.detail = why;
    dav->outcome = DAV_CONFLICTS;
    return 0;
}

static int
finish(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    struct intent intent = {.kind = INTENT_UPLOAD,
                            .share = dav->share->id,
                            .to = dav->target.path,
                            .staged = t->row.id,
                            .made_s = dav->now.unix_s};
    struct out o;
    int error = stage_number_staged(&dav->share->stage, t->name, &intent.inode);

    if (!error)
        error = stage_number(&dav->share->stage, dav->target.file, &intent.replaced);
    if (!error)
        error = upload_put(dav->session, &t->row); /* its length may be new */
    if (!error)
        error = journal_keep(dav->share, &dav->session, &intent);
    if (error)
        return error;
    memcpy(dav->staged, t->name, sizeof dav->staged);
    error = dav_put(dav);
    dav->staged[0] = '\0'; /* if it was not placed, the upload keeps it */
    if (error)
        return error;
    dav_field(dav, "Upload-Complete", ERN_SLICE("?1"));
    if (t->appends || dav->decision->request->method == ERN_POST) {
        o = arena_out(dav->request->arena);
        share_write_path(&o, dav->share, dav->target.path);
        dav->decision->evidence.location = arena_keep(dav->request->arena, &o);
    }
    return journal_follow(dav->session, &intent, dav->now.unix_s);
}

int
upload_end(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    bool over;

    pthread_mutex_lock(&t->lock);
    over = t->over;
    pthread_mutex_unlock(&t->lock);
    if (over)
        return conflict(dav, ERN_SLICE("Another request took this upload over."));
    if (!t->ends)
        return acknowledge(dav);
    if (has_changed(dav))
        return conflict(dav, ERN_SLICE("What the upload was to replace has changed since it began, "
                                       "and its precondition does not hold any more."));
    return finish(dav);
}
