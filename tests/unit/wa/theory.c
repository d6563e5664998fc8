// SPDX-License-Identifier: GPL-2.0
/*
 * Write amplification in theory, of a log whose blocks are overwritten at
 * random, all as often. rho is the share of the space that is live.
 *
 * A segment begins with b live objects. While j of them are left, the next one
 * dies after a time of 1/j, in units of the mean time for which an object lives.
 * Greedy cleaning of a large log takes each segment as soon as it has only k
 * left (and a share of those with one more), the same for all. So the mean
 * segment has
 *
 *	rho * b = (b - k) / (1/b + 1/(b-1) + ... + 1/(k+1))
 *
 * live objects, and for b - k appended, b are written:
 *
 *	A = b / (b - k)
 *
 * This is the stationary solution of Bux and Iliadis, "Performance of greedy
 * garbage collection in flash-based solid-state drives" (2010), for many
 * segments, and of the mean field model of Van Houdt, "A mean field model for a
 * class of garbage collection algorithms in flash-based solid state drives"
 * (2013), for greedy.
 *
 * For b without limit the sum is ln(b/k), and greedy, FIFO and LRU are the
 * same: with v = k/b, rho = (1 - v) / -ln v and A = 1 / (1 - v). That goes
 * back to Menon and Robinson (1995, 1996), for log-structured file systems;
 * Desnoyers, "Analytic modeling of SSD write performance" (2012), has it as
 * A = S / (S + W(-S e^-S)) with S = 1/rho and Lambert's W.
 */
#include <math.h>

#include "wa.h"

double theory_limit(double rho)
{
	double lo = 1e-12, hi = 1 - 1e-12;
	int i;

	for (i = 0; i < 100; i++) {
		double v = (lo + hi) / 2;

		if ((1 - v) / -log(v) < rho)
			lo = v;
		else
			hi = v;
	}
	return 1 / (1 - lo);
}

/*
 * Segments that reach @level + 1 live on as before with the probability p, and
 * are cleaned at once else; p is between 0 and 1, so that rho comes out.
 */
double theory_greedy(double rho, double objects)
{
	double sum = 0, died = 0, p;
	long b = lround(objects), j;

	for (j = b; j > 0; j--) {
		double s = sum + 1.0 / j, d = died + 1;

		if (d / s < rho * b)
			break;
		sum = s;
		died = d;
	}
	if (!j)
		return 1;
	/* (died + p) / (sum + p/j) == rho * b */
	p = (died - rho * b * sum) / (rho * b / j - 1);
	return b / (died + p);
}

/*
 * Two logs that share the space; each is cleaned greedily. Where the line is
 * drawn between them for the least that is written is found by looking. That
 * this separation is the best that can be done with a static division is in
 * Desnoyers (2012), and in Stoica and Ailamaki, "Improving flash write
 * performance by using update frequency" (2013).
 */
double theory_apart(double rho, double objects, double data, double writes)
{
	double best = INFINITY;
	int i;

	for (i = 1; i < 1000; i++) {
		/* What is not live, and how much of it the hot part gets. */
		double dead = (1 - rho) * i / 1000;
		double hot = rho * data, cold = rho * (1 - data);
		double a;

		a = writes * theory_greedy(hot / (hot + dead), objects) +
		    (1 - writes) * theory_greedy(cold / (1 - hot - dead),
						 objects);
		best = fmin(best, a);
	}
	return best;
}
