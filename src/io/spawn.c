/* SPDX-License-Identifier: Apache-2.0 */
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STACK_BYTES = 65536,
    STANDARD = 3, /* descriptors that a program has */
    NO_EXEC = 127 /* its exit code if it never ran */
};

struct child { /* what the new process knows: it runs in our memory until it is the program */
    const struct spawn *what;
    int io, err; /* its ends */
    int error;   /* why it does not run: a negative errno */
};

int
spawn_user(const char *name, struct spawn_user *ret)
{
    const struct passwd *user = getpwnam(name);

    *ret = (struct spawn_user){.is_set = true, .groups_n = SPAWN_GROUPS};
    if (!user)
        return -ENOENT;
    ret->uid = user->pw_uid;
    ret->gid = user->pw_gid;
    return getgrouplist(name, user->pw_gid, ret->groups, &ret->groups_n) < 0 ? -E2BIG : 0;
}

/* ---- in the new process ------------------------------------------------------------------------
 *
 * The thread that made it waits meanwhile, and the others do not know of it: so it calls what keeps
 * nothing in memory, and changes its identity by the system's calls. Those of the C library would
 * change that of all threads.
 */

static int
limit(__rlimit_resource_t what, int64_t most)
{
    struct rlimit now, limit;

    if (getrlimit(what, &now) < 0)
        return -1;
    limit.rlim_cur = limit.rlim_max = (rlim_t)most < now.rlim_max ? (rlim_t)most : now.rlim_max;
    return setrlimit(what, &limit);
}

static bool
set_limits(const struct spawn_limits *l)
{
    return limit(RLIMIT_CORE, 0) == 0 && limit(RLIMIT_CPU, l->cpu_s) == 0 &&
           limit(RLIMIT_AS, l->memory_bytes) == 0 && limit(RLIMIT_NOFILE, l->files_n) == 0;
}

static bool
become(const struct spawn_user *u)
{
    if (!u->is_set)
        return true;
    return syscall(SYS_setgroups, u->groups_n, u->groups) == 0 &&
           syscall(SYS_setresgid, u->gid, u->gid, u->gid) == 0 &&
           syscall(SYS_setresuid, u->uid, u->uid, u->uid) == 0;
}

/* Its descriptors. They come from above those that they are to be. */
static bool
set_descriptors(const struct child *c)
{
    return dup2(c->io, STDIN_FILENO) >= 0 && dup2(c->io, STDOUT_FILENO) >= 0 &&
           dup2(c->err, STDERR_FILENO) >= 0 && syscall(SYS_close_range, STANDARD, ~0U, 0) == 0;
}

static void
reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int s = 1; s < SIGRTMAX; s++)
        (void)sigaction(s, &standard, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int __attribute__((no_sanitize("address", "undefined"))) run(void *self)
{
    struct child *c = self;
    const struct spawn *what = c->what;

    /* The last but one: who changes his identity is not told of any more. */
    if (setpgid(0, 0) == 0 && set_descriptors(c) && set_limits(&what->limits) &&
        become(what->user) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && chdir(what->folder) == 0) {
        reset_signals();
        (void)execve(what->file, what->arguments, what->environment);
    }
    c->error = -errno;
    _exit(NO_EXEC);
}

/* ---- in ours -----------------------------------------------------------------------------------
 */

/* Moves a descriptor above those that the program will have. */
static int
move_up(int fd)
{
    int moved = fd;

    if (fd >= 0 && fd < STANDARD) {
        moved = fcntl(fd, F_DUPFD_CLOEXEC, STANDARD);
        (void)close(fd);
    }
    return moved;
}

static void
close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            (void)close(pair[i]);
}

static int
open_pairs(int io[2], int err[2])
{
    io[0] = io[1] = err[0] = err[1] = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return -errno;
    io[1] = move_up(io[1]);
    err[1] = move_up(err[1]);
    if (io[1] < 0 || err[1] < 0 || fcntl(io[0], F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(err[0], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

/* Makes the process. No signal is taken until it is the program: its handlers would run in our
 * memory. */
static int
start(struct child *c, struct spawned *ret)
{
    char *stack = malloc(STACK_BYTES);
    sigset_t all, before;
    pid_t pid;

    if (!stack)
        return -ENOMEM;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = clone(run, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c,
                &ret->pidfd);
    if (pid < 0)
        c->error = -errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(stack);
    ret->pid = pid;
    if (pid > 0 && c->error)
        spawn_reap(ret);
    return c->error;
}

int
spawn(const struct spawn *what, struct spawned *ret)
{
    int io[2], err[2];
    int error = open_pairs(io, err);
    struct child c = {.what = what, .io = io[1], .err = err[1], .error = 0};

    if (!error)
        error = start(&c, ret);
    if (error) {
        close_pair(io);
        close_pair(err);
        return error;
    }
    (void)close(io[1]);
    (void)close(err[1]);
    ret->io = io[0];
    ret->err = err[0];
    return 0;
}

bool
spawn_has_ended(const struct spawned *s, int *ret_signal)
{
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        info.si_pid = s->pid;
    *ret_signal = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_status : 0;
    return info.si_pid != 0;
}

void
spawn_kill(const struct spawned *s, int signal)
{
    (void)kill(-s->pid, signal);
}

void
spawn_reap(struct spawned *s)
{
    (void)waitid(P_PIDFD, (id_t)s->pidfd, NULL, WEXITED);
    (void)close(s->pidfd);
    s->pidfd = -1;
}
