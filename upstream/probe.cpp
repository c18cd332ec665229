#include "upstream/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "upstream/request_writer.h"
#include "upstream/scope.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;
using runtime::Io;

constexpr runtime::Milliseconds kBetween = 100ms;

}  // namespace

std::string probed_host(const conf::App& app) {
  const auto named = std::ranges::find_if(app.hosts, [](const std::string& host) { return host != "*"; });
  return named == app.hosts.end() ? kAnyHost : *named;
}

WorkerProbe::WorkerProbe(runtime::Loop& loop, Worker worker, std::string host, std::string path,
                         runtime::Milliseconds once_within, ProbeReport report)
    : loop_(loop),
      worker_(std::move(worker)),
      host_(std::move(host)),
      path_(std::move(path)),
      once_within_(once_within),
      report_(std::move(report)),
      timer_(loop, runtime::bind<&WorkerProbe::ask>(this)) {
  timer_.arm(0ms);
}

void WorkerProbe::ask() {
  if (connection_) return failed(fmt::format("no answer within {} ms", patience().count()));
  connection_ = Connection::open(loop_, worker_);
  if (!connection_) return failed(fmt::format("connect: {}", std::strerror(errno)));
  connection_->watch().rebind(runtime::bind<&WorkerProbe::on_readable>(this), runtime::bind<&WorkerProbe::on_writable>(this));
  from_worker_.clear();
  to_worker_.clear();
  reader_.begin(worker_.speech, path_.empty() ? Method::kOptions : Method::kGet, false);
  write_question();
  timer_.arm(patience());
  on_writable();
}

void WorkerProbe::write_question() {
  RequestHead head;
  head.method = path_.empty() ? Method::kOptions : Method::kGet;
  head.method_text = path_.empty() ? "OPTIONS" : "GET";
  head.target = head.path = path_.empty() ? std::string_view("*") : std::string_view(path_);
  if (const auto mark = head.target.find('?'); mark != std::string_view::npos) {
    head.path = head.target.substr(0, mark);
    head.query = head.target.substr(mark + 1);
  }
  head.authority = host_;
  head.fields = {{"User-Agent", "portherd-probe", FieldId::kUserAgent}};
  if (worker_.speech == Speech::kHttp) {
    head.fields.push_back({"Host", head.authority, FieldId::kHost});
    return write_request(head, {}, Framing::kNone, 0, to_worker_);
  }
  // A path that cannot be an environment was refused by the check of the settings.
  const auto write = worker_.speech == Speech::kScopes ? write_scope : write_environment;
  (void)write(head, {}, EnvironmentFacts{}, Framing::kNone, 0, to_worker_);
}

void WorkerProbe::on_writable() {
  if (!connection_) return;
  const Io io = connection_->flush(to_worker_);
  connection_->watch().want_write(io == Io::kWant);
}

void WorkerProbe::on_readable() {
  if (!connection_) return;
  runtime::Bytes n = 0;
  switch (connection_->read(from_worker_.room(), n)) {
    case Io::kWant:
      return;
    case Io::kClosed:
    case Io::kFailed:
      return failed("closed the connection before it answered");
    case Io::kProgress:
      from_worker_.added(n);
  }
  for (;;) {
    runtime::Slice body;
    switch (reader_.next(from_worker_, answer_, body)) {
      case Step::kInterim:
        continue;
      case Step::kHead:
        return on_answer();
      case Step::kMore:
        return;
      case Step::kBody:
      case Step::kEnd:
      case Step::kBroken:
        return failed(fmt::format("not an answer: {}", reader_.complaint()));
    }
  }
}

void WorkerProbe::on_answer() {
  if (!path_.empty() && (answer_.status < 200 || answer_.status > 399)) {
    return failed(fmt::format("GET {} answered {}", path_, answer_.status));
  }
  timer_.cancel();
  loop_.bury(std::move(connection_));
  report_(true, "");
}

void WorkerProbe::failed(std::string cause) {
  loop_.bury(std::move(connection_));
  if (is_single()) {
    timer_.cancel();
    return report_(false, cause);
  }
  timer_.arm(kBetween);
  if (cause == last_cause_) return;
  last_cause_ = std::move(cause);
  report_(false, last_cause_);
}

}  // namespace upstream
