#include "supervisor/tail.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "supervisor/output.h"

namespace supervisor {

Tail::~Tail() {
  for (const Asker& follower : followers_) follower.done();
}

void Tail::add(std::string_view worker, std::string_view text, runtime::WallTime now) {
  const Line& line = lines_.emplace_back(now, std::string(worker), without_controls(text));
  bytes_ += line.text.size();
  std::erase_if(followers_, [](const Asker& follower) { return !follower.is_there(); });
  for (const Asker& follower : followers_) follower.offer(to_json(line));
  while (lines_.size() > kMostLines || bytes_ > kMost) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
}

void Tail::tell(const Asker& asker, std::uint64_t count) const {
  for (std::size_t i = lines_.size() - std::min<std::uint64_t>(count, lines_.size()); i < lines_.size(); ++i)
    asker.tell(to_json(lines_[i]));
}

void Tail::follow(const Asker& asker) {
  std::erase_if(followers_, [](const Asker& follower) { return !follower.is_there(); });
  followers_.push_back(asker);
}

std::size_t Tail::followers() const {
  return static_cast<std::size_t>(std::ranges::count_if(followers_, &Asker::is_there));
}

nlohmann::ordered_json to_json(const Tail::Line& line) {
  return {{"time", runtime::rfc3339(line.time)}, {"worker", line.worker}, {"line", line.text}};
}

}  // namespace supervisor
