#include "start.h"

/* System calls of the machine; the numbers are Linux'. */
#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_mmap = 9, SYS_open = 2, SYS_exit_group = 231 };
static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return n;
}
static long open_file(const char *path) { return call(SYS_open, (long)path, 0, 0, 0, 0, 0); }
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n\thlt\n");
#elif defined(__aarch64__)
enum { SYS_read = 63, SYS_write = 64, SYS_mmap = 222, SYS_openat = 56, SYS_exit_group = 94 };
static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
static long open_file(const char *path) { return call(SYS_openat, -100, (long)path, 0, 0, 0, 0); }
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl begin\n");
#else
#error "no system calls for this machine yet: add them here"
#endif

void quit(int code)
{
	for (;;)
		call(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

void print(const char *text)
{
	long n = 0;
	while (text[n])
		n++;
	while (n > 0) {
		long written = call(SYS_write, 1, (long)text, n, 0, 0, 0);
		if (written <= 0)
			return;
		text += written;
		n -= written;
	}
}

void print_number(ulong n)
{
	char digits[24], *p = digits + sizeof digits;
	*--p = 0;
	do
		*--p = '0' + n % 10;
	while (n /= 10);
	print(p);
}

void *allocate(ulong bytes)
{
	long p = call(SYS_mmap, 0, bytes ? bytes : 1, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
	if (p < 0 && p > -4096) {
		print("not enough memory\n");
		quit(EXIT_OUT_OF_QUOTA);
	}
	return (void *)p;
}

static int starts_with(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return 1;
}

long config_number(const char *config, const char *name)
{
	for (; *config; config++) {
		if (*config != '<' || !starts_with(config + 1, name))
			continue;
		const char *p = config + 1;
		for (const char *q = name; *q; q++)
			p++;
		if (*p++ != '>')
			continue;
		long n = 0;
		int some = 0;
		for (; *p >= '0' && *p <= '9'; p++, some = 1)
			n = n * 10 + (*p - '0');
		return some ? n : -1;
	}
	return -1;
}

ulong arg1(const char *config, int has_config, ulong fallback)
{
	if (!has_config)
		return fallback;
	long n = config_number(config, "arg1");
	if (n < 0) {
		print("config has no number arg1\n");
		quit(EXIT_CONFIG);
	}
	return n;
}

static char config[64 << 10];

/* The stack of a new process: argc, argv[0], argv[1], ... */
void begin(long *stack)
{
	long argc = stack[0], size = 0, n = 0;
	if (argc < 2)
		quit(task("", 0));
	long fd = open_file((const char *)stack[2]);
	if (fd < 0) {
		print("config cannot be opened\n");
		quit(EXIT_CONFIG);
	}
	while (size < (long)sizeof config - 1 && (n = call(SYS_read, fd, (long)config + size, sizeof config - 1 - size, 0, 0, 0)) > 0)
		size += n;
	quit(task(config, 1));
}

/* The compiler may call these on its own. */
void *memset(void *to, int c, ulong n)
{
	char *p = to;
	while (n--)
		*(volatile char *)p++ = c;
	return to;
}

void *memcpy(void *to, const void *from, ulong n)
{
	char *p = to;
	const char *q = from;
	while (n--)
		*(volatile char *)p++ = *q++;
	return to;
}
