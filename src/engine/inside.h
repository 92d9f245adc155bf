/* What engine.c and lane.c share. */
#ifndef ENGINE_INSIDE_H
#define ENGINE_INSIDE_H

#include "control/control.h"
#include "engine/engine.h"
#include "engine/questions.h"
#include "queue/queue.h"

struct engine {
	struct engine_settings settings;
	struct engine_owner owner;
	struct arena *arena;
	struct queue *queue;
	struct damage damage; /* to the directory */
	struct guard *guard;
	struct tally *per_ip, *open_questions;
	struct verification *verification;
	struct allowance *allowance;
	struct board *down, *given;
	struct dns *dns;
	struct sts *sts;
	struct hosts *hosts;
	struct turns *turns;
	struct destinations *destinations;
	struct first_mails *first_mails;
	struct ledger *systems, *traffic, *filters;
	struct control control;
	struct questions questions;
	struct health *health;
	int64_t started_wall_ms;
	struct tls_context *tls, *tls_any, *tls_verified, *tls_dane, *tls_noted;
	struct lane *lanes;
	int lanes_ready; /* lane 0 counts */
	bool failed;
};

struct lane {
	struct engine *engine;
	struct directory *directory;
	struct router router;
	struct host_aliases *aliases; /* or NULL */
	struct deliver *deliver;
	struct smtp_server server;
	struct listener **listeners;
	struct listener *local, *programs, *control;
	struct fiber *scheduler, *roots, *health, *owner;
	struct fiber *aliases_keeper;
	struct fiber *sts_keeper;
	struct fiber *keeper; /* lane 0: of what was confirmed */
	struct gate stop;
	bool stopping, is_open;
};

/* For struct questions. */
void lane_look(void *engine, int lane, struct smtp_sessions *sessions,
	       void (*each)(void *arg, struct str name, unsigned in_use,
			    unsigned idle),
	       void *arg);
void lane_look_now(void *engine);
bool lane_wake(void *engine, struct str destination);

#endif
