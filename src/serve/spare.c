/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/spare.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 64,  /* sizes are multiples of it */
    KEPT = 256, /* blocks of one size that wait */
    LARGE = SPARE_SIZES,
};

struct spare_block {
    union {
        struct spare_block *next; /* while it waits */
        size_t size;              /* which of the sizes it has; LARGE: none */
    };
    max_align_t bytes[];
};

static struct spare_block *
block_of(void *memory)
{
    return (struct spare_block *)(void *)((char *)memory -
                                          __builtin_offsetof(struct spare_block, bytes));
}

static void *
allocate(size_t n, void *self)
{
    struct spare *spare = self;
    size_t size = n ? (n - 1) / STEP : 0;
    struct spare_block *b = size < LARGE ? spare->lists[size] : NULL;

    if (b) {
        spare->lists[size] = b->next;
        spare->n[size]--;
    } else {
        if (size < LARGE)
            n = (size + 1) * STEP;
        b = n < SIZE_MAX - sizeof *b ? malloc(sizeof *b + n) : NULL;
    }
    if (!b)
        return NULL;
    b->size = size < LARGE ? size : LARGE;
    return b->bytes;
}

static void
release(void *memory, void *self)
{
    struct spare *spare = self;
    struct spare_block *b = memory ? block_of(memory) : NULL;
    size_t size = b ? b->size : LARGE;

    if (size == LARGE || spare->n[size] == KEPT) {
        free(b);
        return;
    }
    b->next = spare->lists[size];
    spare->lists[size] = b;
    spare->n[size]++;
}

static void *
allocate_clear(size_t n, size_t size, void *self)
{
    size_t bytes;
    void *memory = __builtin_mul_overflow(n, size, &bytes) ? NULL : allocate(bytes, self);

    return memory ? memset(memory, 0, bytes) : NULL;
}

static void *
resize(void *memory, size_t n, void *self)
{
    struct spare_block *b = memory ? block_of(memory) : NULL;
    size_t room = b && b->size < LARGE ? (b->size + 1) * STEP : 0;
    void *other;

    if (n <= room && n > 0)
        return memory;
    if (b && b->size == LARGE && n > (size_t)LARGE * STEP && n < SIZE_MAX - sizeof *b) {
        b = realloc(b, sizeof *b + n);
        return b ? b->bytes : NULL;
    }
    other = allocate(n, self);
    if (other && memory) {
        memcpy(other, memory, room && room < n ? room : n);
        release(memory, self);
    }
    return other;
}

void
spare_init(struct spare *spare)
{
    *spare = (struct spare){.memory = {.self = spare,
                                       .allocate = allocate,
                                       .release = release,
                                       .allocate_clear = allocate_clear,
                                       .resize = resize}};
}

void
spare_free(struct spare *spare)
{
    for (unsigned i = 0; i < SPARE_SIZES; i++) {
        while (spare->lists[i]) {
            struct spare_block *b = spare->lists[i];

            spare->lists[i] = b->next;
            free(b);
        }
    }
}
