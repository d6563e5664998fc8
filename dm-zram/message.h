/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages: live changes and commands.
 */
#ifndef DZR_MESSAGE_H
#define DZR_MESSAGE_H

#include "device.h"

/**
 * dzr_message - carry out a message
 * @d: the device
 * @argc: number of words
 * @argv: the words
 * @result: for an answer
 * @maxlen: room there
 *
 * Context: process; may sleep for long (demote, drain, compact) and can be
 * killed then.
 * Return: 0; 1 with an answer in @result; or an error, with a line in the
 * kernel log that says what was wrong.
 */
int dzr_message(struct dzr_dev *d, unsigned int argc, char **argv,
		char *result, unsigned int maxlen);

#endif /* DZR_MESSAGE_H */
