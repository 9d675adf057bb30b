/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECIDE_GIVEN_H
#define DECIDE_GIVEN_H

#include "code/finding.h"
#include "earnest/decide.h"

/* States what a finding of the parsers means; nothing for FINDING_none. Only until ern_begin(). */
void given_finding(struct ern_facts *given, enum finding finding);

#endif
