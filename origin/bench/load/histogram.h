// Percentiles of many durations in constant memory: buckets that grow by 1.1 %.

#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#define HISTOGRAM_BUCKETS 2048

typedef struct {
    long count;
    double longest_s;
    long bucket[HISTOGRAM_BUCKETS];
} Histogram;

void histogram_add(Histogram *histogram, double seconds);

// The duration that the given share (0 to 1) of all entries do not exceed, in milliseconds.
double histogram_quantile_ms(const Histogram *histogram, double share);

// Writes {"count": ..., "p50": ..., "p99": ..., "max": ...}, in milliseconds.
void histogram_print(const char *name, const Histogram *histogram);

#endif
