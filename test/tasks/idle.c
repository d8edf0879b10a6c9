/* Prints a line and loops for ever: it ends only when it is killed. */
#include "start.h"

int task(const char *config, int has_config)
{
	(void)config, (void)has_config;
	print("idle\n");
	for (;;)
		__asm__ volatile("");
}
