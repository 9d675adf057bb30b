/* SPDX-License-Identifier: Apache-2.0 */
#include "res/integrity.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"
#include "msg/sf.h"

enum { BASE64_BYTES = 96, PIECE_BYTES = 1 << 16 };

/* The one that the line, a dictionary of preferences from 0 to 10, wants most (RFC 9530 4); on a
 * tie the longer one. DIGESTS: none that we have. */
static enum digest
wanted(const struct ern_request *request, enum ern_field_id id)
{
    struct ern_slice line, key;
    struct sf_value value;
    int64_t most[DIGESTS] = {0};
    enum digest best = DIGESTS;

    for (uint16_t at = 0; ern_request_next(request, id, &at, &line);) {
        if (!sf_is_dictionary(line))
            return DIGESTS;
        while (sf_dictionary_next(&line, &key, &value))
            for (unsigned i = 0; i < DIGESTS; i++)
                if (slice_eq(key, digest_name((enum digest)i)))
                    most[i] = value.type == SF_INTEGER ? value.integer : 0;
    }
    for (unsigned i = 0; i < DIGESTS; i++)
        if (most[i] > 0 && (best == DIGESTS || most[i] > most[best]))
            best = (enum digest)i;
    return best;
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
    enum digest digest;
    char bytes[DIGEST_BYTES_MAX];
    int error;
};

static int
digest_file(const struct entry_variant *v, enum digest digest,
            char ret_digest[static DIGEST_BYTES_MAX])
{
    struct digester *d = digester_new(digest);
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
        digester_end(d, ret_digest);
    free(piece);
    return error;
}

static void
job_run(struct job *job)
{
    struct integrity_job *j = (struct integrity_job *)job;

    j->error = digest_file(j->variant, j->digest, j->bytes);
}

static void
job_done(struct job *job)
{
    struct integrity_job *j = (struct integrity_job *)job;
    struct entry_digest *known = &j->variant->digest[j->digest];

    known->state = j->error ? DIGEST_FAILED : DIGEST_KNOWN;
    memcpy(known->bytes, j->bytes, sizeof known->bytes);
    j->request->resume(j->request);
}

static enum ern_answer
work_out(struct res_request *request, struct entry_variant *v, enum digest digest)
{
    struct integrity_job *j;

    if (v->bytes) {
        digest_write(digest, slice_from(v->bytes, (size_t)v->stamp.bytes), v->digest[digest].bytes);
        v->digest[digest].state = DIGEST_KNOWN;
        return ERN_YES;
    }
    j = arena_take(request->arena, sizeof *j);
    if (!j)
        return ERN_FAIL;
    *j = (struct integrity_job){
        .job = {.mailbox = request->mailbox, .run = job_run, .done = job_done},
        .request = request,
        .variant = v,
        .digest = digest,
    };
    return pool_submit(request->pool, &j->job) ? ERN_WAIT : ERN_FAIL;
}

/* ---- the fields -------------------------------------------------------------------------------*/

static void
write_field(struct out *o, const char *name, const struct entry_variant *v, enum digest digest)
{
    char text[BASE64_BYTES];
    struct out base64 = out_init(text, sizeof text);

    if (digest == DIGESTS || v->digest[digest].state != DIGEST_KNOWN)
        return;
    base64_write(&base64, slice_from(v->digest[digest].bytes, digest_length(digest)));
    out_text(o, name);
    out_literal(o, ": ");
    out_slice(o, digest_name(digest));
    out_literal(o, "=:");
    out_slice(o, out_done(&base64));
    out_literal(o, ":\r\n");
}

enum ern_answer
integrity_add(struct ern_decision *d, struct entry_variant *v)
{
    struct res_request *request = d->self;
    struct res_representation *r = &request->representation;
    /* Of a part the content is another; of the whole it is the representation. */
    bool is_part = ern_bits_has(&d->facts.yes, ERN_FACT_ranged);
    enum digest repr = wanted(d->request, ERN_FIELD_want_repr_digest);
    enum digest content = is_part ? DIGESTS : wanted(d->request, ERN_FIELD_want_content_digest);
    struct out o;

    if (v->stamp.bytes > (uint64_t)request->limits->digest_bytes_max)
        return ERN_YES;
    for (enum digest i = 0; i < DIGESTS; i++) {
        bool is_lacking = (i == repr || i == content) && v->digest[i].state == DIGEST_UNKNOWN;
        enum ern_answer worked = is_lacking ? work_out(request, v, i) : ERN_YES;

        if (worked != ERN_YES)
            return worked;
    }
    o = arena_out(request->arena);
    out_slice(&o, r->description);
    write_field(&o, "Repr-Digest", v, repr);
    write_field(&o, "Content-Digest", v, content);
    r->description = arena_keep(request->arena, &o);
    return slice_is_there(r->description) ? ERN_YES : ERN_FAIL;
}
