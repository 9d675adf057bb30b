/* SPDX-License-Identifier: Apache-2.0 */
#include "res/integrity.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"
#include "msg/sf.h"

enum { BASE64_BYTES = 48, PIECE_BYTES = 1 << 16 };

/* Is there a preference above 0 for it, on a line that is a dictionary (RFC 9530 4)? */
static bool
wants(const struct ern_request *request, enum ern_field_id id)
{
    struct ern_slice line, key;
    struct sf_value value;
    bool wanted = false;

    for (uint16_t at = 0; ern_request_next(request, id, &at, &line);) {
        if (!sf_is_dictionary(line))
            return false;
        while (sf_dictionary_next(&line, &key, &value))
            if (slice_eq(key, ERN_SLICE("sha-256")))
                wanted = value.type == SF_INTEGER && value.integer > 0;
    }
    return wanted;
}

bool
integrity_is_wanted(const struct ern_request *request)
{
    return ern_request_has(request, ERN_FIELD_want_repr_digest) ||
           ern_request_has(request, ERN_FIELD_want_content_digest);
}

/* ---- on the pool ------------------------------------------------------------------------------*/

struct integrity_job {
    struct job job; /* first: the pool gives it back */
    struct res_request *request;
    struct entry_variant *variant; /* of the entry that the request pins */
    char digest[DIGEST_SHA256_BYTES];
    int error;
};

static int
digest_file(const struct entry_variant *v, char digest[static DIGEST_SHA256_BYTES])
{
    struct digester *d = digester_new();
    char *piece = malloc(PIECE_BYTES);
    struct file_info info;
    int error = d && piece ? 0 : -ENOMEM;

    for (uint64_t at = 0; !error && at < v->stamp.bytes;) {
        ssize_t got = file_read(v->fd, piece, PIECE_BYTES, at, false);

        if (got > 0) {
            digester_take(d, slice_from(piece, (size_t)got));
            at += (uint64_t)got;
        } else {
            error = got < 0 ? (int)got : -ESTALE;
        }
    }
    if (!error)
        error = file_look_open(v->fd, &info);
    if (!error && !file_stamp_same(&info.stamp, &v->stamp))
        error = -ESTALE;
    if (d)
        digester_end(d, digest);
    free(piece);
    return error;
}

static void
job_run(struct job *job)
{
    struct integrity_job *j = (struct integrity_job *)job;

    j->error = digest_file(j->variant, j->digest);
}

static void
job_done(struct job *job)
{
    struct integrity_job *j = (struct integrity_job *)job;
    struct entry_variant *v = j->variant;

    v->digested = j->error ? DIGEST_FAILED : DIGEST_KNOWN;
    memcpy(v->digest, j->digest, sizeof v->digest);
    j->request->resume(j->request);
}

static enum ern_answer
work_out(struct res_request *request, struct entry_variant *v)
{
    struct integrity_job *j;

    if (v->bytes) {
        digest_sha256(slice_from(v->bytes, (size_t)v->stamp.bytes), v->digest);
        v->digested = DIGEST_KNOWN;
        return ERN_YES;
    }
    j = arena_take(request->arena, sizeof *j);
    if (!j)
        return ERN_FAIL;
    *j = (struct integrity_job){
        .job = {.mailbox = request->mailbox, .run = job_run, .done = job_done},
        .request = request,
        .variant = v,
    };
    return pool_submit(request->pool, &j->job) ? ERN_WAIT : ERN_FAIL;
}

/* ---- the fields -------------------------------------------------------------------------------*/

static void
write_field(struct out *o, const char *name, struct ern_slice base64)
{
    out_text(o, name);
    out_literal(o, ": sha-256=:");
    out_slice(o, base64);
    out_literal(o, ":\r\n");
}

enum ern_answer
integrity_add(struct ern_decision *d, struct entry_variant *v)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    bool repr = wants(d->request, ERN_FIELD_want_repr_digest);
    /* Of a part the content is another; of the whole it is the representation. */
    bool content = wants(d->request, ERN_FIELD_want_content_digest) &&
                   !ern_bits_has(&d->facts.yes, ERN_FACT_ranged);
    char text[BASE64_BYTES];
    struct out base64 = out_init(text, sizeof text), o;

    if (v->stamp.bytes > (uint64_t)request->limits->digest_bytes_max || (!repr && !content))
        return ERN_YES;
    if (v->digested == DIGEST_UNKNOWN) {
        enum ern_answer worked = work_out(request, v);

        if (worked != ERN_YES)
            return worked;
    }
    if (v->digested == DIGEST_FAILED)
        return ERN_YES;
    base64_write(&base64, slice_from(v->digest, sizeof v->digest));
    o = arena_out(request->arena);
    out_slice(&o, r->description);
    if (repr)
        write_field(&o, "Repr-Digest", out_done(&base64));
    if (content)
        write_field(&o, "Content-Digest", out_done(&base64));
    r->description = arena_keep(request->arena, &o);
    return slice_is_there(r->description) ? ERN_YES : ERN_FAIL;
}
