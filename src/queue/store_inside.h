/*
 * What the store_*.c share: the statements.
 */
#ifndef QUEUE_STORE_INSIDE_H
#define QUEUE_STORE_INSIDE_H

#include "queue/store.h"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	MARK,
	UNMARK,
	UNDO,
	LOOK,
	SCAR,
	VERSION,
	ADD_MESSAGE,
	ADD_BODY,
	ADD_RECIPIENT,
	HAS,
	ANY,
	UPDATE,
	REMOVE,
	HOLD,
	LEFT,
	END_MESSAGE,
	END_BODY,
	NEXT_LANE,
	NEXT_KIND,
	DUES,
	DUE,
	ENTERED,
	HURRY,
	LATEST,
	MEND_ATTEMPTS,
	WRONG_ENTERED,
	MEND_ENTERED,
	LOAD_MESSAGE,
	LOAD_BODY,
	LOAD_RECIPIENTS,
	WAITING,
	WAITING_OF_DOMAIN,
	REDIRECT,
	FOLLOWED,
	SET_FOLLOWED,
	CLOCK,
	SET_CLOCK,
	IDENTITY,
	STATEMENTS
};

struct store {
	struct sql *sql;
	struct query st[STATEMENTS];
	struct failure undone_by; /* when a transaction ended by itself */
};

/* Run one that returns no row. */
bool store_run(struct store *s, enum statement which) must_check;
/* Step one that returns rows: *ROW says whether one came; the caller resets. */
bool store_step(struct store *s, enum statement which, bool *row) must_check;

#endif
