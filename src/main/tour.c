/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tour.c - two processes: a server as `earnest serve` runs it, on the world that was made for it;
 * and this one, which stands behind it (tour_guide.h), waits for the end, and removes the world.
 */
#include "main/tour.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "main/tour_guide.h"
#include "main/tour_world.h"
#include "serve/server.h"

static const char help[] =
    "Usage: earnest tour [OPTION]...\n"
    "\n"
    "Serves a tour of all status codes on this host: what each means, an exchange that earns it,\n"
    "byte by byte, and the path to the decision. It has a folder of its own, which is removed at\n"
    "the end.\n"
    "\n"
    "  -p, --port N   (default: 8080)\n"
    "      --open     show it in the browser\n"
    "  -h, --help     this text\n"
    "\n"
    "Exit codes: 0 stopped, 1 could not start, 2 wrong usage.\n";

enum { PORT_DEFAULT = 8080, OPEN = 256, STARTS_MAX = 1000, START_MS = 10 };

const struct option tour_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"open", no_argument, NULL, OPEN},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct tour {
    struct tour_ports ports;
    struct tour_table table;
    char path[TOUR_PATH_BYTES];
    bool opens; /* a browser */
};

/* A socket that listens on this host; -1 if somebody else does.
 *   port  where; 0: at one that nobody has, which it becomes */
static int
listen_at(uint16_t *port)
{
    const int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons(*port)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, SOMAXCONN) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        (void)close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* Finds ports for the listeners, and whether that of the site is free. Returns where the guide
 * listens, or -1. */
static int
find_ports(struct tour_ports *ports)
{
    int guide = listen_at(&ports->guide), fd[TOUR_PLACES];
    bool good = guide >= 0;

    for (unsigned i = 0; i < TOUR_PLACES; i++) {
        fd[i] = listen_at(&ports->of[i]);
        good &= fd[i] >= 0;
    }
    for (unsigned i = 0; i < TOUR_PLACES; i++)
        if (fd[i] >= 0)
            (void)close(fd[i]); /* the server listens there in a moment */
    if (!good && guide >= 0)
        (void)close(guide);
    return good ? guide : -1;
}

/* In a process of its own: the server, until it is told to stop, or nobody is behind it. */
static int
serve(const char *folder)
{
    char path[TOUR_PATH_BYTES + sizeof "/tour.conf"];
    struct out o = out_init(path, sizeof path);

    out_text(&o, folder);
    out_literal(&o, "/tour.conf\0");
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    return server_run(&(struct server_source){.path = path});
}

/* Gives the account of the tour its credit, by the admin socket. Returns false if nobody answers
 * there yet. */
static bool
give_credit(const char *folder)
{
    static const struct ern_slice line = {"credit add tour 1000000\n", 24},
                                  taken = {"{\"account\"", 10};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct out path = out_init(address.sun_path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[512];
    ssize_t n = -1;

    out_text(&path, folder);
    out_literal(&path, "/admin");
    if (fd >= 0 && !path.full &&
        connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, line.ptr, line.len, MSG_NOSIGNAL) > 0)
        n = read(fd, answer, sizeof answer);
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && slice_starts(slice_from(answer, (size_t)n), taken);
}

static void
open_browser(const char *url)
{
    pid_t child = fork();

    if (child == 0) {
        (void)execlp("xdg-open", "xdg-open", url, (char *)NULL);
        _exit(1);
    }
}

/* It stays to be waited for. */
static bool
has_ended(pid_t child)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
           info.si_pid == child;
}

/* Waits until the server serves, gives the account of the tour its credit, and says where to look.
 */
static void
announce(const struct tour *tour, pid_t server)
{
    const struct timespec moment = {.tv_nsec = START_MS * 1000000L};
    char url[64];
    struct out o = out_init(url, sizeof url);

    for (unsigned i = 0; i < STARTS_MAX; i++) {
        if (give_credit(tour->path))
            break;
        if (has_ended(server))
            return;
        (void)nanosleep(&moment, NULL);
    }
    out_literal(&o, "http://127.0.0.1:");
    out_u64(&o, tour->ports.of[TOUR_SITE]);
    out_literal(&o, "/tour/\0");
    (void)printf("The tour begins at %s\n", url);
    (void)fflush(stdout);
    if (tour->opens)
        open_browser(url);
}

/* Until the server has ended, or a signal says that it is to end. Returns its exit code. */
static int
wait_for(pid_t server, const sigset_t *signals)
{
    int status = 0, got;

    while (waitpid(server, &status, WNOHANG) == 0) {
        if (sigwait(signals, &got) == 0 && got != SIGCHLD)
            (void)kill(server, SIGTERM);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int
run(struct tour *tour)
{
    sigset_t signals, before;
    struct tour_guide guide = {find_ports(&tour->ports), &tour->table, &tour->ports};
    const char *why = "somebody else listens at this port; say another one by --port";
    int code = 1;
    pid_t server;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    if (guide.fd < 0 || !tour_world_make(&tour->ports, &tour->table, tour->path, &why)) {
        (void)fprintf(stderr, "earnest tour: %s\n", why);
        return 1;
    }
    server = fork();
    if (server == 0) {
        (void)close(guide.fd);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        _exit(serve(tour->path));
    }
    if (server > 0) {
        if (tour_guide_start(&guide))
            announce(tour, server);
        else
            (void)kill(server, SIGTERM);
        code = wait_for(server, &signals);
    }
    tour_world_remove(tour->path);
    return code;
}

static int
usage(const char *what)
{
    (void)fprintf(stderr, "earnest tour: %s\nTry: earnest tour -h\n", what);
    return 2;
}

int
tour_main(int argc, char **argv)
{
    static struct tour tour = {.ports.of[TOUR_SITE] = PORT_DEFAULT};
    unsigned line;
    int option;

    while ((option = getopt_long(argc, argv, "p:h", tour_options, NULL)) != -1) {
        uint64_t port;

        if (option == 'h') {
            (void)fputs(help, stdout);
            return 0;
        }
        if (option == OPEN)
            tour.opens = true;
        else if (option == 'p' && u64_parse(slice_text(optarg), UINT16_MAX, &port) && port > 0)
            tour.ports.of[TOUR_SITE] = (uint16_t)port;
        else
            return usage("unknown option, or a port that is none");
    }
    if (optind < argc)
        return usage("it takes no more than options");
    line = tour_recipes_read(tour_recipes, &tour.table);
    if (line) {
        (void)fprintf(stderr, "earnest tour: line %u of its recipes is wrong\n", line);
        return 1;
    }
    return run(&tour);
}
