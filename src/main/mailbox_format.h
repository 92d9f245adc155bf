/*
 * How mailboxes lie on the disk: chosen once, when the data folder is made.
 *
 *	DATA/mail/format	one line, for reading only: "maildir" or "mdbox"
 *
 * It is noted beside the mail, for it is true of the mail: a directory.db that
 * is restored, or a splitmail.conf that is edited, changes nothing about it.
 * Nothing writes it but `init`, the first `serve` on a mail/ without mailboxes,
 * and `convert`.  A mail/ with mailboxes and no note was made before there was
 * a choice: Maildir with folders beside each other (Maildir++), which `convert`
 * puts in order.
 */
#ifndef MAIN_MAILBOX_FORMAT_H
#define MAIN_MAILBOX_FORMAT_H

#include "base/fail.h"
#include "base/str.h"

enum mailbox_format {
	MAILBOX_MAILDIR, /* a file for each message, folders in folders */
	MAILBOX_MDBOX,   /* many messages in a file: Dovecot's own */
};

const char *mailbox_format_name(enum mailbox_format f);
bool mailbox_format_parse(struct str word, enum mailbox_format *out) must_check;

enum mailbox_format_found {
	FORMAT_NOTED,   /* *OUT is it */
	FORMAT_EMPTY,   /* no mailboxes yet: any may be noted */
	FORMAT_OLD,     /* mailboxes, and no note */
	FORMAT_TROUBLE, /* cause() */
};
/* MAIL is DATA/mail. */
enum mailbox_format_found mailbox_format_find(const char *mail,
					      enum mailbox_format *out);
bool mailbox_format_note(const char *mail, enum mailbox_format f) must_check;

#endif
