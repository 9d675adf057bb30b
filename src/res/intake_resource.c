/* SPDX-License-Identifier: Apache-2.0 */
#include "res/intake_resource.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msg/form.h"
#include "msg/language.h"
#include "msg/list.h"
#include "msg/sf.h"
#include "res/step.h"

enum { MEMORY_BYTES = 65536 /* of content; more goes to a file */ };

struct intake_call { /* what is known of a request, and what came of it */
    struct ern_decision *decision;
    enum form_type type;
    struct ern_slice boundary;
    bool has_boundary; /* if it is of a type that needs one */
    bool has_key, key_valid;
    struct once_claim claim; /* of its key */
    bool claimed, busy;      /* it was tried; another request has it */
    bool known;              /* the same was kept before */
    bool checked, kept;      /* these steps were taken */
    struct ern_slice mapped; /* the content, if it is in a file */
    struct form form;
    uint8_t content[DIGEST_BYTES];
    enum intake_reply reply;
    int error; /* of a step */
};

static struct intake *
intake_of(const struct res_request *request)
{
    const struct intake_route *route = request->route;

    return (struct intake *)(uintptr_t)&route->intake;
}

/* ---- what came ---------------------------------------------------------------------------------
 */

/* A string (draft-ietf-httpapi-idempotency-key-header 2.1), known by its digest. */
static void
read_key(struct intake_call *call, const struct ern_request *http, struct ern_slice user)
{
    struct ern_slice field = ern_request_field(http, ERN_FIELD_idempotency_key);
    uint8_t digest[DIGEST_BYTES];
    struct sf_value value;

    call->has_key = slice_is_there(field);
    call->key_valid = !call->has_key || (sf_is_item(field) && sf_item_next(&field, &value) &&
                                         value.type == SF_STRING && value.text.len > 0);
    if (!call->has_key || !call->key_valid)
        return;
    digest_texts((const struct ern_slice[]){user, value.text}, 2, digest);
    memcpy(call->claim.key, digest, ONCE_KEY_BYTES);
}

static void
release(struct res_request *request)
{
    struct intake_call *call = request->pinned;

    once_release(&intake_of(request)->once, &call->claim);
    form_done(&call->form);
    if (call->mapped.len)
        (void)munmap((void *)(uintptr_t)call->mapped.ptr, call->mapped.len);
    request->pinned = NULL;
}

/* The call of this request, made when it is first needed; NULL without memory. */
static struct intake_call *
call_of(struct ern_decision *d)
{
    struct res_request *request = d->self;
    struct ern_slice type = ern_request_field(d->request, ERN_FIELD_content_type);
    struct intake_call *call = request->state;

    if (call)
        return call;
    call = request->state = arena_take(request->arena, sizeof *call);
    if (!call)
        return NULL;
    *call = (struct intake_call){.decision = d, .type = form_type_of(type), .has_boundary = true};
    call->form.type = FORM_TYPES;
    if (call->type == FORM_MULTIPART)
        call->has_boundary = multipart_boundary(type, &call->boundary);
    read_key(call, d->request, request->user);
    request->pinned = call;
    request->release = release;
    return call;
}

/* A sentence of this kind of resource, in the language of the client. */
static void
tell(struct ern_decision *d, const char *english, const char *bengali)
{
    d->evidence.detail =
        slice_text(language_preferred(d->request) == LANGUAGE_BN ? bengali : english);
}

static enum ern_answer
ask_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return res_allows(d, RES_ALLOW(POST) | RES_ALLOW(OPTIONS));
}

/* RFC 7578 4.1: the boundary is required. */
static enum ern_answer
ask_fields_valid(struct ern_decision *d, enum ern_fact fact)
{
    const struct intake_call *call = call_of(d);
    bool has_content = ern_bits_has(&d->facts.yes, ERN_FACT_has_content);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (d->request->method != ERN_POST)
        return ERN_YES;
    if (!call->key_valid)
        tell(d, "Idempotency-Key is not a string in quotes.",
             "Idempotency-Key উদ্ধৃতি-চিহ্নের ভেতরে লেখা কোনো স্ট্রিং নয়।");
    else if (!call->has_boundary)
        tell(d, "Content-Type does not name the boundary between the parts.",
             "Content-Type অংশগুলির সীমারেখার নাম বলেনি।");
    else if (!has_content && call->type != FORM_URLENCODED)
        tell(d,
             "There is no content: only a form of application/x-www-form-urlencoded can be empty.",
             "কোনো কনটেন্ট নেই: খালি হতে পারে শুধু application/x-www-form-urlencoded ফর্ম।");
    else
        return ERN_YES;
    return ERN_NO;
}

