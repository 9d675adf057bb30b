/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8192 }; /* of a block, unless one piece needs more */

struct memory_block {
    struct memory_block *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

static struct memory_block *
block_new(struct memory *memory, size_t bytes)
{
    size_t cap = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    struct memory_block *block = calloc(1, sizeof *block + cap);

    if (!block)
        return NULL;
    block->cap = cap;
    block->next = memory->first;
    memory->first = block;
    return block;
}

void *
memory_take(struct memory *memory, size_t n, size_t size)
{
    struct memory_block *block = memory->first;
    size_t bytes;
    void *at;

    assert(size > 0);
    if (memory->full || __builtin_mul_overflow(n, size, &bytes) || bytes > memory->left ||
        bytes > SIZE_MAX / 2) {
        memory->full = true;
        return NULL;
    }
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!block || block->cap - block->used < bytes)
        block = block_new(memory, bytes);
    if (!block) {
        memory->full = true;
        return NULL;
    }
    at = block->bytes + block->used;
    block->used += bytes;
    memory->left -= bytes < memory->left ? bytes : memory->left;
    return at;
}

struct ern_slice
memory_copy(struct memory *memory, struct ern_slice text)
{
    char *at = memory_take(memory, text.len + 1, 1);

    if (!at)
        return ERN_ABSENT;
    if (text.len)
        memcpy(at, text.ptr, text.len);
    return (struct ern_slice){at, text.len};
}

void
memory_free(struct memory *memory)
{
    while (memory->first) {
        struct memory_block *block = memory->first;

        memory->first = block->next;
        free(block);
    }
}
