/* Sums arg1 terms of Leibniz' series for pi. Default 50,000,000. */
#include "start.h"

int task(const char *config, int has_config)
{
	ulong terms = arg1(config, has_config, 50000000);
	double sum = 0, sign = 1;
	for (ulong i = 0; i < terms; i++) {
		sum += sign / (2 * (double)i + 1);
		sign = -sign;
	}
	print("pi after ");
	print_number(terms);
	print(" terms, in millionths: ");
	print_number((ulong)(4000000 * sum));
	print("\n");
	return 0;
}
