/*
 * Is that as it must be?  What nobody could have known is excused, and what
 * the world explains; both are said in judge_*.c and nowhere else.
 */
#include "judge_inside.h"

bool books_are_even(void)
{
	return judge_promises(false);
}

void books_balance(void)
{
	judge_promises(true);
	for (size_t i = 0; i < books.n_units; i++) {
		judge_notices(books.units[i]);
		judge_told(books.units[i]);
		judge_praises(books.units[i]);
	}
	for (size_t i = 0; i < books.n_taken; i++) {
		judge_doubles(&books.taken[i]);
		judge_refused(&books.taken[i]);
		judge_route(&books.taken[i]);
	}
	for (int i = 0; i < world.n_splitmails; i++)
		judge_left(&world.splitmails[i]);
}
