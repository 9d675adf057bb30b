/* SPDX-License-Identifier: Apache-2.0 */
#include "res/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BACK_BYTES = 1 << 26, /* of a file's end that are read for keys when it is opened */
    LOCK_TRIES = 1000,         /* of 5 ms each, for who else writes to the file */
};

/* ---- the file ----------------------------------------------------------------------------------
 */

/* What a line says of a key. */
static void
learn(void *intake, struct ern_slice head)
{
    struct intake *in = intake;
    struct once_done done;

    if (intake_read_head(head, &done))
        once_keep(&in->once, &done);
}

static int
lock_file(int fd)
{
    const struct timespec moment = {.tv_nsec = 5000000};

    for (unsigned tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (tries == LOCK_TRIES)
            return -EBUSY;
        (void)nanosleep(&moment, NULL);
    }
    return 0;
}

/* Reads the lines that others wrote since, and takes away what a kill left of one. */
static int
catch_up(struct intake *in, int fd)
{
    struct stat st;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_ino != in->inode || st.st_dev != in->device || st.st_size < in->read_to) {
        in->inode = st.st_ino; /* it was put away, and this is a new one */
        in->device = st.st_dev;
        in->read_to = st.st_size > READ_BACK_BYTES ? st.st_size - READ_BACK_BYTES : 0;
    }
    error = intake_lines(fd, in->read_to, learn, in, &in->read_to);
    if (!error)
        error = intake_mend(fd, in->read_to);
    return error ? error : intake_lines(fd, in->read_to, learn, in, &in->read_to);
}

/* Opens the file, which may have been put away meanwhile, alone; closing it ends that. Returns a
 * descriptor, or a negative errno. */
static int
open_file(struct intake *in)
{
    int fd = open(in->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                  S_IRUSR | S_IWUSR | S_IRGRP);
    int error = fd < 0 ? -errno : lock_file(fd);

    if (!error)
        error = catch_up(in, fd);
    if (error && fd >= 0)
        (void)close(fd);
    return error ? error : fd;
}

/* The name of a new file is on the disk. */
static int
sync_name(const char *path)
{
    struct ern_slice folder = slice_text(path);
    char name[PATH_MAX];
    struct out o = out_init(name, sizeof name);
    int fd, error;

    while (folder.len && folder.ptr[folder.len - 1] != '/')
        folder.len--;
    out_slice(&o, folder);
    out_literal(&o, ".\0");
    if (o.full)
        return -ENAMETOOLONG;
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    error = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return error;
}

/* Writes the line to the disk, or takes it back. */
static int
append(struct intake *in, int fd, struct ern_slice line)
{
    int64_t before = in->read_to;
    int error = stage_write(fd, line);

    if (!error && fsync(fd) < 0)
        error = -errno;
    if (!error && before == 0)
        error = sync_name(in->path);
    if (!error)
        in->read_to += (int64_t)line.len;
    else if (ftruncate(fd, before) < 0)
        return error; /* the next one takes it away */
    return error;
}

/* ---- the folder --------------------------------------------------------------------------------
 */

/* Renames a staged file to its place. That may be lost with the power: a start does it again. */
static int
place(const struct intake *in, const char *name)
{
    struct stage stage = in->stage;
    char old[STAGE_NAME_BYTES];

    stage.durable = false;
    return stage_place(&stage, name, name, (struct stage_put){.fresh = true}, old);
}

struct sweep {
    struct intake *intake;
    int fd; /* of the lines */
};

/* A staged file that a line names is placed; any other is of a form that never came to its line. */
static bool
finish(void *self, const char *name)
{
    struct sweep *s = self;

    if (!intake_mentions(s->fd, slice_text(name)))
        return false;
    (void)!place(s->intake, name);
    return true;
}

static int
put_right(struct intake *in)
{
    int fd = open_file(in);

    if (fd < 0)
        return fd;
    if (stage_is_alone(&in->stage))
        stage_sweep(&in->stage, finish, &(struct sweep){in, fd});
    (void)close(fd);
    return stage_join(&in->stage);
}

/* Makes the folder for files, and opens it. */
static int
open_folder(struct intake *in)
{
    char name[PATH_MAX];
    struct out o = out_init(name, sizeof name);
    int error;

    out_text(&o, in->path);
    out_literal(&o, ".files\0");
    if (o.full)
        return -ENAMETOOLONG;
    if (mkdir(name, S_IRWXU | S_IRGRP | S_IXGRP) < 0 && errno != EEXIST)
        return -errno;
    in->root = file_open_root(name);
    if (in->root < 0)
        return in->root;
    error = stage_open(in->root, true, &in->stage);
    return error ? error : sync_name(name);
}

