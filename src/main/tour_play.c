/* SPDX-License-Identifier: Apache-2.0 */
#include "main/tour_play.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "io/clock.h"
#include "main/heard.h"

enum { VALUE_BYTES = 512, TOLD_BYTES = 12288, REPEAT_MAX = TOUR_SENT_BYTES };

enum kept { ETAG, FIRST, LOCATION, LOCK, KEPTS }; /* of answers, for requests after them */

struct player {
    const struct tour_ports *ports;
    enum tour_place to;
    char value[KEPTS][VALUE_BYTES];
    size_t len[KEPTS];
    char head[TOUR_SENT_BYTES], content[TOUR_SENT_BYTES];
    struct heard heard;
};

static const struct {
    const char *name;
    const char *field; /* of the answer that it is taken from */
} kepts[KEPTS] = {
    [ETAG] = {"etag", "etag"},
    [FIRST] = {"first", "etag"},
    [LOCATION] = {"location", "location"},
    [LOCK] = {"lock", "lock-token"},
};

static void
keep(struct player *p, enum kept which, struct ern_slice value)
{
    struct out o = out_init(p->value[which], VALUE_BYTES);

    out_slice(&o, value);
    p->len[which] = o.len;
}

/* Keeps what later requests name. */
static void
remember(struct player *p)
{
    for (unsigned i = 0; i < KEPTS; i++) {
        struct ern_slice head = heard_final(&p->heard), value;

        if (heard_field(&head, slice_text(kepts[i].field), &value) &&
            !(i == FIRST && p->len[FIRST]))
            keep(p, (enum kept)i, value);
    }
}

/* Writes the value of the name at the front of text. Returns its length there, 0 if it is none. */
static size_t
write_named(const struct player *p, struct ern_slice text, size_t length, struct out *o)
{
    const struct {
        struct ern_slice name;
        uint64_t number;
    } numbers[] = {
        {ERN_SLICE("$port"), p->ports->of[p->to]},
        {ERN_SLICE("$site"), p->ports->of[TOUR_SITE]},
        {ERN_SLICE("$length"), length},
    };

    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (slice_starts(text, numbers[i].name)) {
            out_u64(o, numbers[i].number);
            return numbers[i].name.len;
        }
    if (slice_starts(text, ERN_SLICE("$host"))) {
        out_literal(o, "127.0.0.1:");
        out_u64(o, p->ports->of[p->to]);
        return sizeof "$host" - 1;
    }
    for (unsigned i = 0; i < KEPTS; i++) {
        struct ern_slice name = slice_text(kepts[i].name);

        if (slice_starts(slice_skip(text, 1), name)) {
            out_slice(o, slice_from(p->value[i], p->len[i]));
            return name.len + 1;
        }
    }
    return 0;
}

/* Writes what {x*9000} at the front of text stands for. Returns its length there, 0 if it is none.
 */
static size_t
write_repeated(struct ern_slice text, struct out *o)
{
    size_t star = slice_find(text, '*'), end = slice_find(text, '}');
    uint64_t n;

    if (star < 2 || end == text.len || star > end ||
        !u64_parse(slice_first(slice_skip(text, star + 1), end - star - 1), REPEAT_MAX, &n))
        return 0;
    for (; n && !o->full; n--)
        out_slice(o, slice_first(slice_skip(text, 1), star - 1));
    return end + 1;
}

/* Writes what an escape of content stands for. Returns its length, 0 if it is none. */
static size_t
write_escaped(struct ern_slice text, struct out *o)
{
    char c = text.len > 1 ? text.ptr[1] : '\0';

    if (c == 'r' || c == 'n') {
        out_char(o, c == 'r' ? '\r' : '\n');
        return 2;
    }
    if (c == 'x' && text.len > 3 && hex_value(text.ptr[2]) >= 0 && hex_value(text.ptr[3]) >= 0) {
        out_char(o, (char)(hex_value(text.ptr[2]) * 16 + hex_value(text.ptr[3])));
        return 4;
    }
    return 0;
}

