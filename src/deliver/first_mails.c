/*
 * Mailboxes by login, behind a lock (first_mails.h).
 */
#include "deliver/first_mails.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rt/mutex.h"

enum { ALONE_MOST_MS = 10000 }; /* large, or stuck: the others go as well */

struct mailbox {
	UT_hash_handle hh;
	const struct share *first; /* that is under way, or NULL */
	bool has_mail;
	int64_t alone_until_ms;
	size_t login_bytes;
	char login[];
};

struct first_mails {
	struct mutex lock;
	struct mailbox *all;
	size_t most;
};

struct first_mails *first_mails_open(size_t most)
{
	struct first_mails *f = must_alloc(sizeof *f);

	*f = (struct first_mails){ .most = most };
	mutex_open(&f->lock);
	return f;
}

static void forget(struct first_mails *f, struct mailbox *m)
{
	HASH_DEL(f->all, m);
	free(m);
}

void first_mails_close(struct first_mails *f)
{
	struct mailbox *m, *next;

	if (!f)
		return;
	HASH_ITER (hh, f->all, m, next)
		forget(f, m);
	mutex_close(&f->lock);
	free(f);
}

/* ---- under the lock ---- */

static void make_room(struct first_mails *f)
{
	struct mailbox *m, *next;

	if (HASH_COUNT(f->all) < f->most)
		return;
	HASH_ITER (hh, f->all, m, next)
		if (!m->first)
			forget(f, m);
}

static struct mailbox *find(struct first_mails *f, struct str login)
{
	struct mailbox *m;

	HASH_FIND(hh, f->all, login.p, login.n, m);
	return m;
}

static struct mailbox *make(struct first_mails *f, struct str login)
{
	struct mailbox *m;

	make_room(f);
	m = must_alloc(sizeof *m + login.n);
	memset(m, 0, sizeof *m);
	m->login_bytes = login.n;
	memcpy(m->login, login.p, login.n);
	HASH_ADD_KEYPTR(hh, f->all, m->login, m->login_bytes, m);
	return m;
}

static bool may_go(struct first_mails *f, const struct share *s)
{
	struct mailbox *m = find(f, s->leg.login);

	if (m && (m->has_mail || m->first))
		return m->has_mail || now_ms() >= m->alone_until_ms;
	if (!m)
		m = make(f, s->leg.login);
	m->first = s;
	m->alone_until_ms = after_ms(ALONE_MOST_MS);
	return true;
}

static void end(struct first_mails *f, const struct share *s)
{
	struct mailbox *m = find(f, s->leg.login);

	if (!m)
		return;
	m->has_mail |= s->state == RECIPIENT_DONE;
	if (m->first == s)
		m->first = NULL;
	if (!m->first && !m->has_mail)
		forget(f, m);
}

/* ---- the calls ---- */

size_t first_mails_gather(struct first_mails *f, struct share **shares,
			  size_t n)
{
	size_t k = 0;

	if (!f)
		return n;
	mutex_take(&f->lock);
	for (size_t i = 0; i < n; i++) {
		struct share *s = shares[i];

		if (!may_go(f, s))
			continue;
		shares[i] = shares[k];
		shares[k++] = s;
	}
	mutex_give(&f->lock);
	return k;
}

void first_mails_end(struct first_mails *f, struct share **shares, size_t n)
{
	if (!f)
		return;
	mutex_take(&f->lock);
	for (size_t i = 0; i < n; i++)
		end(f, shares[i]);
	mutex_give(&f->lock);
}
