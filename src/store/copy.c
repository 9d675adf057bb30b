/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "store/sqlite.h"

static int
open_database(const char *folder, int flags, sqlite3 **ret)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/earnest.db", folder) >= (int)sizeof path)
        return -ENAMETOOLONG;
    if ((flags & SQLITE_OPEN_READONLY) && access(path, F_OK) < 0)
        return -errno;
    return sqlite3_open_v2(path, ret, flags, NULL) == SQLITE_OK ? 0 : -EIO;
}

int
store_copy(const char *from, const char *to)
{
    sqlite3 *source = NULL, *copy = NULL;
    sqlite3_backup *backup;
    int error = open_database(from, SQLITE_OPEN_READONLY, &source);

    if (!error)
        error = open_database(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &copy);
    if (!error) {
        backup = sqlite3_backup_init(copy, "main", source, "main");
        if (!backup || sqlite3_backup_step(backup, -1) != SQLITE_DONE)
            error = -EIO;
        (void)sqlite3_backup_finish(backup);
    }
    (void)sqlite3_close(source);
    (void)sqlite3_close(copy);
    return error == -ENOENT ? 0 : error;
}