/* Writes a text with all that stands for something else replaced; in a head, LF becomes CRLF. */
static void
fill(const struct player *p, struct ern_slice text, bool is_head, size_t length, struct out *o)
{
    while (text.len) {
        char c = text.ptr[0];
        size_t n = c == '$'                ? write_named(p, text, length, o)
                   : c == '{'              ? write_repeated(text, o)
                   : c == '\\' && !is_head ? write_escaped(text, o)
                                           : 0;

        if (n == 0 && c == '\n' && is_head)
            out_char(o, '\r');
        if (n == 0)
            out_char(o, c);
        text = slice_skip(text, n ? n : 1);
    }
}

/* Where the content of a request begins: after the first empty line. */
static size_t
content_at(struct ern_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == '\n' && text.ptr[i + 1] == '\n')
            return i + 2;
    return text.len;
}

/* Bytes as the inside of a JSON string: text as it is, all else as \xNN. */
static void
write_told(struct out *o, struct ern_slice bytes)
{
    bool cut = bytes.len > TOLD_BYTES;

    if (cut)
        bytes.len = TOLD_BYTES;
    while (bytes.len) {
        size_t n = utf8_len(bytes);
        unsigned char c = (unsigned char)bytes.ptr[0];
        bool is_text = n > 1 || (n == 1 && (c >= ' ' || c == '\r' || c == '\n' || c == '\t'));

        if (is_text) {
            out_json(o, slice_first(bytes, n));
        } else {
            out_literal(o, "\\\\x");
            out_char(o, "0123456789abcdef"[c >> 4]);
            out_char(o, "0123456789abcdef"[c & 0xf]);
        }
        bytes = slice_skip(bytes, is_text ? n : 1);
    }
    if (cut)
        out_literal(o, "\\n…");
}

static void
tell(const struct player *p, struct ern_slice content, int64_t ms, struct out *o)
{
    out_literal(o, "{\"sent\":\"");
    write_told(o, slice_from(p->heard.head, p->heard.head_len));
    write_told(o, content);
    out_literal(o, "\",\"got\":\"");
    write_told(o, slice_from(p->heard.answer, p->heard.len));
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

/* Sends one request over a connection of its own. */
static void
step(struct player *p, struct ern_slice text, struct out *o)
{
    size_t at = content_at(text);
    struct ern_slice rest;
    struct out content = out_init(p->content, sizeof p->content);
    struct out head = out_init(p->heard.head, TOUR_SENT_BYTES);
    struct out url = out_init(p->head, sizeof p->head);
    struct heard *heard = &p->heard;
    const char *why;
    struct call *call;
    int64_t start_us = clock_us();

    heard->len = heard->final_at = heard->content_at = 0;
    heard->status = 0;
    rest = slice_skip(text, at);
    if (slice_ends(rest, ERN_SLICE("\n"))) /* people end a line so */
        rest.len--;
    fill(p, rest, false, 0, &content);
    fill(p, slice_first(text, at), true, content.len, &head);
    heard->head_len = head.len;
    heard->waits = expects_continue(heard);
    out_literal(&url, "http://127.0.0.1:");
    out_u64(&url, p->ports->of[p->to]);
    if (!content.full && !head.full && call_url_read(out_done(&url), &heard->url) &&
        (call = call_open(&heard->url, false, &why)) != NULL) {
        if (heard_talk(heard, out_done(&content), call))
            remember(p);
        call_close(call);
    }
    tell(p, out_done(&content), (clock_us() - start_us) / 1000, o);
}

void
tour_play(const struct tour_ports *ports, const struct tour_play *play, struct out *o)
{
    const struct tour_recipe *recipe = play->recipe;
    struct player *p = calloc(1, sizeof *p);
    char text[TOUR_EDIT_BYTES];

    out_literal(o, "{\"steps\":[");
    if (p) {
        p->ports = ports;
        p->to = recipe->to;
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
