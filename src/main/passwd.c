/* SPDX-License-Identifier: Apache-2.0 */
/* passwd.c - earnest passwd: reads a password, and prints what a configuration keeps of it. */
#include "main/passwd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/slice.h"
#include "conf/users.h"
#include "io/password.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static const char usage[] =
    "Usage: earnest passwd [NAME]\n"
    "       earnest passwd --digest REALM NAME\n\n"
    "Reads a password, from the terminal or from standard input, and prints its hash (yescrypt):\n"
    "with NAME as a line NAME:HASH of a file of users, else for password = \"...\".\n"
    "With --digest it prints lines of a file for digests = \"...\": what routes with auth = "
    "\"digest\"\n"
    "and this realm know the password by, an algorithm each. Who can read them can log in there.\n"
    "\n"
    "      --digest REALM   print lines for this realm\n"
    "  -h, --help           this text\n";

enum { DIGEST = 256 };

const struct option passwd_options[] = {
    {"digest", required_argument, NULL, DIGEST},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Reads one line, without its end. Returns false if there is none, or if it is too long. */
static bool
read_line(char *line, size_t cap, struct ern_slice *ret)
{
    size_t len;

    if (!fgets(line, (int)cap, stdin))
        return false;
    len = strlen(line);
    if (len > 0 && line[len - 1] == '\n')
        len--;
    else if (len == cap - 1)
        return false;
    *ret = slice_from(line, len);
    return true;
}

/* The same from a terminal, which does not show what is written. */
static bool
read_hidden(const char *prompt, char *line, size_t cap, struct ern_slice *ret)
{
    struct termios shown, hidden;
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0, is_read;

    if (is_terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        (void)fputs(prompt, stderr);
    }
    is_read = read_line(line, cap, ret);
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', stderr);
    }
    return is_read;
}

/* Reads the password, from a terminal twice. Returns what is wrong, or NULL. */
static const char *
read_password(char *line, char *again, size_t cap, struct ern_slice *ret)
{
    struct ern_slice second;

    if (!read_hidden("Password: ", line, cap, ret))
        return "there is no password of at most 511 bytes";
    if (ret->len == 0)
        return "the password is empty";
    for (size_t i = 0; i < ret->len; i++)
        if ((unsigned char)ret->ptr[i] < 0x20 || ret->ptr[i] == 0x7f)
            return "the password has a control character, which clients cannot send";
    if (isatty(STDIN_FILENO) &&
        (!read_hidden("Again: ", again, cap, &second) || !slice_eq(*ret, second)))
        return "the two passwords are not the same";
    return NULL;
}

/* Is it a name that can stand in a file of users and in Authorization (RFC 7617 2)? */
static bool
is_name(struct ern_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f || name.ptr[i] == ':')
            return false;
    return name.len > 0 && name.ptr[0] != '#';
}

static int
print_hash(const char *name, struct ern_slice password)
{
    char hash[PASSWORD_HASH_BYTES];
    int error = password_hash(password, hash);

    if (error) {
        (void)fprintf(stderr, "earnest passwd: no hash could be made: %s\n", strerror(-error));
        return EXIT_FAILED;
    }
    (void)printf("%s%s%s\n", name ? name : "", name ? ":" : "", hash);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* H(A1) of each algorithm that is not broken (RFC 7616 3.4.2). */
static int
print_secrets(const char *realm, const char *name, struct ern_slice password)
{
    const struct ern_slice a1[] = {slice_text(name), slice_text(realm), password};
    char hex[CRYPTO_HEX_BYTES];

    for (unsigned a = 0; a < CRYPTO_HASHES; a++) {
        struct ern_slice algorithm = users_algorithm_name((enum crypto_hash)a);

        if (a == CRYPTO_MD5)
            continue;
        (void)crypto_joined((enum crypto_hash)a, a1, 3, hex);
        (void)printf("%s:%s:%.*s:%.*s\n", name, realm, (int)sizeof hex, hex, (int)algorithm.len,
                     algorithm.ptr);
    }
    explicit_bzero(hex, sizeof hex);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

struct wanted {
    const char *name, *realm; /* NULL: not given */
    bool help;
};

static bool
read_arguments(int argc, char **argv, struct wanted *ret)
{
    int option;

    *ret = (struct wanted){NULL, NULL, false};
    while ((option = getopt_long(argc, argv, "h", passwd_options, NULL)) != -1) {
        if (option == DIGEST)
            ret->realm = optarg;
        else if (option == 'h')
            ret->help = true;
        else
            return false;
    }
    ret->name = argv[optind];
    if (ret->help)
        return true;
    return argc - optind <= 1 && (!ret->name || is_name(slice_text(ret->name))) &&
           (!ret->realm || (ret->name && is_name(slice_text(ret->realm))));
}

int
passwd_main(int argc, char **argv)
{
    char line[PASSWORD_BYTES_MAX + 2], again[PASSWORD_BYTES_MAX + 2];
    struct ern_slice password;
    struct wanted wanted;
    const char *wrong;
    int result = EXIT_FAILED;

    if (!read_arguments(argc, argv, &wanted)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (wanted.help) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    wrong = read_password(line, again, sizeof line, &password);
    if (wrong)
        (void)fprintf(stderr, "earnest passwd: %s\n", wrong);
    else if (wanted.realm)
        result = print_secrets(wanted.realm, wanted.name, password);
    else
        result = print_hash(wanted.name, password);
    explicit_bzero(line, sizeof line);
    explicit_bzero(again, sizeof again);
    return result;
}
