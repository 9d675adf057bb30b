/* SPDX-License-Identifier: Apache-2.0 */
/* earnest.c - the program: the first argument says which command. */
#include <stdio.h>

#include <gnutls/gnutls.h>

#include "base/slice.h"
#include "main/audit.h"
#include "main/check.h"
#include "main/ctl.h"
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
    const char *what;
} commands[] = {
    {"serve", serve_main, "serve a folder, or what a configuration file says"},
    {"check", check_main, "is this configuration file right, and what is to be mended?"},
    {"explain", explain_main, "what a status code means; or send a request, and say what happens"},
    {"why", why_main, "why a request was answered as it was, by the ID in its Link"},
    {"tour", tour_main, "see every status earned, on pages of this host"},
    {"peer", peer_main, "what clients are tried against: statuses that are earned, or asked for"},
    {"audit", audit_main, "which status codes does a server earn, and which does it get wrong?"},
    {"passwd", passwd_main, "the hash of a password, for the users of a configuration"},
    {"legal", legal_main, "list, add or lift legal demands, which are answered with 451"},
    {"ctl", ctl_main, "look into a running server, and steer it; its verbs are commands, too:"},
    {"status", ctl_main, "what a running server does"},
    {"limits", ctl_main, "its limits"},
    {"pause", ctl_main, "take a site out of service for a while"},
    {"resume", ctl_main, "put it back"},
    {"credit", ctl_main, "what was paid in advance, and more of it"},
    {"locks", ctl_main, "the locks of writable folders"},
    {"unlock", ctl_main, "break one"},
    {"jobs", ctl_main, "what was accepted to be done later"},
    {"incident", ctl_main, "what is known of an incident, which a 500 names"},
    {"reload", ctl_main, "read the configuration again"},
    {"drain", ctl_main, "let answers finish, and stop"},
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
        "\nearnest COMMAND -h says more of one. Exit codes: 0 done, 1 failed, 2 wrong usage.\n",
        to);
}

int
main(int argc, char **argv)
{
    struct ern_slice name = slice_text(argc > 1 ? argv[1] : NULL);

    for (unsigned i = 0; i < COMMANDS; i++)
        if (slice_eq(name, slice_text(commands[i].name)))
            return commands[i].run(argc - 1, argv + 1);
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
