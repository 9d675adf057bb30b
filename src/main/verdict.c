/* SPDX-License-Identifier: Apache-2.0 */
#include "main/verdict.h"

#include <string.h>

#include "base/num.h"
#include "base/out.h"
#include "base/slice.h"
#include "code/finding.h"
#include "earnest/status.h"
#include "main/audit_words.h"

#define MORE "\r\n{more}Connection: close\r\n"
#define ASK(what, fields) what " HTTP/1.1\r\nHost: {host}" MORE fields "\r\n"
#define ASK_AREA(what, fields) what " HTTP/1.1\r\nHost: {area_host}" MORE fields "\r\n"
#define ASK_H2(fields)                                                                             \
    ":method: GET\r\n:scheme: {scheme}\r\n:authority: {host}\r\n:path: {path}\r\n" fields "\r\n"

const struct probe probes[PROBES] = {
#define PROBE(code, name, kind, where, learns, request, content, others, carries, source,          \
              sentence)                                                                            \
    {code,    PROBE_##kind, PROBE_##where, LEARNS_##learns, #name,   request, sizeof(request) - 1, \
     content, others,       carries,       source,          sentence},
#define UNASKED(code, why)
#include "audit.def"
#undef PROBE
#undef UNASKED
};

const char *
verdict_unasked(unsigned code)
{
    static const struct {
        unsigned code;
        const char *why;
    } unasked[] = {
#define PROBE(...)
#define UNASKED(code, why) {code, why},
#include "audit.def"
#undef PROBE
#undef UNASKED
    };

    for (size_t i = 0; i < sizeof unasked / sizeof *unasked; i++)
        if (unasked[i].code == code)
            return unasked[i].why;
    return NULL;
}

const char *
verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"absent", "earned", "wrong"};

    return names[verdict];
}

/* ---- what is known ----------------------------------------------------------------------------
 */

void
verdict_know(struct knowledge *k, enum known what, struct ern_slice text)
{
    char *to = k->memory + k->used;

    k->known[what] = ERN_ABSENT;
    if (!slice_is_there(text) || text.len > sizeof k->memory - k->used)
        return;
    if (text.len)
        memcpy(to, text.ptr, text.len);
    k->used += text.len;
    k->known[what] = slice_from(to, text.len);
}

static const char *const known_names[KNOWNS] = {
    "scheme", "host",      "path",   "more",   "area_host", "missing", "unslashed",
    "dot",    "etag",      "weak",   "strong", "modified",  "size",    "last",
    "beyond", "long",      "usual",  "nul",    "length",    "new",     "file",
    "ftag",   "newfolder", "folder", "orphan", "copy",      "token",   "gone",
};

/* The one with this name; KNOWNS if there is none. */
static unsigned
find_known(struct ern_slice name)
{
    unsigned i = 0;

    while (i < KNOWNS && !slice_eq(name, slice_text(known_names[i])))
        i++;
    return i;
}

const char *
verdict_fill(const struct knowledge *k, struct ern_slice text, struct out *o)
{
    while (text.len) {
        size_t begin = slice_find(text, '{'), end;
        struct ern_slice name;
        bool is_silent;
        unsigned i;

        out_slice(o, slice_first(text, begin));
        if (begin == text.len)
            break;
        text = slice_skip(text, begin + 1);
        end = slice_find(text, '}');
        name = slice_first(text, end);
        is_silent = slice_starts(name, ERN_SLICE("?"));
        i = find_known(slice_skip(name, is_silent));
        assert(i < KNOWNS); /* the table is ours */
        if (!slice_is_there(k->known[i]))
            return known_names[i];
        if (!is_silent)
            out_slice(o, k->known[i]);
        text = slice_skip(text, end + 1);
    }
    return NULL;
}

static void
know_number(struct knowledge *k, enum known what, uint64_t n)
{
    char digits[24];
    struct out o = out_init(digits, sizeof digits);

    out_u64(&o, n);
    verdict_know(k, what, out_done(&o));
}

