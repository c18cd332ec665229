#include "proxy/slow_log.h"

#include <algorithm>

#include "runtime/log.h"

namespace proxy {
namespace {

using runtime::Level;

std::string milliseconds(runtime::Microseconds time) {
  constexpr double kMilli = 1000;
  return time.count() < 0 ? "-" : fmt::format("{:.3f}", static_cast<double>(time.count()) / kMilli);
}

void tell(const AccessEvent& event, std::string_view stack) {
  runtime::log(Level::kWarning, "slow request",
               {{"id", event.id},
                {"app", event.app},
                {"worker", event.worker},
                {"pid", event.pid},
                {"client", event.client.text()},
                {"method", event.method},
                {"host", event.host},
                {"path", event.path},
                {"status", event.status},
                {"queue_ms", milliseconds(event.queue)},
                {"first_byte_ms", milliseconds(event.first_byte)},
                {"total_ms", milliseconds(event.total)},
                {"attempts", event.attempts},
                {"outcome", event.outcome == kOk ? "ok" : event.outcome.cause},
                {"stack", stack.empty() ? "-" : stack}});
}

}  // namespace

void SlowLog::look_at(const AccessEvent& event, runtime::Milliseconds threshold) {
  if (!is_slow(event, threshold)) return;
  std::string stack;
  {
    const std::scoped_lock lock(lock_);
    bool was_there = false;
    stack = take(stacks_, event.id, was_there);
    if (!was_there) keep(told_, event.id, {});
  }
  tell(event, stack);
}

void SlowLog::on_stack(std::string_view exchange, std::string_view stack) {
  bool was_told = false;
  {
    const std::scoped_lock lock(lock_);
    take(told_, exchange, was_told);
    if (!was_told) keep(stacks_, exchange, stack);
  }
  if (was_told) runtime::log(Level::kWarning, "stack of a slow request", {{"id", exchange}, {"stack", stack}});
}

std::string SlowLog::take(std::deque<Note>& notes, std::string_view exchange, bool& was_there) {
  const auto found = std::ranges::find(notes, exchange, &Note::exchange);
  was_there = found != notes.end();
  if (!was_there) return {};
  std::string stack = std::move(found->stack);
  notes.erase(found);
  return stack;
}

void SlowLog::keep(std::deque<Note>& notes, std::string_view exchange, std::string_view stack) {
  const runtime::Time now = runtime::Clock::now();
  while (!notes.empty() && (notes.size() >= kMost || now - notes.front().since > kKeep)) notes.pop_front();
  notes.push_back({now, std::string(exchange), std::string(stack)});
}

}  // namespace proxy
