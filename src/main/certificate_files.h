/*
 * Files of certificates and keys: what the one certificate (certificate.h) and
 * the folder of them (certificates.h) do alike.  What reads and writes blocks.
 */
#ifndef MAIN_CERTIFICATE_FILES_H
#define MAIN_CERTIFICATE_FILES_H

#include "base/buf.h"
#include "base/fail.h"
#include "rt/privileges.h"
#include "rt/stamp.h"

/* All of a file, which has MOST bytes at most, is added to TO. */
bool certificate_read(const char *path, size_t most, struct buf *to) must_check;
/* For OWNER only, as he would: whole or not at all. */
bool certificate_write(const char *path, struct str text,
		       const struct person *owner) must_check;

/* What is wrong with what should be served. */
struct wrong {
	bool is;
	bool is_said;   /* in the log, as it is now */
	bool is_told;   /* that it is wrong, if not how */
	unsigned looks; /* at it as it is now */
	struct failure why;
};

/* Log what is wrong with WHICH when it was for two looks, for a renewal is several
 * steps, or AT_ONCE, and that it is good again.  IS_CHANGED: it may be wrong in
 * another way.  True: it is to be told from now on, in other words, or no more. */
bool certificate_say_wrong(struct wrong *w, bool is_changed, const char *which,
			   bool at_once);
/* Log that WHICH ends soon, or has ended, once each time that is nearer;
 * *WARNED is how many times. */
void certificate_say_end(const char *which, int64_t ends_ms, unsigned *warned);

#endif
