// Header rewriting: a request that was accepted, prepared for an app, and laid out as an environment. First
// byte: 1 trusted, 2 TLS, 4 IPv6, 8 a Unix client; the rest is the request.
#include "proxy/headers.h"

#include <set>

#include "fuzz/expect.h"
#include "proxy/h1_reader.h"
#include "proxy/origin.h"
#include "upstream/environment.h"
#include "upstream/field_set.h"
#include "upstream/grammar.h"
#include "upstream/worker_frames.h"

namespace {

using upstream::Field;
using upstream::FieldId;

constexpr upstream::FieldSet kNever{FieldId::kConnection, FieldId::kKeepAlive,     FieldId::kProxyConnection,
                                    FieldId::kTe,         FieldId::kTransferEncoding,
                                    FieldId::kUpgrade,    FieldId::kHttp2Settings, FieldId::kExpect,
                                    FieldId::kProxy};
constexpr upstream::FieldSet kTrustedOnly{
    FieldId::kForwarded,      FieldId::kXForwardedFor, FieldId::kXForwardedHost, FieldId::kXForwardedProto,
    FieldId::kXForwardedPort, FieldId::kXRealIp,       FieldId::kXRequestId,     FieldId::kXRequestStart,
    FieldId::kTraceparent,    FieldId::kTracestate};

void expect_fit_for_app(const upstream::RequestHead& head, bool is_trusted) {
  for (const Field& field : head.fields) {
    fuzz::expect(!kNever.has(field.id), "no hop-by-hop field reaches an app");
    fuzz::expect(is_trusted || !kTrustedOnly.has(field.id),
                 "no stranger's word about proxies reaches an app");
    fuzz::expect(field.name.find('_') == field.name.npos, "no name with '_' reaches an app");
    fuzz::expect(upstream::is_token(field.name) && upstream::is_field_value(field.value), "a field is one");
  }
}

void expect_origin(const upstream::RequestHead& head, const proxy::ClientFacts& client, bool is_trusted) {
  std::vector<conf::Network> trusted;
  for (const char* const network : {"0.0.0.0/1", "2000::/3", "unix:"}) trusted.push_back(*conf::parse_network(network));
  const proxy::Origin origin = proxy::origin_of(head, client, is_trusted ? trusted : std::vector<conf::Network>());
  const bool is_told = proxy::is_trusted(client, trusted) && is_trusted;
  fuzz::expect(is_told || (origin.client == client.peer && origin.is_tls == client.is_tls), "no stranger says who he is");
  fuzz::expect(origin.client == client.peer || origin.client.family != AF_UNIX, "a client that is named has an address");
}

void expect_pairs(std::string_view frame) {
  std::string_view payload = frame.substr(upstream::Frame::kHeadSize);
  std::set<std::string_view> keys;
  std::size_t texts = 1;
  bool is_key = true;
  for (std::size_t begin = 0; begin <= payload.size(); is_key = !is_key) {
    const std::size_t end = std::min(payload.find('\0', begin), payload.size());
    const std::string_view text = payload.substr(begin, end - begin);
    if (is_key)
      fuzz::expect(!text.empty() && keys.insert(text).second, "a key of an environment stands once");
    texts += end < payload.size() ? 1 : 0;
    begin = end + 1;
  }
  fuzz::expect(texts % 2 == 0, "an environment is of pairs");
  for (const std::string_view key : {"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING",
                                     "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR"}) {
    fuzz::expect(keys.contains(key), "an environment has its keys");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  proxy::H1Reader reader;
  reader.begin(32 * 1024, 100);
  runtime::InBuffer in;
  upstream::RequestHead head;
  runtime::Slice body;
  feed::fill(in, fuzz::text_of(data + 1, size - 1));
  if (reader.next(in, head, body) != upstream::Step::kHead) return 0;

  const bool is_trusted = (data[0] & 1) != 0;
  proxy::ClientFacts client;
  client.is_tls = (data[0] & 2) != 0;
  client.peer.family = (data[0] & 8) != 0 ? AF_UNIX : (data[0] & 4) != 0 ? AF_INET6 : AF_INET;
  for (unsigned char& byte : client.peer.bytes) byte = data[0];
  expect_origin(head, client, is_trusted);
  proxy::AppFields ours;
  proxy::prepare_request(head, client, is_trusted, runtime::WallTime(std::chrono::seconds(1700000000)), ours);
  if (proxy::count_forward(head, ours) == proxy::Forwards::kGoOn) proxy::add_via(head.version, ours);
  expect_fit_for_app(head, is_trusted);
  for (const Field& field : ours.fields()) {
    fuzz::expect(upstream::is_field_value(field.value) && !field.value.empty(),
                 "what we say is a field value");
  }
  runtime::ByteQueue out;
  const upstream::EnvironmentFacts facts{.server_port = 80, .remote = client.peer, .is_tls = client.is_tls};
  if (upstream::write_environment(head, ours.fields(), facts, head.framing, head.content_length, out))
    expect_pairs(feed::text_of(out));
  return 0;
}
