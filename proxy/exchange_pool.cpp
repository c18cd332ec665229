#include "proxy/exchange_pool.h"

#include "proxy/exchange.h"
#include "proxy/front_thread.h"

namespace proxy {

ExchangePool::ExchangePool(FrontThread& thread) : thread_(thread) {}

ExchangePool::~ExchangePool() = default;

ExchangeHandle ExchangePool::take() {
  if (free_.empty()) return ExchangeHandle(new Exchange(thread_));
  ExchangeHandle taken(free_.back().release());
  free_.pop_back();
  return taken;
}

void ExchangePool::GiveBack::operator()(Exchange* exchange) const {
  std::unique_ptr<Exchange> used(exchange);
  used->reset();
  ExchangePool& pool = used->thread_.exchanges();
  if (pool.free_.size() < kMostFree) pool.free_.push_back(std::move(used));
}

}  // namespace proxy
