/* SPDX-License-Identifier: Apache-2.0 */
/* upload_resource.c - what an upload is asked for: its offset, more content, its end. */
#include "dav/upload.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "res/step.h"

enum { NAME_LEN = STAGE_NAME_BYTES - 1 };

static bool
is_append(const struct ern_decision *d)
{
    return d->request->method == ERN_PATCH;
}

/* ---- look
 * ------------------------------------------------------------------------------------------ */

static struct ern_slice
keep(struct dav *dav, struct ern_slice text)
{
    struct out o = arena_out(dav->request->arena);

    if (!slice_is_there(text))
        return text;
    out_slice(&o, text);
    return arena_keep(dav->request->arena, &o);
}

/* The row, with its slices in the arena. */
static int
read_row(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    struct upload row;
    int error = upload_get(dav->session, slice_text(t->name), &row);

    if (error)
        return error;
    if (row.until_s < dav->now.unix_s)
        return -ENOENT;
    t->row = row;
    t->row.id = t->row.staged = slice_text(t->name);
    t->row.path = keep(dav, row.path);
    t->row.etag = keep(dav, row.etag);
    t->row.type = keep(dav, row.type);
    return slice_is_there(t->row.path) ? 0 : -ENOMEM;
}

/* Opens its file: the size is the offset, which is on the disk before anybody is told. */
static int
open_file(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    struct stat st;
    int fd = stage_reopen(&dav->share->stage, t->name);

    if (fd < 0)
        return fd;
    dav->request->sink.fd = fd;
    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_END) < 0)
        return -errno;
    t->offset = (uint64_t)st.st_size;
    return stage_sync(&dav->share->stage, fd);
}

static int
look_at_file(struct dav *dav)
{
    struct transfer *t = dav->transfer;

    if (t->judged) /* it is decided anew, with the content in the file */
        return 0;
    transfers_end(&dav->share->transfers, t->row.id, t->ticket);
    if (is_append(dav->decision) && !t->row.complete)
        transfer_join(t, &dav->share->transfers);
    return t->row.complete ? 0 : open_file(dav);
}

static int
look(struct dav *dav)
{
    const struct upload_route *route = (const void *)dav->request->route;
    int error;

    dav->now = share_now(route->store);
    error = read_row(dav);
    if (error)
        return error;
    if (dav->transfer->row.share != route->share->id)
        return -ENOENT;
    error = look_at_file(dav);
    dav->asked = dav->transfer->row.path;
    if (!error && is_append(dav->decision) && dav->transfer->ends)
        error = dav_look(dav); /* what it becomes */
    return error;
}

static void
look_run(struct res_request *request)
{
    const struct upload_route *route = request->route;
    struct dav *dav = request->state;

    dav->transfer->begun = true;
    dav->error = route->store ? store_begin(route->store, STORE_READ, &dav->session) : -EIO;
    if (dav->error)
        return;
    dav->error = look(dav);
    (void)store_end(dav->session, false);
    dav->session = NULL;
}

/* ---- what the fields say
 * ----------------------------------------------------------------------------- */

/* Reads and compares; what is wrong with them, or NULL. */
static const char *
judge_fields(struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    struct transfer *t = dav->transfer;
    int64_t offset, length, known = t->row.length;

    if (!upload_number(http, ERN_FIELD_upload_offset, &offset))
        return "Upload-Offset is missing, or is not a number: it says where the content belongs.";
    if (!upload_flag(http, ERN_FIELD_upload_complete, &t->ends))
        return "Upload-Complete is missing, or is neither ?0 nor ?1.";
    t->on_offset = !t->row.complete && (uint64_t)offset == t->offset;
    if (t->row.complete)
        return NULL;
    if (upload_number(http, ERN_FIELD_upload_length, &length)) {
        if (known >= 0 && known != length)
            return "Upload-Length is not what was said before.";
        known = length;
    }
    if (t->ends && !http->chunked) {
        if (known >= 0 && known != offset + http->content_length)
            return "Upload-Offset and Content-Length do not make the length that was said before.";
        known = offset + http->content_length;
    }
    t->row.length = known;
    return NULL;
}