static bool
is_coded(const struct ern_request *http)
{
    struct ern_slice line, coding;

    for (uint16_t at = 0; ern_request_next(http, ERN_FIELD_content_encoding, &at, &line);)
        while (list_next(&line, &coding))
            if (!slice_eq_nocase(coding, ERN_SLICE("identity")))
                return true;
    return false;
}

static enum ern_answer
ask_type_supported(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct intake_call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (call->type == FORM_TYPES)
        request->fields = ERN_SLICE("Accept-Post: application/x-www-form-urlencoded, "
                                    "multipart/form-data, application/json\r\n");
    else if (is_coded(d->request))
        request->fields = ERN_SLICE("Accept-Encoding: identity\r\n"); /* RFC 7694 3 */
    else
        return ERN_YES;
    return ERN_NO;
}

/* ---- the content -------------------------------------------------------------------------------
 */

const int64_t *
intake_content_max(const struct ern_request *request, const struct limits *limits)
{
    /* JSON is taken apart in memory, many times as large. */
    return form_type_of(ern_request_field(request, ERN_FIELD_content_type)) == FORM_JSON
               ? &limits->content_bytes_max
               : &limits->form_bytes_max;
}

/* A file without a name, which ends with the request. */
static int
open_sink(struct res_sink *sink)
{
    const struct intake *in = sink->self;
    char name[STAGE_NAME_BYTES];
    int fd = stage_create(&in->stage, name);

    if (fd < 0)
        return fd;
    sink->fd = fd;
    return unlinkat(in->stage.folder, name, 0) < 0 ? -errno : 0;
}

/* From here on the key is this request's, until it is answered. */
static void
claim(struct intake_call *call, struct res_request *request)
{
    if (!call->has_key || call->claimed)
        return;
    call->claimed = true;
    call->busy = !once_claim(&intake_of(request)->once, &call->claim);
}

static void
begin_content(struct ern_decision *d)
{
    struct res_request *request = d->self;

    claim(request->state, request);
    request->sink = (struct res_sink){
        .max = (uint64_t)*intake_content_max(d->request, request->limits),
        .memory_max = MEMORY_BYTES,
        .open = open_sink,
        .self = intake_of(request),
        .state = SINK_OPEN,
        .fd = -1,
    };
}

/* The content, wherever it is. */
static int
get_content(struct intake_call *call, const struct res_sink *sink, struct ern_slice *ret)
{
    void *memory;

    *ret = slice_from(sink->bytes, sink->len);
    if (sink->fd < 0)
        return 0;
    memory = mmap(NULL, sink->total, PROT_READ, MAP_SHARED, sink->fd, 0);
    if (memory == MAP_FAILED)
        return -errno;
    *ret = call->mapped = slice_from(memory, sink->total);
    return 0;
}

/* Is there something else under its key already, or the same? */
static void
compare(struct intake_call *call, const struct res_request *request)
{
    uint8_t before[DIGEST_BYTES];

    if (!call->has_key ||
        !once_find(&intake_of(request)->once, call->claim.key, request->now.unix_s, before))
        return;
    call->known = memcmp(before, call->content, sizeof before) == 0;
    if (!call->known)
        call->form.fault = FAULT_key_reused;
}

/* On the pool: reads the form, and what it would mean to keep it. */
static void
check_run(struct res_request *request)
{
    struct intake_call *call = request->state;
    struct ern_slice content;

    call->checked = true;
    call->error = get_content(call, &request->sink, &content);
    if (!call->error)
        call->error = form_read(call->type, content, call->boundary, request->limits, &call->form);
    if (!call->error && !call->form.fault)
        call->error = form_digest(&call->form, call->content);
    if (!call->error && !call->form.fault)
        compare(call, request);
}

static void
tell_fault(struct ern_decision *d, const struct form *form)
{
    struct res_request *request = d->self;
    struct out o = arena_out(request->arena);

    form_tell(form, language_preferred(d->request), &o);
    d->evidence.detail = arena_keep(request->arena, &o);
    request->limit = form_limit(form->fault);
}

