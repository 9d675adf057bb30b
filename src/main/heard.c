/* SPDX-License-Identifier: Apache-2.0 */
#include "main/heard.h"

#include <string.h>

#include "base/num.h"
#include "base/slice.h"
#include "earnest/status.h"

enum {
    WAIT_MS = 10000,
    CONTINUE_MS = 1000, /* for a 100 before content is sent without one (RFC 9110 10.1.1) */
};

/* Where the head that begins at a place ends, or 0. */
size_t
heard_end(const struct heard *x, size_t at)
{
    const char *end = x->len > at ? memmem(x->answer + at, x->len - at, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - x->answer) + 4 : 0;
}

uint16_t
heard_status(const struct heard *x, size_t at)
{
    struct ern_slice line = slice_from(x->answer + at, x->len - at);
    uint64_t status;

    if (line.len < 12 || !slice_starts(line, ERN_SLICE("HTTP/")) ||
        !u64_parse(slice_first(slice_skip(line, 9), 3), UINT16_MAX, &status))
        return 0;
    return (uint16_t)status;
}

/* Walks on over the heads that are there. Returns true when one says to send content now. */
bool
heard_walk(struct heard *x)
{
    bool go_on = false;
    size_t end;

    while (x->content_at == 0 && (end = heard_end(x, x->final_at)) != 0) {
        x->status = heard_status(x, x->final_at);
        go_on |= x->status == ERN_100_CONTINUE;
        if (x->status / 100 == 1 && x->status != ERN_101_SWITCHING_PROTOCOLS)
            x->final_at = end;
        else
            x->content_at = end;
    }
    return go_on;
}

/* The next line of a head, without its end. Returns false after the last. */
bool
heard_line(struct ern_slice *head, struct ern_slice *ret)
{
    size_t end = slice_find(*head, '\n');

    if (head->len == 0)
        return false;
    *ret = slice_first(*head, end);
    if (slice_ends(*ret, ERN_SLICE("\r")))
        ret->len--;
    *head = slice_skip(*head, end < head->len ? end + 1 : end);
    return true;
}

/* The value of a field line with this name, which is taken off the head. Returns false if there is
 * none. */
bool
heard_field(struct ern_slice *head, struct ern_slice name, struct ern_slice *ret)
{
    struct ern_slice line;

    while (heard_line(head, &line)) {
        size_t colon = slice_find(line, ':');

        if (colon == line.len || !slice_eq_nocase(slice_first(line, colon), name))
            continue;
        *ret = slice_trim(slice_skip(line, colon + 1));
        return true;
    }
    return false;
}

struct ern_slice
heard_final(const struct heard *x)
{
    return slice_from(x->answer + x->final_at, x->content_at - x->final_at);
}

/* Is all of the last answer there, as far as its length is said? Else it ends with the connection.
 */
static bool
is_whole(const struct heard *x)
{
    const struct ern_status *status = ern_status_find(x->status);
    struct ern_slice head = heard_final(x), value;
    uint64_t length;

    if (x->content_at == 0)
        return false;
    if (slice_starts(slice_from(x->head, x->head_len), ERN_SLICE("HEAD ")) ||
        (status && !status->has_content))
        return true;
    if (heard_field(&head, ERN_SLICE("content-length"), &value))
        return u64_parse(value, INT64_MAX, &length) && x->len - x->content_at >= length;
    head = heard_final(x);
    return heard_field(&head, ERN_SLICE("transfer-encoding"), &value) &&
           slice_ends(slice_from(x->answer + x->content_at - 2, x->len - x->content_at + 2),
                      ERN_SLICE("\r\n0\r\n\r\n")); /* the last chunk, without trailers */
}

bool
heard_talk(struct heard *x, struct ern_slice content, struct call *call)
{
    bool sent = content.len == 0;

    if (!call_send(call, slice_from(x->head, x->head_len)))
        return false;
    while (!is_whole(x) && x->len < HEARD_ANSWER_BYTES) {
        ssize_t n;

        if (!sent && !x->waits && x->content_at == 0) {
            sent = true;
            (void)call_send(call, content); /* if it is not taken, the answer says why */
        }
        n = call_read(call, x->answer + x->len, sizeof x->answer - x->len,
                      sent ? WAIT_MS : CONTINUE_MS);
        if (n == -2 && !sent)
            x->waits = false; /* RFC 9110 10.1.1: it need not wait for ever */
        else if (n <= 0)
            break;
        else
            x->len += (size_t)n;
        if (heard_walk(x))
            x->waits = false;
    }
    return x->content_at > 0;
}
