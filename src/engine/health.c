/*
 * What is wrong with this server (health.h).
 *
 * A look opens both databases, so a server of which nobody asks and that is
 * well is looked at once a minute.
 *
 * The queue is asked in two ways.  Every look takes and leaves the lock of
 * queue.db, which costs nothing and finds who holds it; a commit, which finds
 * all the rest, is made once a minute, and at every look while there is trouble.
 */
#include "engine/health.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "directory/directory.h"
#include "dns/dns.h"
#include "engine/certificates.h"
#include "engine/filters_watch.h"
#include "queue/queue.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/mutex.h"
#include "rt/tls.h"
#include "rt/worker.h"
#include "show/troubles.h"

enum {
	LOOK_MS = 5000, /* of trouble, or when somebody asks */
	FRESH_MS = 4000,
	ASK_MS = 300, /* he waits so long for a look */
	IDLE_MS = 60000,
	COMMIT_MS = 60000,
	NAMES_MS = 60000,
	NAMES_WAIT_MS = 5000,
	OVER_LOOKS = 3, /* without it: it is over */
	DAY_MS = 86400000,
	DAMAGED_AGAIN_MS = 60000,
	MIB = 1048576,
	MAIL_LEAST_MIB = 64, /* where the mailboxes lie, if not beside the
				   queue, which has a reserve */
};

struct health {
	struct health_of of;
	struct mutex lock;
	json_t *list; /* under the lock: the last look's */
	/* The watcher's: */
	unsigned doubts; /* DOUBT_*, as found last */
	struct failure why;
	int64_t checked_ms; /* the directory */
	bool is_said[TROUBLES];
	unsigned absent[TROUBLES]; /* looks, since it was there last */
	bool is_stuck;             /* no commit could be made */
	struct failure stuck;
	int64_t committed_ms;
	bool is_not_validated; /* what name servers say */
	struct failure not_validated;
	int64_t names_ms;
	struct filters_watch *filters;
	int64_t looked_ms;
	bool is_well; /* and nothing is to be said */
	/* On its loop: */
	bool is_asked;
	struct gate asked, looked;
};

/* What it does not have is not answered "no such user" while it is damaged. */
static void check_directory(struct health *h)
{
	unsigned before = h->doubts;

	h->doubts = directory_check(h->of.directory);
	if (h->doubts)
		failure_save(&h->why);
	h->checked_ms = now_ms();
	h->of.damage->doubts = h->doubts;
	if (h->doubts && h->doubts != before)
		log_error("engine",
			  "directory.db is damaged (%s): what is not "
			  "found in it is answered 451 until it is repaired "
			  "or restored",
			  h->why.sentence);
	else if (before && !h->doubts)
		log_fact("engine", "directory.db is whole again");
}

struct health *health_open(const struct health_of *of)
{
	struct health *h = must_alloc(sizeof(*h));

	*h = (struct health){ .of = *of, .list = json_array() };
	mutex_open(&h->lock);
	h->filters = filters_watch_open(&(struct filters_watch_of){
		.directory = of->directory,
		.damage = of->damage,
		.dns = of->dns,
		.figures = of->filters,
	});
	check_directory(h);
	return h;
}

void health_close(struct health *h)
{
	if (!h)
		return;
	filters_watch_close(h->filters);
	json_decref(h->list);
	mutex_close(&h->lock);
	free(h);
}

json_t *health_list(struct health *h)
{
	json_t *copy;

	mutex_take(&h->lock);
	copy = json_deep_copy(h->list);
	mutex_give(&h->lock);
	check(copy);
	return copy;
}

int64_t health_certificate_ends_ms(const struct health *h)
{
	return tls_server_ends_ms(h->of.tls);
}

json_t *health_certificates(const struct health *h)
{
	return certificates_list(h->of.data, h->of.certificates_told,
				 h->of.tls);
}

/* ---- one look; this blocks ---- */

struct look {
	struct health *h;
	json_t *list;
};

static void add(struct look *l, enum trouble t, const struct value *values,
		struct str detail)
{
	json_array_append_new(l->list, trouble_json(t, values, detail));
}

