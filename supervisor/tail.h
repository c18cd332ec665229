// What the workers of one app printed last, kept across them, and who follows it. Bounded: the oldest lines go, and
// of a follower who does not read lines are dropped and counted (asker.h).
#pragma once
#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bytes.h"
#include "runtime/clock.h"
#include "supervisor/asker.h"

namespace supervisor {

class Tail {
 public:
  static constexpr std::size_t kMostLines = 1000;
  static constexpr runtime::Bytes kMost = std::size_t{256} << 10;

  struct Line {
    runtime::WallTime time;
    std::string worker;  ///< its place: "1"
    std::string text;    ///< as it came, but for control bytes
  };

  Tail() = default;
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;
  /// The app is no more: its followers are told that this was all.
  ~Tail();

  void add(std::string_view worker, std::string_view text, runtime::WallTime now);
  /// The last `count` lines, or as many as there are.
  void tell(const Asker& asker, std::uint64_t count) const;
  /// Every line from now on, until the asker leaves.
  void follow(const Asker& asker);

  const std::deque<Line>& lines() const { return lines_; }
  /// Who is still there.
  std::size_t followers() const;

 private:
  std::deque<Line> lines_;
  runtime::Bytes bytes_ = 0;      // of the texts in lines_
  std::vector<Asker> followers_;  // those who have left go with the next line
};

/// {"time": RFC 3339, "worker": "1", "line": "..."}
nlohmann::ordered_json to_json(const Tail::Line& line);

}  // namespace supervisor
