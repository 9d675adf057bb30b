/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files below a root that nothing can lead out of. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "earnest/slice.h"

enum file_kind { FILE_REGULAR, FILE_DIRECTORY, FILE_SPECIAL };

struct file_stamp { /* says whether a file is still what it was */
    uint64_t device, inode, bytes;
    int64_t modified_s, changed_s;
    uint32_t modified_ns, changed_ns;
};

struct file_info {
    enum file_kind kind;
    struct file_stamp stamp;
    int64_t born_s; /* when it was made; the change time where that is not known */
};

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);

/* Opens a directory as a root. Returns a descriptor, or a negative errno. */
ERN_MUST_USE int file_open_root(const char *path);

/*
 * Opens what path names for reading, and looks at it. The path stays below root: a symbolic link
 * or ".." that leads out gives -EXDEV.
 *   path      relative, NUL-terminated; "." is the root itself
 *   quick     only if it needs no wait for a disk: -EAGAIN otherwise
 *   ret_info  written on success
 * Returns a descriptor, or a negative errno. Never waits on a fifo or a device.
 */
ERN_MUST_USE int file_open(int root, const char *path, bool quick, struct file_info *ret_info);

/* Looks at what path names, without opening it for anything. As file_open() otherwise. */
ERN_MUST_USE int file_look(int root, const char *path, struct file_info *ret_info);

/* Looks at a member of an open folder; a link is FILE_SPECIAL, and not followed. */
ERN_MUST_USE int file_look_in(int folder, const char *name, struct file_info *ret_info);

/* Looks at what is open. */
ERN_MUST_USE int file_look_open(int fd, struct file_info *ret_info);

/*
 * Reads n bytes at offset. Returns the bytes read, fewer only at the end of the file, or a negative
 * errno; -EAGAIN if quick and it would wait for a disk.
 */
ERN_MUST_USE ssize_t file_read(int fd, void *buffer, size_t n, uint64_t offset, bool quick);

/*
 * Reads a whole file of at most bytes_max bytes.
 *   path      NUL-terminated, of anywhere
 *   ret_text  the caller's to free; a NUL stands after it
 * Returns 0 or a negative errno: -EISDIR if it is no regular file, -EFBIG, -EIO if it was cut.
 */
ERN_MUST_USE int file_read_whole(const char *path, size_t bytes_max, char **ret_text,
                                 size_t *ret_len);

#endif
