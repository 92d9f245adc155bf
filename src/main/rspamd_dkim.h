/*
 * What the private Rspamd signs with (DKIM): one file for each name of a domain
 * that has keys in use.
 *
 *	DATA/rspamd/dkim/example.net	"example.org", the domain's first name;
 *					then "SELECTOR KEY" lines
 *
 * It reads the one it needs at each mail that is to be signed, so that what
 * changes in the directory counts within a second, and nothing is started again.
 * Which mail that is says override.d/dkim_signing.conf, which is ours.
 */
#ifndef MAIN_RSPAMD_DKIM_H
#define MAIN_RSPAMD_DKIM_H

#include "directory/directory.h"
#include "rt/privileges.h"

#define RSPAMD_DKIM_FOLDER "dkim"
#define RSPAMD_DKIM_CONF "override.d/dkim_signing.conf"

extern const char rspamd_dkim_conf[]; /* the text of that file */

/* The files of FOLDER as the directory is now.  False: cause(). */
bool rspamd_dkim_write(const char *folder, struct directory *d,
		       const struct person *person) must_check;

#endif
