/* SPDX-License-Identifier: Apache-2.0 */
/* intake_resource.h - where forms are sent to: POST, and no more. */
#ifndef RES_INTAKE_RESOURCE_H
#define RES_INTAKE_RESOURCE_H

#include "res/intake.h"
#include "res/res.h"

struct intake_route {
    struct res_route any;
    const char *file; /* of the lines */
    struct intake intake;
    struct ern_slice
        then; /* the page to go on with (303); absent: the form is to be cleared (205) */
};

extern struct ern_resource intake_resource;

/* The limit on the content that it takes of this request. */
const int64_t *intake_content_max(const struct ern_request *request, const struct limits *limits);

#endif
