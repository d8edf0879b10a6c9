/* Sieve of Eratosthenes up to arg1, whatever its name says. Default 0. */
#include "start.h"

int task(const char *config, int has_config)
{
	ulong n = arg1(config, has_config, 0), primes = 0;
	char *composite = allocate(n + 1);
	for (ulong i = 2; i <= n; i++) {
		if (composite[i])
			continue;
		primes++;
		for (ulong k = i; k <= n / i; k++)
			composite[i * k] = 1;
	}
	print_number(primes);
	print(" primes up to ");
	print_number(n);
	print("\n");
	return 0;
}
