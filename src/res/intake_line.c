/* SPDX-License-Identifier: Apache-2.0 */
#include "res/intake.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/num.h"

enum { PIECE_BYTES = 65536, NAME_BYTES = STAGE_NAME_BYTES - 1 };

/* ---- the head ----------------------------------------------------------------------------------
 */

void
intake_write_head(const struct intake_entry *entry, const char *id, struct out *o)
{
    out_literal(o, "{\"at\":\"");
    civil_write_utc(o, entry->now_s);
    out_literal(o, "\",\"id\":\"");
    out_text(o, id);
    if (entry->key) {
        out_literal(o, "\",\"key\":\"");
        out_hex_bytes(o, entry->key, ONCE_KEY_BYTES);
        out_literal(o, "\",\"digest\":\"");
        out_hex_bytes(o, entry->content, DIGEST_BYTES);
    }
    out_char(o, '"');
    if (slice_is_there(entry->user)) {
        out_literal(o, ",\"user\":\"");
        out_json(o, entry->user);
        out_char(o, '"');
    }
    out_literal(o, ",\"fields\":");
}

/* Takes what is written so off the front. */
static bool
take(struct ern_slice *text, struct ern_slice literal)
{
    if (!slice_starts(*text, literal))
        return false;
    *text = slice_skip(*text, literal.len);
    return true;
}

static bool
take_bytes(struct ern_slice *text, uint8_t *ret, size_t n)
{
    if (text->len < 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text->ptr[2 * i]), low = hex_value(text->ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    *text = slice_skip(*text, 2 * n);
    return true;
}

static bool
take_number(struct ern_slice *text, size_t digits, struct ern_slice end, uint64_t *ret)
{
    if (text->len < digits || !u64_parse(slice_first(*text, digits), INT32_MAX, ret))
        return false;
    *text = slice_skip(*text, digits);
    return take(text, end);
}

static bool
take_time(struct ern_slice *text, int64_t *ret_s)
{
    uint64_t year, month, day, hour, minute, second;

    if (!take_number(text, 4, ERN_SLICE("-"), &year) ||
        !take_number(text, 2, ERN_SLICE("-"), &month) ||
        !take_number(text, 2, ERN_SLICE("T"), &day) ||
        !take_number(text, 2, ERN_SLICE(":"), &hour) ||
        !take_number(text, 2, ERN_SLICE(":"), &minute) ||
        !take_number(text, 2, ERN_SLICE("Z"), &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > civil_days_in((int64_t)year, (unsigned)month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_s = civil_seconds(&(struct civil){(int64_t)year, (unsigned)month, (unsigned)day,
                                           (unsigned)hour, (unsigned)minute, (unsigned)second, 0});
    return true;
}

bool
intake_read_head(struct ern_slice line, struct once_done *ret)
{
    uint8_t id[NAME_BYTES / 2];

    return take(&line, ERN_SLICE("{\"at\":\"")) && take_time(&line, &ret->at_s) &&
           take(&line, ERN_SLICE("\",\"id\":\"")) && take_bytes(&line, id, sizeof id) &&
           take(&line, ERN_SLICE("\",\"key\":\"")) &&
           take_bytes(&line, ret->key, sizeof ret->key) &&
           take(&line, ERN_SLICE("\",\"digest\":\"")) &&
           take_bytes(&line, ret->content, sizeof ret->content) &&
           slice_starts(line, ERN_SLICE("\""));
}

/* ---- the file ----------------------------------------------------------------------------------
 */

struct head { /* of the line that is being read */
    char text[INTAKE_HEAD_BYTES];
    size_t n;
};

static void
add(struct head *head, struct ern_slice text)
{
    size_t room = sizeof head->text - head->n, n = text.len < room ? text.len : room;

    memcpy(head->text + head->n, text.ptr, n);
    head->n += n;
}

/* Reads a piece that begins at an offset. Returns its length; 0 at the end, or a negative errno. */
static ssize_t
read_piece(int fd, char *piece, size_t cap, int64_t at)
{
    ssize_t n;

    do
        n = pread(fd, piece, cap, at);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int
intake_lines(int fd, int64_t from, void (*each)(void *self, struct ern_slice head), void *self,
             int64_t *ret_end)
{
    struct head head = {.n = 0};
    char piece[PIECE_BYTES];
    ssize_t got;

    *ret_end = from;
    while ((got = read_piece(fd, piece, sizeof piece, from)) > 0) {
        struct ern_slice rest = slice_from(piece, (size_t)got);

        while (rest.len) {
            size_t n = slice_find(rest, '\n');

            add(&head, slice_first(rest, n));
            from += (int64_t)n;
            rest = slice_skip(rest, n);
            if (rest.len == 0)
                break;
            rest = slice_skip(rest, 1);
            *ret_end = ++from;
            each(self, slice_from(head.text, head.n));
            head.n = 0;
        }
    }
    return (int)got;
}

bool
intake_mentions(int fd, struct ern_slice text)
{
    char piece[PIECE_BYTES];
    int64_t at = 0;
    ssize_t got;

    assert(text.len < sizeof piece);
    while ((got = read_piece(fd, piece, sizeof piece, at)) >= (ssize_t)text.len) {
        if (memmem(piece, (size_t)got, text.ptr, text.len))
            return true;
        at += got - (ssize_t)text.len + 1;
    }
    return got < 0;
}

/* Is it JSON, and so lacks nothing? */
static int
is_whole(int fd, int64_t from, size_t n, bool *ret)
{
    char *text = malloc(n);
    ssize_t got = text ? read_piece(fd, text, n, from) : -ENOMEM;
    json_t *json = got == (ssize_t)n
                       ? json_loadb(text, n, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL)
                       : NULL;

    *ret = json != NULL;
    json_decref(json);
    free(text);
    return got < 0 ? (int)got : 0;
}

int
intake_mend(int fd, int64_t end)
{
    struct stat st;
    bool whole;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= end)
        return 0;
    error = is_whole(fd, end, (size_t)(st.st_size - end), &whole);
    if (error)
        return error;
    if (whole)
        return stage_write(fd, ERN_SLICE("\n"));
    return ftruncate(fd, end) < 0 ? -errno : 0;
}
