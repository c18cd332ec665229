// HTTP/2 for a steady load: waves of streams on one connection. nghttp2 keeps the protocol; here is what is
// asked, and what became of it.
#include <nghttp2/nghttp2.h>

#include <map>

#include "steady_client.h"

namespace play {
namespace {

struct FreeSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  void operator()(nghttp2_session_callbacks* calls) const { nghttp2_session_callbacks_del(calls); }
};

struct Http2 {
  struct Stream {
    int status = 0;
    std::string body;
  };
  SteadyLoad& load;
  const std::uint16_t port;
  const std::size_t streams;
  Line line{};
  std::unique_ptr<nghttp2_session, FreeSession> session{};
  std::map<std::int32_t, Stream> open_streams{};
  bool is_leaving = false;  // GOAWAY: what is under way is finished, and no more asked here

  void ask() {
    if (!line.is_open() && !open()) return;
    for (std::size_t i = 0; i < streams; ++i) begin_stream();
    while (!open_streams.empty() && line.is_open()) pump(kPatience);
    if (line.is_open() && !is_leaving) pump(kPause);  // nothing is under way: the server may leave
    if (is_leaving) line.close();
  }

  bool open() {
    std::string why;
    if (!line.open(port, load.question().host, "h2", why)) {
      load.failed(why + " (h2)");
      return false;
    }
    load.opened();
    is_leaving = false;
    begin_session();
    return true;
  }

  void begin_session() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    const std::unique_ptr<nghttp2_session_callbacks, FreeSession> calls(made);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session* fresh = nullptr;
    nghttp2_session_client_new(&fresh, made, this);
    session.reset(fresh);
    nghttp2_submit_settings(fresh, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  void begin_stream() {
    const auto field = [](std::string_view name, std::string_view value) {
      auto* const n = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
      auto* const v = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
      return nghttp2_nv{n, v, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
    };
    const nghttp2_nv fields[] = {field(":method", "GET"), field(":scheme", "https"),
                                 field(":authority", load.question().host),
                                 field(":path", load.question().path)};
    const std::int32_t id =
        nghttp2_submit_request(session.get(), nullptr, fields, std::size(fields), nullptr, nullptr);
    if (id > 0) open_streams[id];
  }

  void pump(milliseconds patience) {
    say();
    std::string bytes;
    const Line::Got got = line.read(bytes, patience);
    if (got == Line::Got::kBytes) {
      const auto taken = nghttp2_session_mem_recv(
          session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      if (taken < 0) return end("the connection says what is no HTTP/2");
      return say();
    }
    if (got == Line::Got::kNothing && patience != kPatience) return;
    end(got == Line::Got::kNothing ? "nothing came" : "the connection" + std::string(name(got)));
  }

  void say() {
    const std::uint8_t* bytes = nullptr;
    for (ssize_t count = 0; (count = nghttp2_session_mem_send(session.get(), &bytes)) > 0;)
      line.send({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
  }

  void end(const std::string& how) {
    for (std::size_t i = 0; i < open_streams.size(); ++i) load.failed(how + " with a stream under way");
    open_streams.clear();
    line.close();
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) {
    const std::string_view field(reinterpret_cast<const char*>(name), name_size);
    if (field == ":status")
      of(self).open_streams[frame->hd.stream_id].status = std::stoi(std::string(value, value + value_size));
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* self) {
    of(self).open_streams[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  // Those above the last one that GOAWAY names are closed by nghttp2 as refused, too.
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* self) {
    Http2& client = of(self);
    const Stream stream = std::move(client.open_streams[id]);
    client.open_streams.erase(id);
    if (code == NGHTTP2_NO_ERROR) {
      client.load.answered(stream.status, stream.body);
    } else if (code == NGHTTP2_REFUSED_STREAM) {
      client.load.repeated("a stream was refused");
    } else {
      client.load.failed(std::string("a stream was reset: ") + nghttp2_http2_strerror(code));
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
    of(self).is_leaving = true;
    if (frame->goaway.error_code != NGHTTP2_NO_ERROR)
      of(self).load.failed(std::string("GOAWAY: ") + nghttp2_http2_strerror(frame->goaway.error_code));
    return 0;
  }

  static Http2& of(void* self) { return *static_cast<Http2*>(self); }
};

}  // namespace

void ask_http2(SteadyLoad& load, std::uint16_t port, std::size_t streams) {
  Http2 client{.load = load, .port = port, .streams = streams};
  while (!load.is_enough()) client.ask();
}

}  // namespace play