static void
write_state(struct dav *dav, bool complete)
{
    const struct transfer *t = dav->transfer;
    struct out o = arena_out(dav->request->arena);

    out_u64(&o, t->row.complete && t->row.length >= 0 ? (uint64_t)t->row.length : t->offset);
    dav_field(dav, "Upload-Offset", arena_keep(dav->request->arena, &o));
    dav_field(dav, "Upload-Complete", complete ? ERN_SLICE("?1") : ERN_SLICE("?0"));
}

/* RFC 9110 9.3.1: the answer to GET and HEAD is all in the fields. */
static void
describe(struct dav *dav)
{
    struct out o;

    write_state(dav, dav->transfer->row.complete);
    if (dav->transfer->row.length >= 0) {
        o = arena_out(dav->request->arena);
        out_u64(&o, (uint64_t)dav->transfer->row.length);
        dav_field(dav, "Upload-Length", arena_keep(dav->request->arena, &o));
    }
    upload_write_limit(dav, dav->transfer->row.until_s - dav->now.unix_s);
    dav_field(dav, "Cache-Control", ERN_SLICE("no-store"));
}

/* Once, when the look is there. */
static void
judge(struct dav *dav)
{
    struct transfer *t = dav->transfer;
    const char *why;

    if (t->judged)
        return;
    t->judged = true;
    if (dav->decision->request->method == ERN_GET || dav->decision->request->method == ERN_HEAD)
        describe(dav);
    if (!is_append(dav->decision))
        return;
    why = dav->fields.wrong ? dav->fields.why : judge_fields(dav);
    dav->fields.wrong = why != NULL;
    if (why) {
        dav->decision->evidence.detail = slice_text(why);
        dav_field(dav, "Upload-Complete", ERN_SLICE("?0"));
    } else if (!t->on_offset) {
        write_state(dav, false); /* "with ... Upload-Complete ... set to false" (4.4) */
    }
}

/* ---- asks
 * -------------------------------------------------------------------------------------------- */

/* The state of the request: an upload's name, whatever there is of it. */
static struct dav *
state_of(struct ern_decision *d)
{
    struct res_request *request = d->self;
    const struct upload_route *route = request->route;
    struct ern_slice id = slice_skip(request->below, 1);
    struct dav *dav = request->state;

    if (dav)
        return dav;
    dav = dav_new(d, route->share, dav_method_find(ERN_PUT), ERN_SLICE("/"), false);
    if (!dav)
        return NULL;
    dav->transfer = arena_take(request->arena, sizeof *dav->transfer);
    dav->evidence = arena_take(request->arena, sizeof *dav->evidence);
    if (!dav->transfer || !dav->evidence)
        return NULL;
    *dav->transfer = (struct transfer){
        .appends = is_append(d), .ticket = transfers_ticket(), .row = {.length = -1}};
    (void)upload_flag(d->request, ERN_FIELD_upload_complete, &dav->transfer->ends);
    dav_read_if(dav);
    if (id.len == NAME_LEN)
        memcpy(dav->transfer->name, id.ptr, NAME_LEN);
    return dav;
}

/* What the end of the upload would meet, as a PUT. */
static enum ern_answer
ask_target(const struct dav *dav, enum ern_fact fact)
{
    if (!dav->transfer->ends || !ern_bits_has(&dav->answers.known, fact))
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    return ern_bits_has(&dav->answers.yes, fact) ? ERN_YES : ERN_NO;
}

static bool
is_partial_upload(const struct ern_request *http)
{
    struct ern_slice type = ern_request_field(http, ERN_FIELD_content_type);

    type = slice_trim(slice_first(type, slice_find(type, ';')));
    return slice_eq_nocase(type, ERN_SLICE("application/partial-upload"));
}

