/* SPDX-License-Identifier: Apache-2.0 */
#include "main/environment.h"

#include <errno.h>
#include <stdlib.h>

#include "base/out.h"

enum { NAME_BYTES = 64 };

/* The value of the variable of a flag, or NULL. */
static const char *
value_of(const struct option *option)
{
    struct ern_slice name = slice_text(option->name);
    char variable[NAME_BYTES];
    struct out o = out_init(variable, sizeof variable);

    out_literal(&o, "EARNEST_");
    for (size_t i = 0; i < name.len; i++)
        out_char(&o, name.ptr[i] == '-' ? '_' : (char)(name.ptr[i] - 'a' + 'A'));
    out_char(&o, '\0');
    return o.full ? NULL : getenv(variable);
}

/* Writes the flag as it is on a command line. Returns false if the environment does not say it. */
static bool
write_flag(const struct option *option, struct out *o)
{
    const char *value = option->val == 'h' ? NULL : value_of(option);

    if (!value || (option->has_arg == no_argument && !slice_eq(slice_text(value), ERN_SLICE("1"))))
        return false;
    out_literal(o, "--");
    out_text(o, option->name);
    if (option->has_arg == required_argument) {
        out_char(o, '=');
        out_text(o, value);
    }
    out_char(o, '\0');
    return true;
}

int
environment_flags(const struct option *options, struct environment *memory, int *argc, char ***argv)
{
    struct out o = out_init(memory->text, sizeof memory->text);
    int n = 0;

    memory->argument[n++] = (*argv)[0];
    for (; options->name; options++) {
        size_t at = o.len;

        if (n < ENVIRONMENT_ARGUMENTS && write_flag(options, &o))
            memory->argument[n++] = memory->text + at;
    }
    if (o.full || n + *argc > ENVIRONMENT_ARGUMENTS)
        return -E2BIG;
    for (int i = 1; i <= *argc; i++) /* with the NULL at the end */
        memory->argument[n++] = (*argv)[i];
    *argc = n - 1;
    *argv = memory->argument;
    return 0;
}
