/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/complain.h"

#include <stdio.h>
#include <string.h>

#include "conf/error.h"

int
complain(const char *what, int error)
{
    (void)fprintf(stderr, "earnest: %s: %s\n", what, strerror(-error));
    return error;
}

void
complain_conf(const struct conf_errors *errors)
{
    for (unsigned i = 0; i < errors->n; i++) {
        char line[1024];
        struct out o = out_init(line, sizeof line);

        conf_error_write(&errors->error[i], &o);
        (void)fprintf(stderr, "%.*s", (int)o.len, o.ptr);
    }
}
