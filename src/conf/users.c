/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/value.h"
#include "io/password.h"

enum { FILE_BYTES_MAX = 16 << 20, LINE_BYTES_MIN = 3 /* a name, a colon and a line feed */ };

static const struct conf_texts no_groups;

/* ---- the file ----------------------------------------------------------------------------------
 */

static int
read_whole(int fd, char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, text + at, len - at);

        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* it was cut meanwhile */
        at += (size_t)n;
    }
    return 0;
}

/* Reads the file; a NUL stands after its text. */
static int
read_file(const char *path, char **ret_text, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = fd < 0 ? -errno : 0;
    struct stat st;

    *ret_text = NULL;
    if (!error && fstat(fd, &st) < 0)
        error = -errno;
    if (!error && (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX))
        error = S_ISREG(st.st_mode) ? -EFBIG : -EISDIR;
    if (!error) {
        *ret_len = (size_t)st.st_size;
        *ret_text = malloc(*ret_len + 1);
        error = *ret_text ? read_whole(fd, *ret_text, *ret_len) : -ENOMEM;
    }
    if (!error)
        (*ret_text)[*ret_len] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return error;
}

/* Reads "NAME:HASH"; what stands after a second colon is for others. Ends the hash with a NUL. */
static bool
read_line(char *line, size_t len, struct user *ret, struct users_fault *fault)
{
    struct ern_slice text = slice_from(line, len), rest;

    ret->groups = &no_groups;
    ret->name = slice_first(text, slice_find(text, ':'));
    fault->what = "this line is not NAME:HASH";
    fault->mend = "write what earnest passwd NAME prints";
    if (ret->name.len == 0 || ret->name.len == text.len || !value_is_clean(text))
        return false;
    rest = slice_skip(text, ret->name.len + 1);
    line[ret->name.len + 1 + slice_find(rest, ':')] = '\0';
    ret->hash = rest.ptr;
    fault->what = "the hash in this line is not one that is safe to keep";
    return password_is_hash(ret->hash);
}

static int
read_lines(struct users *users, char *text, size_t len, struct users_fault *fault)
{
    for (size_t at = 0, end; at < len; at = end + 1) {
        size_t n;

        end = at + slice_find(slice_from(text + at, len - at), '\n');
        n = slice_trim(slice_from(text + at, end - at)).len;
        n -= n > 0 && text[at + n - 1] == '\r';
        fault->line++;
        if (n == 0 || text[at] == '#')
            continue;
        text[at + n] = '\0';
        users->user[users->n].line = fault->line;
        if (!read_line(text + at, n, &users->user[users->n], fault))
            return -EINVAL;
        users->n++;
    }
    return 0;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static int
compare_names(const void *left, const void *right)
{
    const struct ern_slice a = ((const struct user *)left)->name;
    const struct ern_slice b = ((const struct user *)right)->name;
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare_lines(const void *left, const void *right)
{
    uint32_t a = ((const struct user *)left)->line, b = ((const struct user *)right)->line;
    int order = compare_names(left, right);

    return order ? order : (a > b) - (a < b);
}

/* Sorts, and leaves one user of each name: that of the configuration, whose line is 0. */
static int
settle(struct users *users, struct users_fault *fault)
{
    size_t n = 0;

    if (users->n > 1)
        qsort(users->user, users->n, sizeof *users->user, compare_lines);
    for (size_t i = 0; i < users->n; i++) {
        const struct user *user = &users->user[i], *last = n ? &users->user[n - 1] : NULL;

        if (!last || compare_names(user, last) != 0) {
            users->user[n++] = *user;
        } else if (last->line) {
            *fault = (struct users_fault){user->line, "this name stands in the file twice",
                                          "leave one of the two out"};
            return -EINVAL;
        }
    }
    users->n = n;
    return 0;
}

int
users_new(const struct conf *conf, struct users **ret_users, struct users_fault *ret_fault)
{
    struct users *users = calloc(1, sizeof *users);
    size_t len = 0;
    int error = users ? 0 : -ENOMEM;

    *ret_fault = (struct users_fault){0, NULL, NULL};
    if (!error && slice_is_there(conf->users))
        error = read_file(conf->users.ptr, &users->text, &len);
    if (!error) {
        users->user = calloc(conf->accounts_n + len / LINE_BYTES_MIN + 1, sizeof *users->user);
        error = users->user ? read_lines(users, users->text, len, ret_fault) : -ENOMEM;
    }
    for (size_t i = 0; !error && i < conf->accounts_n; i++) {
        const struct conf_user *from = &conf->accounts[i];

        users->user[users->n++] =
            (struct user){.name = from->name, .hash = from->password.ptr, .groups = &from->groups};
    }
    if (!error)
        error = settle(users, ret_fault);
    if (error) {
        users_free(users);
        return error;
    }
    *ret_users = users;
    return 0;
}

void
users_free(struct users *users)
{
    if (!users)
        return;
    free(users->user);
    free(users->text);
    free(users);
}

const struct user *
users_find(const struct users *users, struct ern_slice name)
{
    struct user wanted = {.name = name};

    return users->n ? bsearch(&wanted, users->user, users->n, sizeof *users->user, compare_names)
                    : NULL;
}
