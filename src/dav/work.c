/* SPDX-License-Identifier: Apache-2.0 */
/* work.c - how a job is accepted, and what is said of it. */
#include "dav/work.h"

#include <errno.h>

#include "base/slice.h"
#include "code/language.h"
#include "msg/accept.h"
#include "msg/language.h"
#include "res/page.h"

enum {
    OLD_N = 8,         /* rows that one new one puts away, */
    OLD_S = 7 * 86400, /* which are of jobs that ended so long ago */
};

struct census { /* of the jobs of a folder */
    int64_t now_s, unfinished;
    unsigned old_n;
    char old[OLD_N][STAGE_NAME_BYTES];
};

static int
count(void *self, const struct work *w)
{
    struct census *c = self;
    bool over = w->state != WORK_WAITING && w->state != WORK_RUNNING;

    c->unfinished += !over;
    if (over && c->now_s - w->ended_s > OLD_S && c->old_n < OLD_N && w->id.len < STAGE_NAME_BYTES) {
        memcpy(c->old[c->old_n], w->id.ptr, w->id.len);
        c->old[c->old_n++][w->id.len] = '\0';
    }
    return 0;
}

int
work_has_room(struct dav *dav, bool *ret_yes)
{
    struct census c = {.now_s = dav->now.unix_s};
    int error = work_walk(dav->session, dav->share->id, count, &c);

    *ret_yes = c.unfinished < dav->share->limits->works_max;
    return error;
}

static int
put_away_old(struct dav *dav)
{
    struct census c = {.now_s = dav->now.unix_s};
    int error = work_walk(dav->session, dav->share->id, count, &c);

    for (unsigned i = 0; !error && i < c.old_n; i++)
        error = work_remove(dav->session, slice_text(c.old[i]));
    return error;
}

/* The lock tokens that the request submits (RFC 4918 10.4.1): the job has them, too. */
static struct ern_slice
tokens_of(struct dav *dav)
{
    struct dav_if walk = {.rest = ern_request_field(dav->decision->request, ERN_FIELD_if)};
    struct out o = arena_out(dav->request->arena);
    struct dav_if_step step;

    if (!dav->fields.has_if)
        return ERN_SLICE("");
    do {
        step = dav_if_next(&walk);
        if (step.kind == DAV_IF_TOKEN && !step.is_not) {
            out_slice(&o, step.text);
            out_char(&o, ' ');
        }
    } while (step.kind != DAV_IF_END && step.kind != DAV_IF_WRONG);
    return arena_keep(dav->request->arena, &o);
}

struct ern_slice
work_location(struct arena *arena, const struct share *share, struct ern_slice id)
{
    struct out o = arena_out(arena);

    share_write_number(&o, WORK_PATH, share);
    out_slice(&o, id);
    return arena_keep(arena, &o);
}

int
work_accept(struct dav *dav)
{
    char *id = arena_take(dav->request->arena, STAGE_NAME_BYTES);
    struct work w = {
        .share = dav->share->id,
        .method = ern_method_name(dav->decision->request->method),
        .path = dav->target.path,
        .to = dav->destination.asked,
        .overwrite = dav->fields.overwrite,
        .tokens = tokens_of(dav),
        .total = -1,
        .made_s = dav->now.unix_s,
    };
    int error;

    if (!id || !slice_is_there(w.tokens))
        return -ENOMEM;
    stage_name(id);
    w.id = slice_text(id);
    error = put_away_old(dav);
    if (!error)
        error = work_put(dav->session, &w);
    if (error)
        return error;
    dav_field(dav, "Preference-Applied", ERN_SLICE("respond-async"));
    dav->decision->evidence.location = work_location(dav->request->arena, dav->share, w.id);
    dav->outcome = DAV_LATER;
    work_runner_wake(dav->share->runner);
    return work_represent(dav->request, dav->decision->request, dav->share, &w) ? 0 : -ENOMEM;
}

/* ---- what is said of it
 * ------------------------------------------------------------------------------ */

static const char *const state_names[] = {"waiting", "running", "done", "failed", "cancelled"};

static const struct page_text {
    const char *title, *states[5], *of, *why, *cancel;
} page_texts[] = {
    [LANGUAGE_EN] = {"A job",
                     {"Waits for its turn", "Is being done", "Is done", "Failed", "Was cancelled"},
                     " of ",
                     "The rule that ended it: ",
                     "This page renews itself. DELETE of this address cancels the job."},
    [LANGUAGE_BN] = {"একটি কাজ",
                     {"পালার অপেক্ষায়", "চলছে", "শেষ হয়েছে", "ব্যর্থ হয়েছে", "বাতিল হয়েছে"},
                     " / ",
                     "যে নিয়মে এটি শেষ হয়েছে: ",
                     "এই পাতা নিজে নিজে হালনাগাদ হয়। এই ঠিকানায় DELETE পাঠালে কাজটি বাতিল হয়।"},
};

