/* SPDX-License-Identifier: Apache-2.0 */
#include "main/ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/out.h"
#include "conf/value.h"

static const char help[] =
    "Usage: earnest ctl [--admin SOCKET] VERB [ARGUMENT]...\n"
    "       earnest VERB ...   the same\n"
    "\n"
    "Looks into a running server, and steers it. Its configuration names the socket (admin).\n"
    "\n"
    "  status                    its processes, connections, reloads, and what is paused\n"
    "  limits                    every limit and its value\n"
    "  pause SITE [--for TIME]   answer 503 for a site: by its name, or - for the one without\n"
    "  resume SITE               serve it again\n"
    "  credit                    every account: the digest of its key, and what it has\n"
    "  credit KEY                the account of a key (X-API-Key); - reads the key from standard "
    "input\n"
    "  credit add KEY N          N more credits for it\n"
    "  locks                     the locks of writable folders\n"
    "  unlock TOKEN              breaks one\n"
    "  jobs                      what was accepted to be done later\n"
    "  legal                     the demands in force (earnest legal changes their file)\n"
    "  incident ID               what is known of an incident, which a 500 names\n"
    "  why ID                    a decision that is remembered, explained (earnest why is for "
    "people)\n"
    "  reload                    read the configuration again, and wait until it holds\n"
    "  drain                     let answers finish, and stop\n"
    "\n"
    "      --admin SOCKET        (default: /run/earnest/admin.sock)\n"
    "      --for TIME            how long, as in 30s, 10m or 1h (default: 10m)\n"
    "  -h, --help                this text\n"
    "\n"
    "Output: JSON, an object a line. Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

enum { ADMIN = 256, FOR };
enum { LINE_BYTES = 512, ANSWER_BYTES = 65536 };
enum {
    RELOAD_MS = 60000,
    RELOAD_LOOK_MS = 20
}; /* how long a reload is waited for, and how often */

const struct option ctl_options[] = {
    {"admin", required_argument, NULL, ADMIN},
    {"for", required_argument, NULL, FOR},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct ctl {
    const char *socket;
    int64_t for_s;
    char answer[ANSWER_BYTES];
    size_t len;
};

static int
failed(const char *what, const char *why)
{
    (void)fprintf(stderr, "earnest: %s: %s\n", what, why);
    return 1;
}

static int
usage(void)
{
    (void)fputs("earnest ctl: wrong usage\n"
                "Try: earnest ctl -h\n",
                stderr);
    return 2;
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ern_slice text = slice_text(path);
    int fd;

    if (text.len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, text.len);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = -errno;

        if (fd >= 0)
            (void)close(fd);
        return error;
    }
    return fd;
}

/* Prints a piece of the answer; one that begins with an error is one. */
static bool
print(const struct ctl *ctl, bool is_error)
{
    is_error |= slice_starts(slice_from(ctl->answer, ctl->len), ERN_SLICE("{\"error\""));
    (void)fwrite(ctl->answer, 1, ctl->len, is_error ? stderr : stdout);
    return is_error;
}

/* Sends a line and takes the answer, which is printed piece by piece, or of which the first piece
 * is kept. Returns 0, 1 if it is an error that was printed, or a negative errno. */
static int
exchange(struct ctl *ctl, struct ern_slice line, bool prints)
{
    int fd = connect_to(ctl->socket);
    bool is_error = false;
    ssize_t n;

    if (fd < 0)
        return fd;
    ctl->len = 0;
    n = send(fd, line.ptr, line.len, MSG_NOSIGNAL);
    while (n > 0 && (n = read(fd, ctl->answer, sizeof ctl->answer)) > 0) {
        ctl->len = (size_t)n;
        if (!prints)
            break;
        is_error = print(ctl, is_error);
    }
    (void)close(fd);
    return n < 0 ? -ENODATA : is_error;
}

/* Likewise. Returns 0, or the exit code; what is wrong was said. */
static int
ask(struct ctl *ctl, struct ern_slice line, bool prints)
{
    int code = exchange(ctl, line, prints);

    return code < 0 ? failed(ctl->socket, code == -ENODATA ? "no answer" : strerror(-code)) : code;
}

/* Sends a signal to the supervisor, whom the server names. */
static int
signal_to(struct ctl *ctl, struct ern_slice line, int number)
{
    struct ern_slice before = ERN_SLICE("{\"supervisor\":"), answer;
    uint64_t pid;
    int code = ask(ctl, line, false);

    if (code)
        return code;
    answer = slice_from(ctl->answer, ctl->len);
    if (!slice_starts(answer, before))
        return failed(ctl->socket, "this is no server of ours");
    answer = slice_skip(answer, before.len);
    if (!u64_parse(slice_first(answer, slice_find(answer, '}')), INT32_MAX, &pid) || pid <= 1)
        return failed(ctl->socket, "its supervisor is gone");
    return kill((pid_t)pid, number) < 0 ? failed("signal", strerror(errno)) : 0;
}

