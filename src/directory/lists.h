/*
 * directory.db: what people look at, as rows of any number.
 *
 * Each list calls EACH once a row and keeps nothing, so that 100,000 users cost
 * no more memory than one.  An entry's strings are gone when EACH returns.
 * EACH may ask other questions of the same handle, but not the same list.
 */
#ifndef DIRECTORY_LISTS_H
#define DIRECTORY_LISTS_H

#include "directory/changes.h"

struct holder_entry {
	int64_t id;
	enum holder_kind kind;
	struct str login, name, domain;
	struct str place; /* in lists: of its sort key */
	bool enabled, builtin;
	enum home mail_system;
	struct str system; /* of his own, else the relay's hosts when he is
				   an alternate user, else empty */
	bool has_own_system;
	bool has_password;
	uint64_t quota_bytes;
	bool forward_keeps_copy;
};

struct holder_filter {
	enum holder_kind kind;
	int64_t id;      /* 0: all */
	int64_t domain;  /* 0: all */
	int mail_system; /* enum home; -1: all */
};

/* In the order of their sort keys (sort_key.h). */
bool list_holders(struct directory *d, const struct holder_filter *filter,
		  void (*each)(void *arg, const struct holder_entry *e),
		  void *arg) must_check;

/* Whether a user has a password. */
enum with_password { PASSWORD_OR_NONE, PASSWORD_SET, PASSWORD_NONE };

enum holder_sort { SORT_ADDRESS, SORT_ADDRESS_DOWN, SORT_NAME, SORT_NAME_DOWN };

/*
 * A page of users, groups and shared mailboxes: those behind AFTER, the last
 * entry of the page before.  A page costs the same wherever it lies, unless
 * nearly nothing matches; then it costs a look at everybody (some 100 ms for
 * 100,000).
 */
struct holder_page {
	unsigned kinds;    /* 1 << enum holder_kind */
	int64_t domain;    /* 0: all */
	int mail_system;   /* enum home, of users; -1: all */
	struct str system; /* users with this named system; empty: all */
	int enabled;       /* -1: all */
	enum with_password password;
	struct str search; /* in addresses and names, blind to case and
				   accents; empty: all */
	enum holder_sort sort;
	struct str after_place, after_name; /* empty: from the start */
	int64_t limit;
};

bool list_holder_page(struct directory *d, const struct holder_page *page,
		      void (*each)(void *arg, const struct holder_entry *e),
		      void *arg) must_check;
/* How many match, wherever the page lies. */
enum answer count_holders(struct directory *d, const struct holder_page *page,
			  int64_t *out);

/* The holder of an address as people write it, the builtin ones included. */
enum answer find_holder(struct directory *d, struct str address,
			struct arena *arena, int64_t *id);

/* One that mail goes to a DOMAIN's relay for: of an enabled alternate user
 * without a system of his own; made of letters, digits and ".-_+" only, so that
 * any server can be asked for it. */
enum answer find_alternate_address(struct directory *d, int64_t domain,
				   struct arena *arena, struct str *out);

struct address_entry {
	struct str text; /* "left@name" or "left@*" */
	bool is_default, routed;
	enum home home;
};

bool list_addresses(struct directory *d, int64_t holder,
		    void (*each)(void *arg, const struct address_entry *e),
		    void *arg) must_check;
/* Of a user, in the order of adding. */
enum answer list_forwards(struct directory *d, int64_t holder,
			  struct arena *arena, const struct str **out,
			  size_t *n);

struct domain_entry {
	struct domain domain;
	struct str description;
	struct str outgoing; /* outgoing_text() */
	uint64_t hosted, alternate, no_mail, groups, shared;
};

/* NAME empty: all; else one, by name or alias. */
bool list_domains(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct domain_entry *e),
		  void *arg) must_check;
/* Every name of every domain, first names and aliases. */
bool list_domain_names(struct directory *d,
		       void (*each)(void *arg, struct str name, int64_t domain),
		       void *arg) must_check;
enum answer list_aliases(struct directory *d, int64_t domain,
			 struct arena *arena, const struct str **out,
			 size_t *n);

/* Who may send as this group or shared mailbox: logins, and "members". */
enum answer list_senders(struct directory *d, int64_t holder,
			 struct arena *arena, const struct str **out,
			 size_t *n);

/* NAME empty: all. */
bool list_systems(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct system *e),
		  void *arg) must_check;
/* Where mail of a DOMAIN (0: of all) may go: its relay, named by its hosts,
 * and the named systems of its users; of all: every named one. */
bool list_next_systems(struct directory *d, int64_t domain,
		       void (*each)(void *arg, const struct next_hop *h,
				    struct str hosts),
		       void *arg) must_check;
enum answer list_trust(struct directory *d, int64_t system, struct arena *arena,
		       const struct str **out, size_t *n);

/* In their order.  NAME empty: all. */
bool list_filters(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct filter *f),
		  void *arg) must_check;

struct admin_entry {
	struct str name, domain; /* domain empty: all */
	enum admin_role role;
	bool has_password, has_totp;
};

bool list_admins(struct directory *d,
		 void (*each)(void *arg, const struct admin_entry *e),
		 void *arg) must_check;

/* ---- the change log ---- */

struct change_entry {
	int64_t id, at_s;
	struct str who, noun, subject, field, old, new;
	bool can_undo; /* rename_undo() */
};

struct change_page {
	struct str domain;  /* what belongs to it; empty: everything */
	struct str subject; /* also by its former names; empty: all */
	struct str who;     /* empty: all */
	struct str search;  /* in subject, who, old and new, blind to case
				   and accents; empty: all */
	int64_t before;     /* older than this id; 0: from the newest */
	int64_t limit;
};

/* The newest first. */
bool list_changes(struct directory *d, const struct change_page *page,
		  void (*each)(void *arg, const struct change_entry *e),
		  void *arg) must_check;

#endif