static bool
is_over(const struct work *w)
{
    return w->state != WORK_WAITING && w->state != WORK_RUNNING;
}

/* Percent-encoded, it has nothing that JSON would escape. */
static void
write_path_json(struct out *o, const struct share *share, struct ern_slice path)
{
    out_char(o, '"');
    share_write_path(o, share, path);
    out_char(o, '"');
}

static void
write_json(struct out *o, const struct share *share, const struct work *w)
{
    out_literal(o, "{\"state\":\"");
    out_text(o, state_names[w->state]);
    out_literal(o, "\",\"method\":\"");
    out_json(o, w->method);
    out_literal(o, "\",\"path\":");
    write_path_json(o, share, w->path);
    if (slice_is_there(w->to) && w->to.len) {
        out_literal(o, ",\"destination\":");
        write_path_json(o, share, w->to);
    }
    out_literal(o, ",\"done\":");
    out_u64(o, (uint64_t)w->done);
    if (w->total >= 0) {
        out_literal(o, ",\"total\":");
        out_u64(o, (uint64_t)w->total);
    }
    if (slice_is_there(w->result) && w->result.len) {
        out_literal(o, ",\"rule\":\"");
        out_json(o, w->result);
        out_char(o, '"');
    }
    out_literal(o, "}\n");
}

static void
write_page(struct out *o, const struct share *share, const struct work *w, enum language language)
{
    const struct page_text *t = &page_texts[language];

    out_literal(o, "<!doctype html>\n<html lang=\"");
    out_slice(o, language_tag(language));
    out_literal(o, "\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
                   "content=\"width=device-width\">");
    if (!is_over(w))
        out_literal(o, "<meta http-equiv=\"refresh\" content=\"1\">");
    out_literal(o, "<title>");
    out_text(o, t->title);
    out_literal(o, "</title><style>");
    out_slice(o, page_style.text);
    out_literal(o, "</style><main><h1>");
    out_text(o, t->states[w->state]);
    out_literal(o, "</h1><p><code>");
    out_html(o, w->method);
    out_char(o, ' ');
    share_write_path(o, share, w->path);
    if (slice_is_there(w->to) && w->to.len) {
        out_literal(o, " → ");
        share_write_path(o, share, w->to);
    }
    out_literal(o, "</code></p>");
    if (w->total > 0) {
        out_literal(o, "<p><progress max=\"");
        out_u64(o, (uint64_t)w->total);
        out_literal(o, "\" value=\"");
        out_u64(o, (uint64_t)w->done);
        out_literal(o, "\"></progress> ");
        out_u64(o, (uint64_t)w->done);
        out_text(o, t->of);
        out_u64(o, (uint64_t)w->total);
        out_literal(o, "</p>");
    }
    out_literal(o, "<p>");
    if (slice_is_there(w->result) && w->result.len) {
        out_text(o, t->why);
        out_html(o, w->result);
    } else if (!is_over(w)) {
        out_text(o, t->cancel);
    }
    out_literal(o, "</p></main></html>\n");
}

bool
work_represent(struct res_request *request, const struct ern_request *http,
               const struct share *share, const struct work *w)
{
    enum { TEXT_BYTES = 16384 };
    char *text = arena_take(request->arena, TEXT_BYTES);
    struct out o = out_init(text, text ? TEXT_BYTES : 0);
    bool page = accept_type(http, ERN_SLICE("text/html")) >
                accept_type(http, ERN_SLICE("application/json"));

    if (page)
        write_page(&o, share, w, language_preferred(http));
    else
        write_json(&o, share, w);
    request->representation = (struct res_representation){
        .validators = ERN_SLICE("Vary: Accept, Accept-Language\r\nCache-Control: no-store\r\n"),
        .description = page ? ERN_SLICE("Content-Type: text/html; charset=utf-8\r\n")
                            : ERN_SLICE("Content-Type: application/json\r\n"),
        .type = page ? ERN_SLICE("text/html; charset=utf-8") : ERN_SLICE("application/json"),
        .bytes = text,
        .length = o.len,
        .fd = -1,
    };
    request->has_representation = !o.full;
    return !o.full;
}
