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

/* Sockets, in the config's arena. */
const char *dovecot_lmtp_path(const struct config *c);
const char *dovecot_auth_path(const struct config *c);
const char *dovecot_config_path(const struct config *c);

/* Can Dovecot live in the data folder, going by its name? */
bool dovecot_takes_folder(const char *data) must_check;

/* Write dovecot.conf and its SQL part; SPLITMAIL is our own binary, which
 * Sieve calls as sendmail.  The files belong to USER (uid, gid). */
bool dovecot_write(const struct config *c, const char *splitmail, unsigned uid,
		   unsigned gid) must_check;

/* Tell a Dovecot on these folders, which an earlier `serve` left, to end; false:
 * there is none.  Removes the pid file of one that is gone, which Dovecot
 * itself takes for a running one while its process is not reaped. */
bool dovecot_end_left(const struct config *c);

#endif
