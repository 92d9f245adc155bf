/* What filters want changed of a mail (wishes.h). */
#include "filter/wishes.h"

#include "base/limits.h"
#include "base/mutants.h"

enum { EDITS_AT_FIRST = 8 };

static bool there_is_room(struct wishes *c, size_t bytes)
{
	if (++c->n > LIMIT_FILTER_CHANGES)
		return fail("it wants more than %d changes",
			    LIMIT_FILTER_CHANGES);
	c->bytes += bytes;
	return c->bytes <= LIMIT_FILTER_CHANGE_BYTES ||
	       fail("its changes have more than %d bytes",
		    LIMIT_FILTER_CHANGE_BYTES);
}

static void grow_edits(struct wishes *c)
{
	size_t most = c->most_edits ? 2 * c->most_edits : EDITS_AT_FIRST;
	struct header_edit *more =
		arena_array(c->arena, struct header_edit, most);

	if (c->n_edits)
		memcpy(more, c->edits, c->n_edits * sizeof(*more));
	c->edits = more;
	c->most_edits = most;
}

static void add_edit(struct wishes *c, const struct milter_answer *a,
		     enum header_edit_kind kind, bool blanks)
{
	if (c->n_edits == c->most_edits)
		grow_edits(c);
	c->edits[c->n_edits++] = (struct header_edit){
		.kind = kind,
		.index = a->index,
		.name = arena_str(c->arena, a->name),
		.value = arena_str(c->arena, a->text),
		.needs_blank = !blanks,
	};
}

static void add_recipient(struct wishes *c, const struct milter_answer *a,
			  struct str filter)
{
	if (!c->recipients)
		c->recipients = arena_array(c->arena, struct filter_recipient,
					    LIMIT_FILTER_CHANGES);
	c->recipients[c->n_recipients++] = (struct filter_recipient){
		.is_added = a->kind != MILTER_DELETE_RECIPIENT,
		.wanted = a->recipient,
		.filter = filter,
	};
}

static void set_sender(struct wishes *c, const struct milter_answer *a)
{
	c->has_sender = true;
	c->sender = a->sender;
}

static void hold(struct wishes *c, const struct milter_answer *a,
		 struct str filter)
{
	c->held_by = filter;
	c->held_why = arena_str(c->arena, a->text);
}

/* Lines of a body end with CRLF, whatever the filter thinks: bare ones would
 * end the mail for some next hop. */
static bool waits add_body(struct wishes *c, struct filter_letter *letter,
			   struct str bytes)
{
	struct buf lines scoped(buf) = BUF_EMPTY;

	if (!c->has_body)
		c->body = (struct body){ .spool = letter->message->body.spool };
	c->has_body = true;
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] == '\r')
			continue;
		if (bytes.p[i] == '\n')
			buf_add_char(&lines, '\r');
		buf_add_char(&lines, bytes.p[i]);
	}
	if (c->body.bytes + lines.n > letter->max_bytes)
		return fail("its new body is larger than %llu bytes",
			    (unsigned long long)letter->max_bytes);
	return body_add(&c->body, buf_str(&lines));
}

bool wishes_add(struct wishes *c, struct filter_letter *letter,
		const struct milter_answer *a, struct str filter, bool blanks)
{
	check(milter_is_change(a->kind));
	if (a->kind == MILTER_REPLACE_BODY)
		return add_body(c, letter, a->text);
	if (!there_is_room(c, a->name.n + a->text.n))
		return false;
	if (a->kind == MILTER_ADD_HEADER)
		add_edit(c, a, HEADER_APPEND, blanks);
	else if (a->kind == MILTER_INSERT_HEADER)
		add_edit(c, a, HEADER_INSERT, blanks);
	else if (a->kind == MILTER_CHANGE_HEADER)
		add_edit(c, a, HEADER_CHANGE, blanks);
	else if (a->kind == MILTER_CHANGE_SENDER)
		set_sender(c, a);
	else if (a->kind == MILTER_QUARANTINE)
		hold(c, a, filter);
	else
		add_recipient(c, a, filter);
	return true;
}

struct wishes_mark wishes_mark(const struct wishes *c)
{
	return (struct wishes_mark){
		.n_edits = c->n_edits,
		.n_recipients = c->n_recipients,
		.has_sender = c->has_sender,
		.sender = c->sender,
		.held_by = c->held_by,
		.held_why = c->held_why,
	};
}

void wishes_undo(struct wishes *c, struct wishes_mark before)
{
	c->n_edits = before.n_edits;
	c->n_recipients = before.n_recipients;
	c->has_sender = before.has_sender;
	c->sender = before.sender;
	c->held_by = before.held_by;
	c->held_why = before.held_why;
	if (c->has_body)
		body_free(&c->body);
	c->has_body = false;
}

bool wishes_settle(struct wishes *c, struct filter_letter *letter)
{
	if (!c->has_body)
		return true;
	if (!c->body.ends_with_crlf && c->body.bytes > 0 &&
	    !body_add(&c->body, S("\r\n")))
		return false;
	body_replace(&letter->message->body, &c->body);
	if (!MUTANT(new_body_loses_its_beginning))
		letter->skip = 0;
	letter->is_changed = true;
	c->has_body = false;
	return true;
}

void wishes_tell(const struct wishes *c, struct filter_letter *letter)
{
	letter->is_changed |= c->n_edits > 0;
	letter->fields = header_edit(letter->front, letter->header, c->edits,
				     c->n_edits, c->arena);
	letter->edits = c->edits;
	letter->n_edits = c->n_edits;
	letter->has_sender = c->has_sender;
	letter->sender = c->sender;
	letter->recipients = c->recipients;
	letter->n = c->n_recipients;
	letter->held_by = c->held_by;
	letter->held_why = c->held_why;
}
