/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/a_im.h"

#include "base/slice.h"
#include "msg/accept.h"
#include "msg/list.h"

bool
a_im_next(const struct ern_request *request, uint16_t *at, struct ern_slice *rest,
          struct ern_slice *ret_name, unsigned *ret_quality)
{
    struct ern_slice member;

    do {
        while (slice_is_there(*rest) && list_next(rest, &member))
            if (weighted_read(member, ret_name, ret_quality) && *ret_quality > 0)
                return true;
    } while (ern_request_next(request, ERN_FIELD_a_im, at, rest));
    return false;
}
