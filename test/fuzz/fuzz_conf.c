/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text is a configuration or has errors; each error has a place within the text, and a mend.
 * What conf_write() makes of a configuration is read as the same configuration. With too
 * little memory there is an error and nothing else.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The column after the last character of a line; 0 if there is no such line. */
static uint32_t
line_end(struct ern_slice text, uint32_t line)
{
    uint32_t at = 1, column = 1;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            if (at == line)
                return column;
            at++;
            column = 1;
        } else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return at == line ? column : 0;
}

static void
check_errors(const struct conf_errors *errors, struct ern_slice text)
{
    assert(errors->n <= CONF_ERRORS_MAX);
    for (unsigned i = 0; i < errors->n; i++) {
        const struct conf_error *error = &errors->error[i];

        assert(error->line > 0 && error->column > 0);
        assert(error->column <= line_end(text, error->line));
        assert(error->what[0] && error->mend[0]);
        assert(i == 0 || error[-1].line <= error->line);
    }
}

static struct ern_slice
dump(const struct conf *conf)
{
    for (size_t cap = 1 << 14;; cap *= 2) {
        char *text = malloc(cap);
        struct out o = out_init(text, cap);

        assert(text);
        conf_write(conf, &o);
        if (!o.full)
            return out_done(&o);
        free(text);
    }
}

static void
check_round(const struct conf *conf)
{
    struct ern_slice first = dump(conf), second;
    struct conf_errors errors;
    struct conf *again;
    int result = conf_parse(first, "dump", &again, &errors);

    assert(result == 0);
    second = dump(again);
    assert(slice_eq(first, second));
    assert(conf_routes(again) == conf_routes(conf));
    conf_free(again);
    free((void *)(uintptr_t)first.ptr);
    free((void *)(uintptr_t)second.ptr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_errors errors;
    struct conf *conf;
    char *copy = malloc(size ? size : 1); /* so that reading past the end is seen */
    struct ern_slice text = {copy, size};

    assert(copy);
    if (size)
        memcpy(copy, data, size);
    if (conf_parse(text, "fuzz", &conf, &errors) == 0) {
        assert(errors.wrong_n == 0);
        check_round(conf);
        conf_free(conf);
    } else {
        assert(errors.wrong_n > 0 && !conf);
    }
    check_errors(&errors, text);
    if (conf_parse_within(text, "fuzz", size * 4, &conf, &errors) == 0)
        conf_free(conf);
    free(copy);
    return 0;
}
