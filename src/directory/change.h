/*
 * Inside directory/ only: what the files of changes share.
 *
 * A step is a function that returns false after it has put the outcome into
 * C, by refuse(), missing() or broken(); a change is a chain of steps between
 * change_begin() and change_end().
 *
 *	struct change domain_delete(struct changes *c, struct str name)
 *	{
 *		return change_end(c, change_begin(c) && remove_domain(c, name));
 *	}
 */
#ifndef DIRECTORY_CHANGE_H
#define DIRECTORY_CHANGE_H

#include "base/buf.h"
#include "directory/changes.h"
#include "directory/sql.h"
#include "wire/address.h"
#include "wire/hosts.h"

struct references {
	struct reference *r;
	size_t n, room;
};

struct changes {
	struct sql *sql;
	struct directory *view; /* changes_directory(); or NULL */
	char *who;
	struct arena *arena; /* one change's */
	struct change result;
	enum admin_role role; /* who asks: changes_ask_as() */
	int64_t role_domain;
	const char *hostname;          /* this machine's; NULL: not known */
	const struct texts *listeners; /* this server's; NULL: not known */
	bool in_batch, in_change;
	bool cleans;               /* changes_clean() */
	struct references cleaned; /* by this change */
};

/* ---- the frame (changes.c) ---- */

bool change_begin(struct changes *c) must_check;
struct change change_end(struct changes *c, bool ok);

/* Both false. */
bool change_refuse(struct changes *c, enum change_outcome outcome,
		   const char *field, enum refusal reason,
		   const struct value *values);
bool change_broken(struct changes *c); /* cause() says why */
/* True: what the sentence of success is. */
bool change_done(struct changes *c, const char *format, ...) printf_like(2, 3);

/*
 * Short, because they are in every other line here; nobody else sees them.
 * REASON is an id of refusals.def, behind it come the values of its sentence:
 *
 *	return refuse(c, "name", domain_exists, V("domain", name));
 */
#define refuse(c, field, reason, ...) \
	change_refuse(c, CHANGE_REFUSED, field, REFUSE_##reason, \
		      VALUES(__VA_ARGS__))
#define missing(c, field, reason, ...) \
	change_refuse(c, CHANGE_NOT_FOUND, field, REFUSE_##reason, \
		      VALUES(__VA_ARGS__))
#define broken(c) change_broken(c)
#define done(...) change_done(__VA_ARGS__)

/* One line of the change log. */
bool change_log(struct changes *c, const char *noun, struct str subject,
		struct str field, struct str old, struct str new) must_check;
/* The open sessions of this login have to end. */
bool change_end_sessions(struct changes *c, int64_t holder,
			 struct str login) must_check;

/* sql_run() and sql_int() as steps. */
#define run(c, ...) (sql_run((c)->sql, __VA_ARGS__) || broken(c))
/* *OUT keeps its value when there is no row. */
#define ask(c, out, ...) \
	(sql_int((c)->sql, out, __VA_ARGS__) != ANSWER_UNSURE || broken(c))

/* ---- lists of names in sentences ---- */

enum { NAMES_SHOWN = 10 };

/* The first ten, from the first column of Q; *N: how many there are.  Ends
 * Q. */
bool name_list(struct changes *c, struct query *q, struct texts *out,
	       int64_t *n) must_check;
/* WORDS end with NULL. */
struct texts words_list(struct changes *c, const char *const *words);

/* ---- values ---- */

bool value_bool(struct changes *c, const char *field, struct str v,
		bool *out) must_check;
/* One of WORDS (NULL at the end); its index. */
bool value_word(struct changes *c, const char *field, struct str v,
		const char *const *words, int64_t *out) must_check;
/* "10G", "500 MB", "1048576", "0" (base/size.h). */
bool value_size(struct changes *c, const char *field, struct str v,
		int64_t *out) must_check;
/* 1 to MOST; empty: 0, not set. */
bool value_count(struct changes *c, const char *field, struct str v,
		 int64_t most, int64_t *out) must_check;
/* One line of UTF-8 for people, at most MAX bytes. */
bool value_text(struct changes *c, const char *field, struct str v, size_t max,
		struct str *out) must_check;
/* Any mailbox, ours or not. */
bool value_address(struct changes *c, const char *field, struct str v,
		   struct address *out) must_check;
/* Canonical. */
bool value_domain(struct changes *c, const char *field, struct str v,
		  struct str *out) must_check;
/* One host at least. */
bool value_hosts(struct changes *c, const char *field, struct str v,
		 struct host **out, size_t *n) must_check;
/* The hash of a password that was chosen for who logs in as LOGIN. */
bool value_password(struct changes *c, struct str login, struct str v,
		    struct str *out) must_check;
/* Addresses that mail leaves from (wire/outgoing.h), *OUT as they are kept:
 * superadministrators choose them. */
bool value_outgoing(struct changes *c, struct str old, struct str v,
		    struct str *out) must_check;
/* 1*63( a-z / 0-9 / "-" / "_" ), in lower case; refused as a "name" for
 * REASON. */
