// Bytes that all threads together may hold for one purpose.
#pragma once
#include <atomic>

#include "runtime/bytes.h"

namespace proxy {

class MemoryBudget {
 public:
  explicit MemoryBudget(runtime::Bytes most) : most_(most) {}

  /// False: so much is not left, nothing is taken.
  bool take(runtime::Bytes n) {
    if (used_.fetch_add(n, std::memory_order_relaxed) + n <= most_) return true;
    give_back(n);
    return false;
  }
  void give_back(runtime::Bytes n) { used_.fetch_sub(n, std::memory_order_relaxed); }
  runtime::Bytes used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const runtime::Bytes most_;
  std::atomic<runtime::Bytes> used_{0};
};

}  // namespace proxy
