#include "proxy/h2_wire.h"

#include <array>
#include <cstdlib>

#include "proxy/h2_memory.h"

namespace proxy {
namespace {

using runtime::Bytes;

// A stream's window is nghttp2's and RFC 9113's default. The connection's (h2_wire.h) lets many streams send
// at the same time; both are refilled only as the exchanges pass on what came.
constexpr std::uint32_t kStreamWindow = 64 * 1024;
// Resets by the client (CVE-2023-44487) are counted by the session, which knows those that are no harm.
constexpr std::uint64_t kAnyNumber = 1 << 30;
// CONTINUATION frames in one header block (CVE-2024-28182); a block of max_head needs one or two.
constexpr std::size_t kMostContinuations = 8;
constexpr unsigned kFirstUnknown = 10;  // RFC 9113 6 has frames 0 to 9
constexpr std::size_t kMostSettings = 32;
constexpr std::size_t kMostAcks = 250;

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {static_cast<const char*>(static_cast<const void*>(bytes)), size};
}

bool has_flag(const nghttp2_frame_hd& head, int flag) {
  return (head.flags & flag) != 0;
}

H2Stream* stream_of(nghttp2_session* wire, std::int32_t id) {
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(wire, id));
}

}  // namespace

struct H2Callbacks {
  static H2Session& session(void* self) { return *static_cast<H2Session*>(self); }

  static int on_begin_frame(nghttp2_session* wire, const nghttp2_frame_hd* head, void* self) noexcept {
    if (head->type == NGHTTP2_HEADERS) session(self).headers_begin(head->stream_id);
    if (head->type == NGHTTP2_PRIORITY) session(self).prioritizes(head->stream_id);
    if (head->type == NGHTTP2_RST_STREAM) session(self).reset_came(stream_of(wire, head->stream_id));
    return session(self).frame_begins() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  /// Nothing of a frame that we do not know is looked at.
  static int on_unknown_payload(nghttp2_session*, const nghttp2_frame_hd*, const std::uint8_t*, std::size_t,
                                void*) noexcept {
    return NGHTTP2_ERR_CANCEL;
  }
  static int on_unknown(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) noexcept {
    return NGHTTP2_ERR_CANCEL;
  }

  static int on_begin_headers(nghttp2_session* wire, const nghttp2_frame* frame, void* self) noexcept {
    session(self).block_begins();
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // trailers
    H2Stream* const stream = session(self).request_begins(frame->hd.stream_id);
    return nghttp2_session_set_stream_user_data(wire, frame->hd.stream_id, stream);
  }

  static int on_header(nghttp2_session* wire, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) noexcept {
    if (!session(self).field_came(name_size + value_size)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      session(self).head_.add(text(name, name_size), text(value, value_size));
    } else if (H2Stream* const stream = stream_of(wire, frame->hd.stream_id)) {
      stream->on_trailer(text(name, name_size), text(value, value_size));
    }
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* self) noexcept {
    if (frame->hd.type != NGHTTP2_HEADERS || session(self).block_is_malformed(frame->hd.length)) return 0;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_frame(nghttp2_session* wire, const nghttp2_frame* frame, void* self) noexcept {
    const bool is_end = has_flag(frame->hd, NGHTTP2_FLAG_END_STREAM);
    if (frame->hd.type == NGHTTP2_SETTINGS) session(self).settings_came();
    if (frame->hd.type == NGHTTP2_PRIORITY_UPDATE)
      session(self).prioritizes(static_cast<nghttp2_ext_priority_update*>(frame->ext.payload)->stream_id);
    if (frame->hd.type == NGHTTP2_PING && has_flag(frame->hd, NGHTTP2_FLAG_ACK))
      session(self).ping_answered();
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    H2Stream* const stream = stream_of(wire, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) session(self).progressed();
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      session(self).head_is_whole(*stream, !is_end);
    } else if (is_end) {
      stream->on_body_end();
    }
    return 0;
  }

  static int on_data(nghttp2_session* wire, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* self) noexcept {
    if (size > 0) session(self).progressed();
    if (H2Stream* const stream = stream_of(wire, id)) {
      stream->on_body(text(bytes, size));
    } else {
      nghttp2_session_consume_connection(wire, size);
    }
    return 0;
  }

  static int on_stream_close(nghttp2_session* wire, std::int32_t id, std::uint32_t, void* self) noexcept {
    if (H2Stream* const stream = stream_of(wire, id)) session(self).stream_closed(*stream);
    return 0;
  }

  static ssize_t data_length(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t, std::int32_t,
                             std::uint32_t, void* self) noexcept {
    return static_cast<ssize_t>(session(self).data_length());
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) noexcept {
    H2Stream& stream = *static_cast<H2Stream*>(source->ptr);
    const H2Stream::Offer offer = stream.offer(most);
    if (offer.size == 0 && !offer.is_last) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (offer.is_last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (offer.is_last && stream.begin_trailers()) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return static_cast<ssize_t>(offer.size);
  }

  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source* source, void* self) noexcept {
    constexpr std::size_t kFrameHead = 9;
    const bool is_sent =
        session(self).send_data(*static_cast<H2Stream*>(source->ptr), text(head, kFrameHead), size);
    return is_sent ? 0 : NGHTTP2_ERR_WOULDBLOCK;
  }

  static int on_frame_sent(nghttp2_session* wire, const nghttp2_frame* frame, void* self) noexcept {
    const nghttp2_frame_hd& head = frame->hd;
    if (head.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR) {
      session(self).reset_sent(stream_of(wire, head.stream_id));
    }
    if (head.type != NGHTTP2_HEADERS && head.type != NGHTTP2_DATA) return 0;
    session(self).frame_sent();
    if (!has_flag(head, NGHTTP2_FLAG_END_STREAM)) return 0;
    if (H2Stream* const stream = stream_of(wire, head.stream_id)) stream->answer_sent();
    return 0;
  }
};

namespace {

struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
using CallbacksHandle = std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>;
using OptionHandle = std::unique_ptr<nghttp2_option, FreeOption>;

CallbacksHandle make_callbacks() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) std::abort();
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, H2Callbacks::on_begin_frame);
  nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(made, H2Callbacks::on_unknown_payload);
  nghttp2_session_callbacks_set_unpack_extension_callback(made, H2Callbacks::on_unknown);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, H2Callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(made, H2Callbacks::on_header);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, H2Callbacks::on_invalid_frame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, H2Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, H2Callbacks::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, H2Callbacks::on_stream_close);
  nghttp2_session_callbacks_set_data_source_read_length_callback(made, H2Callbacks::data_length);
  nghttp2_session_callbacks_set_send_data_callback(made, H2Callbacks::send_data);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, H2Callbacks::on_frame_sent);
  return CallbacksHandle(made);
}