static void
learn_target(struct knowledge *k, const struct probe_answer *x)
{
    struct ern_slice etag = probe_field(x, ERN_SLICE("etag"));
    bool is_weak = slice_starts(etag, ERN_SLICE("W/"));
    char text[FOUND_BYTES];
    struct out weak = out_init(text, sizeof text);
    uint64_t n = x->content.len;

    verdict_know(k, KNOWN_etag, etag);
    verdict_know(k, KNOWN_strong, is_weak ? ERN_ABSENT : etag);
    verdict_know(k, KNOWN_modified, probe_field(x, ERN_SLICE("last-modified")));
    out_text(&weak, is_weak ? "" : "W/");
    out_slice(&weak, etag);
    if (slice_is_there(etag) && !weak.full)
        verdict_know(k, KNOWN_weak, out_done(&weak));
    if (x->answer.message.content_length >= 0)
        n = (uint64_t)x->answer.message.content_length;
    else if (x->end == PROBE_LONG)
        n = 0;
    if (n == 0)
        return; /* no range of it can be satisfied */
    know_number(k, KNOWN_size, n);
    know_number(k, KNOWN_last, n - 1);
    know_number(k, KNOWN_beyond, n);
}

static void
learn(const struct probe *probe, const struct probe_answer *x, struct knowledge *k)
{
    struct ern_slice etag = probe_field(x, ERN_SLICE("etag"));

    switch (probe->learns) {
    case LEARNS_NOTHING:
        return;
    case LEARNS_TARGET:
        learn_target(k, x);
        return;
    case LEARNS_FILE:
        k->known[KNOWN_file] = k->known[KNOWN_new];
        verdict_know(k, KNOWN_ftag, slice_starts(etag, ERN_SLICE("W/")) ? ERN_ABSENT : etag);
        return;
    case LEARNS_FOLDER:
        k->known[KNOWN_folder] = k->known[KNOWN_newfolder];
        return;
    case LEARNS_LOCK:
        verdict_know(k, KNOWN_token, probe_field(x, ERN_SLICE("lock-token")));
        return;
    case LEARNS_GONE:
        k->known[KNOWN_gone] = k->known[KNOWN_file];
        return;
    }
}

/* ---- what an answer is worth ------------------------------------------------------------------
 */

/* Takes the next piece before a separator off the text. */
static bool
next(struct ern_slice *text, char separator, struct ern_slice *ret)
{
    size_t end = slice_find(*text, separator);

    if (text->len == 0)
        return false;
    *ret = slice_first(*text, end);
    *text = slice_skip(*text, end < text->len ? end + 1 : end);
    return true;
}

/* Is the status, or for 0 how there came to be none, one of the others? */
static bool
is_among(const char *others, unsigned status, enum probe_end end)
{
    struct ern_slice none = slice_text(end == PROBE_SILENT ? "silent" : "close");
    struct ern_slice text = slice_text(others), word;
    char digits[8];
    struct out o = out_init(digits, sizeof digits);

    out_u64(&o, status);
    while (next(&text, ' ', &word)) {
        bool is_class = slice_ends(word, ERN_SLICE("xx"));

        if (status == 0 ? slice_eq(word, none) : slice_eq(word, ERN_SLICE("*")))
            return true;
        if (status && (slice_eq(word, out_done(&o)) ||
                       (is_class && (unsigned)(word.ptr[0] - '0') == status / 100)))
            return true;
    }
    return false;
}

static bool
contains(struct ern_slice text, struct ern_slice part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (slice_eq_nocase(slice_from(text.ptr + i, part.len), part))
            return true;
    return false;
}

/* Is one piece of carries so? */
static bool
carries(const struct knowledge *k, const struct probe_answer *x, struct ern_slice piece)
{
    char text[FOUND_BYTES], digits[24];
    struct out o = out_init(text, sizeof text), length = out_init(digits, sizeof digits);
    bool is_not = slice_starts(piece, ERN_SLICE("!"));
    size_t equals = slice_find(piece, '='), part = slice_find(piece, '~');
    size_t end = equals < part ? equals : part;
    struct ern_slice name = slice_first(slice_skip(piece, is_not), end - is_not), value;
    bool is_content = slice_eq(name, ERN_SLICE("#"));

    out_u64(&length, x->content.len);
    value = !is_content ? probe_field(x, name) : end == part ? x->content : out_done(&length);
    if (is_not || end == piece.len)
        return slice_is_there(value) != is_not;
    if (verdict_fill(k, slice_skip(piece, end + 1), &o) || o.full)
        return true; /* there is nothing to compare with */
    return end == part ? contains(value, out_done(&o)) : slice_eq(value, out_done(&o));
}

/* Writes what is wrong with the message itself, whatever it answers. Returns true if something is.
 */
