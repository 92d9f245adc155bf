/*
 * One mail transaction with a next hop, SMTP or LMTP (RFC 5321 3.3, RFC 2033).
 *
 * Outcomes are written into the shares.  A share that is WAITING afterwards was
 * neither taken nor refused, and nothing the next hop has could become a
 * delivery of it: another host may be tried.  Why is in *TROUBLE.
 */
#ifndef DELIVER_TRANSACTION_H
#define DELIVER_TRANSACTION_H

#include "deliver/job.h"

void waits transaction_run(struct peer *p, struct job *job,
                           struct share **shares, size_t n,
                           struct trouble *trouble);

#endif
