/* SPDX-License-Identifier: Apache-2.0 */
/* step.h - a part of answering a request that may block: it runs on the pool, and the request goes
 * on. */
#ifndef RES_STEP_H
#define RES_STEP_H

#include "res/res.h"

/*
 * Has the pool call run(request), and then asks the same fact again. While it runs nobody else
 * touches the request; it says what it ended with in the state of its own.
 * Returns ERN_WAIT, or ERN_FAIL without memory or when too much waits for the pool.
 */
enum ern_answer res_step(struct res_request *request, void (*run)(struct res_request *request));

#endif
