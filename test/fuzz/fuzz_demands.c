/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text is a file of legal demands or has errors. Demands that are written are read again as the
 * same, which is how earnest legal changes a file.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ern_slice
dump(const struct conf *conf)
{
    for (size_t cap = 1 << 12;; cap *= 2) {
        char *text = malloc(cap);
        struct out o = out_init(text, cap);

        assert(text);
        for (size_t i = 0; i < conf->demands_n; i++)
            conf_write_demand(&conf->demands[i], &o);
        if (!o.full)
            return out_done(&o);
        free(text);
    }
}

static void
check_same(const struct conf_demand *a, const struct conf_demand *b)
{
    assert(slice_eq(a->reference, b->reference) && slice_eq(a->path, b->path));
    assert(slice_eq(a->host, b->host) && slice_eq(a->sha256, b->sha256));
    assert(slice_eq(a->authority, b->authority) && slice_eq(a->blocked_by, b->blocked_by));
    assert(slice_eq(a->jurisdiction, b->jurisdiction) && a->clients.n == b->clients.n);
    assert(a->from_s == b->from_s && a->until_s == b->until_s);
    assert(memcmp(a->digest, b->digest, sizeof a->digest) == 0);
    assert(!slice_is_there(a->sha256) || a->bytes == b->bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_errors errors;
    struct conf *conf, *again;
    char *copy = malloc(size ? size : 1); /* so that reading past the end is seen */
    struct ern_slice text = {copy, size}, written;

    assert(copy);
    if (size)
        memcpy(copy, data, size);
    if (conf_parse_legal(text, "fuzz", &conf, &errors) == 0) {
        int result;

        written = dump(conf);
        result = conf_parse_legal(written, "dump", &again, &errors);
        assert(result == 0);
        assert(again->demands_n == conf->demands_n);
        for (size_t i = 0; i < conf->demands_n; i++)
            check_same(&conf->demands[i], &again->demands[i]);
        conf_free(again);
        conf_free(conf);
        free((void *)(uintptr_t)written.ptr);
    } else {
        assert(errors.wrong_n > 0 && !conf);
    }
    free(copy);
    return 0;
}