bool value_name(struct changes *c, struct str v, enum refusal reason,
		struct str *out) must_check;
struct str bytes_text(struct changes *c, int64_t bytes);
bool is_key(struct str key, const char *name);
/* False: KEY is none of KEYS (NULL at the end), which are those of NOUN. */
bool unknown_key(struct changes *c, const char *noun, struct str key,
		 const char *const *keys);

extern const char *const home_words[],
	*const tls_words[], *const when_down_words[],
				    *const own_senders_words[],
					    *const from_header_words[],
						    *const family_words[],
							    *const role_words[];

/* ---- domains and holders, looked for (changes_find.c) ---- */

struct domain_row {
	int64_t id;
	struct str name, description, relay, catch_all, postmaster;
	int64_t forward_unknown, own_senders, from_header, max_message_bytes;
	int64_t relay_is_elsewhere;
	struct str outgoing;
};

/* By name or alias; not found is said with FIELD. */
bool domain_load(struct changes *c, const char *field, struct str name,
		 struct domain_row *out) must_check;
/* *ID is 0 when the (canonical) name is none of ours. */
bool domain_id(struct changes *c, struct str name, int64_t *id) must_check;
/* By its id, which is there. */
bool domain_read(struct changes *c, int64_t id,
		 struct domain_row *out) must_check;

struct holder_row {
	int64_t id, kind, domain, enabled, builtin;
	int64_t mail_system, system, quota_bytes, forward_keeps_copy;
	struct str login, name, password;
};

/* By its default address, or any other of its addresses. */
bool holder_load(struct changes *c, struct str address,
		 struct holder_row *out) must_check;
bool holder_load_kind(struct changes *c, enum holder_kind kind,
		      struct str address, struct holder_row *out) must_check;
/* The same, for what cannot be taken lightly: by its default address only.  An
 * old one may be all that a script knows of who has had another name since. */
bool holder_load_named(struct changes *c, enum holder_kind kind,
		       struct str address, struct holder_row *out) must_check;
/* Whom holder_load() would load; *ID 0: nobody, or it is no address. */
bool holder_find(struct changes *c, struct str address, int64_t *id) must_check;
/* By its id, which is there. */
bool holder_read(struct changes *c, int64_t id,
		 struct holder_row *out) must_check;
/* Who gets mail for it? *HOLDER 0: nobody. BUILTIN ones count when asked. */
bool place_holder(struct changes *c, int64_t domain, struct str local,
		  struct str name, bool builtin, int64_t *holder) must_check;
/* Whom does an address lead to here, +detail or not?  *HOLDER 0: nobody, or
 * elsewhere. */
bool address_holder(struct changes *c, const struct address *a,
		    int64_t *holder) must_check;

/* As the key `forward` has them: "a@b.test, c@d.test". */
bool forwards_text(struct changes *c, int64_t holder,
		   struct str *out) must_check;

/* ---- the names of a domain (changes_domain_names.c) ---- */

/* One more name; refused with FIELD when it is another domain's. */
bool domain_add_name(struct changes *c, const char *field,
		     const struct domain_row *d, struct str name) must_check;
/* One name less.  What is held on it alone keeps it, and so does what leads
 * there: references_settle(). */
bool domain_drop_name(struct changes *c, const struct domain_row *d,
		      struct str name) must_check;
/* TEXT: "a.example, b.example".  They are all there are, but its first name. */
bool domain_set_aliases(struct changes *c, const struct domain_row *d,
			struct str text) must_check;

/* ---- places (changes_place.c) ---- */

/* What "left@name" or "left@*" (*ALL) says; of the latter A has no domain to be
 * used. */
bool value_place(struct changes *c, const char *field, struct str text,
		 struct address *a, bool *all) must_check;
/*
 * "left@name" or "left@*".  A name has to be one of the domain's; DOMAIN 0:
 * *LOOKED gets it from the name.  LOCAL and NAME are canonical.
 */
struct place {
	int64_t domain;
	struct str local, name; /* name "*": all */
	struct str text;        /* "left@name", for sentences */
};
bool place_parse(struct changes *c, const char *field, struct str text,
		 int64_t domain, struct place *out) must_check;
/* Refused, naming the holder, when anybody has it or a part of it; and when it
 * would take a superior's details. */
bool place_is_free(struct changes *c, const char *field,
		   const struct place *p) must_check;
/* H gets left@*: what it has of left@name is part of that, and goes. */
bool place_take_in(struct changes *c, const struct holder_row *h,
		   const struct place *p) must_check;
bool place_add(struct changes *c, int64_t holder, const struct place *p,
	       bool is_default) must_check;
/* Of all his addresses: other ways to write them (spelling.h). */
bool addresses_spell(struct changes *c, int64_t holder) must_check;
/* Does A (ours or not) lead anywhere?  Refused with FIELD when its domain is
 * ours and nobody there has it. */
bool address_leads(struct changes *c, const char *field,
		   const struct address *a) must_check;

