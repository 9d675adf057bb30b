/* SPDX-License-Identifier: Apache-2.0 */
/* The query of the stream of decisions. What is read is written and read again, and wants the same.
 */
#include <stdlib.h>

#include "res/live_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct live_filter filter, again;
    char buffer[4096];
    struct out o = out_init(buffer, sizeof buffer);

    if (!live_filter_query(&filter, slice_from((const char *)data, size)))
        return 0;
    check(filter.path_len <= LIVE_PATH_MAX);
    live_filter_write_statuses(&o, &filter);
    check(!o.full);
    live_filter_init(&again);
    check(live_filter_statuses(&again, out_done(&o)));
    if (filter.path_len)
        check(live_filter_path(&again, slice_from(filter.path, filter.path_len)));
    for (unsigned status = 0; status < 1000; status++) {
        struct ern_slice path = slice_from(filter.path, filter.path_len);
        bool wants = live_filter_wants(&filter, path, status);

        check(wants == live_filter_wants(&again, path, status));
        check(!filter.path_len || !live_filter_wants(&filter, ERN_SLICE("x"), status));
    }
    return 0;
}
