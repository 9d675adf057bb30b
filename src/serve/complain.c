/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/complain.h"

#include <stdio.h>
#include <string.h>

int
complain(const char *what, int error)
{
    (void)fprintf(stderr, "earnest: %s: %s\n", what, strerror(-error));
    return error;
}