static bool
is_flawed(const struct probe_answer *x, struct out *o)
{
    const struct ern_status *status = ern_status_find(x->answer.status);
    unsigned class = x->answer.status / 100;
    char name[FOUND_BYTES / 4];

    if (x->end == PROBE_MALFORMED) {
        out_text(o, audit_say("what it answers is no HTTP: "));
        out_slice(o, audit_words_language() == LANGUAGE_BN ? finding_row(x->finding)->bengali
                                                           : finding_row(x->finding)->english);
        return true;
    }
    for (unsigned i = 0; i < x->interims_n; i++)
        if (x->interims[i].lacks)
            out_text(o, audit_say("an interim answer lacks what it must carry"));
    if (x->end == PROBE_CUT)
        out_text(o, audit_say("its content ends before its framing says"));
    else if (x->surplus)
        out_text(o, audit_say("bytes follow an answer that has no content"));
    else if (x->end != PROBE_WHOLE && x->end != PROBE_LONG)
        return o->len > 0;
    else if (probe_lacks(&x->answer, name, sizeof name)) {
        out_text(o, audit_say("it lacks "));
        out_text(o, name);
    } else if (class >= 2 && class <= 4 && !slice_is_there(probe_field(x, ERN_SLICE("date"))))
        out_text(o, audit_say("it lacks Date (RFC 9110 6.6.1)"));
    else if (status && x->answer.status == ERN_204_NO_CONTENT &&
             x->answer.message.content_length >= 0)
        out_text(o, audit_say("204 has a Content-Length (RFC 9110 8.6)"));
    return o->len > 0;
}

/* Did this status come, as an interim answer or as the last? */
static bool
came(const struct probe *probe, const struct probe_answer *x)
{
    unsigned code = probe->code;
    char memory[8];
    struct out o = out_init(memory, sizeof memory);

    if (probe->kind == PROBE_WITHIN) { /* RFC 4918 14.28: <status>HTTP/1.1 424 ... */
        out_char(&o, ' ');
        out_u64(&o, code);
        out_char(&o, ' ');
        return x->answer.status == ERN_207_MULTI_STATUS && contains(x->content, out_done(&o));
    }
    for (unsigned i = 0; i < x->interims_n; i++)
        if (x->interims[i].status == code)
            return true;
    return x->answer.status == code && (x->end == PROBE_WHOLE || x->end == PROBE_LONG);
}

static void
tell_status(const struct probe_answer *x, unsigned status, struct out *o)
{
    if (status) {
        out_text(o, audit_say("it answers "));
        out_u64(o, status);
    } else if (x->end == PROBE_UNREACHABLE) {
        out_text(o, audit_say(x->why));
    } else {
        out_text(o,
                 audit_say(x->end == PROBE_SILENT  ? "it does not answer in time"
                           : x->end == PROBE_RESET ? "it resets the stream without an answer"
                                                   : "it ends the connection without an answer"));
    }
}

/* Writes what the right answer lacks of its row. */
static bool
lacks(const struct probe *probe, const struct probe_answer *x, const struct knowledge *k,
      struct out *o)
{
    struct ern_slice text = slice_text(probe->carries), piece;

    while (next(&text, '|', &piece))
        if (!carries(k, x, piece)) {
            out_text(o, audit_say("it is not so: "));
            out_slice(o, piece);
            return true;
        }
    return false;
}

static enum verdict
judge(const struct probe *probe, const struct probe_answer *x, const struct knowledge *k,
      unsigned status, struct out *o)
{
    bool is_near = probe->kind == PROBE_NEAR, is_code = came(probe, x);
    bool is_other = is_among(probe->others, status, x->end) && x->end != PROBE_UNREACHABLE;

    if (is_flawed(x, o))
        return VERDICT_WRONG;
    if (is_near ? !is_code && is_other : is_code)
        return lacks(probe, x, k, o) ? VERDICT_WRONG : VERDICT_EARNED;
    if (is_near && is_code)
        out_text(o, audit_say("it gives this status though it should not"));
    else
        tell_status(x, status, o);
    if (x->end == PROBE_UNREACHABLE)
        return VERDICT_WRONG;
    return is_near    ? is_code ? VERDICT_WRONG : VERDICT_ABSENT
           : is_other ? VERDICT_ABSENT
                      : VERDICT_WRONG;
}

void
verdict_find(const struct probe *probe, const struct probe_answer *x, struct knowledge *k,
             struct outcome *ret)
{
    bool is_answer = x->end == PROBE_WHOLE || x->end == PROBE_LONG || x->end == PROBE_CUT;
    struct out o = out_init(ret->found, sizeof ret->found - 1);

    ret->status = is_answer ? x->answer.status : 0;
    ret->verdict = judge(probe, x, k, ret->status, &o);
    ret->found[o.len] = '\0';
    if (ret->status / 100 == 2 && ret->verdict != VERDICT_WRONG)
        learn(probe, x, k);
}
