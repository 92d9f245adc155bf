/*
 * Users who log in at their Splitmail and hand in mail there (port 587), and what
 * knows them: a scripted Dovecot on its host, at the auth socket.
 */
#ifndef TEST_SIM_LOGIN_H
#define TEST_SIM_LOGIN_H

#include "world.h"

#define LOGIN_PASSWORD "secret"

/* Some clients are one of the users: none of whom anything becomes. */
void logins_draw(void);
/* Is he one of whom nothing becomes? */
bool login_stays(int person);
/* Does anybody log in at S? */
bool logins_are_at(const struct splitmail *s);
/* On its host, unless it runs. */
void logins_serve(struct splitmail *s);

#endif
