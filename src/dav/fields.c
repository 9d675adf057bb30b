/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c - what the fields of a WebDAV request say (RFC 4918 10), before anything is looked at.
 */
#include "dav/dav.h"

#include "dav/upload.h"
#include "msg/list.h"
#include "msg/prefer.h"
#include "msg/target.h"

static void
wrong(struct dav_fields *f, const char *why)
{
    if (!f->wrong)
        f->why = why;
    f->wrong = true;
}

static void
read_depth(struct dav *dav, struct dav_fields *f)
{
    const struct ern_request *http = dav->decision->request;
    enum ern_method m = dav->method->method;

    f->depth = dav->method->depth;
    f->has_depth = ern_request_has(http, ERN_FIELD_depth);
    if (!f->has_depth)
        return;
    if (!dav_depth(ern_request_field(http, ERN_FIELD_depth), &f->depth))
        wrong(f, "Depth is none of 0, 1 and infinity.");
    else if ((m == ERN_LOCK || m == ERN_COPY) && f->depth == DAV_DEPTH_1)
        wrong(f, "This method takes Depth 0 or infinity.");
}

/* Is it this site by another name for the same place: the same authority? */
static bool
is_here(const struct ern_request *http, struct ern_slice scheme, struct ern_slice authority)
{
    if (!slice_is_there(authority))
        return true;
    return slice_eq_nocase(authority, http->authority) &&
           (slice_eq_nocase(scheme, ERN_SLICE("http")) ||
            slice_eq_nocase(scheme, ERN_SLICE("https")));
}

/* A decoded path below the share; absent if it is not within it. */
static struct ern_slice
below_share(const struct share *share, struct ern_slice path, bool *ret_slashed)
{
    struct ern_slice prefix = share->prefix;

    if (!slice_starts(path, prefix))
        return ERN_ABSENT;
    path = slice_skip(path, prefix.len);
    if (path.len == 0)
        path = ERN_SLICE("/");
    if (path.ptr[0] != '/')
        return ERN_ABSENT;
    *ret_slashed = path.ptr[path.len - 1] == '/';
    return path.len > 1 ? slice_first(path, path.len - *ret_slashed) : path;
}

struct ern_slice
dav_resolve(struct dav *dav, struct ern_slice reference, bool *ret_slashed, bool *ret_wrong)
{
    const struct ern_request *http = dav->decision->request;
    struct ern_slice scheme, authority, encoded;
    struct out o = arena_out(dav->request->arena);
    struct path path;
    size_t at;

    *ret_wrong = !dav_reference(reference, &scheme, &authority, &encoded);
    if (*ret_wrong || !is_here(http, scheme, authority))
        return ERN_ABSENT;
    *ret_wrong = path_read(encoded, &o, &path, &at) != FINDING_none;
    if (*ret_wrong || path.escapes || o.full)
        return ERN_ABSENT;
    (void)arena_keep(dav->request->arena, &o);
    return below_share(dav->share, path.text, ret_slashed);
}

static void
read_destination(struct dav *dav, struct dav_fields *f)
{
    const struct ern_request *http = dav->decision->request;
    bool bad;

    f->destination_here = true;
    f->has_destination = ern_request_has(http, ERN_FIELD_destination);
    if (!dav->method->has_destination)
        return;
    if (!f->has_destination) {
        wrong(f, "There is no Destination, which this method needs.");
        return;
    }
    f->destination = dav_resolve(dav, ern_request_field(http, ERN_FIELD_destination),
                                 &f->destination_slashed, &bad);
    if (bad)
        wrong(f, "Destination is neither an absolute URI nor an absolute path, or is malformed.");
    f->destination_here = slice_is_there(f->destination);
}

