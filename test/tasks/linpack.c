/* Solves a dense system of arg1 single-precision equations by Gaussian elimination with partial
 * pivoting, as LINPACK does. Default 1000. */
#include "start.h"

static float next_random(void)
{
	static unsigned state = 1325;
	state = 3125 * state % 65536;
	return ((float)state - 32768) / 16384;
}

static float absolute(float x) { return x < 0 ? -x : x; }

static void fill(float *a, float *b, ulong n)
{
	for (ulong row = 0; row < n; row++) {
		b[row] = 0;
		for (ulong col = 0; col < n; col++)
			b[row] += a[row * n + col] = next_random();
	}
}

static ulong pivot_of(const float *a, ulong n, ulong col)
{
	ulong best = col;
	for (ulong row = col + 1; row < n; row++)
		if (absolute(a[row * n + col]) > absolute(a[best * n + col]))
			best = row;
	return best;
}

static void swap(float *x, float *y)
{
	float t = *x;
	*x = *y;
	*y = t;
}

static int eliminate(float *a, float *b, ulong n)
{
	for (ulong k = 0; k < n; k++) {
		ulong pivot = pivot_of(a, n, k);
		if (a[pivot * n + k] == 0)
			return 1;
		for (ulong col = k; pivot != k && col < n; col++)
			swap(&a[pivot * n + col], &a[k * n + col]);
		if (pivot != k)
			swap(&b[pivot], &b[k]);
		for (ulong row = k + 1; row < n; row++) {
			float factor = a[row * n + k] / a[k * n + k];
			for (ulong col = k; col < n; col++)
				a[row * n + col] -= factor * a[k * n + col];
			b[row] -= factor * b[k];
		}
	}
	return 0;
}

static void substitute(const float *a, float *b, ulong n)
{
	for (ulong row = n; row-- > 0;) {
		for (ulong col = row + 1; col < n; col++)
			b[row] -= a[row * n + col] * b[col];
		b[row] /= a[row * n + row];
	}
}

int task(const char *config, int has_config)
{
	ulong n = arg1(config, has_config, 1000);
	if (n > 65536) {
		print("matrix order over 65536\n");
		return EXIT_OUT_OF_QUOTA;
	}
	float *a = allocate(n * n * sizeof *a), *b = allocate(n * sizeof *b), worst = 0;
	fill(a, b, n);
	if (eliminate(a, b, n)) {
		print("singular matrix\n");
		return 2;
	}
	substitute(a, b, n);
	for (ulong i = 0; i < n; i++) /* every unknown is 1 */
		if (absolute(b[i] - 1) > worst)
			worst = absolute(b[i] - 1);
	print("linpack of order ");
	print_number(n);
	print(", largest error in millionths: ");
	print_number((ulong)(1000000 * worst));
	print("\n");
	return 0;
}
