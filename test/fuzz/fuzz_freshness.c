/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_freshness.c - the input is the value of Cache-Control, Age, Expires, Last-Modified and Vary,
 * and of the fields that Vary names. No time is negative; what is fresh is not too old; what
 * insists on validation is never used stale; and what a request says is the same on one line as on
 * two.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "msg/freshness.h"
#include "msg/list.h"
#include "msg/vary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, FIELDS = 8, NOW_S = 1700000000, LATER_S = 100 };

static void
check_freshness(struct ern_slice value)
{
    static const char *const names[] = {"Cache-Control", "Age",  "Expires",
                                        "Last-Modified", "Date", "Vary"};
    static const struct freshness_times times = {NOW_S - 1, NOW_S, 1000};
    struct ern_field fields[FIELDS];
    struct ern_request m;
    struct freshness f;
    enum reuse reuse;

    ern_request_init(&m, fields, FIELDS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert(ern_request_add(&m, slice_text(names[i]), value));
    f = freshness_read(&m, 200, &times);
    assert(f.lifetime_s >= 0 && f.initial_age_s >= 1);
    for (unsigned i = 0; i < CACHE_TIMES; i++)
        assert(f.control.seconds[i] >= 0 && f.control.seconds[i] <= CACHE_SECONDS_MAX);
    assert(freshness_age_s(&f, NOW_S + LATER_S) == f.initial_age_s + LATER_S);
    /* The request says what the answer says. */
    reuse = freshness_reuse(&f.control, &f, NOW_S);
    assert((reuse == REUSE_FRESH || reuse == REUSE_NOT_ASKED) ==
           (f.lifetime_s > f.initial_age_s && !cache_control_says_all(&f.control, CACHE_NO_CACHE)));
    if (cache_control_says(&f.control, CACHE_MUST_REVALIDATE))
        assert(!freshness_outlives(&f.control, &f, NOW_S, true, INT32_MAX) &&
               reuse != REUSE_STALE && reuse != REUSE_STALE_MEANWHILE);
    if (freshness_storable(&m, &f.control, &m, &f) == STORABLE)
        assert(!cache_control_says(&f.control, CACHE_NO_STORE));
}

/* Writes what a request says that has these lines of one field. */
static struct ern_slice
selected(struct ern_slice name, const struct ern_slice *lines, unsigned n, char *text, size_t cap)
{
    struct ern_field fields[2];
    struct ern_request r;
    struct out o = out_init(text, cap);

    ern_request_init(&r, fields, 2);
    for (unsigned i = 0; i < n; i++)
        assert(ern_request_add(&r, name, lines[i]));
    vary_write(&r, name, &o);
    assert(!o.full);
    return out_done(&o);
}

/* A line that ends at a member says the same as two. */
static void
check_vary(struct ern_slice name, struct ern_slice value)
{
    char one[2 * INPUT_MAX], two[2 * INPUT_MAX];
    struct ern_slice rest = value, member, lines[2];

    if (!list_next(&rest, &member))
        return;
    lines[0] = slice_first(value, value.len - rest.len);
    lines[1] = rest;
    assert(slice_eq(selected(name, &value, 1, one, sizeof one),
                    selected(name, lines, 2, two, sizeof two)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ern_slice value = slice_from((const char *)data, size);

    if (size == 0 || size > INPUT_MAX / 2)
        return 0;
    check_freshness(value);
    check_vary(ERN_SLICE("X-Any"), value);
    check_vary(ERN_SLICE("Accept-Encoding"), value);
    return 0;
}
