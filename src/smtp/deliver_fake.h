/* For tests only: what deliver_fake.c remembers, and what it is told. */
#ifndef SMTP_DELIVER_FAKE_H
#define SMTP_DELIVER_FAKE_H

#include "deliver/deliver.h"

struct deliver {
	struct verification *verification;
	struct reply answer;  /* of deliver_accept(); code 0: 250 */
	struct message *last; /* held */
	unsigned accepted, probes, probes_later;
};

#endif
