/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note_microhttpd.c - libearnest in someone else's server: libmicrohttpd reads and writes HTTP,
 * Earnest decides. One resource, /note, a text in memory that can be read and replaced:
 *
 *     note_microhttpd 8081 &
 *     curl -i http://localhost:8081/note                                   200, with an ETag
 *     curl -i -H 'If-None-Match: "1"' http://localhost:8081/note           304
 *     curl -i -T file -H 'If-Match: "0"' http://localhost:8081/note        412, and no 100 before
 *     curl -i -X DELETE http://localhost:8081/note                         405, with Allow
 *
 * The application states facts (is there a note, may it be deleted?); it never names a status.
 */
#include <earnest/decide.h>
#include <earnest/status.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NOTE_MAX = 4096, FIELDS_MAX = 64 };

struct note { /* the application's state; one thread serves all */
    char text[NOTE_MAX], etag[16];
    size_t len;
    unsigned version;
};

struct exchange { /* one request, and what it is about */
    struct note *note;
    struct ern_request request;
    struct ern_field fields[FIELDS_MAX];
    struct ern_decision decision;
    char content[NOTE_MAX];
    size_t len;
    bool too_long, too_many_fields;
};

static struct ern_slice
slice(const char *text)
{
    return (struct ern_slice){text, strlen(text)};
}

static enum ern_answer
note_exists(struct ern_decision *d, enum ern_fact fact)
{
    const struct exchange *x = d->self;

    (void)fact;
    if (x->request.path.len != 5 || memcmp(x->request.path.ptr, "/note", 5) != 0)
        return ERN_NO;
    d->evidence.etag = slice(x->note->etag);
    d->evidence.content_bytes = (int64_t)x->note->len;
    return ERN_YES;
}

static enum ern_answer
note_method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    uint64_t allow = UINT64_C(1) << ERN_GET | UINT64_C(1) << ERN_HEAD;

    if (note_exists(d, fact) == ERN_YES)
        allow |= UINT64_C(1) << ERN_PUT;
    d->evidence.allow = allow;
    return d->request->method < ERN_METHODS && (allow >> d->request->method & 1) ? ERN_YES : ERN_NO;
}

static enum ern_answer
note_content_bounded(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return ((const struct exchange *)d->self)->too_long ? ERN_NO : ERN_YES;
}

static enum ern_answer
note_acted(struct ern_decision *d, enum ern_fact fact)
{
    struct exchange *x = d->self;

    (void)fact;
    if (d->request->method == ERN_PUT) {
        memcpy(x->note->text, x->content, x->len);
        x->note->len = x->len;
        (void)snprintf(x->note->etag, sizeof x->note->etag, "\"%u\"", ++x->note->version);
    }
    return ERN_YES;
}

static enum ern_answer
note_empty(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return d->request->method == ERN_PUT ? ERN_YES : ERN_NO;
}

static struct ern_resource note_resource = {
    .name = "note",
    .ask =
        {
            ERN_ASKS_CONDITIONAL,
            [ERN_FACT_exists] = note_exists,
            [ERN_FACT_method_allowed] = note_method_allowed,
            [ERN_FACT_content_bounded] = note_content_bounded,
            [ERN_FACT_acted] = note_acted,
            [ERN_FACT_empty] = note_empty,
        },
};

static enum MHD_Result
add_field(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct exchange *x = self;

    (void)kind;
    x->too_many_fields |= !ern_request_add(&x->request, slice(name), slice(value ? value : ""));
    return MHD_YES;
}

/* The Allow field: the methods of the set, joined by commas. */
static void
add_allow(struct MHD_Response *response, uint64_t allow)
{
    char text[256] = "";
    size_t len = 0;

    for (unsigned m = 0; m < ERN_METHODS; m++)
        if (allow >> m & 1) {
            struct ern_slice name = ern_method_name((enum ern_method)m);

            len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", len ? ", " : "",
                                    (int)name.len, name.ptr);
        }
    (void)MHD_add_response_header(response, "Allow", text);
}

