/*
 * What the stream of events can tell: topics.def as an enum and declarations.
 */
#ifndef CONSOLE_TOPICS_H
#define CONSOLE_TOPICS_H

#include "console/handlers.h"

enum topic {
#define TOPIC(name, right, of, news, state) TOPIC_##name,
#include "console/topics.def"
#undef TOPIC
	TOPICS
};

enum topic_of { SHARED, OWN };

enum news { /* bits */
	    DIRECTORY_NEWS = 1,
	    QUEUE_NEWS = 2,
	    ENGINE_NEWS = 4, /* of its figures */
	    HOUR_NEWS = 8,   /* the last hour has one more point */
	    ALWAYS_NEWS = 16,
};

#define TOPIC(name, right, of, news, state) \
	json_t *state(struct request *r, struct str domain);
#include "console/topics.def"
#undef TOPIC

#endif