/* The field If is read to its end: is it well-formed? */
void
dav_read_if(struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    struct dav_fields *f = &dav->fields;
    struct dav_if walk = {.rest = ern_request_field(http, ERN_FIELD_if)};
    struct dav_if_step step;

    f->has_if = ern_request_has(http, ERN_FIELD_if);
    if (!f->has_if)
        return;
    do
        step = dav_if_next(&walk);
    while (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    if (step.kind == DAV_IF_WRONG)
        wrong(f, "If is malformed, or has more lists or conditions than this server reads.");
}

static void
read_preferences(const struct ern_request *http, struct dav_fields *f)
{
    struct prefer p = prefer_read(http);

    f->respond_async = p.respond_async;
    f->wants_representation = p.return_representation;
    f->wants_minimal = p.return_minimal;
}

void
dav_read_fields(struct dav *dav)
{
    const struct ern_request *http = dav->decision->request;
    struct dav_fields *f = &dav->fields;
    bool overwrite = true, ends;

    *f = (struct dav_fields){.why = "", .overwrite = true};
    read_depth(dav, f);
    read_destination(dav, f);
    dav_read_if(dav);
    read_preferences(http, f);
    if (ern_request_has(http, ERN_FIELD_overwrite) &&
        !dav_flag(ern_request_field(http, ERN_FIELD_overwrite), &overwrite))
        wrong(f, "Overwrite is neither T nor F.");
    f->overwrite = overwrite;
    (void)dav_timeout(ern_request_field(http, ERN_FIELD_timeout),
                      dav->share->limits->lock_seconds_max, &f->timeout_s);
    f->lock_token = dav_coded_url(ern_request_field(http, ERN_FIELD_lock_token));
    if (dav->method->method == ERN_UNLOCK && !slice_is_there(f->lock_token))
        wrong(f, "Lock-Token is missing, or is not a URI in angle brackets.");
    if (dav->method->needs_xml && !http->chunked && http->content_length <= 0)
        wrong(f, "This method needs XML content, and there is none.");
    if (dav->method->method == ERN_PUT)
        upload_read_fields(dav);
    else if (dav->method->method == ERN_POST &&
             upload_flag(http, ERN_FIELD_upload_complete, &ends) && !ends)
        wrong(f, "Uploads in parts are begun with PUT, or with POST to a folder.");
    f->binds = list_has(http, ERN_FIELD_dav, ERN_SLICE("bind"));
}

/* The media type without its parameters. */
static struct ern_slice
media_type_of(const struct ern_request *http)
{
    struct ern_slice type = ern_request_field(http, ERN_FIELD_content_type);

    return slice_trim(slice_first(type, slice_find(type, ';')));
}

static bool
is_one_of(struct ern_slice type, const char *const *types, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(type, slice_text(types[i])))
            return true;
    return false;
}

bool
dav_type_supported(struct dav *dav)
{
    static const char *const xml[] = {"", "application/xml", "text/xml"};
    static const char *const patch[] = {"application/json-patch+json",
                                        "application/merge-patch+json"};
    const struct ern_request *http = dav->decision->request;
    struct ern_slice type = media_type_of(http), coding;

    coding = ern_request_field(http, ERN_FIELD_content_encoding);
    if (slice_is_there(coding) && !slice_eq_nocase(coding, ERN_SLICE("identity"))) {
        bool takes_coded = dav->method->takes_file && !dav->transfer;

        if (takes_coded && dav_coding(http) < CODINGS)
            return true;
        dav->request->fields = takes_coded /* RFC 7694 3 */
                                   ? ERN_SLICE("Accept-Encoding: gzip, br, zstd\r\n")
                                   : ERN_SLICE("Accept-Encoding: identity\r\n");
        return false;
    }
    if (dav->method->method == ERN_PATCH) {
        dav->request->fields = ERN_SLICE("Accept-Patch: application/json-patch+json, "
                                         "application/merge-patch+json\r\n");
        return is_one_of(type, patch, sizeof patch / sizeof *patch);
    }
    if (dav->method->takes_xml) {
        if (is_one_of(type, xml, sizeof xml / sizeof *xml))
            return true;
        /* rfc9110#12.5.1 "When sent by a server in a response, Accept provides information about
         * which content types are preferred" */
        dav->request->fields = ERN_SLICE("Accept: application/xml, text/xml\r\n");
        return false;
    }
    return dav->method->takes_file; /* rfc4918#8.4: no other method has a meaning for content */
}

const int64_t *
dav_content_max(const struct ern_request *http, const struct limits *limits)
{
    const struct dav_method *method = dav_method_find(http->method);

    if (http->method == ERN_PATCH)
        return slice_eq_nocase(media_type_of(http), ERN_SLICE("application/partial-upload"))
                   ? &limits->upload_bytes_max
                   : &limits->patch_bytes_max;
    if (method && method->takes_xml)
        return &limits->xml_bytes_max;
    return method && method->takes_file ? &limits->upload_bytes_max : &limits->content_bytes_max;
}
