// Exchanges are used again and again: with their vectors' capacity and their timers they cost no allocation a request.
#pragma once
#include <memory>
#include <vector>

namespace proxy {

class Exchange;
class FrontThread;

class ExchangePool {
 public:
  explicit ExchangePool(FrontThread& thread);
  ~ExchangePool();

  struct GiveBack {
    void operator()(Exchange*) const;
  };
  std::unique_ptr<Exchange, GiveBack> take();

 private:
  static constexpr std::size_t kMostFree = 1024;
  FrontThread& thread_;
  std::vector<std::unique_ptr<Exchange>> free_;
};

/// Resetting it is a correct cancellation at any moment, but not from inside a call of the exchange.
using ExchangeHandle = std::unique_ptr<Exchange, ExchangePool::GiveBack>;

}  // namespace proxy
