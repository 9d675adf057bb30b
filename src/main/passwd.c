/* SPDX-License-Identifier: Apache-2.0 */
/* passwd.c - earnest passwd: reads a password, and prints what a configuration keeps of it. */
#include "main/passwd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/slice.h"
#include "io/password.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static const char usage[] =
    "Usage: earnest passwd [NAME]\n\n"
    "Reads a password, from the terminal or from standard input, and prints its hash (yescrypt):\n"
    "with NAME as a line NAME:HASH of a file of users, else for password = \"...\".\n";

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

int
passwd_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    char line[PASSWORD_BYTES_MAX + 2], again[PASSWORD_BYTES_MAX + 2];
    struct ern_slice password;
    const char *wrong;
    int result = EXIT_FAILED;

    if (slice_eq(slice_text(name), ERN_SLICE("-h")) ||
        slice_eq(slice_text(name), ERN_SLICE("--help"))) {
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (argc > 2 || (name && (name[0] == '-' || !is_name(slice_text(name))))) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    wrong = read_password(line, again, sizeof line, &password);
    if (wrong)
        (void)fprintf(stderr, "earnest passwd: %s\n", wrong);
    else
        result = print_hash(name, password);
    explicit_bzero(line, sizeof line);
    explicit_bzero(again, sizeof again);
    return result;
}
