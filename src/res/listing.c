/* SPDX-License-Identifier: Apache-2.0 */
#include "res/listing.h"

#include <errno.h>
#include <stdlib.h>

#include "msg/accept.h"
#include "msg/language.h"
#include "res/listing_text.h"

enum { OUT_BYTES = 65536 /* the largest piece, the head of a page, with a path of PATH_MAX */ };

enum stage { STAGE_NEW, STAGE_HEAD, STAGE_CRUMBS, STAGE_TABLE, STAGE_ROWS, STAGE_FOOT, STAGE_END };

struct listing {
    struct res_stream stream; /* first */
    enum stage stage;         /* what is written next */
    struct folder folder;
    struct listing_text text;
    struct out out; /* the piece that was written last, and */
    size_t given;   /* bytes of it that were given away */
    char out_bytes[OUT_BYTES];
    char path[]; /* and behind it the authority */
};

/* Writes the next part into l->text, and moves on to the stage after it. Returns a negative errno.
 */
static int
write_next(struct listing *l)
{
    struct out *o = &l->out;
    struct member m;
    int got = 0;

    switch (l->stage) {
    case STAGE_NEW:
        got = folder_read(&l->folder);
        l->stage = STAGE_HEAD;
        break;
    case STAGE_HEAD:
        listing_write_head(&l->text, o);
        l->stage = STAGE_CRUMBS;
        break;
    case STAGE_CRUMBS:
        if (!listing_write_crumb(&l->text, o))
            l->stage = STAGE_TABLE;
        break;
    case STAGE_TABLE:
        listing_write_table(&l->text, o);
        l->stage = STAGE_ROWS;
        break;
    case STAGE_ROWS:
        got = folder_next(&l->folder, &m);
        if (got > 0)
            listing_write_row(&l->text, o, &m);
        else
            l->stage = STAGE_FOOT;
        break;
    case STAGE_FOOT:
        listing_write_foot(&l->text, o);
        l->stage = STAGE_END;
        break;
    case STAGE_END:
        break;
    }
    if (got < 0)
        return got;
    return o->full ? -ENAMETOOLONG : 0;
}

static ssize_t
fill(struct res_stream *stream, char *piece, size_t cap, bool *ret_end)
{
    struct listing *l = (struct listing *)stream;
    size_t len = 0;

    while (l->stage != STAGE_END || l->given < l->out.len) {
        size_t n = l->out.len - l->given;

        if (n == 0) {
            int error;

            l->out.len = l->given = 0;
            error = write_next(l);
            if (error)
                return error;
            continue;
        }
        if (len == cap)
            break;
        if (n > cap - len)
            n = cap - len;
        memcpy(piece + len, l->out.ptr + l->given, n);
        l->given += n;
        len += n;
    }
    *ret_end = l->stage == STAGE_END && l->given == l->out.len;
    return (ssize_t)len;
}

static void
free_listing(struct res_stream *stream)
{
    struct listing *l = (struct listing *)stream;

    folder_done(&l->folder);
    free(l);
}

static enum listing_format
format_of(const struct ern_request *request)
{
    static const struct ern_variant variants[] = {
        [LISTING_HTML] = {{"text/html", 9}, {NULL, 0}, {NULL, 0}, 1000},
        [LISTING_JSON] = {{"application/json", 16}, {NULL, 0}, {NULL, 0}, 1000},
        [LISTING_TEXT] = {{"text/plain", 10}, {NULL, 0}, {NULL, 0}, 1000},
    };
    unsigned best = 0;
    enum listing_format format = LISTING_HTML;

    for (unsigned i = 0; i < sizeof variants / sizeof *variants; i++) {
        unsigned quality = accept_type(request, variants[i].type);

        if (quality > best) {
            best = quality;
            format = (enum listing_format)i;
        }
    }
    return format;
}

/* Reads "sort=name&order=down"; what it does not know is passed over. */
static void
read_query(struct listing *l, struct ern_slice query)
{
    while (query.len) {
        size_t end = slice_find(query, '&');
        struct ern_slice pair = slice_first(query, end);

        if (slice_starts(pair, ERN_SLICE("sort=")))
            for (unsigned s = 0; s < FOLDER_ORDERS; s++)
                if (slice_eq(slice_skip(pair, 5), listing_order_name((enum folder_order)s)))
                    l->folder.sort = (enum folder_order)s;
        if (slice_starts(pair, ERN_SLICE("order=")))
            l->folder.down = slice_eq(slice_skip(pair, 6), ERN_SLICE("down"));
        query = slice_skip(query, end < query.len ? end + 1 : end);
    }
}

/* A listing of the folder, with copies of all it needs of the request. NULL without memory. */
static struct listing *
listing_new(const struct res_request *request, const struct ern_request *http)
{
    struct listing *l = malloc(sizeof *l + request->path.len + http->authority.len);

    if (!l)
        return NULL;
    l->stream = (struct res_stream){.fill = fill, .free = free_listing};
    l->stage = STAGE_NEW;
    l->given = 0;
    l->out = out_init(l->out_bytes, sizeof l->out_bytes);
    memcpy(l->path, request->path.ptr, request->path.len);
    if (http->authority.len)
        memcpy(l->path + request->path.len, http->authority.ptr, http->authority.len);
    l->text = (struct listing_text){
        .format = format_of(http),
        .language = language_preferred(http),
        .folder = &l->folder,
        .writable = ((const struct files_route *)request->route)->writable,
        .path = slice_from(l->path, request->path.len),
        .authority = slice_from(l->path + request->path.len, http->authority.len),
    };
    if (folder_init(&l->folder, request)) {
        read_query(l, request->query);
        return l;
    }
    free(l);
    return NULL;
}

/* The fields of a listing: it is made anew each time, and differs by what the request accepts. */
static bool
write_fields(struct res_request *request, const struct listing *l)
{
    static const struct ern_slice types[] = {
        [LISTING_HTML] = {"text/html; charset=utf-8", 24},
        [LISTING_JSON] = {"application/json", 16},
        [LISTING_TEXT] = {"text/plain; charset=utf-8", 25},
    };
    const struct files_route *route = request->route;
    struct res_representation *r = &request->representation;
    struct out o = arena_out(request->arena);

    out_literal(&o, "Vary: Accept, Accept-Language\r\nCache-Control: ");
    out_slice(&o,
              slice_is_there(route->cache_control) ? route->cache_control : ERN_SLICE("no-cache"));
    out_literal(&o, "\r\n");
    r->validators = arena_keep(request->arena, &o);
    o = arena_out(request->arena);
    out_literal(&o, "Content-Type: ");
    out_slice(&o, types[l->text.format]);
    if (l->text.format == LISTING_HTML) {
        out_literal(&o, "\r\nContent-Language: ");
        out_slice(&o, language_tag(l->text.language));
        out_literal(&o, "\r\n");
        listing_write_policy(&l->text, &o);
    } else {
        out_literal(&o, "\r\n");
    }
    r->description = arena_keep(request->arena, &o);
    r->type = types[l->text.format];
    return slice_is_there(r->validators) && slice_is_there(r->description);
}

bool
listing_open(struct ern_decision *decision)
{
    struct res_request *request = decision->self;
    struct listing *l;

    if (request->representation.stream) /* it was asked for before */
        return true;
    l = listing_new(request, decision->request);
    if (!l)
        return false;
    request->representation = (struct res_representation){.fd = -1};
    if (!write_fields(request, l)) {
        free_listing(&l->stream);
        return false;
    }
    request->representation.stream = &l->stream;
    request->has_representation = true;
    return true;
}
