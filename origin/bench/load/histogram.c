#include "histogram.h"

#include <math.h>
#include <stdio.h>

#define BUCKETS_PER_OCTAVE 64
#define MICROS_PER_SECOND 1e6

static int bucket_of(double seconds) {
    double micros = seconds * MICROS_PER_SECOND;
    if (micros < 1) return 0;
    int index = (int)(log2(micros) * BUCKETS_PER_OCTAVE);
    return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

void histogram_add(Histogram *histogram, double seconds) {
    histogram->count++;
    histogram->bucket[bucket_of(seconds)]++;
    if (seconds > histogram->longest_s) histogram->longest_s = seconds;
}

double histogram_quantile_ms(const Histogram *histogram, double share) {
    long wanted = (long)ceil(share * (double)histogram->count), seen = 0;
    if (histogram->count == 0) return 0;
    for (int index = 0; index < HISTOGRAM_BUCKETS; index++) {
        seen += histogram->bucket[index];
        if (seen >= wanted) {
            double middle_ms = exp2((index + 0.5) / BUCKETS_PER_OCTAVE) / 1000;
            return fmin(middle_ms, histogram->longest_s * 1000);
        }
    }
    return histogram->longest_s * 1000;
}

void histogram_print(const char *name, const Histogram *histogram) {
    printf("\"%s\": {\"count\": %ld, \"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"max\": %.2f}",
           name, histogram->count, histogram_quantile_ms(histogram, 0.5),
           histogram_quantile_ms(histogram, 0.9), histogram_quantile_ms(histogram, 0.99),
           histogram->longest_s * 1000);
}
