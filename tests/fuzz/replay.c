// SPDX-License-Identifier: GPL-2.0
/* Runs a fuzz target once for each file given, and once for no input. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *name)
{
	FILE *file = fopen(name, "rb");
	uint8_t *data;
	size_t size;
	long end = -1;

	if (file && !fseek(file, 0, SEEK_END))
		end = ftell(file);
	if (end < 0) {
		perror(name);
		exit(1);
	}
	rewind(file);
	/* Of the exact size, so that a read beyond the end is seen. */
	data = malloc(end ? end : 1);
	size = fread(data, 1, end, file);
	fclose(file);
	if (size != (size_t)end) {
		fprintf(stderr, "%s: short read\n", name);
		exit(1);
	}
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	return 0;
}
