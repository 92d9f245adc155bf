/*
 * What the files of the subjects share:
 *
 *	subject.c		which there are, and most of them
 *	subject_groups.c	those about groups, forwards and who waits in
 *				them
 *	subject_tools.c		what they are made of
 */
#ifndef TEST_SIM_SUBJECT_INSIDE_H
#define TEST_SIM_SUBJECT_INSIDE_H

#include "subject.h"

/* ---- mails, and to whom ---- */

/* One that is WANTED; -1: there is none. */
int draw_person(bool (*wanted)(const struct person *));
/* One in so many recipients is WANTED. */
void lead_to(bool (*wanted)(const struct person *), uint64_t in);
/* Each mail has one more, and he is its first. */
void add_in_front(bool (*wanted)(const struct person *));
void enlarge_mails(uint64_t in);
void send_before(int64_t end_ms);
/* His mails again and again, until he has sent as many as he may. */
void send_often(struct client *c, int64_t end_ms);
bool is_user(const struct person *p);
/* Lives on another system, or has a forward that keeps its copy there. */
bool is_elsewhere(const struct person *p);
/* His mailbox here refuses it, as a server learns when it has taken it. */
bool is_full_here(const struct person *p);
bool is_nobody(const struct person *p);
/* Whom the first Splitmail asks a system about. */
bool is_asked_about(const struct person *p);
bool is_spread(const struct person *p);

/* WHO becomes a member of G, unless there is nobody or he is one. */
void add_member(struct person *g, int who);

/* ---- systems ---- */

void each_system(void (*change)(struct taker *t));
/* Slower than a client is made to wait. */
void make_slow(struct taker *t);
void make_slow_at_the_dot(struct taker *t);
void make_a_little_slow(struct taker *t);
/* Says 4xx to each RCPT until it is calm. */
void make_always_late(struct taker *t);
/* One in so many of the users' is full. */
void fill_mailboxes(uint64_t in);
void hide_persons(void);
void ask_the_peer(void);

/* ---- mishaps ---- */

/* It is calm no sooner. */
struct event *add_event(enum event_kind kind, int of, int64_t at_ms,
			int64_t lasts_ms);

/* ---- subject_groups.c ---- */

void group_systems(void);
void group_persons(void);
void group_mails(int64_t window_ms);
void knot_persons(void);
void knot_mails(int64_t window_ms);
void hiccup_systems(void);
void hiccup_persons(void);
void hiccup_mails(int64_t window_ms);
void half_systems(void);
void half_mails(int64_t window_ms);

#endif
