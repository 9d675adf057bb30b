/* SPDX-License-Identifier: Apache-2.0 */
/* legal.c - changes a file of legal demands; a server that has it reads it again by itself. */
#include "main/legal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "io/digest.h"
#include "serve/complain.h"

static const char help[] =
    "Usage: earnest legal list FILE\n"
    "       earnest legal add FILE REFERENCE --authority URL [OPTION]...\n"
    "       earnest legal lift FILE REFERENCE\n"
    "\n"
    "Lists, adds or lifts legal demands, which are answered with 451. A server whose "
    "configuration\n"
    "names the file (legal = \"FILE\") follows within a second. The file is written anew: "
    "comments\n"
    "in it are not kept.\n"
    "\n"
    "      --path PATH          what is withheld; PATH/ covers what is beneath it\n"
    "      --host NAME          the site; without one, every site\n"
    "      --content FILE       this very content, wherever it stands; within --path and --host\n"
    "      --authority URL      who makes the demand, or the demand itself\n"
    "      --jurisdiction NAME  where its law holds\n"
    "      --blocked-by URL     who carries it out (default: /, this site)\n"
    "      --network NETWORK    the clients that it is about; any number of times\n"
    "      --from DAY           its first day, as in 2026-01-31\n"
    "      --until DAY          its last day\n"
    "  -h, --help               this text\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

enum { FILE_BYTES_MAX = 1 << 20, MODE = 0644 };
enum { PATH = 256, HOST, AUTHORITY, JURISDICTION, BLOCKED_BY, NETWORK, FROM, UNTIL, CONTENT };

