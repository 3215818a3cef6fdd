// Deadlines of many viewers: a binary heap.
//
// Nearly every request moves its viewer's deadline to a later time. That costs nothing here: the
// entry stays where it is, and finds out that it is not due yet when it reaches the top.

#ifndef TIMERS_H
#define TIMERS_H

#include <stddef.h>

typedef struct {
    double due;     // when its owner wants to be woken
    double sorted;  // the time by which it lies in the heap: never later than `due`
    size_t place;
} Timer;

typedef struct {
    Timer **heap;
    size_t count;
} Timers;

void timers_make(Timers *timers, size_t capacity);
void timers_add(Timers *timers, Timer *timer, double due);
void timers_set(Timers *timers, Timer *timer, double due);

// The timer that is due at `now`, or NULL. Its owner must set it again.
Timer *timers_next_due(Timers *timers, double now);

// Seconds until the first one may be due.
double timers_wait_s(const Timers *timers, double now);

#endif