static void look_at_mail_disk(struct look *l)
{
	const char *mail = l->h->of.mail;
	uint64_t bytes = mail ? folder_free_bytes(mail) : 0;

	if (mail && folder_is_there(mail) && bytes / MIB < MAIL_LEAST_MIB)
		add(l, TROUBLE_mail_disk_low, VALUES(V("free", bytes / MIB)),
		    STR_NONE);
}

/* What queue_is_full() goes by. */
static void look_at_disk(struct look *l)
{
	const char *spool = queue_spool(l->h->of.queue)->folder;
	uint64_t bytes = folder_free_bytes(spool);
	uint64_t files = folder_free_files(spool);

	if (bytes < LIMIT_QUEUE_FREE_BYTES)
		add(l, TROUBLE_disk_low,
		    VALUES(V("free", bytes / MIB),
			   V("least", LIMIT_QUEUE_FREE_BYTES / MIB)),
		    STR_NONE);
	else
		look_at_mail_disk(l);
	if (files < LIMIT_QUEUE_FREE_FILES)
		add(l, TROUBLE_files_low,
		    VALUES(V("free", files),
			   V("least", LIMIT_QUEUE_FREE_FILES)),
		    STR_NONE);
	if (folder_is_read_only(spool) || folder_is_read_only(l->h->of.data))
		add(l, TROUBLE_disk_read_only, VALUES(), STR_NONE);
}

static void look_at_queue(struct look *l)
{
	if (!queue_is_free(l->h->of.data))
		add(l, TROUBLE_queue_stuck, VALUES(), str_of(cause()));
	else if (l->h->is_stuck)
		add(l, TROUBLE_queue_stuck, VALUES(),
		    str_of(l->h->stuck.sentence));
	/* whoever reads it logs the cause, each time */
	if (queue_is_unread(l->h->of.queue))
		add(l, TROUBLE_queue_unreadable, VALUES(), STR_NONE);
}

/* Once a day.  Once a minute when a question has met damage meanwhile, or while
 * it is damaged: somebody may have repaired it. */
static bool is_check_due(const struct health *h)
{
	int64_t ago_ms = now_ms() - h->checked_ms;

	if (ago_ms < DAMAGED_AGAIN_MS)
		return false;
	return atomic_exchange(&h->of.damage->met, false) || h->doubts ||
	       ago_ms >= DAY_MS;
}

static void look_at_directory(struct look *l)
{
	struct directory *d =
		directory_open_wary(l->h->of.directory, l->h->of.damage);
	struct node node;

	if (!d || !directory_node(d, &node))
		add(l, TROUBLE_directory_unreadable, VALUES(), str_of(cause()));
	directory_close(d);
	if (is_check_due(l->h))
		check_directory(l->h);
	if (l->h->doubts)
		add(l, TROUBLE_directory_damaged, VALUES(),
		    str_of(l->h->why.sentence));
}

static void look_at_names(struct look *l)
{
	if (l->h->is_not_validated)
		add(l, TROUBLE_names_not_validated, VALUES(),
		    str_of(l->h->not_validated.sentence));
}

static void look_at_certificates(struct look *l)
{
	const struct health_of *of = &l->h->of;
	char why[FAIL_SENTENCE_BYTES];

	certificates_troubles(of->data, of->certificates_told, of->tls,
			      l->list);
	if (folder_noted(of->data, of->certificate_trouble, why, sizeof(why)))
		add(l, TROUBLE_certificate_unusable, VALUES(), str_of(why));
}

static bool look_now(void *arg)
{
	struct look *l = arg;

	look_at_disk(l);
	look_at_queue(l);
	look_at_directory(l);
	look_at_names(l);
	filters_watch_troubles(l->h->filters, l->list);
	look_at_certificates(l);
	return true;
}

/* ---- what is said, once ---- */

static const json_t *find(const json_t *list, enum trouble t)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) if (trouble_is(one, t)) return one;
	return NULL;
}

static const char *text(const json_t *one, const char *key)
{
	const char *s = json_string_value(json_object_get(one, key));

	return s ? s : "";
}

