/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_play.h"

#include <stdlib.h>

#include "base/slice.h"
#include "io/clock.h"
#include "main/heard.h"
#include "main/probe_h2.h"
#include "main/tour_fill.h"

enum { PATIENCE_MS = 10000 };

struct player {
    struct tour_names names;
    char url[64], content[TOUR_SENT_BYTES];
    struct heard heard;
    bool h2;
    char went[TOUR_SENT_BYTES], came[TOUR_SENT_BYTES]; /* frames */
    struct frames frames;
    struct probe_answer answer;
};

/* Keeps what later requests name. */
static void
remember(struct player *p)
{
    for (unsigned i = 0; i < TOUR_KEPTS; i++) {
        struct ern_slice head = heard_final(&p->heard), value;

        if (heard_field(&head, tour_kept_field((enum tour_kept)i), &value))
            tour_keep(&p->names, (enum tour_kept)i, value);
    }
}

static void
tell(const struct player *p, struct ern_slice sent, struct ern_slice content, struct ern_slice got,
     int64_t ms, struct out *o)
{
    out_literal(o, "{\"sent\":\"");
    tour_told(o, sent);
    tour_told(o, content);
    out_literal(o, "\",\"got\":\"");
    tour_told(o, got);
    out_literal(o, "\",\"status\":");
    out_u64(o, p->heard.status);
    out_literal(o, ",\"ms\":");
    out_u64(o, ms > 0 ? (uint64_t)ms : 0);
    out_char(o, '}');
}

static bool
expects_continue(const struct heard *heard)
{
    struct ern_slice head = slice_from(heard->head, heard->head_len), value;

    return heard_field(&head, ERN_SLICE("expect"), &value) &&
           slice_eq_nocase(value, ERN_SLICE("100-continue"));
}

/* Likewise, over HTTP/2: frames are told. */
static void
step_h2(struct player *p, struct ern_slice content, int64_t start_us, struct out *o)
{
    struct heard *heard = &p->heard;
    struct out went = out_init(p->went, sizeof p->went), came = out_init(p->came, sizeof p->came);
    struct out answer = out_init(heard->answer, sizeof heard->answer);
    const struct probe_ask ask = {.url = &heard->url,
                                  .head = slice_from(heard->head, heard->head_len),
                                  .content = content.len ? content : ERN_ABSENT,
                                  .waits = heard->waits,
                                  .patience_ms = PATIENCE_MS,
                                  .h2 = true,
                                  .frames = &p->frames};

    if (frames_begin(&p->frames, &came, &went))
        probe_ask(&ask, &p->answer);
    frames_end(&p->frames);
    probe_h2_write(&p->answer, &answer);
    heard->len = answer.len;
    (void)heard_walk(heard);
    remember(p);
    tell(p, out_done(&went), ERN_ABSENT, out_done(&came), (clock_us() - start_us) / 1000, o);
}

/* Sends one request over a connection of its own. */
static void
step(struct player *p, struct ern_slice text, struct out *o)
{
    struct heard *heard = &p->heard;
    struct out content = out_init(p->content, sizeof p->content);
    struct out head = out_init(heard->head, TOUR_SENT_BYTES);
    struct out url = out_init(p->url, sizeof p->url);
    const char *why;
    struct call *call;
    int64_t start_us = clock_us();

    heard->len = heard->final_at = heard->content_at = 0;
    heard->status = 0;
    tour_fill(&p->names, text, &head, &content);
    heard->head_len = head.len;
    heard->waits = expects_continue(heard);
    out_literal(&url, "http://127.0.0.1:");
    out_u64(&url, p->names.port);
    if (content.full || head.full || !call_url_read(out_done(&url), &heard->url))
        heard->head_len = 0;
    if (p->h2 && probe_h2_can_say(slice_from(heard->head, heard->head_len))) {
        step_h2(p, out_done(&content), start_us, o);
        return;
    }
    if (heard->head_len > 0 && (call = call_open(&heard->url, false, &why)) != NULL) {
        if (heard_talk(heard, out_done(&content), call))
            remember(p);
        call_close(call);
    }
    tell(p, slice_from(heard->head, heard->head_len), out_done(&content),
         slice_from(heard->answer, heard->len), (clock_us() - start_us) / 1000, o);
}

void
tour_play(const struct tour_ports *ports, const struct tour_play *play, struct out *o)
{
    const struct tour_recipe *recipe = play->recipe;
    struct player *p = calloc(1, sizeof *p);
    char text[TOUR_EDIT_BYTES];

    out_literal(o, "{\"steps\":[");
    if (p) {
        p->h2 = play->h2;
        p->names.port = ports->of[recipe->to];
        p->names.site = ports->of[TOUR_SITE];
    }
    for (size_t i = play->near && play->near->alone ? recipe->steps_n - 1 : 0;
         p && i < recipe->steps_n; i++) {
        bool is_last = i + 1 == recipe->steps_n;
        struct out request = out_init(text, sizeof text);

        tour_step_write(is_last && play->near ? &play->near->step : &recipe->steps[i], &request);
        step(p, is_last && slice_is_there(play->edited) ? play->edited : out_done(&request), o);
        if (!is_last)
            out_char(o, ',');
    }
    out_literal(o, "]}");
    free(p);
}
