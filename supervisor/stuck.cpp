#include "supervisor/stuck.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/log.h"
#include "supervisor/plan.h"

namespace supervisor {
namespace {

using runtime::Level;
using runtime::log;

}  // namespace

StuckExchanges::StuckExchanges(Front& front, const conf::App& app, const upstream::Worker& about,
                               Child& child, runtime::Loop& loop, runtime::Fd stacks)
    : front_(front), app_(app), about_(about), child_(child), loop_(loop) {
  if (!stacks) return;
  pipe_ =
      std::make_unique<StackPipe>(loop, std::move(stacks), runtime::bind<&StuckExchanges::on_stack>(this));
}

// The front has read hostile bytes: more than there are slots cannot be.
void StuckExchanges::add(const std::string& exchange) {
  const bool is_known = std::ranges::find(stuck_, exchange, &Exchange::id) != stuck_.end();
  if (is_known || stuck_.size() >= app_.concurrency) return;
  stuck_.push_back({exchange, loop_.now()});
  log(Level::kWarning, "a worker does not let go of a request that has run out of time",
      {{"app", app_.name}, {"worker", about_.slot}, {"pid", about_.pid}, {"exchange", exchange}});
  unanswered_.push_back(exchange);
  if (pipe_ && pipe_->is_reading()) return;  // what is being printed tells of this one, too
  if (loop_.now() < next_ask_) return answer();
  ask();
}

void StuckExchanges::remove(const std::string& exchange) {
  std::erase_if(stuck_, [&](const Exchange& stuck) { return stuck.id == exchange; });
}

void StuckExchanges::finish() {
  if (pipe_) pipe_->finish();
}

std::optional<runtime::Time> StuckExchanges::since() const {
  return stuck_.empty() ? std::nullopt : std::optional(stuck_.front().since);
}

std::vector<saved::StuckExchange> StuckExchanges::save() const {
  std::vector<saved::StuckExchange> saved;
  for (const Exchange& stuck : stuck_) saved.push_back({stuck.id, stuck.since});
  return saved;
}

void StuckExchanges::adopt(const std::vector<saved::StuckExchange>& saved) {
  for (const saved::StuckExchange& stuck : saved) stuck_.push_back({stuck.id, stuck.since});
}

void StuckExchanges::ask() {
  next_ask_ = loop_.now() + kSameStack;
  if (pipe_) pipe_->begin();
  if (const auto number = stack_signal_of(app_)) child_.ask(*number);
  if (!pipe_) answer();
}

// Several of them may be found at once; the stacks are those of the whole process.
void StuckExchanges::on_stack(const std::string& text) {
  stack_ = text;
  log(Level::kWarning, text.empty() ? "a stuck worker does not say where it is" : "where a stuck worker is",
      {{"app", app_.name},
       {"worker", about_.slot},
       {"pid", about_.pid},
       {"exchange", fmt::format("{}", fmt::join(unanswered_, ","))},
       {"stack", text}});
  answer();
}

void StuckExchanges::answer() {
  for (const std::string& exchange : unanswered_) {
    if (!stack_.empty()) front_.tell(upstream::Stack{about_.app, about_.id, exchange, stack_});
  }
  unanswered_.clear();
}

}  // namespace supervisor
