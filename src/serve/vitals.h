/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vitals.h - how the server does, for what watches over it, if it may see decisions
 * (res/onlooker.h):
 *
 *   metrics  the counters, as OpenMetrics 1.0
 *   health   200 if a thread that serves and one of the pool can answer; if not, no answer comes
 *   ready    200 if it takes requests; 503 if it ends, or has all the connections that it takes
 */
#ifndef SERVE_VITALS_H
#define SERVE_VITALS_H

#include "earnest/decide.h"

#define METRICS_PATH "/.earnest/metrics"
#define HEALTH_PATH "/.earnest/health"
#define READY_PATH "/.earnest/ready"

extern struct ern_resource metrics_resource, health_resource, ready_resource;

#endif