static void say_begin(const json_t *one)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *detail = text(one, "detail");

	log_error("engine", "%s%s%s", text(one, "text"), *detail ? " " : "",
		  log_safe(arena, str_of(detail), FAIL_SENTENCE_BYTES));
}

/* Others tell of certificates and of a damaged directory.  What comes and goes
 * with every mail, as at the edge of a full disk, is one trouble. */
static void say(struct health *h, const json_t *list)
{
	static const struct {
		enum trouble t;
		const char *over;
	} said[] = {
		{ TROUBLE_disk_low, "There is room for mail again." },
		{ TROUBLE_files_low, "There is room for files again." },
		{ TROUBLE_mail_disk_low, "There is room for mailboxes again." },
		{ TROUBLE_disk_read_only, "The disk can be written again." },
		{ TROUBLE_queue_stuck, "The queue can be written again." },
		{ TROUBLE_queue_unreadable, "The queue can be read again." },
		{ TROUBLE_directory_unreadable,
		  "The directory can be read again." },
		{ TROUBLE_names_not_validated,
		  "What the name servers say can be validated again." },
	};

	for (size_t i = 0; i < array_size(said); i++) {
		enum trouble t = said[i].t;
		const json_t *one = find(list, t);

		if (one && !h->is_said[t])
			say_begin(one);
		else if (!one && h->is_said[t] && ++h->absent[t] >= OVER_LOOKS)
			log_fact("engine", "%s", said[i].over);
		if (one)
			h->absent[t] = 0;
		h->is_said[t] =
			one || (h->is_said[t] && h->absent[t] < OVER_LOOKS);
	}
}

/* ---- again and again ---- */

static void waits try_commit(struct health *h)
{
	bool is_due = h->is_stuck || now_ms() >= h->committed_ms + COMMIT_MS;

	if (!is_due)
		return;
	h->is_stuck = !queue_try(h->of.queue);
	if (h->is_stuck)
		failure_save(&h->stuck);
	h->committed_ms = now_ms();
}

static void waits ask_names(struct health *h)
{
	bool is_due = h->is_not_validated || now_ms() >= h->names_ms + NAMES_MS;

	if (!h->of.validates || !is_due)
		return;
	h->is_not_validated =
		!dns_can_validate(h->of.dns, after_ms(NAMES_WAIT_MS));
	if (h->is_not_validated)
		failure_save(&h->not_validated);
	h->names_ms = now_ms();
}

static bool is_over(const struct health *h)
{
	for (size_t i = 0; i < TROUBLES; i++)
		if (h->is_said[i])
			return false;
	return true;
}

static void waits look(struct health *h)
{
	struct look l = { h, json_array() };
	json_t *before;

	check(offload(look_now, &l));
	say(h, l.list);
	mutex_take(&h->lock);
	before = h->list;
	h->list = l.list;
	mutex_give(&h->lock);
	json_decref(before);
	h->is_well = json_array_size(l.list) == 0 && is_over(h);
	h->looked_ms = now_ms();
	h->is_asked = false;
	gate_open(&h->looked);
}

static bool is_look_due(const struct health *h)
{
	return h->is_asked || !h->is_well || h->of.damage->met ||
	       now_ms() >= h->looked_ms + IDLE_MS;
}

static bool waits rest(struct health *h)
{
	enum wait_result r;

	do
		r = gate_wait(&h->asked, after_ms(LOOK_MS));
	while (r != WAIT_CANCELLED && !is_look_due(h));
	return r != WAIT_CANCELLED;
}

void health_ask(struct health *h)
{
	int64_t until_ms = after_ms(ASK_MS);

	if (!h->is_well || now_ms() < h->looked_ms + FRESH_MS)
		return;
	h->is_asked = true;
	gate_open(&h->asked);
	while (h->is_asked && gate_wait(&h->looked, until_ms) == WAIT_DONE)
		continue;
}

void health_watcher(void *health)
{
	struct health *h = health;

	h->committed_ms = now_ms();
	h->names_ms = now_ms() - NAMES_MS;
	do {
		try_commit(h);
		ask_names(h);
		filters_watch_ask(h->filters);
		look(h);
	} while (rest(h));
}
