/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed_microhttpd.c - the least that it takes: libmicrohttpd speaks HTTP, Earnest decides.
 *
 *     embed_microhttpd 8081 &
 *     curl -i http://localhost:8081/                              200, with its ETag
 *     curl -i -H 'If-None-Match: "1"' http://localhost:8081/      304
 *     curl -i -H 'If-Match: "0"' http://localhost:8081/           412
 *     curl -i -X DELETE http://localhost:8081/                    405, with Allow
 *
 * The program states two facts; it never names a status. note_microhttpd.c is one with uploads.
 */
#include <earnest/decide.h>
#include <earnest/status.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char text[] = "Hello.\n", etag[] = "\"1\"";

static struct ern_slice
slice(const char *s)
{
    return (struct ern_slice){s, strlen(s)};
}

static enum ern_answer
exists(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    d->evidence.etag = slice(etag);
    return d->request->path.len == 1 ? ERN_YES : ERN_NO;
}

static enum ern_answer
method_allowed(struct ern_decision *d, enum ern_fact fact)
{
    (void)fact;
    return d->request->method == ERN_GET || d->request->method == ERN_HEAD ? ERN_YES : ERN_NO;
}

static struct ern_resource resource = {
    .name = "text",
    .ask = {ERN_ASKS_CONDITIONAL, [ERN_FACT_exists] = exists,
            [ERN_FACT_method_allowed] = method_allowed},
};

static enum MHD_Result
add_field(void *request, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    return ern_request_add(request, slice(name), slice(value ? value : "")) ? MHD_YES : MHD_NO;
}

static enum MHD_Result
handle(void *self, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *data, size_t *data_len, void **seen)
{
    struct ern_field fields[64];
    struct ern_request request;
    struct ern_facts given;
    struct ern_decision decision;
    const struct ern_rule *rule;
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)self, (void)version, (void)data, (void)data_len, (void)seen;
    ern_request_init(&request, fields, sizeof fields / sizeof *fields);
    ern_request_method(&request, slice(method));
    request.path = slice(url);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, &request);

    ern_request_facts(&request, time(NULL), &given);
    ern_begin(&decision, &resource, NULL, &request, time(NULL), &given);
    rule = ern_decide(&decision, ERN_ACT);

    if (rule->status == ERN_200_OK)
        response = MHD_create_response_from_buffer(sizeof text - 1, (void *)(uintptr_t)text,
                                                   MHD_RESPMEM_PERSISTENT);
    else /* the reason is the content; 304 has none, which the library sees to */
        response = MHD_create_response_from_buffer(
            strlen(rule->name), (void *)(uintptr_t)rule->name, MHD_RESPMEM_PERSISTENT);
    if (rule->status == ERN_405_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, "Allow", "GET, HEAD");
    if (decision.evidence.etag.ptr)
        (void)MHD_add_response_header(response, "ETag", etag);
    result = MHD_queue_response(connection, rule->status, response);
    MHD_destroy_response(response);
    return result;
}

int
main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 8081;
    struct MHD_Daemon *daemon;

    ern_resource_init(&resource);
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, handle, NULL,
                              MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("http://localhost:%u/\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    (void)getchar(); /* serves until its input ends */
    MHD_stop_daemon(daemon);
    return 0;
}
