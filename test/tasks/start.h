/* What every task shares: an entry point without a C library, LOG output, the task's config.
 *
 * A task is started as NAME CONFIG-FILE. The file holds one XML element, <config>...</config>.
 * Exit values: 0 done, 1 the config lacks something, 22 not enough memory.
 */
#ifndef START_H
#define START_H

enum { EXIT_CONFIG = 1, EXIT_OUT_OF_QUOTA = 22 };

typedef unsigned long ulong;

/* What a task is. config: the file's text, or "" if there is none; has_config tells which. */
int task(const char *config, int has_config);

/* Number in <name>...</name>, or -1. */
long config_number(const char *config, const char *name);
/* arg1 of the config; without a config the fallback; without arg1 in it the task exits with 1. */
ulong arg1(const char *config, int has_config, ulong fallback);

void print(const char *text);
void print_number(ulong n);
/* Memory that is zero; a task that gets none exits with 22. */
void *allocate(ulong bytes);
void quit(int code) __attribute__((noreturn));

#endif
