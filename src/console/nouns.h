/*
 * What domains, users, groups, shared mailboxes, systems and administrators
 * have in common: GET, PUT, PATCH and DELETE by their natural key.
 *
 * A noun says how it is shown and which settings it has; the way of a change
 * is the same for all: one transaction in which If-Match is held against what
 * is there, the settings are changed with all validations, and what came of it
 * is read for the answer.  A preview is undone at the end.
 */
#ifndef CONSOLE_NOUNS_H
#define CONSOLE_NOUNS_H

#include "console/request.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_NULLABLE, /* null is the empty text */
	SETTING_FLAG,
	SETTING_SIZE,  /* a number of bytes, or "10G" */
	SETTING_COUNT, /* a number, or null: not set */
	SETTING_LIST,  /* of texts, joined by commas */
	SETTING_OWN,   /* the noun's lists() sees to it */
};

struct setting_rule {
	const char *key;
	enum setting_type type;
	const char *initial; /* what PUT sets when it is left out; NULL:
				   it stays */
};

enum found { FOUND, FOUND_NOT, FOUND_TROUBLE };

/* An entry by its key, as it is shown, in r->d; what belongs to another's
 * domain is FOUND_NOT. */
typedef enum found loader(struct request *r, struct str key, json_t **out);

struct noun {
	const char *name;                 /* "user", for sentences */
	const struct setting_rule *rules; /* key NULL at the end */
	loader *load;
	/* May one with this key be made by who asks? NULL: yes. */
	bool (*may_create)(struct request *r, struct str key);
	struct change (*create)(struct changes *c, struct str key,
				const struct setting *s, size_t n);
	struct change (*set)(struct changes *c, struct str key,
			     const struct setting *s, size_t n);
	struct change (*delete)(struct changes *c, struct str key);
	/* After the settings: lists of the body. False: *TROUBLE. May be NULL. */
	bool (*lists)(struct request *r, struct str key, json_t *now,
		      struct response *trouble);
};

struct response noun_get(struct request *r, const struct noun *n);
struct response noun_put(struct request *r, const struct noun *n);
struct response noun_patch(struct request *r, const struct noun *n);
struct response noun_delete(struct request *r, const struct noun *n);

struct settings {
	struct setting *s;
	size_t n;
};

/* The members of BODY by RULES; FILL: those left out get their initial value.
 * False: *PROBLEM. */
bool settings_read(struct request *r, json_t *body,
		   const struct setting_rule *rules, const char *noun,
		   bool fill, struct settings *out,
		   struct response *problem_out) must_check;

/* The frame of any change: between them r->c is a batch and r->d sees it. */
bool change_open(struct request *r) must_check;
/* Commit, or undo when A is a problem or the request a preview; A, or a 503. */
struct response change_close(struct request *r, struct response a);
/* Within that frame: what EACH does to the entry r->args[0] as LOAD shows it
 * NOW, on loan; ARG is EACH's.  404 when there is none: change_entry_or_new()
 * calls EACH with NULL then. */
typedef struct response changer(struct request *r, const void *arg,
				json_t *now);
struct response change_entry(struct request *r, loader *load, changer *each,
			     const void *arg);
struct response change_entry_or_new(struct request *r, loader *load,
				    changer *each, const void *arg);
/* Something is deleted; with ?references=remove also what led there, which is
 * said. */
struct response answer_deleted(struct request *r);
/* True: go on.  False: *PROBLEM. NOW may be NULL: there is none. */
bool precondition(struct request *r, json_t *now,
		  struct response *problem_out) must_check;

/* ---- holders (holders.c) ---- */

enum found holder_show(struct request *r, enum holder_kind kind,
		       struct str address, json_t **out);
loader load_user, load_group, load_shared;
bool holder_may_create(struct request *r, struct str address);

/* Bring the addresses of HOLDER (as shown in NOW) to LIST; WHOLE: those that
 * are not in it are removed.  (addresses.c) */
bool addresses_set(struct request *r, struct str holder, json_t *now,
		   json_t *list, bool whole,
		   struct response *problem_out) must_check;

/* ---- domains (domains.c) ---- */

loader load_domain;

/* ---- the Directory Browser (entries.c) ---- */

struct holder_page;

struct response entries_list(struct request *r, unsigned kinds);
/* Which entries are asked for, of every kind; TEXT gives the filter's words
 * by their names, as param() does.  A domain that is not his is not there. */
bool entries_filter(struct request *r,
		    struct str (*text)(struct request *r, const char *name),
		    struct holder_page *out,
		    struct response *problem_out) must_check;

#endif
