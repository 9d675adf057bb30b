/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_jwk.c - whatever a key set says, it is read or refused; what is not signed by one of its
 * keys is not signed. */
#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"
#include "io/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char signature[64];
    struct jwk_set *set = NULL;

    if (jwk_set_new(slice_from((const char *)data, size), &set) < 0)
        return 0;
    for (unsigned a = 0; a < JWK_ALGORITHMS; a++)
        if (jwk_verifies(set, (enum jwk_algorithm)a, ERN_ABSENT, ERN_SLICE("text"),
                         slice_from(signature, sizeof signature)))
            abort();
    jwk_set_free(set);
    return 0;
}
