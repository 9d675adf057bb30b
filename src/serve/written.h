/* SPDX-License-Identifier: Apache-2.0 */
/* written.h - where in the configuration an answer to a fact was settled. */
#ifndef SERVE_WRITTEN_H
#define SERVE_WRITTEN_H

#include "conf/conf.h"
#include "serve/site.h"

struct written {
    struct ern_slice key;      /* as in "allow" */
    uint32_t line;             /* 0: it is not written, and has its default, */
    struct ern_slice standard; /* which is this */
};

/* The key that has a say in this fact, for what this route serves. Returns false if there is none.
 */
bool written_of(const struct conf *conf, const struct site_route *route, enum ern_fact fact,
                struct written *ret);

/* The line of a route; 0: it is written in no file. */
uint32_t written_line(const struct conf *conf, const struct site_route *route);

/* The name of the file, without the folders that it is in. */
struct ern_slice written_file(const struct conf *conf);

#endif
