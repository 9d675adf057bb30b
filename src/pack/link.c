/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/link.h"

#include "pack/html.h"

static bool
skip_nocase(struct ern_slice *s, struct ern_slice wanted)
{
    if (s->len < wanted.len || !slice_eq_nocase(slice_first(*s, wanted.len), wanted))
        return false;
    *s = slice_skip(*s, wanted.len);
    return true;
}

struct ern_slice
link_path(const struct link_origins *origins, struct ern_slice url)
{
    size_t n = 0;

    while (url.len && html_is_space(url.ptr[0]))
        url = slice_skip(url, 1);
    if (!skip_nocase(&url, ERN_SLICE("http:")))
        (void)skip_nocase(&url, ERN_SLICE("https:"));
    if (!skip_nocase(&url, ERN_SLICE("//")))
        return ERN_ABSENT;
    while (n < url.len && url.ptr[n] != '/' && url.ptr[n] != '?' && url.ptr[n] != '#' &&
           !html_is_space(url.ptr[n]))
        n++;
    for (unsigned i = 0; i < origins->n; i++)
        if (slice_eq_nocase(slice_first(url, n), origins->authorities[i]))
            return slice_skip(url, n);
    return ERN_ABSENT;
}

void
link_write_slash(struct out *o, struct ern_slice path)
{
    /* two slashes would be another authority again */
    if (path.len == 0 || path.ptr[0] != '/' || slice_starts(path, ERN_SLICE("//")))
        out_char(o, '/');
    if (slice_starts(path, ERN_SLICE("//")))
        out_char(o, '.');
}

bool
link_candidate_next(struct ern_slice *rest, struct ern_slice *ret_url)
{
    size_t n = 0, depth = 0;

    while (rest->len && (html_is_space(rest->ptr[0]) || rest->ptr[0] == ','))
        *rest = slice_skip(*rest, 1);
    if (rest->len == 0)
        return false;
    while (n < rest->len && !html_is_space(rest->ptr[n]))
        n++;
    *ret_url = slice_first(*rest, n);
    *rest = slice_skip(*rest, n);
    if (ret_url->ptr[n - 1] == ',') { /* it has no descriptors */
        while (ret_url->len && ret_url->ptr[ret_url->len - 1] == ',')
            ret_url->len--;
        return true;
    }
    for (n = 0; n < rest->len && (depth || rest->ptr[n] != ','); n++) {
        depth += rest->ptr[n] == '(';
        depth -= depth && rest->ptr[n] == ')';
    }
    *rest = slice_skip(*rest, n);
    return true;
}
