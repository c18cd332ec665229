// Bytes that all threads together may hold for one purpose, in memory or on disk; and what one of the many holds of them.
#pragma once
#include <atomic>
#include <utility>

#include "runtime/bytes.h"

namespace proxy {

class ByteBudget {
 public:
  explicit ByteBudget(runtime::Bytes most) : most_(most) {}

  /// False: so much is not left; nothing is taken. `leaves_half`: half of all is for others.
  bool take(runtime::Bytes n, bool leaves_half = false) {
    const runtime::Bytes most = most_.load(std::memory_order_relaxed);
    if (used_.fetch_add(n, std::memory_order_relaxed) + n <= (leaves_half ? most - most / 2 : most)) return true;
    give_back(n);
    return false;
  }
  /// Who has more by now keeps it, and nobody gets any until it is given back.
  void resize(runtime::Bytes most) { most_.store(most, std::memory_order_relaxed); }
  void give_back(runtime::Bytes n) { used_.fetch_sub(n, std::memory_order_relaxed); }
  runtime::Bytes used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::atomic<runtime::Bytes> most_;
  std::atomic<runtime::Bytes> used_{0};
};

/// Belongs to one thread at a time; gives back what it holds when it goes.
class ByteShare {
 public:
  /// `leaves_half`: half of the budget is for others.
  explicit ByteShare(ByteBudget& budget, bool leaves_half = false) : budget_(budget), leaves_half_(leaves_half) {}
  ~ByteShare() { give_back(); }
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;

  /// At least n in all. False: so much is not left, and nothing has changed.
  bool grow_to(runtime::Bytes n) {
    if (n <= held_) return true;
    if (!budget_.take(n - held_, leaves_half_)) return false;
    held_ = n;
    return true;
  }
  void give_back() {
    if (held_ > 0) budget_.give_back(std::exchange(held_, 0));
  }
  runtime::Bytes held() const { return held_; }

 private:
  ByteBudget& budget_;
  const bool leaves_half_;
  runtime::Bytes held_ = 0;
};

}  // namespace proxy
