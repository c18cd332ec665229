// The last page of the story (exchange.cpp): what the access log is told when an exchange has ended.
#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "proxy/front_thread.h"

namespace proxy {
namespace {

using upstream::FieldId;

std::string_view value_of(const upstream::RequestHead& head, FieldId id) {
  const upstream::Field* const field = upstream::find(head.fields, id);
  return field == nullptr ? std::string_view() : field->value;
}

runtime::Microseconds between(runtime::Time from, runtime::Time to) {
  return std::chrono::duration_cast<runtime::Microseconds>(to - from);
}

}  // namespace

void Exchange::write_access_event(const Outcome& outcome) {
  const runtime::Time now = runtime::Clock::now();
  AccessEvent event;
  event.time = began_wall_;
  event.id = ours_.request_id();
  event.app = desk_ == nullptr ? std::string_view() : app().name;
  event.generation = generation_;
  event.worker = worker_slot_;
  event.pid = worker_pid_;
  event.client = client_->peer;
  event.method = request_.method_text;
  event.host = request_.authority;
  event.target = request_.target;
  event.path = request_.path;
  event.version = request_.version;
  event.tls = client_->tls_version;
  event.status = status_;
  event.bytes_in = body_received_;
  event.bytes_out = sent_to_client_;
  // What never found a worker has waited until now.
  event.queue = desk_ == nullptr ? runtime::Microseconds(0) : between(began_, leased_ == runtime::Time() ? now : leased_);
  if (first_byte_ != runtime::Time()) event.first_byte = between(began_, first_byte_);
  event.total = between(began_, now);
  event.attempts = attempts_;
  event.outcome = outcome;
  event.referer = value_of(request_, FieldId::kReferer);
  event.user_agent = value_of(request_, FieldId::kUserAgent);
  thread_.access_log().write(event);
}

}  // namespace proxy
