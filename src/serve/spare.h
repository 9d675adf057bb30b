/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spare.h - memory for the many small things that nghttp2 holds for a stream: what is given back
 * waits for the next one of its size, in a list of the thread. Large things come and go as with
 * malloc().
 */
#ifndef SERVE_SPARE_H
#define SERVE_SPARE_H

#include "wire/h2.h"

enum { SPARE_SIZES = 16 };

struct spare {
    struct h2_memory memory; /* hands it out */
    struct spare_block *lists[SPARE_SIZES];
    unsigned n[SPARE_SIZES];
};

void spare_init(struct spare *spare);

/* When all was given back. */
void spare_free(struct spare *spare);

#endif
