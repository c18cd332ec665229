#include "proxy/exchange.h"

#include <algorithm>

#include "proxy/front_thread.h"
#include "runtime/text.h"

namespace proxy {
namespace {

using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::Version;

// Nobody knows how long it takes; soon enough after the end, and no burden before.
constexpr std::chrono::seconds kAskAgain{30};

bool is_unknown_expectation(const upstream::Field& field) {
  return field.id == FieldId::kExpect && !runtime::equals_ignoring_case(field.value, "100-continue");
}

}  // namespace

Exchange::Exchange(FrontThread& thread)
    : thread_(thread),
      ticket_(runtime::bind<&Exchange::on_leased>(this)),
      inquest_(runtime::bind<&Exchange::on_word>(this)),
      deadline_(thread.loop(), runtime::bind<&Exchange::on_deadline>(this)),
      send_soon_(thread.loop(), runtime::bind<&Exchange::send_rest>(this)),
      // Clients that do not read are many and wait for long: half is for those who send.
      answer_memory_(*thread.site().buffer_memory, /*leaves_half=*/true) {}

void Exchange::begin(ClientStream& stream, const ClientFacts& client) {
  meet(stream, client);
  origin_ = origin_of(request_, client, snapshot_->settings.front.trusted_proxies);
  if (!admit() || !route() || !prepare()) return;
  if (!answer_by_route() && is_let_in()) gather();
}

void Exchange::refuse(ClientStream& stream, const ClientFacts& client, std::uint16_t status, std::string_view reason) {
  const Outcome outcome{Fault::kClient, reason};
  if (phase_ == Phase::kEnded || phase_ == Phase::kDeliver) return;
  if (phase_ == Phase::kIdle) meet(stream, client);
  answer_ourselves(status, outcome);
}

/// From here on to the event the settings are those of this moment.
void Exchange::meet(ClientStream& stream, const ClientFacts& client) {
  stream_ = &stream;
  client_ = &client;
  origin_ = {.client = client.peer, .is_tls = client.is_tls};
  snapshot_ = thread_.snapshot_to_keep();
  record_.begin(thread_.loop().now(), thread_.loop().wall_now());
}

/// What no app should ever see.
bool Exchange::admit() {
  // RFC 9110 9.3.8: TRACE would show a client its own fields with ours among them. CONNECT makes a tunnel to anywhere.
  if (request_.method == Method::kTrace || request_.method == Method::kConnect) {
    answer_ourselves(405, kMethodRefused);
    return false;
  }
  // RFC 9110 10.1.1: an expectation other than 100-continue may be answered 417.
  if (request_.version != Version::kHttp10 && std::any_of(request_.fields.begin(), request_.fields.end(), is_unknown_expectation)) {
    answer_ourselves(417, kExpectationFailed);
    return false;
  }
  return true;
}

bool Exchange::route() {
  const auto found = snapshot_->route.find(request_.authority);
  if (!found) {
    answer_ourselves(404, kNoSuchHost);
    return false;
  }
  go_to(*found);
  if (!origin_.is_tls && app().plain_http == conf::PlainHttp::kRedirect) {
    redirect_to_https();
    return false;
  }
  if (!origin_.is_tls && app().plain_http == conf::PlainHttp::kRefuse) {
    answer_ourselves(403, kPlainRefused);
    return false;
  }
  // RFC 9110 7.4: what is asked for by https has to come by it, or through a proxy that we trust to have seen to that.
  if (request_.says_https && !client_->is_tls && !snapshot_->trusts(*client_)) {
    answer_ourselves(421, kNotSecured);
    return false;
  }
  find_rules();
  if (request_.framing == Framing::kLength && request_.content_length > rules_->max_body) {
    answer_ourselves(413, kBodyTooLarge);
    return false;
  }
  return true;
}

/// A route may have rules of its own, and lead to another app: from here on app() is who answers.
void Exchange::find_rules() {
  match_ = conf::match_route(app().routes, request_.path);
  rules_ = match_ ? &match_->route->rules : &app().rules;
  if (match_ && match_->route->to) go_to(*match_->route->to);
}

void Exchange::go_to(std::size_t place) {
  leave_row();
  const upstream::AppIndex index = snapshot_->apps[place];
  app_ = &snapshot_->settings.apps[place];
  desk_ = &thread_.desk(index);
  row_ = &thread_.row(index);
  upstream::count(row_->in_flight);
}

bool Exchange::prepare() {
  prepare_request(request_, *client_, snapshot_->trusts(*client_), record_.began_wall, ours_);
  switch (count_forward(request_, ours_)) {
    case Forwards::kGoOn:
      if (app_speaks_http()) add_via(request_.version, ours_);
      return true;
    case Forwards::kEndHere:
      tell_options();
      return false;
    case Forwards::kUnclear:
      answer_ourselves(400, kBadMaxForwards);
      return false;
  }
  return false;
}

/// An answer of ours; once the app's answer has begun there is only the cut, so that no part is taken for the whole.
void Exchange::answer_ourselves(std::uint16_t status, const Outcome& outcome) {
  if (phase_ == Phase::kEnded) return;
  if (answer_body_ended_) return end(outcome);
  if (phase_ == Phase::kRelay && spool_ && reader_.body_is_whole()) {
    let_lease_go(outcome);
    return deliver_rest(outcome);
  }
  if (head_sent_) {
    stream_->cut();
    return end(outcome);
  }
  OwnAnswer answer(status, request_.method);
  if (status == 503) answer.retry_after(std::chrono::seconds(1));
  say(answer);
  end(outcome);
}

/// By order of the operator an app may be closed. No body is read for it.
bool Exchange::is_let_in() {
  if (!upstream::is_closed(desk_->dispatch().gate())) return true;
  answer_closed();
  return false;
}

/// Neither begun nor in line any more.
void Exchange::answer_closed() {
  const upstream::Dispatch& dispatch = desk_->dispatch();
  const std::string notice = dispatch.notice();
  const Outcome outcome = dispatch.gate() == upstream::Gate::kStopped ? kStopped : kMaintenance;
  OwnAnswer answer(503, request_.method);
  answer.retry_after(kAskAgain);
  if (!notice.empty()) answer.notice(notice);
  say(answer);
  end(outcome);
}

void Exchange::redirect_to_https() {
  OwnAnswer answer(308, request_.method);
  answer.location_https(host_of(request_.authority), snapshot_->https_port, request_.target);
  say(answer);
  end(kOk);
}

/// OPTIONS that no app may see any more (RFC 9110 7.6.2, 9.3.7).
void Exchange::tell_options() {
  OwnAnswer answer(200, request_.method);
  answer.allow();
  say(answer);
  end(kOk);
}

void Exchange::say(OwnAnswer& answer) {
  record_.status = answer.head().status;
  head_sent_ = true;
  if (!upload_.is_whole() && request_.framing != Framing::kNone) stream_->stop_body();
  stream_->send_head(answer.head());
  if (answer.head().framing != Framing::kNone) stream_->send_body(answer.body());
  stream_->end_body({});
}

}  // namespace proxy