const struct option legal_options[] = {
    {"path", required_argument, NULL, PATH},
    {"host", required_argument, NULL, HOST},
    {"authority", required_argument, NULL, AUTHORITY},
    {"jurisdiction", required_argument, NULL, JURISDICTION},
    {"blocked-by", required_argument, NULL, BLOCKED_BY},
    {"network", required_argument, NULL, NETWORK},
    {"content", required_argument, NULL, CONTENT},
    {"from", required_argument, NULL, FROM},
    {"until", required_argument, NULL, UNTIL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
usage(const char *what)
{
    (void)fprintf(stderr, "earnest legal: %s\nTry: earnest legal -h\n", what);
    return 2;
}

static int
failed(const char *path, const char *what)
{
    (void)fprintf(stderr, "earnest legal: %s: %s\n", path, what);
    return 1;
}

/* Reads the file; one that is not there has no demands. NULL: what is wrong was said. */
static struct conf *
read_demands(const char *path)
{
    static struct conf_errors errors;
    struct conf *conf = NULL;
    int error = access(path, F_OK) < 0 && errno == ENOENT
                    ? conf_parse_legal(ERN_SLICE(""), path, &conf, &errors)
                    : conf_read_legal(path, &conf, &errors);

    complain_conf(&errors);
    return error ? NULL : conf;
}

static const struct conf_demand *
find(const struct conf *conf, const char *reference)
{
    for (size_t i = 0; i < conf->demands_n; i++)
        if (slice_eq(conf->demands[i].reference, slice_text(reference)))
            return &conf->demands[i];
    return NULL;
}

static bool
write_all(int fd, struct ern_slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.ptr, text.len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            text = slice_skip(text, (size_t)n);
    }
    return fsync(fd) == 0;
}

/* Puts the text in the place of the file, whole or not at all. NULL, or what is wrong. */
static const char *
replace(const char *path, int fd, const char *new_path, struct ern_slice text)
{
    struct stat old;
    bool written;

    if (stat(path, &old) == 0 && fchmod(fd, old.st_mode & 0777) < 0)
        return strerror(errno);
    written = write_all(fd, text);
    if (!written || rename(new_path, path) < 0)
        return strerror(errno);
    return NULL;
}

/* Is the text a file of demands? Else what is wrong with it was said. */
static bool
is_right(const char *path, struct ern_slice text)
{
    static struct conf_errors errors;
    struct conf *conf;

    if (conf_parse_legal(text, path, &conf, &errors) < 0) {
        complain_conf(&errors);
        return false;
    }
    conf_free(conf);
    return true;
}

/* The file without the demand of this reference, and with another one, if it is not NULL. */
static int
change(const char *path, const char *reference, const struct conf_demand *more)
{
    static char buffer[FILE_BYTES_MAX], new_path[4096];
    struct out o = out_init(buffer, sizeof buffer);
    struct out name = out_init(new_path, sizeof new_path - 1);
    const char *why = NULL;
    struct conf *conf;
    int fd;

    out_text(&name, path);
    out_literal(&name, ".new");
    fd = name.full ? -1 : open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    if (fd < 0) /* it keeps others out meanwhile */
        return failed(new_path, name.full ? "too long" : strerror(errno));
    conf = read_demands(path);
    for (size_t i = 0; conf && i < conf->demands_n; i++)
        if (!slice_eq(conf->demands[i].reference, slice_text(reference)))
            conf_write_demand(&conf->demands[i], &o);
    if (conf && more)
        conf_write_demand(more, &o);
    if (!conf || o.full || !is_right(path, out_done(&o)))
        why = "not changed";
    else if (!more == !find(conf, reference))
        why = more ? "this reference is on record already" : "no such reference is on record";
    else
        why = replace(path, fd, new_path, out_done(&o));
    if (why)
        (void)unlink(new_path);
    (void)close(fd);
    conf_free(conf);
    return why ? failed(path, why) : 0;
}

static int
list(const char *path)
{
    static char buffer[FILE_BYTES_MAX];
    struct conf *conf = read_demands(path);
    struct out o = out_init(buffer, sizeof buffer);

    if (!conf)
        return 1;
    for (size_t i = 0; i < conf->demands_n; i++)
        conf_write_demand(&conf->demands[i], &o);
    (void)fwrite(o.ptr, 1, o.len, stdout);
    conf_free(conf);
    return 0;
}

/* Names the content of a file. Returns false if it can not be read, which was said. */
static bool
take_content(const char *path, struct conf_demand *d)
{
    static char text[2 * DIGEST_BYTES];
    struct out o = out_init(text, sizeof text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t digest[DIGEST_BYTES];
    struct stat file;
    int error = fd < 0 || fstat(fd, &file) < 0 ? -errno : 0;

    if (!error)
        error = digest_file(fd, (uint64_t)file.st_size, digest);
    if (fd >= 0)
        (void)close(fd);
    if (error) {
        (void)failed(path, strerror(-error));
        return false;
    }
    out_hex_bytes(&o, digest, sizeof digest);
    d->sha256 = out_done(&o);
    d->bytes = file.st_size;
    return true;
}

/* Takes the options of a demand. Returns false if one is wrong; 'h' among them sets *help. */
static bool
take(int argc, char **argv, struct conf_demand *d, bool *ret_help)
{
    int option;

    while ((option = getopt_long(argc, argv, "h", legal_options, NULL)) != -1) {
        struct ern_slice *const to = option == PATH           ? &d->path
                                     : option == HOST         ? &d->host
                                     : option == AUTHORITY    ? &d->authority
                                     : option == JURISDICTION ? &d->jurisdiction
                                     : option == BLOCKED_BY   ? &d->blocked_by
                                     : option == FROM         ? &d->from
                                     : option == UNTIL        ? &d->until
                                                              : NULL;

        if (to)
            *to = slice_text(optarg);
        else if (option == NETWORK && d->networks.n < NETWORKS_MAX)
            d->networks.text[d->networks.n++] = slice_text(optarg);
        else if (option == 'h')
            *ret_help = true;
        else if (option != CONTENT || !take_content(optarg, d))
            return false;
    }
    return true;
}

int
legal_main(int argc, char **argv)
{
    struct ern_slice networks[NETWORKS_MAX];
    struct conf_demand demand = {.networks = {.text = networks}};
    bool wants_help = false;
    struct ern_slice verb;

    if (!take(argc, argv, &demand, &wants_help))
        return usage("wrong options");
    if (wants_help) {
        (void)fputs(help, stdout);
        return 0;
    }
    argc -= optind;
    argv += optind;
    verb = slice_text(argc > 0 ? argv[0] : NULL);
    if (slice_eq(verb, ERN_SLICE("list")) && argc == 2)
        return list(argv[1]);
    if (slice_eq(verb, ERN_SLICE("lift")) && argc == 3)
        return change(argv[1], argv[2], NULL);
    if (slice_eq(verb, ERN_SLICE("add")) && argc == 3) {
        demand.reference = slice_text(argv[2]);
        return change(argv[1], argv[2], &demand);
    }
    return usage("list FILE, add FILE REFERENCE, or lift FILE REFERENCE");
}