int
intake_open(struct intake *in, const char *path, const struct limits *limits)
{
    int error;

    *in = (struct intake){.path = path, .root = -1, .stage = {.folder = -1}};
    (void)pthread_mutex_init(&in->lock, NULL);
    if (!once_init(&in->once, (size_t)limits->form_keys_max, limits->form_key_seconds_max))
        return -ENOMEM;
    error = open_folder(in);
    return error ? error : put_right(in);
}

void
intake_close(struct intake *in)
{
    if (!in->path)
        return; /* it was never opened */
    stage_close(&in->stage);
    if (in->root >= 0)
        (void)close(in->root);
    in->root = -1;
    once_free(&in->once);
    (void)pthread_mutex_destroy(&in->lock);
}

/* ---- keeping -----------------------------------------------------------------------------------
 */

static void
drop_files(const struct intake *in, struct form *form)
{
    for (size_t i = 0; i < form->n; i++)
        if (form->values[i].staged[0])
            (void)!stage_remove(&in->stage, form->values[i].staged);
}

/* Brings one file to the staging folder, and to the disk. */
static int
stage_file(const struct intake *in, struct form_value *v)
{
    int fd = stage_create(&in->stage, v->staged), error;

    if (fd < 0)
        return fd;
    error = stage_write(fd, v->value);
    if (!error)
        error = stage_sync(&in->stage, fd);
    (void)close(fd);
    return error;
}

static int
stage_files(const struct intake *in, struct form *form)
{
    int error = 0;

    for (size_t i = 0; !error && i < form->n; i++)
        if (slice_is_there(form->values[i].filename))
            error = stage_file(in, &form->values[i]);
    if (!error && form->files_n && fsync(in->stage.folder) < 0)
        error = -errno;
    return error;
}

/* The whole line, in memory of the caller. Returns absent without memory. */
static struct ern_slice
write_line(const struct intake_entry *entry)
{
    enum { AROUND = INTAKE_HEAD_BYTES + 64, ESCAPED = 6 };
    size_t cap = AROUND + ESCAPED * entry->user.len + form_json_max(entry->form);
    char *text = malloc(cap), id[STAGE_NAME_BYTES];
    struct out o = out_init(text, text ? cap : 0);

    stage_name(id);
    intake_write_head(entry, id, &o);
    form_write(entry->form, &o);
    out_literal(&o, "}\n");
    assert(o.full == !text);
    return o.full ? ERN_ABSENT : out_done(&o);
}

/* Adds the line while nobody else writes; or finds that its key was used meanwhile. */
static int
add_line(struct intake *in, const struct intake_entry *entry, struct ern_slice line,
         bool *ret_added, enum intake_reply *ret_reply)
{
    uint8_t content[DIGEST_BYTES];
    int fd = open_file(in), error = 0;

    if (fd < 0)
        return fd;
    if (entry->key && once_find(&in->once, entry->key, entry->now_s, content)) {
        *ret_reply =
            memcmp(content, entry->content, sizeof content) == 0 ? INTAKE_KEPT : INTAKE_OTHER;
    } else {
        error = append(in, fd, line);
        *ret_added = !error;
        if (!error && entry->key)
            learn(in, line);
    }
    (void)close(fd);
    return error;
}

int
intake_keep(struct intake *in, const struct intake_entry *entry, enum intake_reply *ret_reply)
{
    struct ern_slice line = ERN_ABSENT;
    bool added = false;
    int error = stage_files(in, entry->form);

    *ret_reply = INTAKE_KEPT;
    if (!error) {
        line = write_line(entry);
        error = slice_is_there(line) ? 0 : -ENOMEM;
    }
    if (!error) {
        (void)pthread_mutex_lock(&in->lock);
        error = add_line(in, entry, line, &added, ret_reply);
        (void)pthread_mutex_unlock(&in->lock);
    }
    free((void *)(uintptr_t)line.ptr);
    if (!added)
        drop_files(in, entry->form);
    for (size_t i = 0; added && i < entry->form->n; i++)
        if (entry->form->values[i].staged[0])
            (void)!place(in, entry->form->values[i].staged);
    return error;
}