/* The number with this name ("NAME":) in the answer that was kept. */
static bool
number_of(const struct ctl *ctl, struct ern_slice name, uint64_t *ret)
{
    struct ern_slice text = slice_from(ctl->answer, ctl->len);
    size_t n = 0;

    while (text.len > 0 && !slice_starts(text, name))
        text = slice_skip(text, 1);
    text = slice_skip(text, text.len ? name.len : 0);
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return u64_parse(slice_first(text, n), UINT32_MAX, ret);
}

struct reload_counts {
    uint64_t done, refused;
};

/* What became of reloads until now. False: nobody answers, as while one process follows another. */
static bool
count_reloads(struct ctl *ctl, struct reload_counts *ret)
{
    return exchange(ctl, ERN_SLICE("status\n"), false) == 0 &&
           number_of(ctl, ERN_SLICE("\"reloaded\":"), &ret->done) &&
           number_of(ctl, ERN_SLICE("\"refused\":"), &ret->refused);
}

/* Has the configuration read again, and waits until it holds or was refused. */
static int
reload(struct ctl *ctl)
{
    const struct timespec pause = {.tv_nsec = RELOAD_LOOK_MS * 1000000L};
    struct reload_counts before = {0, 0}, now;
    bool counted = count_reloads(ctl, &before);
    int code = signal_to(ctl, ERN_SLICE("reload\n"), SIGHUP);

    for (int ms = 0; counted && !code && ms < RELOAD_MS; ms += RELOAD_LOOK_MS) {
        (void)nanosleep(&pause, NULL);
        if (!count_reloads(ctl, &now))
            continue;
        if (now.refused != before.refused)
            return failed("not reloaded",
                          "earnest check says what is wrong with the configuration");
        if (now.done != before.done)
            return 0;
    }
    return code ? code : failed("reload", "it is not known what became of it");
}

/* Takes the options. Returns false if one is wrong. */
static bool
take(int argc, char **argv, struct ctl *ctl, bool *ret_help)
{
    int option;

    while ((option = getopt_long(argc, argv, "h", ctl_options, NULL)) != -1) {
        if (option == ADMIN)
            ctl->socket = optarg;
        else if (option == 'h')
            *ret_help = true;
        else if (option != FOR || !value_quantity(slice_text(optarg), ERN_SLICE("s"), &ctl->for_s))
            return false;
    }
    return true;
}

/* Adds a word; - stands for a line of standard input, where a secret is not seen by others. */
static bool
add_word(struct out *line, const char *word, bool may_be_read)
{
    char text[LINE_BYTES];
    struct ern_slice slice = slice_text(word);

    if (may_be_read && slice_eq(slice, ERN_SLICE("-"))) {
        if (!fgets(text, sizeof text, stdin))
            return false;
        slice = slice_text(text);
        slice = slice_first(slice, slice_find(slice, '\n'));
    }
    out_char(line, ' ');
    out_slice(line, slice);
    return slice.len > 0 && slice_find(slice, ' ') == slice.len &&
           slice_find(slice, '\n') == slice.len;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
    char text[LINE_BYTES];
    struct out line = out_init(text, sizeof text);
    struct ern_slice verb = slice_text(argc > 0 ? argv[0] : NULL);
    bool is_credit = slice_eq(verb, ERN_SLICE("credit"));

    if (slice_eq(verb, ERN_SLICE("reload")) && argc == 1)
        return reload(ctl);
    if (slice_eq(verb, ERN_SLICE("drain")) && argc == 1)
        return signal_to(ctl, ERN_SLICE("drain\n"), SIGTERM);
    if (argc < 1)
        return usage();
    out_slice(&line, verb);
    for (int i = 1; i < argc; i++)
        if (!add_word(&line, argv[i], is_credit))
            return usage();
    if (slice_eq(verb, ERN_SLICE("pause"))) {
        out_char(&line, ' ');
        out_u64(&line, (uint64_t)ctl->for_s);
    }
    out_char(&line, '\n');
    return line.full ? usage() : ask(ctl, out_done(&line), true);
}

static struct ctl state = {.socket = "/run/earnest/admin.sock", .for_s = 600};

int
ctl_ask(const char *socket, struct ern_slice line)
{
    if (socket)
        state.socket = socket;
    return ask(&state, line, true);
}

int
ctl_main(int argc, char **argv)
{
    bool is_verb = !slice_eq(slice_text(argv[0]), ERN_SLICE("ctl")), wants_help = false;
    char *verb = argv[0];

    if (!take(argc, argv, &state, &wants_help))
        return usage();
    if (wants_help) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (is_verb) /* the command is the verb: it goes before its arguments */
        argv[--optind] = verb;
    return run(&state, argc - optind, argv + optind);
}
