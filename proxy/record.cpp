#include "proxy/record.h"

#include <utility>

namespace proxy {

void Record::begin(runtime::Time now, runtime::WallTime wall_now) {
  began = now;
  began_wall = wall_now;
}

void Record::lease(const upstream::Worker& by, runtime::Time now) {
  stop_waiting(now);
  ++attempts;
  worker = by.id;
  slot = by.slot;
  generation = by.generation;
  pid = by.pid;
}

void Record::stop_waiting(runtime::Time now) {
  if (sought != runtime::Time{}) queued += now - std::exchange(sought, runtime::Time{});
}

void Record::lose() {
  const bool is_known = losses > 0 && lost[losses - 1U].worker == worker;
  if (!is_known && losses < lost.size()) lost[losses++] = {worker, pid};
}

AccessEvent Record::event(const upstream::RequestHead& request, const ClientFacts& client, runtime::Time now) const {
  const auto since_began = [this](runtime::Time moment) {
    return std::chrono::duration_cast<runtime::Microseconds>(moment - began);
  };
  const auto text = [&request](upstream::FieldId id) {
    const upstream::Field* field = upstream::find(request.fields, id);
    return field != nullptr ? field->value : std::string_view();
  };
  AccessEvent event;
  event.time = began_wall;
  event.generation = generation;
  event.worker = slot;
  event.pid = pid;
  event.method = request.method_text;
  event.host = request.authority;
  event.target = request.target;
  event.path = request.path;
  event.version = request.version;
  event.tls = client.tls_version;
  event.status = status;
  event.bytes_in = received;
  event.bytes_out = sent;
  event.queue = std::chrono::duration_cast<runtime::Microseconds>(queued);
  if (first_byte != runtime::Time{}) event.first_byte = since_began(first_byte);
  event.total = since_began(now);
  event.attempts = attempts;
  event.referer = text(upstream::FieldId::kReferer);
  event.user_agent = text(upstream::FieldId::kUserAgent);
  return event;
}

}  // namespace proxy
