/* SPDX-License-Identifier: Apache-2.0 */
/* earnest.c - the program: the first argument says which command. */
#include <stdio.h>

#include <gnutls/gnutls.h>

#include "base/slice.h"
#include "main/audit.h"
#include "main/check.h"
#include "main/ctl.h"
#include "main/environment.h"
#include "main/explain.h"
#include "main/legal.h"
#include "main/passwd.h"
#include "main/serve.h"
#include "main/tour.h"
#include "main/why.h"

/* GnuTLS is made ready by who needs it (tls_ready() in io/tls.c), not when the program starts: a
 * server without TLS has a megabyte less in use. */
GNUTLS_SKIP_GLOBAL_INIT

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const struct option *options; /* which the environment may say, too */
    const char *what;
} commands[] = {
    {"serve", serve_main, serve_options, "serve a folder, or what a configuration file says"},
    {"check", check_main, check_options,
     "is this configuration file right, and what is to be mended?"},
    {"explain", explain_main, explain_options,
     "what a status code means; or send a request, and say what happens"},
    {"why", why_main, why_options, "why a request was answered as it was, by the ID in its Link"},
    {"tour", tour_main, tour_options, "see every status earned, on pages of this host"},
    {"peer", peer_main, peer_options,
     "what clients are tried against: statuses that are earned, or asked for"},
    {"audit", audit_main, audit_options,
     "which status codes does a server earn, and which does it get wrong?"},
    {"passwd", passwd_main, passwd_options,
     "the hash of a password, for the users of a configuration"},
    {"legal", legal_main, legal_options,
     "list, add or lift legal demands, which are answered with 451"},
    {"ctl", ctl_main, ctl_options,
     "look into a running server, and steer it; its verbs are commands, too:"},
    {"status", ctl_main, ctl_options, "what a running server does"},
    {"limits", ctl_main, ctl_options, "its limits"},
    {"pause", ctl_main, ctl_options, "take a site out of service for a while"},
    {"resume", ctl_main, ctl_options, "put it back"},
    {"credit", ctl_main, ctl_options, "what was paid in advance, and more of it"},
    {"locks", ctl_main, ctl_options, "the locks of writable folders"},
    {"unlock", ctl_main, ctl_options, "break one"},
    {"jobs", ctl_main, ctl_options, "what was accepted to be done later"},
    {"incident", ctl_main, ctl_options, "what is known of an incident, which a 500 names"},
    {"reload", ctl_main, ctl_options, "read the configuration again"},
    {"drain", ctl_main, ctl_options, "let answers finish, and stop"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void
help(FILE *to)
{
    (void)fputs(
        "Usage: earnest COMMAND [ARGUMENT]...\n\n"
        "An HTTP server in which every status code is earned, and every answer can say why.\n\n",
        to);
    for (unsigned i = 0; i < COMMANDS; i++)
        (void)fprintf(to, "  %-9s%s\n", commands[i].name, commands[i].what);
    (void)fputs(
        "\nearnest COMMAND -h says more of one. What a command line does not say, the environment "
        "may:\n"
        "EARNEST_LISTEN=:80 is --listen :80, EARNEST_JSON=1 is --json, and so for every flag.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
        to);
}

/* Runs a command with what its environment and its command line say. */
static int
run(unsigned command, int argc, char **argv)
{
    static struct environment environment;

    if (environment_flags(commands[command].options, &environment, &argc, &argv) < 0) {
        (void)fputs("earnest: the environment says too much\n", stderr);
        return 2;
    }
    return commands[command].run(argc, argv);
}

int
main(int argc, char **argv)
{
    struct ern_slice name = slice_text(argc > 1 ? argv[1] : NULL);

    for (unsigned i = 0; i < COMMANDS; i++)
        if (slice_eq(name, slice_text(commands[i].name)))
            return run(i, argc - 1, argv + 1);
    if (slice_eq(name, ERN_SLICE("-h")) || slice_eq(name, ERN_SLICE("--help")) ||
        slice_eq(name, ERN_SLICE("help"))) {
        help(stdout);
        return 0;
    }
    if (slice_eq(name, ERN_SLICE("--version"))) {
        (void)puts("earnest " EARNEST_VERSION);
        return 0;
    }
    help(stderr);
    return 2;
}
