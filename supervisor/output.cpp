#include "supervisor/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/log.h"

namespace supervisor {
namespace {

constexpr runtime::Bytes kKeptOfLine = 1_KiB;  // of the last lines
constexpr int kReadsAtTheEnd = 64;             // a pipe holds 64 KiB; descendants may go on writing
constexpr runtime::Bytes kReadAtOnce = 16_KiB;
// Whoever prints faster than that waits in write(2): neither the log nor our time is for one alone.
constexpr runtime::Milliseconds kRest{4};

}  // namespace

void LineCutter::feed(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (!is_discarding_) partial_ += piece.substr(0, kLongest + 1 - std::min(kLongest, partial_.size()));
    if (!is_discarding_ && partial_.size() > kLongest) {
      partial_.resize(kLongest);
      partial_ += kMark;
      line(partial_);
      partial_.clear();
      is_discarding_ = true;
    }
    if (end == std::string_view::npos) return;
    if (!is_discarding_) {
      if (partial_.ends_with('\r')) partial_.pop_back();
      line(partial_);
    }
    partial_.clear();
    is_discarding_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void LineCutter::finish(const std::function<void(std::string_view)>& line) {
  if (!partial_.empty()) line(partial_);
  partial_.clear();
}

std::string without_controls(std::string_view line) {
  std::string clean(line);
  for (char& c : clean) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) c = '?';
  }
  return clean;
}

void OutputSink::write(std::string_view mark, std::string_view line) {
  const std::size_t dot = std::min(mark.find('.'), mark.size());
  tail(mark.substr(0, dot)).add(mark.substr(std::min(dot + 1, mark.size())), line, std::chrono::system_clock::now());
  if (dropped_ != 0 && say_dropped()) dropped_ = 0;
  const bool is_written = as_is_
                              ? runtime::write_if_taken(STDERR_FILENO, fmt::format("{} | {}\n", mark, line))
                              : runtime::log_if_taken(fmt::format("{} | {}", mark, without_controls(line)));
  if (!is_written) ++dropped_;
}

bool OutputSink::has_room_for_follower() const {
  std::size_t followers = 0;
  for (const auto& [app, tail] : tails_) followers += tail.followers();
  return followers < kMostFollowers;
}

Tail& OutputSink::tail(std::string_view app) {
  const auto found = tails_.find(app);
  return found != tails_.end() ? found->second : tails_[std::string(app)];
}

void OutputSink::forget(std::string_view app) {
  const auto found = tails_.find(app);
  if (found != tails_.end()) tails_.erase(found);
}

bool OutputSink::say_dropped() const {
  const std::string sentence = fmt::format("{} lines of output were dropped", dropped_);
  return as_is_ ? runtime::write_if_taken(STDERR_FILENO, fmt::format("portherd: {}\n", sentence))
                : runtime::log_if_taken(sentence);
}

std::vector<saved::Tail> OutputSink::save() const {
  std::vector<saved::Tail> all;
  for (const auto& [app, tail] : tails_) {
    saved::Tail& saved = all.emplace_back(saved::Tail{.app = app});
    for (const Tail::Line& line : tail.lines()) saved.lines.push_back({line.time, line.worker, line.text});
  }
  return all;
}

void OutputSink::adopt(const std::vector<saved::Tail>& tails) {
  for (const saved::Tail& saved : tails) {
    for (const saved::Line& line : saved.lines) tail(saved.app).add(line.worker, line.text, line.time);
  }
}

Output::Output(runtime::Loop& loop, OutputSink& sink, std::string mark, runtime::Fd out, runtime::Fd err)
    : sink_(sink),
      mark_(std::move(mark)),
      out_(*this, loop, std::move(out), {}),
      err_(*this, loop, std::move(err), {}) {}

Output::Output(runtime::Loop& loop, OutputSink& sink, std::string mark, const saved::Output& saved)
    : sink_(sink),
      mark_(std::move(mark)),
      last_(saved.last_lines),
      out_(*this, loop, saved::take(saved.out.fd), {saved.out.partial, saved.out.is_discarding}),
      err_(*this, loop, saved::take(saved.err.fd), {saved.err.partial, saved.err.is_discarding}) {}

saved::Output Output::save() const {
  return {.out = out_.save(), .err = err_.save(), .last_lines = last_};
}

void Output::finish() {
  for (Stream* const stream : {&out_, &err_}) {
    for (int i = 0; i < kReadsAtTheEnd && stream->read_once() != 0; ++i) {
    }
    stream->cutter.finish([this](std::string_view line) { take(line); });
    stream->watch.want_read(false);
    stream->rest.cancel();
    stream->fd.reset();
  }
}

void Output::take(std::string_view line) {
  last_.emplace_back(line.substr(0, kKeptOfLine));
  if (last_.size() > kKept) last_.pop_front();
  sink_.write(mark_, line);
}

Output::Stream::Stream(Output& to, runtime::Loop& loop, runtime::Fd from, LineCutter begun)
    : output(to), fd(std::move(from)), cutter(std::move(begun)), rest(loop, runtime::bind<&Stream::on_rested>(this)), watch(loop, fd.get(), runtime::bind<&Stream::on_readable>(this)) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  watch.want_read(true);
}

void Output::Stream::on_readable() {
  if (read_once() < kReadAtOnce) return;
  watch.want_read(false);
  rest.arm(kRest);
}

void Output::Stream::on_rested() {
  watch.want_read(true);
}

std::size_t Output::Stream::read_once() {
  if (!fd) return 0;
  char buffer[kReadAtOnce];
  const auto n = ::read(fd.get(), buffer, sizeof buffer);
  if (n < 0) return 0;
  if (n == 0) watch.want_read(false);  // it closed its output; it may well live on
  const auto count = static_cast<std::size_t>(n);
  cutter.feed({buffer, count}, [this](std::string_view line) { output.take(line); });
  return count;
}

}  // namespace supervisor
