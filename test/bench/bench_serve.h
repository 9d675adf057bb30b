/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_serve.h - a worker without sockets, for what is measured between the bytes of a request and
 * those of its answer: it serves a folder of its own.
 */
#ifndef TEST_BENCH_BENCH_SERVE_H
#define TEST_BENCH_BENCH_SERVE_H

#include "conf/conf.h"
#include "serve/conn.h"
#include "serve/login.h"

extern struct worker *bench_worker;
extern struct conf *bench_conf;
extern struct conn bench_conn; /* by which all requests come */
extern char bench_folder[];

/* Makes the folder, and a file of so many bytes in it. */
void bench_make_folder(void);
void bench_make_file(const char *name, size_t bytes);

/* Makes the worker of bench_conf. */
void bench_serve(void);

/* Gives back all, with the folder. */
void bench_end(void);

/* Reads, decides and composes, so often; the head of the answer is then in bench_worker->out. What
 * has to be looked at or hashed first is remembered by then. */
void bench_answer(struct ern_slice request, unsigned status, size_t times);

#endif
