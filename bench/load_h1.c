/* SPDX-License-Identifier: Apache-2.0 */
/* load_h1.c - the generator reads answers of HTTP/1.1. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

enum { END = 4 };

/* Does a field line begin at text, with this name? Gives its value. */
static const char *
value_of(const char *line, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(line, name, n) == 0 ? line + n + strspn(line + n, " \t") : NULL;
}

/* Reads a whole head, which ends with a NUL. */
static void
read_head(struct conn *c, const char *head)
{
    unsigned code = (unsigned)strtoul(head + 9, NULL, 10);
    const char *line = head, *value;

    check_status(code);
    c->state = TO_THE_END;
    for (; (line = strchr(line, '\n'));) {
        line++;
        if ((value = value_of(line, "content-length:"))) {
            c->state = LENGTH;
            c->left = strtoull(value, NULL, 10);
        } else if ((value = value_of(line, "transfer-encoding:"))) {
            c->state = CHUNK_SIZE;
            c->left = 0;
        }
    }
    if (heads || code < 200 || code == 204 || code == 304) {
        c->state = LENGTH;
        c->left = 0;
    }
}

/* Takes a byte of the line with the size of a chunk, or of the trailer section. */
static void
read_line_byte(struct conn *c, char byte)
{
    if (c->state == CHUNK_SIZE && byte == '\n') {
        c->line_empty = true;
        c->state = c->left ? CHUNK : LAST_LINE;
        c->left += 2; /* the line end of the chunk */
    } else if (c->state == CHUNK_SIZE && byte != '\r') {
        unsigned digit = byte <= '9' ? (unsigned)byte - '0' : ((unsigned)byte | 32u) - 'a' + 10;

        c->left = c->left * 16 + digit;
    } else if (c->state == LAST_LINE && byte == '\n') {
        if (c->line_empty)
            answered(c);
        c->line_empty = true;
    } else if (byte != '\r') {
        c->line_empty = false;
    }
}

/* Takes bytes of content. Returns how many. */
size_t
h1_take_content(struct conn *c, size_t n)
{
    size_t taken = c->left < n ? (size_t)c->left : n;

    c->left -= taken;
    if (c->left == 0 && c->state == LENGTH)
        answered(c);
    else if (c->left == 0)
        c->state = CHUNK_SIZE;
    return taken;
}

/* Takes the n bytes of in. */
void
h1_take(struct conn *c, size_t n)
{
    char *at = in, *end = in + n, *found;

    c->part_n = 0;
    while (at < end) {
        switch (c->state) {
        case HEAD:
            found = memmem(at, (size_t)(end - at), "\r\n\r\n", END);
            if (!found) {
                c->part_n = (size_t)(end - at);
                if (c->part_n > PART)
                    errx(1, "a head of more than %d bytes", PART);
                memcpy(c->part, at, c->part_n);
                return;
            }
            found[END - 1] = '\0';
            read_head(c, at);
            at = found + END;
            if (c->state == LENGTH && c->left == 0)
                answered(c);
            break;
        case LENGTH:
        case CHUNK:
            at += h1_take_content(c, (size_t)(end - at));
            break;
        case CHUNK_SIZE:
        case LAST_LINE:
            read_line_byte(c, *at++);
            break;
        case TO_THE_END:
            at = end;
            break;
        }
    }
}