static enum ern_answer
ask_look(struct ern_decision *d, enum ern_fact fact)
{
    struct dav *dav = state_of(d);

    if (!dav)
        return ERN_FAIL;
    if (!dav->looked) {
        dav->looked = true;
        return res_step(dav->request, look_run);
    }
    if (dav->error && dav->error != -ENOENT && !dav_is_unreachable(dav->error))
        return ERN_FAIL;
    if (fact == ERN_FACT_state_reachable)
        return dav_is_unreachable(dav->error) ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_exists)
        return dav->error ? ERN_NO : ERN_YES;
    if (dav->error)
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    judge(dav);
    if (!is_append(d))
        return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_fields_valid)
        return dav->fields.wrong ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_offset_matches)
        return dav->transfer->on_offset ? ERN_YES : ERN_NO;
    return ask_target(dav, fact);
}

/* Rights are those to the file that it becomes. */
static enum ern_answer
ask_permitted(struct ern_decision *d, enum ern_fact fact)
{
    enum ern_answer answer = ask_look(d, fact);
    const struct dav *dav = ((struct res_request *)d->self)->state;

    if (answer == ERN_YES && !dav->error &&
        !res_may(dav->request, dav->transfer->row.path, RES_WRITE))
        return ERN_NO;
    return answer;
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(GET) | RES_ALLOW(HEAD) | RES_ALLOW(OPTIONS) | RES_ALLOW(PATCH) |
                             RES_ALLOW(DELETE));
}

static enum ern_answer
ask_type(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;

    (void)fact;
    if (!is_append(d) || is_partial_upload(d->request))
        return ERN_YES;
    request->fields = ERN_SLICE("Accept-Patch: application/partial-upload\r\n"); /* RFC 5789 3.1 */
    return ERN_NO;
}

static void
delete_run(struct res_request *request)
{
    struct dav *dav = request->state;
    int error = store_begin(dav->share->store, STORE_WRITE, &dav->session);

    if (!error) {
        error = upload_remove(dav->session, dav->transfer->row.id);
        error = error ? (void)store_end(dav->session, false), error : store_end(dav->session, true);
        dav->session = NULL;
    }
    if (!error && !dav->transfer->row.complete)
        error = stage_remove(&dav->share->stage, dav->transfer->name);
    dav->error = error;
}

static enum ern_answer
ask_act(struct ern_decision *d, enum ern_fact fact)
{
    struct dav *dav = ((struct res_request *)d->self)->state;

    if (is_append(d))
        return dav_ask_act(d, fact);
    if (d->request->method == ERN_DELETE && !dav->done) {
        dav->done = true;
        return res_step(dav->request, delete_run);
    }
    if (fact == ERN_FACT_acted)
        return dav->error ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_empty)
        return ERN_YES;
    return ern_fact_fallback(fact) ? ERN_YES : ERN_NO;
}

/* There is no content that ranges could be of. */
static enum ern_answer
ask_range(struct ern_decision *d, enum ern_fact fact)
{
    (void)d, (void)fact;
    return ERN_NO;
}

struct ern_resource upload_resource = {
    .name = "upload",
    .ask =
        {
            [ERN_FACT_state_reachable] = ask_look,
            [ERN_FACT_permitted] = ask_permitted,
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_fields_valid] = ask_look,
            [ERN_FACT_type_supported] = ask_type,
            [ERN_FACT_exists] = ask_look,
            [ERN_FACT_parent_exists] = ask_look,
            [ERN_FACT_onto_collection] = ask_look,
            [ERN_FACT_states_match] = ask_look,
            [ERN_FACT_locked] = ask_look,
            [ERN_FACT_offset_matches] = ask_look,
            [ERN_FACT_over_quota] = ask_look,
            [ERN_FACT_range_modest] = ask_range,
            [ERN_FACT_resumes] = dav_ask_resumes,
            [ERN_FACT_content_framed] = dav_ask_content,
            [ERN_FACT_content_in_time] = dav_ask_content,
            [ERN_FACT_content_bounded] = dav_ask_content,
            [ERN_FACT_content_wellformed] = dav_ask_check,
            [ERN_FACT_acted] = ask_act,
            [ERN_FACT_act_permitted] = ask_act,
            [ERN_FACT_conflicts] = ask_act,
            [ERN_FACT_no_room] = ask_act,
            [ERN_FACT_created] = ask_act,
            [ERN_FACT_empty] = ask_act,
        },
};
