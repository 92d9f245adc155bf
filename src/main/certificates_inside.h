/*
 * The folder of certificates, from inside: its entries, and what is written of
 * them (certificates_told.c, dovecot_named.c).
 */
#ifndef MAIN_CERTIFICATES_INSIDE_H
#define MAIN_CERTIFICATES_INSIDE_H

#include "base/arena.h"
#include "main/certificate_files.h"
#include "main/dovecot.h"
#include "rt/tls.h"

/* How it lies in the folder, as that was last read. */
enum entry_form {
	ENTRY_NONE,
	ENTRY_FOLDER,    /* NAME/fullchain.pem, NAME/privkey.pem */
	ENTRY_FILE,      /* NAME.pem: both */
	ENTRY_TWO_FILES, /* NAME.crt, NAME.key */
};

struct entry {
	char *name; /* in the folder */
	enum entry_form form;
	struct arena *arena; /* of what it says; NULL: nothing is known */
	struct tls_said said;
	struct buf pair;      /* what is served; empty: nothing */
	struct stamp seen[2]; /* chain, key: when last read */
	bool is_read, is_changed, is_renewed, is_moved;
	struct wrong wrong;
	unsigned warned; /* of its end: how many times */
};

/* For served_choose(), in ARENA; an entry that is not served has no names. */
struct served *certificates_served(const struct entry *entries, size_t n,
				   struct arena *arena);
/* What is told of them: JSON (certificates.h). */
void certificates_tell(const struct entry *entries, size_t n,
		       const struct wrong *folder, struct buf *to);
/* Dovecot's part.  Blocks; what is no longer named is removed at the end. */
bool dovecot_write_named(const struct config *c, enum dovecot_version version,
			 const struct person *owner,
			 const struct entry *entries, size_t n) must_check;

#endif
