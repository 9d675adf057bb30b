/* SPDX-License-Identifier: Apache-2.0 */
#include "main/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"

enum exit_code { EXIT_RIGHT, EXIT_WRONG, EXIT_USAGE };

enum {
    LINE_BYTES = 1 << 15, /* a finding; a path of 4096 bytes can be six times as long in JSON */
    KEYS_BYTES = 1 << 16,
    DUMP_BYTES = 1 << 28, /* where a dump stops growing: one file can not make this much */
};

static const char usage[] = "Usage: earnest check [--json] [--dump] FILE\n"
                            "       earnest check --keys\n"
                            "\n"
                            "Says whether a configuration is right, and what to write instead.\n"
                            "\n"
                            "      --json  the findings as JSON\n"
                            "      --dump  the configuration with all its defaults\n"
                            "      --keys  the keys that a configuration may have\n"
                            "  -h, --help  this text\n"
                            "\n"
                            "Exit code: 0 right, 1 wrong, 2 not how it is used.\n";

enum { JSON = 256, DUMP, KEYS };

const struct option check_options[] = {
    {"json", no_argument, NULL, JSON},
    {"dump", no_argument, NULL, DUMP},
    {"keys", no_argument, NULL, KEYS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct check {
    const char *file;
    bool json, dump, keys, help;
};

/* Reads the arguments. Returns false if they are not how it is used. */
static bool
read_arguments(int argc, char **argv, struct check *check)
{
    int option;

    while ((option = getopt_long(argc, argv, "h", check_options, NULL)) != -1) {
        bool *const flag = option == JSON   ? &check->json
                           : option == DUMP ? &check->dump
                           : option == KEYS ? &check->keys
                           : option == 'h'  ? &check->help
                                            : NULL;

        if (!flag)
            return false;
        *flag = true;
    }
    check->file = argv[optind];
    return check->help || (argc - optind <= 1 && check->keys != (check->file != NULL));
}

static void
print(FILE *to, const struct out *o)
{
    (void)fwrite(o->ptr, 1, o->len, to);
}

static void
print_findings(const struct conf_errors *errors, FILE *to)
{
    char line[LINE_BYTES];

    for (unsigned i = 0; i < errors->n; i++) {
        struct out o = out_init(line, sizeof line);

        conf_error_write(&errors->error[i], &o);
        print(to, &o);
    }
    if (errors->lost_n)
        (void)fprintf(to, "%s: and %u more\n", errors->file, errors->lost_n);
}

static void
print_number(FILE *to, const char *before, size_t n, const char *name)
{
    (void)fprintf(to, "%s%zu %s%s", before, n, name, n == 1 ? "" : "s");
}

static void
print_verdict(const struct conf *conf, FILE *to)
{
    (void)fprintf(to, "%s: right: ", conf->file);
    print_number(to, "", conf->sites_n, "site");
    print_number(to, ", ", conf_routes(conf), "route");
    print_number(to, ", ", conf->listens_n, "listener");
    (void)fputc('\n', to);
}

static void
print_json(const struct check *check, const struct conf *conf, const struct conf_errors *errors,
           FILE *to)
{
    char line[LINE_BYTES];
    struct out o = out_init(line, sizeof line);

    out_literal(&o, "{\"file\":\"");
    out_json(&o, slice_text(check->file));
    out_text(&o, errors->wrong_n ? "\",\"right\":false" : "\",\"right\":true");
    print(to, &o);
    if (conf)
        (void)fprintf(to, ",\"sites\":%zu,\"routes\":%zu,\"listeners\":%zu", conf->sites_n,
                      conf_routes(conf), conf->listens_n);
    (void)fprintf(to, ",\"more\":%u,\"findings\":[", errors->lost_n);
    for (unsigned i = 0; i < errors->n; i++) {
        o = out_init(line, sizeof line);
        out_text(&o, i ? ",\n" : "\n");
        conf_error_write_json(&errors->error[i], &o);
        print(to, &o);
    }
    (void)fputs("]}\n", to);
}

/* Prints the configuration, however long it is. Returns false if memory is short. */
static bool
print_dump(const struct conf *conf)
{
    for (size_t cap = LINE_BYTES; cap <= DUMP_BYTES; cap *= 2) {
        char *text = malloc(cap);
        struct out o = out_init(text, cap);

        if (!text)
            return false;
        conf_write(conf, &o);
        if (!o.full)
            print(stdout, &o);
        free(text);
        if (!o.full)
            return true;
    }
    return false;
}

static int
print_keys(void)
{
    char text[KEYS_BYTES];
    struct out o = out_init(text, sizeof text);

    options_write(&o);
    print(stdout, &o);
    return EXIT_RIGHT;
}

/* With --dump standard output is the configuration alone, so that it can be read again. */
static int
check_file(const struct check *check)
{
    FILE *to = check->dump ? stderr : stdout;
    struct conf_errors errors;
    struct conf *conf = NULL;
    int result = conf_read(check->file, &conf, &errors);

    if (result == 0)
        result = conf_check_files(conf, &errors);
    if (result == 0)
        conf_check_maps(conf, &errors);
    if (check->json)
        print_json(check, conf, &errors, to);
    else
        print_findings(&errors, to);
    if (result == 0 && !check->json)
        print_verdict(conf, to);
    if (result == 0 && check->dump && !print_dump(conf)) {
        (void)fputs("earnest check: there is not enough memory for the dump\n", stderr);
        result = -1;
    }
    conf_free(conf);
    return result == 0 ? EXIT_RIGHT : EXIT_WRONG;
}

int
check_main(int argc, char **argv)
{
    struct check check = {NULL, false, false, false, false};
    int result;

    if (!read_arguments(argc, argv, &check)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (check.help) {
        (void)fputs(usage, stdout);
        return EXIT_RIGHT;
    }
    result = check.keys ? print_keys() : check_file(&check);
    if (fflush(stdout) != 0 || ferror(stdout)) { /* a dump that is cut must not look whole */
        (void)fputs("earnest check: standard output can not be written\n", stderr);
        return EXIT_WRONG;
    }
    return result;
}
