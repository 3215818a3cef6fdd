#include "timers.h"

#include <stdlib.h>

static void put(Timers *timers, size_t place, Timer *timer) {
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(Timers *timers, Timer *timer) {
    size_t place = timer->place;
    while (place > 0) {
        Timer *parent = timers->heap[(place - 1) / 2];
        if (parent->sorted <= timer->sorted) break;
        put(timers, place, parent);
        place = (place - 1) / 2;
    }
    put(timers, place, timer);
}

static void sink(Timers *timers, Timer *timer) {
    size_t place = timer->place;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= timers->count) break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->sorted < timers->heap[child]->sorted)
            child++;
        if (timer->sorted <= timers->heap[child]->sorted) break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

void timers_make(Timers *timers, size_t capacity) {
    timers->heap = calloc(capacity, sizeof(Timer *));
    timers->count = 0;
}

void timers_add(Timers *timers, Timer *timer, double due) {
    timer->due = timer->sorted = due;
    put(timers, timers->count++, timer);
    rise(timers, timer);
}

void timers_set(Timers *timers, Timer *timer, double due) {
    timer->due = due;
    if (due >= timer->sorted) return;
    timer->sorted = due;
    rise(timers, timer);
}

Timer *timers_next_due(Timers *timers, double now) {
    while (timers->count > 0 && timers->heap[0]->sorted <= now) {
        Timer *first = timers->heap[0];
        if (first->due <= now) return first;
        first->sorted = first->due;
        sink(timers, first);
    }
    return NULL;
}

double timers_wait_s(const Timers *timers, double now) {
    return timers->count > 0 ? timers->heap[0]->sorted - now : 1;
}
