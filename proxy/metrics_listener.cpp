#include "proxy/metrics_listener.h"

#include <algorithm>
#include <cerrno>

#include "proxy/h1_writer.h"
#include "runtime/clock.h"
#include "runtime/socket.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using runtime::Milliseconds;
using upstream::Method;
using upstream::Step;
using namespace runtime::literals;

constexpr Bytes kMostHead = 16_KiB;
constexpr std::size_t kMostFields = 100;
constexpr Milliseconds kPause{50};
constexpr Milliseconds kLinger{
    5000};  // see h1_session.cpp: a close with unread input could destroy the answer

}  // namespace

/// One connection: a head in, an answer out, then nothing more until the visitor leaves.
class MetricsListener::Visit {
 public:
  Visit(MetricsListener& home, runtime::Fd fd)
      : home_(home),
        transport_(std::move(fd)),
        watch_(home.loop_, transport_.fd(), runtime::bind<&Visit::on_readable>(this),
               runtime::bind<&Visit::on_writable>(this)),
        deadline_(home.loop_, runtime::bind<&Visit::leave>(this)) {
    reader_.begin(kMostHead, kMostFields);
    watch_.want_read(true);
    deadline_.arm(home_.clocks_.head);
  }

 private:
  void on_readable() {
    Bytes n = 0;
    if (has_asked_) in_.clear();
    const Io io = transport_.read(in_.room(), n);
    if (io == Io::kWant) return;
    if (io == Io::kClosed && !out_.is_empty()) {  // it has closed its half; the other one is still being used
      has_closed_ = true;
      return watch_.want_read(false);
    }
    if (io != Io::kProgress) return leave();
    in_.added(n);
    if (!has_asked_) read_head();
  }

  void read_head() {
    runtime::Slice body;
    switch (reader_.next(in_, request_, body)) {
      case Step::kMore:
        return;
      case Step::kHead:
        return answer();
      case Step::kBody:
      case Step::kEnd:
      case Step::kInterim:
      case Step::kBroken:
        return say({reader_.refusal().status, std::string(reader_.refusal().reason) + "\n"});
    }
  }

  void answer() {
    const bool is_known = request_.method == Method::kGet || request_.method == Method::kHead;
    say(is_known ? home_.answer_(request_.path) : MetricsAnswer{405, "only GET and HEAD\n"});
  }

  void say(const MetricsAnswer& answer) {
    has_asked_ = true;
    upstream::ResponseHead head;
    head.status = answer.status;
    head.content_length = answer.text.size();
    head.fields.push_back({"Content-Type", answer.type, upstream::FieldId::kContentType});
    if (answer.status == 405) head.fields.push_back({"Allow", "GET, HEAD"});  // RFC 9110 15.5.6
    const std::string date = runtime::http_date(std::chrono::system_clock::now());
    write_response_head(head, request_.version, /*keep_alive=*/false, upstream::Framing::kLength, date, out_);
    if (request_.method != Method::kHead) out_.append_copy(answer.text);
    on_writable();
  }

  void on_writable() {
    const Io io = transport_.flush(out_);
    if (io == Io::kFailed || io == Io::kClosed) return leave();
    watch_.want_write(io == Io::kWant);
    if (io == Io::kWant) return deadline_.arm(home_.clocks_.write_idle);
    if (has_closed_) return leave();
    transport_.close_write();
    deadline_.arm(kLinger);
  }

  void leave() { home_.end(*this); }

  MetricsListener& home_;
  Transport transport_;
  runtime::IoWatch watch_;
  runtime::Timer deadline_;
  H1Reader reader_;
  runtime::InBuffer in_;
  upstream::RequestHead request_;  // views into in_, until it is answered
  runtime::ByteQueue out_;
  bool has_asked_ = false;   // what still comes is thrown away
  bool has_closed_ = false;  // its sending side, before it had all of the answer
};

MetricsListener::MetricsListener(runtime::Loop& loop, runtime::Fd socket, const conf::Clocks& clocks,
                                 Answerer answer)
    : loop_(loop),
      socket_(std::move(socket)),
      clocks_(clocks),
      answer_(std::move(answer)),
      watch_(loop, socket_.get(), runtime::bind<&MetricsListener::on_readable>(this)),
      pause_(loop, runtime::bind<&MetricsListener::on_pause_over>(this)) {
  watch_.want_read(true);
}

MetricsListener::~MetricsListener() = default;

void MetricsListener::on_readable() {
  runtime::PeerAddress peer;
  runtime::Fd fd = runtime::accept_from(socket_.get(), peer);
  if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    watch_.want_read(false);  // a level-triggered watch would spin
    pause_.arm(kPause);
  }
  if (!fd) return;
  if (visits_.size() >= kMostVisits) end(*visits_.front());
  visits_.push_back(std::make_unique<Visit>(*this, std::move(fd)));
}

/// It may be in a call of its own.
void MetricsListener::end(Visit& visit) {
  const auto found = std::ranges::find(visits_, &visit, &std::unique_ptr<Visit>::get);
  if (found == visits_.end()) return;
  loop_.bury(std::move(*found));
  visits_.erase(found);
}

}  // namespace proxy
