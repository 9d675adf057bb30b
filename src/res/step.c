/* SPDX-License-Identifier: Apache-2.0 */
#include "res/step.h"

struct step {
    struct job job; /* first: the pool gives it back */
    struct res_request *request;
    void (*run)(struct res_request *request);
};

static void
step_run(struct job *job)
{
    struct step *s = (struct step *)job;

    s->run(s->request);
}

static void
step_done(struct job *job)
{
    struct res_request *request = ((struct step *)job)->request;

    request->resume(request);
}

enum ern_answer
res_step(struct res_request *request, void (*run)(struct res_request *request))
{
    struct step *s = arena_take(request->arena, sizeof *s);

    if (!s)
        return ERN_FAIL;
    *s = (struct step){
        .job = {.mailbox = request->mailbox, .run = step_run, .done = step_done},
        .request = request,
        .run = run,
    };
    return pool_submit(request->pool, &s->job) ? ERN_WAIT : ERN_FAIL;
}
