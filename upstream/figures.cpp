#include "upstream/figures.h"

#include <numeric>

namespace upstream {
namespace {

void add(const Figure& from, std::uint64_t& to) {
  to += from.load(std::memory_order_relaxed);
}

template <std::size_t N>
void add(const std::array<Figure, N>& from, std::array<std::uint64_t, N>& to) {
  for (std::size_t i = 0; i < N; ++i) add(from[i], to[i]);
}

}  // namespace

void add(const Histogram<Figure>& from, Histogram<std::uint64_t>& to) {
  add(from.bucket, to.bucket);
  add(from.sum, to.sum);
}

void add(const AppCounts<Figure>& from, AppTotals& to) {
  add(from.served, to.served);
  add(from.failed, to.failed);
  add(from.retried, to.retried);
  add(from.abandoned, to.abandoned);
  add(from.in_flight, to.in_flight);
  add(from.refused, to.refused);
  add(from.duration, to.duration);
  add(from.first_byte, to.first_byte);
  add(from.queue_wait, to.queue_wait);
  add(from.by_status, to.by_status);
}

std::uint64_t number_of(const Histogram<std::uint64_t>& histogram) {
  return std::accumulate(histogram.bucket.begin(), histogram.bucket.end(), std::uint64_t{0});
}

}  // namespace upstream
