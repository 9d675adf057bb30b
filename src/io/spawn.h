/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - programs that we run: in a process group of their own, as somebody else, within limits.
 */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "earnest/slice.h"

enum { SPAWN_GROUPS = 32 };

struct spawn_user { /* whom a program runs as */
    bool is_set;    /* false: as who we are */
    uid_t uid;
    gid_t gid;
    gid_t groups[SPAWN_GROUPS]; /* all of them, also gid */
    int groups_n;
};

struct spawn_limits { /* of one process (setrlimit(2)) */
    int64_t cpu_s;
    int64_t memory_bytes; /* address space */
    int64_t files_n;      /* open at once */
};

struct spawn {
    const char *file;         /* of the program: absolute */
    const char *folder;       /* to run in */
    char *const *arguments;   /* ended by NULL; the first is its name */
    char *const *environment; /* likewise: NAME=VALUE */
    const struct spawn_user *user;
    struct spawn_limits limits;
};

struct spawned {
    pid_t pid; /* of the process, and of its group */
    int pidfd; /* it can be read once the process has ended */
    int io;  /* our end of what it reads from (0) and writes to (1): a socket that does not wait */
    int err; /* the end of the pipe that it complains to (2), likewise */
};

/* The user with this name, and his groups. Returns 0, -ENOENT, or another negative errno. */
ERN_MUST_USE int spawn_user(const char *name, struct spawn_user *ret_user);

/*
 * Runs a program, without a shell. It has descriptors 0, 1 and 2 alone, no signal ignored or
 * blocked, and is killed if the thread that ran it ends. May wait for a disk: for a thread of the
 * pool.
 * Returns 0, or the negative errno that says why it does not run.
 */
ERN_MUST_USE int spawn(const struct spawn *what, struct spawned *ret_spawned);

/* Has the process ended? If so *ret_signal is the one that killed it, or 0. It stays as it is until
 * spawn_reap(), so that nobody else can get its number. */
bool spawn_has_ended(const struct spawned *spawned, int *ret_signal);

/* Signals the whole group; only until spawn_reap(). */
void spawn_kill(const struct spawned *spawned, int signal);

/* Forgets a process that has ended, and closes its pidfd. */
void spawn_reap(struct spawned *spawned);

#endif
