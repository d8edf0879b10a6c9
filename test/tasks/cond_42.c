/* Exits at once if arg1 is 42, else counts to arg1. Default 1000. */
#include "start.h"

int task(const char *config, int has_config)
{
	ulong n = arg1(config, has_config, 1000);
	if (n == 42)
		return 0;
	for (ulong i = 0; i < n; i++)
		__asm__ volatile("" : "+r"(i));
	return 0;
}
