/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - is what a configuration names there? The only part of checking that asks the system. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/certificates.h"
#include "conf/users.h"
#include "io/jwk.h"
#include "io/seal.h"
#include "res/choices.h"

enum {
    PATH_BYTES = 4096,
    USER_BYTES = 8192, /* what getpwnam_r() needs for one user */
};

/* Writes the path of name in folder, NUL-terminated. Returns false if it is too long. */
static bool
path_join(char *path, struct ern_slice folder, struct ern_slice name)
{
    struct out o = out_init(path, PATH_BYTES);

    out_slice(&o, folder);
    out_char(&o, '/');
    out_slice(&o, name);
    out_char(&o, '\0');
    return !o.full;
}

/* Do several variants stand for one of the index files? */
static bool
has_index_choices(const struct conf *conf, const struct conf_route *route)
{
    struct files_route files = {.root = file_open_root(route->files.ptr), .limits = &conf->limits};
    struct choices *choices = NULL;
    bool found;

    for (size_t i = 0; files.root >= 0 && !choices && i < route->index.n; i++)
        if (choices_find(&files, route->index.text[i], NULL, false, &choices) < 0)
            choices = NULL;
    if (files.root >= 0)
        (void)close(files.root);
    found = choices != NULL;
    free(choices);
    return found;
}

/* Is one of the index files there? */
static bool
has_index(const struct conf *conf, const struct conf_route *route)
{
    char path[PATH_BYTES];
    struct stat status;

    for (size_t i = 0; i < route->index.n; i++)
        if (path_join(path, route->files, route->index.text[i]) && stat(path, &status) == 0)
            return true;
    return route->variants && has_index_choices(conf, route);
}

static void
check_folder(const struct conf *conf, const struct conf_route *route, struct conf_errors *errors)
{
    const struct conf_given *given = route->place.given;
    struct conf_position at = given[CONF_route_files].value;
    struct stat status;

    if (stat(route->files.ptr, &status) < 0)
        conf_wrong(errors, at,
                   errno == EACCES
                       ? CONF_SAY("this user may not look at \"%1\"",
                                  "allow it with chmod, or write another folder", route->files)
                       : CONF_SAY("there is no folder \"%1\"",
                                  "make it with mkdir, or write another", route->files));
    else if (!S_ISDIR(status.st_mode))
        conf_wrong(
            errors, at,
            CONF_SAY("\"%1\" is not a folder", "write the folder that it is in", route->files));
    else if (given[CONF_files_index].key.line && route->index.n > 0 && !route->listing &&
             !has_index(conf, route))
        conf_warn(errors, given[CONF_files_index].value,
                  CONF_SAY("none of the index files is in \"%1\"",
                           "write \"%2\" there, or say listing = true", route->files,
                           route->index.text[0]));
}

/* Is the folder with scripts there, and who runs them? */
static void
check_scripts(const struct conf *conf, const struct conf_route *route, struct conf_errors *errors)
{
    const struct conf_given *given = route->place.given;
    bool is_cgi = route->kind == CONF_KIND_CGI;
    struct ern_slice folder = is_cgi ? route->cgi : route->root;
    char buffer[USER_BYTES];
    struct passwd entry, *found = NULL;
    struct stat status;

    if (slice_is_there(folder) && (stat(folder.ptr, &status) < 0 || !S_ISDIR(status.st_mode)))
        conf_wrong(
            errors, given[is_cgi ? CONF_route_cgi : CONF_fastcgi_root].value,
            CONF_SAY("there is no folder \"%1\"", "make it with mkdir, or write another", folder));
    if (slice_is_there(route->run_as)) {
        if (getpwnam_r(route->run_as.ptr, &entry, buffer, sizeof buffer, &found) != 0 || !found)
            conf_wrong(errors, given[CONF_cgi_run_as].value,
                       CONF_SAY("there is no user \"%1\"",
                                "add one with adduser --system, or write another", route->run_as));
    } else if (is_cgi && getuid() == 0 && !slice_is_there(conf->user)) {
        conf_wrong(errors, given[CONF_route_cgi].key,
                   CONF_SAY("these programs would run as root",
                            "write run_as = \"www-data\" beside it, or user at the top of the file",
                            ERN_ABSENT));
    }
}

/* The folder that a file is in, with its slash; empty: where we are. */
static struct ern_slice
folder_of(struct ern_slice file)
{
    while (file.len > 0 && file.ptr[file.len - 1] != '/')
        file.len--;
    return file;
}

/* Is the folder of a log file there? */
static void
check_log(const struct conf *conf, enum conf_option option, struct ern_slice file,
          struct conf_errors *errors)
{
    struct conf_position at = conf->log.place.given[option].value;
    struct ern_slice folder = folder_of(file);
    char path[PATH_BYTES];
    struct stat status;

    if (stat(file.ptr, &status) == 0 && S_ISDIR(status.st_mode))
        conf_wrong(errors, at, CONF_SAY("the log \"%1\" is a folder", "write a file in it", file));
    else if (folder.len > 0 &&
             (!path_join(path, folder, ERN_SLICE(".")) || stat(path, &status) < 0))
        conf_wrong(
            errors, at,
            CONF_SAY("there is no folder \"%1\"", "make it with mkdir, or write another", folder));
}

/* Is the folder of an intake there? */
static void
check_intake(const struct conf_route *route, struct conf_errors *errors)
{
    struct conf_position at = route->place.given[CONF_route_intake].value;
    struct ern_slice folder = folder_of(route->intake);
    char path[PATH_BYTES];
    struct stat status;

    if (stat(route->intake.ptr, &status) == 0 && !S_ISREG(status.st_mode))
        conf_wrong(errors, at,
                   CONF_SAY("\"%1\" is not a file", "write the name of one", route->intake));
    else if (folder.len > 0 &&
             (!path_join(path, folder, ERN_SLICE(".")) || stat(path, &status) < 0))
        conf_wrong(
            errors, at,
            CONF_SAY("there is no folder \"%1\"", "make it with mkdir, or write another", folder));
}

