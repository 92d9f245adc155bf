/*
 * The private Dovecot: its configuration, made from ours and the directory.
 *
 * Dovecot serves the mailboxes (IMAP, POP3, ManageSieve, LMTP) and checks the
 * passwords for submission.  It reads two views of directory.db that show
 * hosted and enabled users only, with its cache off: that is how a user who
 * is not hosted cannot log in, from the next login on.
 */
#ifndef MAIN_DOVECOT_H
#define MAIN_DOVECOT_H

#include "main/config.h"
#include "main/dovecot_conf.h"
#include "rt/privileges.h"

/* Sockets, in the config's arena. */
const char *dovecot_lmtp_path(const struct config *c);
const char *dovecot_auth_path(const struct config *c);
const char *dovecot_config_path(const struct config *c);

/* Can Dovecot live in the data folder, going by its name? */
bool dovecot_takes_folder(const char *data) must_check;

/* Make the folders in the data folder that Dovecot and the engine live in.
 * They, and the files below, are made as OWNER would, and are his. */
bool dovecot_make_folders(const struct config *c,
			  const struct person *owner) must_check;

/* SAID by `dovecot --version`; false: cause() names it and those that are
 * known. */
bool dovecot_understand_version(struct str said,
				enum dovecot_version *out) must_check;

/* Write dovecot.conf, with its SQL part; SPLITMAIL is our own binary, which
 * Sieve calls as sendmail. */
bool dovecot_write(const struct config *c, enum dovecot_version version,
		   const char *splitmail,
		   const struct person *owner) must_check;

/* One Dovecot a data folder: the lock is inherited by its master, as
 * DOVECOT_LOCK_FD, and by all processes of that, and lasts as long as any of them.
 * NULL: an earlier `serve` left some, which were told to end.  With the lock goes
 * a pid file of one that is gone: Dovecot takes it for a running one's when
 * anybody has that number. */
struct lock *dovecot_lock(const struct config *c);
enum { DOVECOT_LOCK_FD = 99 }; /* Dovecot uses those from 3 on itself */

#endif
