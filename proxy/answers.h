// Answers that we make ourselves: refusals, failures of the app, redirects to https. Pure: a status in, head
// and body out.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/message.h"

namespace proxy {

/// RFC 9110 15, and the registry. Empty for a status without a name.
std::string_view reason_phrase(std::uint16_t status);

class OwnAnswer {
 public:
  /// `method`: the answer to HEAD has no body.
  OwnAnswer(std::uint16_t status, upstream::Method method);
  ~OwnAnswer();
  OwnAnswer(const OwnAnswer&) = delete;  // its head looks into it
  OwnAnswer& operator=(const OwnAnswer&) = delete;

  /// RFC 9110 10.2.1: what we let through to apps; with OPTIONS that ends here. 405 has it already.
  void allow();
  /// RFC 9110 10.2.3; with 503.
  void retry_after(std::chrono::seconds);
  /// The body says so, too, and a field for those who get no body. `id` has to stay as long as this object.
  void incident(std::string_view id);
  /// The body says this instead of the status; plain text, one line.
  void notice(std::string_view text);
  /// RFC 9110 10.2.2.
  void location(std::string url);
  /// RFC 9110 15.5.6: what a 405 allows instead of what apps are asked. A literal.
  void allow(std::string_view methods);
  /// RFC 9110 15.5.17; with 416.
  void unsatisfied_range(std::uint64_t size);
  /// Location: the same target by https. `host` without port; `port` 0 or 443 is left out. Without a host
  /// (HTTP/1.0) there is no place to go: the answer becomes a 400.
  void location_https(std::string_view host, std::uint16_t port, std::string_view target);

  /// Valid as long as this object. With Framing::kNone there is no body to send.
  const upstream::ResponseHead& head() const { return head_; }
  /// It keeps its bytes, if they are not static.
  runtime::Slice body() const;

 private:
  void set(std::uint16_t status);
  void set_body(std::string_view body);
  upstream::ResponseHead head_;
  upstream::Method method_;
  std::string_view body_;
  runtime::Chunk body_chunk_;  // what body_ looks into; empty: it is static
  char length_[24];
  char seconds_[24];
  std::string location_;
  std::string range_;
};

}  // namespace proxy
