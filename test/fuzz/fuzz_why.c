/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision, explained. The input is the name that is asked for, an empty line, what a client
 * wrote, and facts. Whatever they are, each form fits its room, is UTF-8, and names the rule that
 * the facts lead to; of what a client wrote nothing is taken for markup.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"
#include "serve/site.h"
#include "serve/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 65536 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* No name that anybody can make up is found where nothing is kept. */
static void
check_name(struct ern_slice name)
{
    static const struct limits limits = {.traces_max = 16};
    static const struct networks none = {NULL, 0};
    static struct traces *traces;
    struct trace found;

    if (!traces)
        traces = traces_new(2, &limits, &none);
    check(traces && !trace_find(traces, name, &found));
}

/* What the rest of the input says, as a trace has it. */
static void
read_trace(struct ern_slice in, struct trace *t)
{
    size_t n = in.len < sizeof t->facts ? in.len : sizeof t->facts;

    memset(t, 0, sizeof *t);
    if (n)
        memcpy(&t->facts, in.ptr, n);
    for (unsigned w = 0; w < 2; w++)
        t->facts.yes.word[w] &= t->facts.known.word[w];
    in = slice_skip(in, n);
    for (; in.len && t->asked_n < 20; in = slice_skip(in, 1)) {
        enum ern_fact fact = (enum ern_fact)((unsigned char)in.ptr[0] % ERN_FACTS);

        if (ern_bits_has(&t->facts.known, fact) && !memchr(t->asked, (int)fact, t->asked_n))
            t->asked[t->asked_n++] = (uint8_t)fact;
    }
    t->method_len = (uint8_t)(in.len < 24 ? in.len : 24);
    t->authority_len = (uint8_t)(in.len - t->method_len < 96 ? in.len - t->method_len : 96);
    n = in.len < TRACE_TEXT_BYTES ? in.len : TRACE_TEXT_BYTES;
    t->path_len = (uint16_t)(n - t->method_len - t->authority_len);
    if (n)
        memcpy(t->text, in.ptr, n);
    t->client.any.sa_family = AF_INET;
}

static void
check_json(struct ern_slice text, const struct ern_rule *rule)
{
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);

    check(root != NULL);
    check(strcmp(json_string_value(json_object_get(json_object_get(root, "replayed"), "rule")),
                 rule->name) == 0);
    json_decref(root);
}

static bool
has_script(struct ern_slice text)
{
    for (size_t at; (at = slice_find(text, '<')) < text.len; text = slice_skip(text, at + 1))
        if (slice_starts(slice_skip(text, at), ERN_SLICE("<script")))
            return true;
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[ROOM];
    static struct conf conf;
    static struct ern_resource kind = {.name = "kind"};
    const struct site_route route = {.path = ERN_SLICE("/"), .kind = &kind, .resource = &kind};
    struct ern_slice in = slice_from((const char *)data, size);
    struct ern_slice name = slice_first(in, slice_find(in, '\n'));
    struct ern_facts facts;
    struct trace trace;
    struct why why;

    check_name(name);
    read_trace(slice_skip(in, name.len < in.len ? name.len + 1 : name.len), &trace);
    facts = trace.facts;
    trace.rule = insight_settle(&facts);
    trace.facts = facts; /* a decision ends only with a rule */
    trace.status = trace.rule->status;
    trace.route = &route;
    for (unsigned language = 0; language < LANGUAGES; language++) {
        why_look(&trace, &conf, ERN_SLICE("0-0-00000000"), (enum language)language, &why);
        for (unsigned form = 0; form < WHY_FORMS; form++) {
            struct out o = out_init(room, sizeof room);

            why_write(&why, (enum why_form)form, &o);
            check(!o.full && utf8_is(out_done(&o)));
            check(!has_script(out_done(&o)) || form == WHY_TEXT || form == WHY_JSON);
            if (form == WHY_JSON)
                check_json(out_done(&o), trace.rule);
        }
    }
    return 0;
}
