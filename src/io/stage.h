/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - changing files below a root so that each is wholly old or wholly new, whatever stops
 * us. What is being made lies in the staging folder, ROOT/.earnest, which no request can name, and
 * goes to its place with one rename.
 *
 * Paths are as in io/file.h: relative to root, NUL-terminated, "." is the root itself. They never
 * lead out of the root, not by a symbolic link and not by one that is swapped meanwhile: the parent
 * is opened with RESOLVE_BENEATH, and the last name is used within it. Errors are negative errnos;
 * -EXDEV says that the path leads out of the root or that it lies in another file system. On an
 * error nothing was changed: a rename that could not be brought to the disk is taken back.
 */
#ifndef IO_STAGE_H
#define IO_STAGE_H

#include "io/file.h"

#define STAGE_FOLDER ".earnest"
enum { STAGE_NAME_BYTES = 33 /* 32 hexadecimal digits and a NUL */ };

struct stage {
    int root;     /* of the share; not owned */
    int folder;   /* the staging folder */
    bool durable; /* fsync what is written, and the folders it goes to */
};

/* Opens, or makes (0700), the staging folder of a root. Returns 0, or a negative errno. */
ERN_MUST_USE int stage_open(int root, bool durable, struct stage *ret_stage);
void stage_close(struct stage *stage);

/* Is no other process at work in the folder? While it is so said, none begins: until stage_join(),
 * which every process calls before it changes anything. */
ERN_MUST_USE bool stage_is_alone(const struct stage *stage);
ERN_MUST_USE int stage_join(const struct stage *stage);

/* A new file in the staging folder, open for reading and writing. ret_name is its random name. */
ERN_MUST_USE int stage_create(const struct stage *stage, char ret_name[STAGE_NAME_BYTES]);
/* Opens one again (O_RDWR). Returns a descriptor, or -ENOENT ... */
ERN_MUST_USE int stage_reopen(const struct stage *stage, const char *name);
/* Writes all of it at the offset of the descriptor. Returns 0 or a negative errno. */
ERN_MUST_USE int stage_write(int fd, struct ern_slice bytes);
/* What was written to the file is on the disk (if durable). */
ERN_MUST_USE int stage_sync(const struct stage *stage, int fd);

struct stage_put {       /* how a staged name goes to its place */
    bool fresh;          /* nothing may be there: -EEXIST */
    bool directory_into; /* a directory there is replaced, too; else -EISDIR */
    bool keep_mode;      /* a file that is replaced gives its mode and owner to the new one */
};

/*
 * Renames a staged file or tree to its place; what was there is moved to the staging folder under
 * *ret_old (empty: nothing was), to be removed later. A reader sees the old or the new. The folder
 * is on the disk afterwards (if durable).
 */
ERN_MUST_USE int stage_place(const struct stage *stage, const char *name, const char *path,
                             struct stage_put how, char ret_old[STAGE_NAME_BYTES]);

/* A random name: 32 hexadecimal digits. */
void stage_name(char ret_name[STAGE_NAME_BYTES]);

/* Takes what is at path, file or tree, into the staging folder with one rename, under a name that
 * stage_name() made. */
ERN_MUST_USE int stage_take(const struct stage *stage, const char *path, const char *name);

/* One rename within the root. What is at `to` goes to the staging folder under the name `old`,
 * which stage_name() made; without one ("") nothing may be there: -EEXIST. */
ERN_MUST_USE int stage_move(const struct stage *stage, const char *from, const char *to,
                            const char *old);

/* Makes a directory. -EEXIST if anything is there, -ENOENT or -ENOTDIR without its parent. */
ERN_MUST_USE int stage_mkdir(const struct stage *stage, const char *path);

/* What a walk through a tree tells of itself, and asks. */
struct stage_progress {
    /* Called for each member; path is below the top, error 0 or what stood in its way (it is then
     * passed over, with all beneath it). Returns 0 to go on, else that is the end: -ECANCELED ...
     */
    int (*member)(struct stage_progress *progress, const char *path, int error);
};

/*
 * Copies a file or a tree (shallow: the directory alone) into the staging folder: content by
 * reflink or in the kernel where that goes, modification times kept, symbolic links copied as they
 * are, special files passed over with -EPERM. -ENOSPC and -EDQUOT end it, and nothing is left.
 */
ERN_MUST_USE int stage_copy(const struct stage *stage, const char *from, bool shallow,
                            struct stage_progress *progress, char ret_name[STAGE_NAME_BYTES]);

/* Removes a staged file or tree; in steps that a crash may cut. */
ERN_MUST_USE int stage_remove(const struct stage *stage, const char *name);

/* The inode number of what is at a path, a symbolic link itself: what is renamed keeps it. 0:
 * nothing is there. */
ERN_MUST_USE int stage_number(const struct stage *stage, const char *path, int64_t *ret_number);
/* Likewise, of a staged file or tree. */
ERN_MUST_USE int stage_number_staged(const struct stage *stage, const char *name,
                                     int64_t *ret_number);

/* Members of a tree, itself included; for progress. Negative errno on failure. */
ERN_MUST_USE int64_t stage_count(const struct stage *stage, const char *path);
/* Bytes of the files of a tree or of a file; for a quota. */
ERN_MUST_USE int64_t stage_bytes(const struct stage *stage, const char *path);
/* Bytes that are free to us in the file system (statvfs). */
ERN_MUST_USE int64_t stage_free_bytes(const struct stage *stage);

/*
 * Removes what a process that is no more left in the staging folder, except what keep() says is
 * still wanted. Only while this process is alone.
 */
void stage_sweep(const struct stage *stage, bool (*keep)(void *self, const char *name), void *self);

#endif
