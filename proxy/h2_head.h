// Gathers one request head from the fields of an HTTP/2 header block, RFC 9113 8.3, strictly, and within the
// bounds. Pure: names and values in, a RequestHead or a refusal out. Who calls: h2_session; what HPACK is,
// nghttp2 knows.
#pragma once
#include <cstdint>
#include <string_view>

#include "proxy/h1_reader.h"
#include "runtime/buffer.h"
#include "upstream/message.h"

namespace proxy {

class H2Head {
 public:
  /// For a connection.
  H2Head(runtime::Bytes max_head, std::size_t max_fields) : max_head_(max_head), max_fields_(max_fields) {}

  /// A header block begins: its fields go into `head`, which stays where it is until finish().
  void begin(upstream::RequestHead& head);
  void add(std::string_view name, std::string_view value);
  /// The block is whole. True: `head` is a request, and its views look into chunk(). False: see refusal();
  /// what is known of the request is in `head` all the same.
  bool finish(bool has_body);
  const Refusal& refusal() const { return refusal_; }
  /// What keeps the bytes of the head that was finished last.
  runtime::Chunk chunk() const { return chunk_; }
  runtime::Bytes most() const { return max_head_; }
  /// No head is being gathered and none will come soon: gives the memory back.
  void rest();

 private:
  void refuse(std::uint16_t status, std::string_view reason);
  void add_pseudo(std::string_view name, std::string_view value);
  std::string_view copy(std::string_view bytes);
  void move_to_larger(runtime::Bytes wanted);
  void find_framing(bool has_body);
  void settle_authority();
  void settle_target();
  void settle_tunnel();
  void settle_expectations();

  const runtime::Bytes max_head_;
  const std::size_t max_fields_;
  upstream::RequestHead* head_ = nullptr;  // set by begin()
  std::string_view scheme_;
  std::string_view protocol_;  // RFC 8441 4; empty: no extended CONNECT
  Refusal refusal_;
  runtime::Bytes size_ = 0;              // as RFC 9113 6.5.2 counts it
  runtime::Chunk chunk_;                 // heads stand in it one behind the other; exchanges hold on to it
  runtime::Bytes begin_ = 0, used_ = 0;  // this head's part of it
};

}  // namespace proxy
