/* A leg's next hop (route.h). */
#include "route/route.h"

struct next_hop leg_next_hop(const struct leg *leg)
{
	switch (leg->kind) {
	case LEG_MAILBOX:
		return (struct next_hop){ .kind = NEXT_HOP_MAILBOXES };
	case LEG_SYSTEM:
		return system_next_hop(&leg->system);
	case LEG_INTERNET:
		break;
	}
	return (struct next_hop){ NEXT_HOP_INTERNET, leg->domain };
}