OptionHandle make_option() {
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) std::abort();
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  nghttp2_option_set_stream_reset_rate_limit(made, kAnyNumber, kAnyNumber);
  nghttp2_option_set_max_continuations(made, kMostContinuations);
  // Asked for, they are told of, and so they can be counted.
  for (unsigned type = kFirstUnknown; type <= UINT8_MAX; ++type) {
    if (type != NGHTTP2_PRIORITY_UPDATE)
      nghttp2_option_set_user_recv_extension_type(made, static_cast<std::uint8_t>(type));
  }
  nghttp2_option_set_builtin_recv_extension_type(made, NGHTTP2_PRIORITY_UPDATE);
  nghttp2_option_set_max_settings(made, kMostSettings);
  nghttp2_option_set_max_outbound_ack(made, kMostAcks);
  return OptionHandle(made);
}

}  // namespace

void FreeWire::operator()(nghttp2_session* wire) const {
  nghttp2_session_del(wire);
}

WireHandle make_wire(H2Session& session, const conf::Front& front) {
  // Only read once they are made: all threads share them.
  static const CallbacksHandle callbacks = make_callbacks();
  static const OptionHandle option = make_option();
  nghttp2_session* made = nullptr;
  if (nghttp2_session_server_new3(&made, callbacks.get(), &session, option.get(), h2_memory()) != 0) std::abort();
  // RFC 9218 2.1: the priorities of RFC 7540 are not used, and keeping their tree costs time.
  const std::array<nghttp2_settings_entry, 5> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(front.max_streams)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(front.max_head)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return WireHandle(made);
}

nghttp2_data_provider body_provider(H2Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = H2Callbacks::read_body;
  return provider;
}

}  // namespace proxy
