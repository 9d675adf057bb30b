/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/make.h"

enum { MEMORY_MAX = 1 << 28 }; /* far more than the largest file needs */

/* What makes something of the nodes of a file. */
typedef void make_function(struct maker *m, const struct text_node *root);

static int
parse_as(make_function *make, struct ern_slice text, const char *file, size_t memory_max,
         struct conf **ret_conf, struct conf_errors *errors)
{
    struct text_node *root;
    struct maker m;

    conf_errors_init(errors, file);
    make_begin(&m, memory_max, errors);
    root = text_parse(text, &m.scratch, errors);
    m.broken = errors->wrong_n > 0;
    if (m.conf && root)
        make(&m, root);
    return make_end(&m, ret_conf);
}

static void
make_and_check(struct maker *m, const struct text_node *root)
{
    make_conf(m, root);
    check_conf(m);
}

int
conf_parse_within(struct ern_slice text, const char *file, size_t memory_max,
                  struct conf **ret_conf, struct conf_errors *errors)
{
    return parse_as(make_and_check, text, file, memory_max, ret_conf, errors);
}

int
conf_parse(struct ern_slice text, const char *file, struct conf **ret_conf,
           struct conf_errors *errors)
{
    return conf_parse_within(text, file, MEMORY_MAX, ret_conf, errors);
}

int
conf_parse_legal(struct ern_slice text, const char *file, struct conf **ret_conf,
                 struct conf_errors *errors)
{
    return parse_as(make_demands, text, file, MEMORY_MAX, ret_conf, errors);
}

static int
cannot_read(struct conf_errors *errors, int error)
{
    const char *what = "this file can not be read", *mend = "look at the disk it is on";

    switch (error) {
    case ENOENT:
    case ENOTDIR:
        what = "there is no such file";
        mend = "write its path, beginning with / or from the folder you are in";
        break;
    case EACCES:
        what = "this user may not read the file";
        mend = "allow it with chmod, or become a user who may";
        break;
    case EISDIR:
        what = "this is a folder";
        mend = "write the path of a file";
        break;
    case EFBIG:
        what = "this file is longer than 1 MiB";
        mend = "split the work between two servers";
        break;
    case ENOMEM:
        what = "there is not enough memory to read this file";
        mend = "free some memory";
        break;
    default:
        break;
    }
    conf_wrong(errors, (struct conf_position){0, 0}, CONF_SAY(what, mend, ERN_ABSENT));
    return -1;
}

/* Reads until the end or until buffer is full. Returns 0 or what errno said. */
static int
read_all(int fd, char *buffer, size_t cap, size_t *ret_len)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, buffer + len, cap - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

static int
read_as(make_function *make, const char *path, struct conf **ret_conf, struct conf_errors *errors)
{
    size_t cap = TEXT_BYTES_MAX + 1, len = 0;
    char *buffer;
    int fd, error, result;

    *ret_conf = NULL;
    conf_errors_init(errors, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(errors, errno);
    buffer = malloc(cap);
    error = buffer ? read_all(fd, buffer, cap, &len) : ENOMEM;
    close(fd);
    if (!error && len == cap)
        error = EFBIG;
    if (error)
        result = cannot_read(errors, error);
    else
        result =
            parse_as(make, (struct ern_slice){buffer, len}, path, MEMORY_MAX, ret_conf, errors);
    free(buffer);
    return result;
}

int
conf_read(const char *path, struct conf **ret_conf, struct conf_errors *errors)
{
    return read_as(make_and_check, path, ret_conf, errors);
}

int
conf_read_legal(const char *path, struct conf **ret_conf, struct conf_errors *errors)
{
    return read_as(make_demands, path, ret_conf, errors);
}

size_t
conf_routes(const struct conf *conf)
{
    size_t n = 0;

    for (size_t i = 0; i < conf->sites_n; i++)
        n += conf->sites[i].routes_n;
    return n;
}

void
conf_free(struct conf *conf)
{
    struct memory memory;

    if (!conf)
        return;
    memory = conf->memory; /* conf itself lies in it */
    memory_free(&memory);
}