/* Sends what the rule says, with the fields that its status must carry. */
static enum MHD_Result
answer(struct MHD_Connection *connection, struct exchange *x, const struct ern_rule *rule)
{
    const struct ern_status *status = ern_status_find(rule->status);
    bool failed = rule->status >= ERN_400_BAD_REQUEST;
    char problem[256];
    int problem_len =
        snprintf(problem, sizeof problem, "{\"status\":%u,\"title\":\"%.*s\",\"detail\":\"%s\"}\n",
                 rule->status, (int)status->phrase.len, status->phrase.ptr, rule->name);
    size_t len = failed ? (size_t)problem_len : status->has_content ? x->note->len : 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, failed ? problem : x->note->text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (failed || status->has_content)
        (void)MHD_add_response_header(response, "Content-Type",
                                      failed ? "application/problem+json" : "text/plain");
    if (!failed && x->decision.evidence.etag.ptr)
        (void)MHD_add_response_header(response, "ETag", x->note->etag);
    if (rule->status == ERN_405_METHOD_NOT_ALLOWED)
        add_allow(response, x->decision.evidence.allow);
    result = MHD_queue_response(connection, rule->status, response);
    MHD_destroy_response(response);
    return result;
}

/* The header section is here: what can be decided by it alone is answered at once. */
static enum MHD_Result
begin(struct MHD_Connection *connection, struct exchange *x, const char *url, const char *method,
      const char *version)
{
    const struct ern_rule *rule;
    struct ern_slice length;
    struct ern_facts given;

    ern_request_init(&x->request, x->fields, FIELDS_MAX);
    ern_request_method(&x->request, slice(method));
    x->request.target = x->request.path = slice(url);
    x->request.version_major = 1;
    x->request.version_minor = strcmp(version, "HTTP/1.0") != 0;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, x);
    length = ern_request_field(&x->request, ERN_FIELD_content_length);
    if (length.ptr)
        x->request.content_length = strtoll(length.ptr, NULL, 10);
    x->request.chunked = ern_request_has(&x->request, ERN_FIELD_transfer_encoding);

    ern_request_facts(&x->request, time(NULL), &given);
    ern_state(&given, ERN_FACT_content_fits, x->request.content_length <= NOTE_MAX);
    ern_state(&given, ERN_FACT_fields_too_large, x->too_many_fields);
    ern_begin(&x->decision, &note_resource, x, &x->request, time(NULL), &given);
    rule = ern_decide(&x->decision, ERN_ASK);
    return rule ? answer(connection, x, rule) : MHD_YES; /* without an answer it sends 100 */
}

static enum MHD_Result
handle(void *note, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *data_len, void **exchange)
{
    struct exchange *x = *exchange;

    if (!x) {
        x = *exchange = calloc(1, sizeof *x);
        if (!x)
            return MHD_NO;
        x->note = note;
        return begin(connection, x, url, method, version);
    }
    if (*data_len == 0)
        return answer(connection, x, ern_decide(&x->decision, ERN_ACT));
    x->too_long |= *data_len > NOTE_MAX - x->len;
    if (!x->too_long) {
        memcpy(x->content + x->len, data, *data_len);
        x->len += *data_len;
    }
    *data_len = 0;
    return MHD_YES;
}

static void
finish(void *self, struct MHD_Connection *connection, void **exchange,
       enum MHD_RequestTerminationCode why)
{
    (void)self;
    (void)connection;
    (void)why;
    free(*exchange);
}

int
main(int argc, char **argv)
{
    static struct note note = {.text = "Hello.\n", .etag = "\"1\"", .len = 7, .version = 1};
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 8081;
    struct MHD_Daemon *daemon;

    ern_resource_init(&note_resource);
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, handle, &note,
                              MHD_OPTION_NOTIFY_COMPLETED, finish, NULL, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("http://localhost:%u/note\n",
           MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    (void)getchar(); /* serves until its input ends */
    MHD_stop_daemon(daemon);
    return 0;
}
