#include "proxy/long_lived.h"

#include "doctest_precompiled.h"

namespace {

upstream::Fields type(std::string_view value) {
  upstream::Fields fields;
  fields.push_back({"Content-Type", value, upstream::FieldId::kContentType});
  return fields;
}

}  // namespace

TEST_CASE("a gRPC call is one whatever it carries, and nothing that only begins like one") {
  upstream::RequestHead request;
  CHECK_FALSE(proxy::is_grpc(request));
  for (const std::string_view yes : {"application/grpc", "Application/gRPC+proto", "application/grpc;a=b"}) {
    request.fields = type(yes);
    CHECK(proxy::is_grpc(request));
  }
  for (const std::string_view no : {"application/grpc-web", "application/grp", "text/event-stream"}) {
    request.fields = type(no);
    CHECK_FALSE(proxy::is_grpc(request));
  }
}

TEST_CASE("an event stream is one with parameters too") {
  upstream::ResponseHead answer;
  CHECK_FALSE(proxy::is_event_stream(answer));
  for (const std::string_view yes : {"text/event-stream", "text/event-stream; charset=utf-8"}) {
    answer.fields = type(yes);
    CHECK(proxy::is_event_stream(answer));
  }
  answer.fields = type("text/event-streams");
  CHECK_FALSE(proxy::is_event_stream(answer));
}
