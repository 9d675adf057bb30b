/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "base/out.h"
#include "io/tls_dev.h"
#include "serve/server.h"

static const char help[] =
    "Usage: earnest serve [OPTION]... DIR\n"
    "       earnest serve -c FILE\n"
    "\n"
    "Serves a folder, or what a configuration file says, until it is told to stop.\n"
    "\n"
    "  -c, --config FILE     serve by this file; with it no other option and no DIR\n"
    "  -l, --listen ADDRESS  as in 127.0.0.1:8080, [::1]:8080, :8080 (default: 127.0.0.1:8080)\n"
    "      --index NAMES     files that stand for their folder, with commas between\n"
    "                        (default: index.html; \"\" for none)\n"
    "      --listing on|off  list folders without such a file (default: on)\n"
    "      --host NAMES      names of this site, with commas between; others are misdirected\n"
    "      --log FILE        where the access log goes: a file, - or off (default: -)\n"
    "      --write           let clients write: PUT, WebDAV, uploads from the listing\n"
    "      --state DIR       where locks and properties are kept, with --write\n"
    "                        (default: $XDG_STATE_HOME/earnest, or ~/.local/state/earnest)\n"
    "      --tls FILE        speak TLS with the certificate and key in this PEM file; dev makes\n"
    "                        a certificate for this machine, and says how to trust it\n"
    "      --key FILE        where the key is, if it is not in the file of --tls\n"
    "      --user NAME       become this user once the port is open\n"
    "      --workers N       threads that serve (default: one a core)\n"
    "  -h, --help            this text\n"
    "\n"
    "Signals: TERM and INT let answers finish and stop, HUP reads the configuration again.\n"
    "Exit codes: 0 stopped, 1 could not start, 2 wrong usage.\n";

static const char how_to_trust[] =
    "earnest serve: TLS with a certificate for localhost, 127.0.0.1, ::1 and the name of this "
    "machine\n"
    "  It was signed by an authority that was made here, and that can speak for nothing else:\n"
    "      %s\n"
    "  curl       add --cacert %s\n"
    "  system     sudo cp %s /usr/local/share/ca-certificates/earnest-dev.crt\n"
    "             sudo update-ca-certificates\n"
    "  Chromium   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n earnest-dev -i %s\n"
    "  Firefox    Settings, Certificates, View Certificates, Authorities, Import\n";

enum { LISTING = 256, INDEX, HOST, LOG, USER, WORKERS, WRITE, STATE, TLS, KEY };
enum { PATH_BYTES = 4096, HOST_BYTES = 256 };

const struct option serve_options[] = {
    {"config", required_argument, NULL, 'c'},  {"listen", required_argument, NULL, 'l'},
    {"index", required_argument, NULL, INDEX}, {"listing", required_argument, NULL, LISTING},
    {"host", required_argument, NULL, HOST},   {"log", required_argument, NULL, LOG},
    {"user", required_argument, NULL, USER},   {"workers", required_argument, NULL, WORKERS},
    {"write", no_argument, NULL, WRITE},       {"state", required_argument, NULL, STATE},
    {"tls", required_argument, NULL, TLS},     {"key", required_argument, NULL, KEY},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

static int
usage(const char *what, const char *which)
{
    (void)fprintf(stderr, "earnest serve: %s%s\nTry: earnest serve -h\n", what, which);
    return 2;
}

/* Takes one option. Returns false if its value is wrong. */
static bool
take(int option, const char *value, const char **config, struct conf_flags *flags)
{
    struct ern_slice text = slice_text(value);
    uint64_t workers;

    switch (option) {
    case 'c':
        *config = value;
        return true;
    case 'l':
        flags->listen = value;
        return true;
    case INDEX:
        flags->index = value;
        return true;
    case HOST:
        flags->host = value;
        return true;
    case LOG:
        flags->log = value;
        return true;
    case USER:
        flags->user = value;
        return true;
    case WRITE:
        flags->write = true;
        return true;
    case STATE:
        flags->state = value;
        return true;
    case TLS:
        flags->certificate = value;
        return true;
    case KEY:
        flags->key = value;
        return true;
    case LISTING:
        flags->listing = slice_eq(text, ERN_SLICE("on"));
        return flags->listing || slice_eq(text, ERN_SLICE("off"));
    case WORKERS:
        if (!u64_parse(text, 256, &workers) || workers == 0)
            return false;
        flags->workers = (int)workers;
        return true;
    default:
        return false;
    }
}

/* Where a kind of files is kept by custom (XDG Base Directory Specification); NULL if nothing
 * tells.
 */
static const char *
custom_folder(const char *variable, const char *in_home, const char *name, char *path)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    struct out o = out_init(path, PATH_BYTES);

    if (base && base[0] == '/') {
        out_text(&o, base);
    } else if (home && home[0] == '/') {
        out_text(&o, home);
        out_text(&o, in_home);
    } else {
        return NULL;
    }
    out_text(&o, name);
    out_char(&o, '\0');
    return o.full ? NULL : path;
}