/* Can the secret of a portal be read, and is it long enough? */
static void
check_secret(const struct conf_listen *listen, struct conf_errors *errors)
{
    struct conf_position at = listen->place.given[CONF_portal_secret].value;
    struct seal_secret secret;
    int error = slice_is_there(listen->secret) ? seal_read(listen->secret.ptr, &secret) : 0;

    if (error == -EINVAL)
        conf_wrong(errors, at,
                   CONF_SAY("the secret \"%1\" is too short, or too long",
                            "write 32 to 4096 bytes that nobody can guess to it", listen->secret));
    else if (error)
        conf_wrong(errors, at,
                   CONF_SAY("the secret \"%1\" cannot be read",
                            "make it with: head -c 32 /dev/urandom > %1", listen->secret));
}

static void
check_user(const struct conf *conf, struct conf_errors *errors)
{
    char buffer[USER_BYTES];
    struct passwd entry, *found = NULL;

    if (!slice_is_there(conf->user))
        return;
    if (getpwnam_r(conf->user.ptr, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        conf_wrong(errors, conf->place.given[CONF_top_user].value,
                   CONF_SAY("there is no user \"%1\"",
                            "add one with adduser --system, or write another", conf->user));
}

static void
check_legal(const struct conf *conf, struct conf_errors *errors)
{
    if (slice_is_there(conf->legal) && access(conf->legal.ptr, R_OK) < 0)
        conf_wrong(errors, conf->place.given[CONF_top_legal].value,
                   CONF_SAY("the file \"%1\" can not be read",
                            "make it with earnest legal add, allow it with chmod, or write another",
                            conf->legal));
}

/* Can all be read that log in? */
static void
check_users_file(const struct conf *conf, struct conf_errors *errors)
{
    struct users_fault fault;
    struct users *users;
    char line[24];
    struct out o = out_init(line, sizeof line);
    int error = users_new(conf, &users, &fault);

    if (!error) {
        users_free(users);
        return;
    }
    out_u64(&o, fault.line);
    conf_wrong(errors, conf->place.given[fault.file].value,
               fault.line
                   ? CONF_SAY("in line %1 of \"%2\": %3", fault.mend, out_done(&o), fault.path,
                              slice_text(fault.what))
                   : CONF_SAY("\"%1\" cannot be read",
                              "write a file of lines NAME:%2HASH that this user may read",
                              fault.path,
                              fault.file == CONF_top_users ? ERN_SLICE("") : ERN_SLICE("REALM:")));
}

/* Can the keys of all issuers be read? */
static void
check_keys(const struct conf *conf, struct conf_errors *errors)
{
    for (size_t i = 0; i < conf->issuers_n; i++) {
        const struct conf_issuer *issuer = &conf->issuers[i];
        struct jwk_set *set;
        int error = jwk_set_read(issuer->keys.ptr, &set);

        if (!error)
            jwk_set_free(set);
        else
            conf_wrong(errors, issuer->place.given[CONF_issuer_keys].value,
                       error == -EINVAL
                           ? CONF_SAY("\"%1\" has no key that signatures can be looked at with",
                                      "write a JSON Web Key Set (RFC 7517 5) with keys for the "
                                      "algorithms accepted",
                                      issuer->keys)
                           : CONF_SAY("\"%1\" cannot be read",
                                      "write a file of at most 1 MiB that this user may read",
                                      issuer->keys));
    }
}

int
conf_check_files(const struct conf *conf, struct conf_errors *errors)
{
    unsigned wrong_n = errors->wrong_n;

    errors->file = conf->file ? conf->file : "the command line";
    for (size_t i = 0; i < conf->sites_n; i++) {
        for (size_t j = 0; j < conf->sites[i].routes_n; j++) {
            if (conf->sites[i].routes[j].kind == CONF_KIND_FILES)
                check_folder(conf, &conf->sites[i].routes[j], errors);
            if (conf->sites[i].routes[j].kind == CONF_KIND_INTAKE)
                check_intake(&conf->sites[i].routes[j], errors);
            if (conf->sites[i].routes[j].kind == CONF_KIND_FASTCGI ||
                conf->sites[i].routes[j].kind == CONF_KIND_CGI)
                check_scripts(conf, &conf->sites[i].routes[j], errors);
        }
    }
    if (!slice_eq(conf->log.file, ERN_SLICE("-")) && !slice_eq(conf->log.file, ERN_SLICE("off")))
        check_log(conf, CONF_log_file, conf->log.file, errors);
    if (!slice_eq(conf->log.errors, ERN_SLICE("-")))
        check_log(conf, CONF_log_errors, conf->log.errors, errors);
    if (!slice_eq(conf->log.audit, ERN_SLICE("-")) && !slice_eq(conf->log.audit, ERN_SLICE("off")))
        check_log(conf, CONF_log_audit, conf->log.audit, errors);
    for (size_t i = 0; i < conf->listens_n; i++)
        check_secret(&conf->listens[i], errors);
    check_user(conf, errors);
    check_legal(conf, errors);
    check_users_file(conf, errors);
    check_keys(conf, errors);
    check_certificates(conf, errors);
    for (unsigned i = 0; !conf->file && i < errors->n; i++) /* flags stand nowhere */
        errors->error[i].line = errors->error[i].column = 0;
    conf_errors_sort(errors);
    return errors->wrong_n > wrong_n ? -1 : 0;
}
