// The address of [metrics]: one GET or HEAD a connection, answered on the front's main loop, away from the
// requests of clients: when no thread takes another one, this still says so. What is said: metrics_page.h.
// Not logged, not counted.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "conf/settings.h"
#include "proxy/h1_reader.h"
#include "proxy/transport.h"
#include "runtime/loop.h"

namespace proxy {

struct MetricsAnswer {
  std::uint16_t status = 200;
  std::string text;
  std::string_view type = "text/plain; charset=utf-8";  ///< a literal
};

class MetricsListener {
 public:
  /// One more, and the one that has been there longest has to go: nobody can keep a probe out by doing
  /// nothing.
  static constexpr std::size_t kMostVisits = 16;
  using Answerer = std::function<MetricsAnswer(std::string_view path)>;

  /// `clocks` outlives it; `answer` is called from the loop.
  MetricsListener(runtime::Loop& loop, runtime::Fd socket, const conf::Clocks& clocks, Answerer answer);
  ~MetricsListener();

 private:
  class Visit;
  void on_readable();
  void on_pause_over() { watch_.want_read(true); }
  void end(Visit& visit);

  runtime::Loop& loop_;
  runtime::Fd socket_;
  const conf::Clocks& clocks_;
  Answerer answer_;
  std::list<std::unique_ptr<Visit>> visits_;  // the oldest first
  runtime::IoWatch watch_;
  runtime::Timer pause_;  // out of descriptors: visitors wait in the backlog for a moment
};

}  // namespace proxy
