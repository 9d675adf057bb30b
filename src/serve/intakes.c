/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/intakes.h"

#include "res/intake_resource.h"
#include "serve/complain.h"
#include "serve/site.h"

static int
open_site(const struct site *site, const struct limits *limits)
{
    for (unsigned i = 0; i < site->routes_n; i++) {
        struct intake_route *route = (struct intake_route *)(uintptr_t)site->routes[i].self;

        int error;

        if (site->routes[i].kind != &intake_resource)
            continue;
        error = intake_open(&route->intake, route->file, limits);
        if (error)
            return complain(route->file, error);
    }
    return 0;
}

int
intakes_open(struct site_table *table, const struct limits *limits)
{
    int error = 0;

    for (unsigned i = 0; !error && i < table->sites_n; i++)
        error = open_site(&table->sites[i], limits);
    return error;
}