/* How it arrived, and then what it says. */
static enum ern_answer
ask_content(struct ern_decision *d, enum ern_fact fact)
{
    static const enum ern_fact facts[] = {[FORM_FINE] = ERN_FACTS,
                                          [FORM_ILLFORMED] = ERN_FACT_content_wellformed,
                                          [FORM_LARGE] = ERN_FACT_content_bounded,
                                          [FORM_INVALID] = ERN_FACT_content_valid};
    struct res_request *request = d->self;
    struct intake_call *call = call_of(d);
    enum ern_answer arrived;

    if (!call)
        return ERN_FAIL;
    arrived = fact <= ERN_FACT_content_bounded ? res_ask_content(d, fact, begin_content) : ERN_YES;
    if (arrived != ERN_YES || fact < ERN_FACT_content_bounded || request->sink.state != SINK_FULL)
        return arrived;
    if (d->request->method != ERN_POST)
        return ERN_YES;
    if (!call->checked)
        return res_step(request, check_run);
    if (call->error)
        return call->error == -ENOMEM ? ERN_FAIL : ERN_YES; /* the act says what went wrong */
    if (facts[form_verdict(call->form.fault)] != fact)
        return ERN_YES;
    tell_fault(d, &call->form);
    return ERN_NO;
}

/* ---- the act -----------------------------------------------------------------------------------
 */

static void
keep(struct res_request *request, struct intake_call *call)
{
    struct intake_entry entry = {
        .form = &call->form,
        .now_s = request->now.unix_s,
        .user = request->user,
        .key = call->has_key ? call->claim.key : NULL,
    };

    if (!call->checked) /* there is no content: the form is empty */
        check_run(request);
    if (!call->error && call->form.fault)
        call->reply = INTAKE_OTHER; /* it can only be its key */
    if (call->error || call->form.fault || call->known)
        return;
    memcpy(entry.content, call->content, sizeof entry.content);
    call->error = intake_keep(intake_of(request), &entry, &call->reply);
}

/* On the pool. Afterwards its key may be used again: what was kept under it is known. */
static void
keep_run(struct res_request *request)
{
    struct intake_call *call = request->state;

    keep(request, call);
    once_release(&intake_of(request)->once, &call->claim);
}

static bool
is_full(int error)
{
    return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

static bool
is_forbidden(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS;
}

static enum ern_answer
ask_acted(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    struct intake_call *call = call_of(d);

    (void)fact;
    if (!call)
        return ERN_FAIL;
    if (request->sink.state == SINK_FAILED)
        call->error = request->sink.error;
    claim(call, request);
    if (!call->kept && !call->busy && !call->error) {
        call->kept = true;
        return res_step(request, keep_run);
    }
    return !call->error || is_full(call->error) || is_forbidden(call->error) ? ERN_YES : ERN_NO;
}

/* What the act brought; it was asked before. */
static enum ern_answer
ask_outcome(struct ern_decision *d, enum ern_fact fact)
{
    struct res_request *request = d->self;
    const struct intake_route *route = request->route;
    const struct intake_call *call = request->state;
    bool goes_on = slice_is_there(route->then);

    if (fact == ERN_FACT_act_permitted)
        return is_forbidden(call->error) ? ERN_NO : ERN_YES;
    if (fact == ERN_FACT_no_room)
        return is_full(call->error) ? ERN_YES : ERN_NO;
    if (fact == ERN_FACT_conflicts) {
        if (call->busy)
            tell(d, "The same Idempotency-Key is being worked on: ask again in a moment.",
                 "একই Idempotency-Key-এর কাজ এখন চলছে: একটু পরে আবার পাঠান।");
        return call->busy || call->reply == INTAKE_OTHER ? ERN_YES : ERN_NO;
    }
    if (fact == ERN_FACT_resets)
        return goes_on ? ERN_NO : ERN_YES;
    d->evidence.location = route->then;
    return goes_on ? ERN_YES : ERN_NO;
}

struct ern_resource intake_resource = {
    .name = "intake",
    .ask =
        {
            [ERN_FACT_method_allowed] = ask_method_allowed,
            [ERN_FACT_fields_valid] = ask_fields_valid,
            [ERN_FACT_type_supported] = ask_type_supported,
            [ERN_FACT_content_framed] = ask_content,
            [ERN_FACT_content_in_time] = ask_content,
            [ERN_FACT_content_bounded] = ask_content,
            [ERN_FACT_content_wellformed] = ask_content,
            [ERN_FACT_content_valid] = ask_content,
            [ERN_FACT_acted] = ask_acted,
            [ERN_FACT_act_permitted] = ask_outcome,
            [ERN_FACT_conflicts] = ask_outcome,
            [ERN_FACT_no_room] = ask_outcome,
            [ERN_FACT_redirects] = ask_outcome,
            [ERN_FACT_resets] = ask_outcome,
        },
};