/* Makes certificates for this machine, and says how to trust them. Returns false if it can not. */
static bool
make_dev(struct tls_dev *dev)
{
    char path[PATH_BYTES], host[HOST_BYTES] = "";
    const char *folder = custom_folder("XDG_CONFIG_HOME", "/.config", "/earnest/dev", path);
    const char *why = "neither XDG_CONFIG_HOME nor HOME says where certificates are kept";

    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    if (!folder || tls_dev_make(folder, slice_text(host), dev, &why) < 0) {
        (void)fprintf(stderr, "earnest serve: %s\n", why);
        return false;
    }
    (void)fprintf(stderr, how_to_trust, dev->authority, dev->authority, dev->authority,
                  dev->authority);
    return true;
}

const struct option peer_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char peer_help[] =
    "Usage: earnest peer [--port N]\n"
    "\n"
    "Serves what clients are tried against, on 127.0.0.1, until it is told to\n"
    "stop: /get, /status/NNN, /redirect/N, /basic-auth/USER/PASSWORD and so on. The field\n"
    "Earnest-Status says of each answer if its status was earned or asked for; /earn/NNN says how\n"
    "it is earned.\n"
    "\n"
    "  -p, --port N   (default: 8080)\n"
    "  -h, --help     this text\n"
    "\n"
    "Exit codes: 0 stopped, 1 could not start, 2 wrong usage.\n";

int
peer_main(int argc, char **argv)
{
    char listen[32];
    struct conf_flags flags = {.log = "-", .peer = true};
    struct out o = out_init(listen, sizeof listen);
    uint64_t port = 8080;
    int option;

    while ((option = getopt_long(argc, argv, "p:h", peer_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(peer_help, stdout);
            return 0;
        }
        if (option == '?' || !u64_parse(slice_text(optarg), UINT16_MAX, &port) || port == 0) {
            (void)fputs("earnest peer: unknown option, or a port that is none\n", stderr);
            return 2;
        }
    }
    if (optind < argc) {
        (void)fputs("earnest peer: it takes no more than options\n", stderr);
        return 2;
    }
    out_literal(&o, "127.0.0.1:");
    out_u64(&o, port);
    out_char(&o, '\0');
    flags.listen = listen;
    return server_run(&(struct server_source){.flags = &flags});
}

int
serve_main(int argc, char **argv)
{
    struct conf_flags flags = {.listing = true, .log = "-"};
    const char *config = NULL;
    char state[PATH_BYTES];
    struct tls_dev dev;
    bool other = false;
    int option;

    while ((option = getopt_long(argc, argv, "c:l:h", serve_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return 0;
        }
        if (option == '?')
            return usage("unknown option, or one without its value", "");
        if (!take(option, optarg, &config, &flags))
            return usage("this value cannot be used: ", optarg);
        other = other || option != 'c';
    }
    if (config && (other || optind < argc))
        return usage("with --config nothing else can be said, in the environment neither", "");
    if (!config && optind != argc - 1)
        return usage(optind == argc ? "say which folder to serve" : "say one folder", "");
    if (flags.write && !flags.state)
        flags.state = custom_folder("XDG_STATE_HOME", "/.local/state", "/earnest", state);
    if (slice_eq(slice_text(flags.certificate), ERN_SLICE("dev"))) {
        if (!make_dev(&dev))
            return 1;
        flags.certificate = dev.certificate;
        flags.key = dev.key;
    }
    flags.directory = config ? NULL : argv[optind];
    return server_run(&(struct server_source){.path = config, .flags = &flags});
}
