#include "proxy/long_lived.h"

#include "runtime/text.h"

namespace proxy {
namespace {

bool has_type(const upstream::Fields& fields, std::string_view type, std::string_view delimiters) {
  const upstream::Field* const field = upstream::find(fields, upstream::FieldId::kContentType);
  if (field == nullptr || !runtime::equals_ignoring_case(field->value.substr(0, type.size()), type)) return false;
  return field->value.size() == type.size() || delimiters.find(field->value[type.size()]) != delimiters.npos;
}

}  // namespace

bool is_grpc(const upstream::RequestHead& request) { return has_type(request.fields, "application/grpc", "+; \t"); }

bool is_event_stream(const upstream::ResponseHead& answer) { return has_type(answer.fields, "text/event-stream", "; \t"); }

}  // namespace proxy