/* ---- holders and their addresses (changes_address.c) ---- */

/* What a default address may be: it needs no quotes anywhere. */
bool check_default_address(struct changes *c,
			   const struct address *a) must_check;
/* Insert a holder with its default address; sets id, login, domain. */
bool holder_insert(struct changes *c, struct str address,
		   struct holder_row *h) must_check;
/* With all that leads to it: references_settle(). */
bool holder_delete(struct changes *c, const struct holder_row *h) must_check;
/* Needs the user a relay or system now?  Refused with FIELD when there is
 * none. */
bool check_system(struct changes *c, const char *field,
		  const struct holder_row *h) must_check;

/* ---- who is deleted (changes_kept.c) ---- */

/* Write H down with all he has, so that he can be had back; ALL leads to him. */
bool deleted_keep(struct changes *c, const struct holder_row *h,
		  const struct references *all) must_check;

/* ---- who may change what (changes_rights.c) ---- */

/* Has he who asks all rights of H, and of those whose mail H gets?  Refused
 * without a field.  Every change of a holder asks this, whatever door it comes
 * through. */
bool check_rank(struct changes *c, const struct holder_row *h) must_check;
/* The same as an answer. */
bool is_outranked(struct changes *c, const struct holder_row *h,
		  bool *out) must_check;
/* H called SHOWN, for who may not see its login. */
bool check_rank_as(struct changes *c, const struct holder_row *h,
		   const char *field, struct str shown) must_check;
/* Of whom this address leads to here, if anybody. */
bool check_rank_of_target(struct changes *c, const char *field,
			  struct str spelling) must_check;
/* Of all whose mail goes to the relay of DOMAIN. */
bool check_rank_of_relayed(struct changes *c, int64_t domain) must_check;
/* Only superadministrators name hosts that are this very machine, or
 * link-local: what listens there takes a neighbour's word. */
bool check_hosts_are_others(struct changes *c, const char *field,
			    const struct host *hosts, size_t n) must_check;

/* ---- what he who asks sees of that (changes_seen.c) ---- */

bool reference_is_seen(const struct changes *c, const struct reference *r);
/* "keep@a.test (forward)": the first ten of those that he who asks sees. */
struct texts references_texts(struct changes *c, const struct references *all);

/* ---- what leads to an address (changes_references.c) ---- */

/* An address, or all those of a domain or of one of its names. */
struct target {
	int64_t domain;
	struct str local;               /* empty: all */
	struct str name;                /* "*": all of the domain's */
	int64_t but_holder, but_domain; /* what belongs to these leads not */
};

/* Each adds to OUT, whose memory is the change's. */
bool references_find(struct changes *c, const struct target *t,
		     struct references *out) must_check;
/* To any of his addresses. */
bool references_find_holder(struct changes *c, const struct holder_row *h,
			    struct references *out) must_check;
/* Text for R, which leads to NAME then: renaming.h. */
typedef struct str reference_text(struct changes *c, const struct reference *r,
				  struct str name);
/* What deleted users forwarded to T, should they come back: to nobody (TO is
 * NULL), or to NAME. */
bool kept_forwards_lead(struct changes *c, const struct target *t,
			reference_text *to, struct str name) must_check;
/* Of all his addresses: to nobody. */
bool kept_forwards_leave(struct changes *c,
			 const struct holder_row *h) must_check;
/* The administrator who signs in with this user. */
bool references_find_admin(struct changes *c, const struct holder_row *h,
			   struct references *out) must_check;
bool references_find_admins_of(struct changes *c, int64_t domain,
			       struct references *out) must_check;
/* ADDRESS goes: refused, naming what leads there; or taken away, as far as he
 * who asks may change it. */
bool references_settle(struct changes *c, struct references *all,
		       struct str address) must_check;

/* ---- users (changes_holder.c) ---- */

/* "user", "group", "shared": as the change log has it. */
const char *holder_noun(const struct holder_row *h);
/* A mailbox here goes by its login, and Dovecot's LMTP takes ASCII only. */
bool check_mailbox_name(struct changes *c,
			const struct holder_row *h) must_check;
/* Refused when they fit no user, whoever he is. */
bool user_settings_check(struct changes *c, const struct setting *s,
			 size_t n) must_check;

/* ---- who may send as a group or shared mailbox (changes_senders.c) ---- */

/* "members, a@b, c@d"; empty: nobody. */
bool senders_load(struct changes *c, int64_t holder,
		  struct str *out) must_check;
bool senders_set(struct changes *c, const struct holder_row *h,
		 struct str text) must_check;

/* ---- groups (changes_group.c) ---- */

bool member_add(struct changes *c, const struct holder_row *group,
		struct str text) must_check;

/* ---- systems (changes_system.c) ---- */

/* *ID by name; not found is said with FIELD. */
bool system_id(struct changes *c, const char *field, struct str name,
	       int64_t *id) must_check;
/* Empty for 0. */
struct str system_name_of(struct changes *c, int64_t id);

#endif
