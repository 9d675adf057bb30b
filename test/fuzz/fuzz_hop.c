/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_hop.c - the input is the value of Via, CDN-Loop, Upgrade and Connection, and a path. Who is
 * named is found wherever it stands; no other version of HTTP goes on; and a path that is plain is
 * what it is read as.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "msg/hop.h"
#include "msg/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, FIELDS = 5 };

static void
check_fields(struct ern_slice value)
{
    static const char *const names[] = {"Via", "CDN-Loop", "Upgrade", "Connection", "X-Other"};
    struct ern_field fields[FIELDS];
    struct ern_request m;
    char written[2 * INPUT_MAX], *named = malloc(value.len + 16);
    struct out o = out_init(written, sizeof written);

    assert(named);
    ern_request_init(&m, fields, FIELDS);
    for (unsigned i = 0; i < FIELDS; i++)
        assert(ern_request_add(&m, slice_text(names[i]), value));
    for (unsigned i = 0; i < FIELDS - 1; i++)
        (void)hop_ends(&m, &fields[i]);
    (void)hop_is_disguised(value);
    if (hop_write_upgrade(&m, &o)) {
        fields[2].value = out_done(&o);
        o = out_init(written + o.len, sizeof written - o.len);
        assert(hop_write_upgrade(&m, &o) && slice_eq(out_done(&o), fields[2].value));
    }
    (void)hop_loops(&m, ERN_SLICE("earnest-us"));
    memcpy(named, "1.1 earnest-us,", 15);
    memcpy(named + 15, value.ptr, value.len);
    fields[0].value = slice_from(named, value.len + 15);
    assert(hop_loops(&m, ERN_SLICE("Earnest-Us")));
    free(named);
}

static void
check_path(struct ern_slice value)
{
    char *text = malloc(value.len + 1), decoded[INPUT_MAX + 1];
    struct ern_slice path;
    struct out o = out_init(decoded, sizeof decoded);
    struct path read;
    size_t at = 0, slashes = 0, kept = 0;

    assert(text);
    text[0] = '/';
    memcpy(text + 1, value.ptr, value.len);
    path = slice_from(text, value.len + 1);
    if (path_is_plain(path) && path_read(path, &o, &read, &at) == FINDING_none) {
        for (size_t i = 0; i < path.len; i++)
            slashes += path.ptr[i] == '/';
        for (size_t i = 0; i < read.text.len; i++)
            kept += read.text.ptr[i] == '/';
        assert(!read.escapes && slashes == kept);
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice value = slice_from((const char *)data, size);

    if (size == 0 || size > INPUT_MAX)
        return 0;
    check_fields(value);
    check_path(value);
    return 0;
}
