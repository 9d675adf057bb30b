/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed as it was, NUL, a feed as it is. What is written is again a feed, as long as it is or
 * shorter; it has nothing in common with the old one, what the old one lacks is all in it, and
 * writing it again changes nothing. A feed has nothing new for one who has it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pack/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 15 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* What of the feed is new; absent if one of them is none. */
static struct ern_slice
news(struct ern_slice base, struct ern_slice feed, char *text, size_t *ret_left)
{
    struct out o = out_init(text, feed.len);

    if (feed_write_new(base, feed, &o, ret_left) != 0)
        return ERN_ABSENT;
    check(o.len <= feed.len);
    return out_done(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[3][INPUT_MAX];
    struct ern_slice base, feed = slice_from((const char *)data, size), some, none, again;
    size_t left, n;

    if (size > INPUT_MAX)
        return 0;
    base = slice_first(feed, slice_find(feed, '\0'));
    feed = slice_skip(feed, base.len < size ? base.len + 1 : base.len);
    some = news(base, feed, text[0], &left);
    if (!slice_is_there(some))
        return 0;
    none = news(feed, feed, text[1], &n);
    check(slice_is_there(none) && n == 0);
    again = news(base, some, text[2], &n);
    check(slice_eq(again, some) && n == left);
    again = news(none, some, text[2], &n); /* nothing is old to one who has nothing */
    check(slice_eq(again, some) && n == left);
    again = news(some, feed, text[2], &n); /* with the new ones away, none of the old is lost */
    check(slice_is_there(again) && (left > 0 || slice_eq(again, feed)));
    return 0;
}
