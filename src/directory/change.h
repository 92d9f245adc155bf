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

struct changes {
	struct sql *sql;
	struct directory *view;		/* changes_directory(); or NULL */
	char *who;
	struct arena *arena;		/* one change's */
	struct change result;
	enum admin_role role;		/* who asks: changes_ask_as() */
	int64_t role_domain;
	bool in_batch, in_change;
};

/* ---- the frame (changes.c) ---- */

bool change_begin(struct changes *c) must_check;
struct change change_end(struct changes *c, bool ok);

/* Both false. */
bool change_refuse(struct changes *c, enum change_outcome outcome,
		   const char *field, enum refusal reason,
		   const struct value *values);
bool change_broken(struct changes *c);		/* cause() says why */
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
bool change_end_sessions(struct changes *c, int64_t holder, struct str login)
	must_check;

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

bool value_bool(struct changes *c, const char *field, struct str v, bool *out)
	must_check;
/* One of WORDS (NULL at the end); its index. */
bool value_word(struct changes *c, const char *field, struct str v,
		const char *const *words, int64_t *out) must_check;
/* "10G", "500M", "1048576", "0". */
bool value_size(struct changes *c, const char *field, struct str v,
		int64_t *out) must_check;
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
/* Its hash. */
bool value_password(struct changes *c, const char *field, struct str v,
		    struct str *out) must_check;
struct str size_text(struct changes *c, int64_t bytes);
/* N random letters of base32, 5 bits each, and a NUL. */
void random_letters(char *out, size_t n);
bool is_key(struct str key, const char *name);
/* False: KEY is none of KEYS (NULL at the end), which are those of NOUN. */
bool unknown_key(struct changes *c, const char *noun, struct str key,
		 const char *const *keys);

extern const char *const home_words[], *const tls_words[],
	*const when_down_words[], *const own_senders_words[],
	*const role_words[];

/* ---- domains (changes_domain.c) ---- */

struct domain_row {
	int64_t id;
	struct str name, description, relay, catch_all, postmaster;
	int64_t forward_unknown, own_senders, max_message_bytes;
};

/* By name or alias; not found is said with FIELD. */
bool domain_load(struct changes *c, const char *field, struct str name,
		 struct domain_row *out) must_check;
/* *ID is 0 when the (canonical) name is none of ours. */
bool domain_id(struct changes *c, struct str name, int64_t *id) must_check;

/* ---- holders and their addresses (changes_address.c) ---- */

struct holder_row {
	int64_t id, kind, domain, enabled, builtin;
	int64_t mail_system, system, quota_bytes, forward_keeps_copy;
	struct str login, name, password;
};

extern const char *const kind_words[];	/* "user", "group", "shared mailbox" */

/* By its default address, or any other of its addresses. */
bool holder_load(struct changes *c, struct str address, struct holder_row *out)
	must_check;
bool holder_load_kind(struct changes *c, enum holder_kind kind,
		      struct str address, struct holder_row *out) must_check;
/* Whom holder_load() would load; *ID 0: nobody, or it is no address. */
bool holder_find(struct changes *c, struct str address, int64_t *id)
	must_check;
/*
 * "left@name" or "left@*".  A name has to be one of the domain's; DOMAIN 0:
 * *LOOKED gets it from the name.  LOCAL and NAME are canonical.
 */
struct place {
	int64_t domain;
	struct str local, name;		/* name "*": all */
	struct str text;		/* "left@name", for sentences */
};
bool place_parse(struct changes *c, const char *field, struct str text,
		 int64_t domain, struct place *out) must_check;
/* Refused, naming the holder, when anybody has it or a part of it. */
bool place_is_free(struct changes *c, const char *field,
		   const struct place *p) must_check;
/* Who gets mail for it? *HOLDER 0: nobody. BUILTIN ones count when asked. */
bool place_holder(struct changes *c, int64_t domain, struct str local,
		  struct str name, bool builtin, int64_t *holder) must_check;
bool place_add(struct changes *c, int64_t holder, const struct place *p,
	       bool is_default) must_check;
/* Insert a holder with its default address; sets id, login, domain. */
bool holder_insert(struct changes *c, struct str address,
		   struct holder_row *h) must_check;
bool holder_delete(struct changes *c, const struct holder_row *h) must_check;
/* Does A (ours or not) lead anywhere?  Refused with FIELD when its domain is
 * ours and nobody there has it. */
bool address_leads(struct changes *c, const char *field,
		   const struct address *a) must_check;
/* Needs the user a relay or system now?  Refused with FIELD when there is
 * none. */
bool check_system(struct changes *c, const char *field,
		  const struct holder_row *h) must_check;

/* ---- users (changes_holder.c) ---- */

/* Refused when they fit no user, whoever he is. */
bool user_settings_check(struct changes *c, const struct setting *s, size_t n)
	must_check;

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
