#include "proxy/answers.h"

#include <algorithm>
#include <array>

#include "upstream/put.h"

namespace proxy {
namespace {

using upstream::FieldId;
using upstream::Framing;

/// The registry of status codes (RFC 9110 15 and IANA's), each as the body we send with it.
constexpr std::string_view kStatusLines[] = {
    "100 Continue\n",
    "101 Switching Protocols\n",
    "102 Processing\n",
    "103 Early Hints\n",
    "200 OK\n",
    "201 Created\n",
    "202 Accepted\n",
    "203 Non-Authoritative Information\n",
    "204 No Content\n",
    "205 Reset Content\n",
    "206 Partial Content\n",
    "207 Multi-Status\n",
    "208 Already Reported\n",
    "226 IM Used\n",
    "300 Multiple Choices\n",
    "301 Moved Permanently\n",
    "302 Found\n",
    "303 See Other\n",
    "304 Not Modified\n",
    "305 Use Proxy\n",
    "307 Temporary Redirect\n",
    "308 Permanent Redirect\n",
    "400 Bad Request\n",
    "401 Unauthorized\n",
    "402 Payment Required\n",
    "403 Forbidden\n",
    "404 Not Found\n",
    "405 Method Not Allowed\n",
    "406 Not Acceptable\n",
    "407 Proxy Authentication Required\n",
    "408 Request Timeout\n",
    "409 Conflict\n",
    "410 Gone\n",
    "411 Length Required\n",
    "412 Precondition Failed\n",
    "413 Content Too Large\n",
    "414 URI Too Long\n",
    "415 Unsupported Media Type\n",
    "416 Range Not Satisfiable\n",
    "417 Expectation Failed\n",
    "421 Misdirected Request\n",
    "422 Unprocessable Content\n",
    "423 Locked\n",
    "424 Failed Dependency\n",
    "425 Too Early\n",
    "426 Upgrade Required\n",
    "428 Precondition Required\n",
    "429 Too Many Requests\n",
    "431 Request Header Fields Too Large\n",
    "451 Unavailable For Legal Reasons\n",
    "500 Internal Server Error\n",
    "501 Not Implemented\n",
    "502 Bad Gateway\n",
    "503 Service Unavailable\n",
    "504 Gateway Timeout\n",
    "505 HTTP Version Not Supported\n",
    "506 Variant Also Negotiates\n",
    "507 Insufficient Storage\n",
    "508 Loop Detected\n",
    "511 Network Authentication Required\n",
};

constexpr std::uint16_t status_of(std::string_view line) {
  return static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}
static_assert(std::is_sorted(std::begin(kStatusLines), std::end(kStatusLines)));

/// "404 Not Found\n", or nothing.
std::string_view status_line(std::uint16_t status) {
  const auto found =
      std::lower_bound(std::begin(kStatusLines), std::end(kStatusLines), status,
                       [](std::string_view line, std::uint16_t wanted) { return status_of(line) < wanted; });
  return found != std::end(kStatusLines) && status_of(*found) == status ? *found : std::string_view();
}

// The fields of the last answer that has ended, for their capacity: refusing costs no allocation, however
// many there are.
thread_local upstream::Fields spare_fields;

}  // namespace

std::string_view reason_phrase(std::uint16_t status) {
  constexpr std::size_t kUpToReason = 4;  // "404 "
  const std::string_view line = status_line(status);
  return line.empty() ? line : line.substr(kUpToReason, line.size() - kUpToReason - 1);
}

OwnAnswer::OwnAnswer(std::uint16_t status, upstream::Method method) : method_(method) {
  head_.fields.swap(spare_fields);
  set(status);
}

OwnAnswer::~OwnAnswer() {
  head_.fields.swap(spare_fields);
}

void OwnAnswer::set(std::uint16_t status) {
  head_.clear();
  head_.status = status;
  head_.reason = reason_phrase(status);
  head_.framing = method_ == upstream::Method::kHead ? Framing::kNone : Framing::kLength;
  head_.fields.push_back({"Content-Type", "text/plain; charset=utf-8", FieldId::kContentType});
  head_.fields.push_back({"Content-Length", {}, FieldId::kContentLength});
  set_body(status_line(status));
  if (status == 405) allow();  // RFC 9110 15.5.6: what is allowed must be said
}

/// Behind the fields that set() has made.
void OwnAnswer::set_body(std::string_view body) {
  body_ = body;
  head_.content_length = body.size();
  const char* const end = upstream::put_number(length_, body.size());
  head_.fields[1].value = {length_, static_cast<std::size_t>(end - length_)};
}

/// We refuse TRACE and CONNECT, the app decides about the others.
void OwnAnswer::allow() {
  head_.fields.push_back({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
}

void OwnAnswer::retry_after(std::chrono::seconds wait) {
  const char* const end = upstream::put_number(seconds_, static_cast<std::uint64_t>(wait.count()));
  head_.fields.push_back({"Retry-After", {seconds_, static_cast<std::size_t>(end - seconds_)}});
}

void OwnAnswer::incident(std::string_view id) {
  constexpr std::string_view kLabel = "incident: ";
  head_.fields.push_back({"X-Request-Id", id, FieldId::kXRequestId});
  body_chunk_ = runtime::Chunk::make(body_.size() + kLabel.size() + id.size() + 1);
  char* at = body_chunk_.data();
  for (const std::string_view part : {body_, kLabel, id, std::string_view("\n")}) at = upstream::put(at, part);
  set_body({body_chunk_.data(), static_cast<std::size_t>(at - body_chunk_.data())});
}

void OwnAnswer::notice(std::string_view text) {
  body_chunk_ = runtime::Chunk::make(text.size() + 1);
  upstream::put(upstream::put(body_chunk_.data(), text), "\n");
  set_body({body_chunk_.data(), text.size() + 1});
}

void OwnAnswer::location(std::string url) {
  location_ = std::move(url);
  head_.fields.push_back({"Location", location_});
}

void OwnAnswer::allow(std::string_view methods) {
  std::erase_if(head_.fields, [](const upstream::Field& field) { return field.name == "Allow"; });
  head_.fields.push_back({"Allow", methods});
}

void OwnAnswer::unsatisfied_range(std::uint64_t size) {
  range_ = "bytes */" + std::to_string(size);
  head_.fields.push_back({"Content-Range", range_});
}

void OwnAnswer::location_https(std::string_view host, std::uint16_t port, std::string_view target) {
  constexpr std::uint16_t kHttpsPort = 443;
  if (host.empty()) return set(400);
  location_ = "https://";
  location_ += host;
  if (port != 0 && port != kHttpsPort) location_ += ':' + std::to_string(port);
  if (target.starts_with('/')) location_ += target;  // not "*", RFC 9112 3.2.4
  head_.fields.push_back({"Location", location_});
}

runtime::Slice OwnAnswer::body() const {
  return {body_chunk_, body_.data(), body_.size()};
}

}  // namespace proxy
