#include "proxy/file_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "proxy/http_date.h"
#include "runtime/clock.h"
#include "upstream/grammar.h"

namespace proxy {
namespace {

using upstream::Field;

constexpr std::uint16_t kFullQuality = 1000;

/// RFC 9110 12.4.2: "0.5" as 500. What is no weight is not wanted.
std::uint16_t thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  std::uint16_t value = text[0] == '1' ? kFullQuality : 0;
  std::uint16_t unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') return 0;
    value = static_cast<std::uint16_t>(value + (c - '0') * unit);
    unit /= 10;
  }
  return value <= kFullQuality ? value : 0;
}

/// "gzip;q=0.5": the coding, and its weight.
std::pair<std::string_view, std::uint16_t> coding_of(std::string_view member) {
  const std::size_t semicolon = std::min(member.find(';'), member.size());
  const std::string_view name = runtime::trim(member.substr(0, semicolon));
  if (semicolon == member.size()) return {name, kFullQuality};
  const std::string_view weight = runtime::trim(member.substr(semicolon + 1));
  if (weight.size() < 2 || runtime::lower(weight[0]) != 'q' || weight[1] != '=') return {name, 0};
  return {name, thousandths(weight.substr(2))};
}

/// Nothing: absent.
std::optional<std::string> joined(const upstream::Fields& fields, std::string_view name) {
  std::optional<std::string> value;
  for (const Field& field : fields) {
    if (field.name.size() != name.size() || !runtime::equals_ignoring_case(field.name, name)) continue;
    if (value) {
      *value += ", ";
    } else {
      value.emplace();
    }
    *value += field.value;
  }
  return value;
}

std::string_view suffix_of(Coding coding) {
  switch (coding) {
    case Coding::kNone:
      return "";
    case Coding::kBrotli:
      return "-br";
    case Coding::kGzip:
      return "-gz";
  }
  return "";
}

bool has_meaningful_time(const FileFacts& file) {
  return file.modified > 1;
}

/// Takes the next entity-tag (RFC 9110 8.8.3) from the front of a list, or one character that belongs to
/// none.
std::string_view next_tag(std::string_view& list) {
  const std::size_t quote = list.starts_with("W/\"") ? 2 : 0;
  const std::size_t end = list[quote] == '"' ? list.find('"', quote + 1) : list.npos;
  const std::size_t size = end == list.npos ? 1 : end + 1;
  const std::string_view tag = list.substr(0, size);
  list.remove_prefix(size);
  return tag;
}

/// RFC 9110 8.8.3.2. An entity-tag may have commas in it, so this is no plain list.
bool has_tag(std::string_view list, std::string_view tag, bool is_strong) {
  if (runtime::trim(list) == "*") return true;
  const auto opaque = [](std::string_view t) { return t.starts_with("W/") ? t.substr(2) : t; };
  if (tag.empty() || (is_strong && tag.starts_with("W/"))) return false;
  while (!list.empty()) {
    const std::string_view candidate = next_tag(list);
    if (is_strong ? candidate == tag : opaque(candidate) == opaque(tag)) return true;
  }
  return false;
}

/// Whether the file was changed after the date. Nothing: the date is none, and the condition is to be
/// ignored.
std::optional<bool> is_newer_than(const std::optional<std::string>& date, const FileFacts& file) {
  const auto seconds = date ? parse_http_date(*date) : std::nullopt;
  if (!seconds || !has_meaningful_time(file)) return std::nullopt;
  return file.modified > *seconds;
}

/// RFC 9110 13.1.5: a tag must match strongly, a date exactly; without either the range is good.
bool may_use_range(const FileRequest& request, std::string_view tag, std::string_view modified) {
  if (!request.if_range) return true;
  if (request.if_range->starts_with('"')) return *request.if_range == tag;
  return !tag.starts_with("W/") && !modified.empty() && *request.if_range == modified;
}

/// 0: go on.
std::uint16_t failed_precondition(const FileRequest& request, const FileFacts& file, std::string_view tag) {
  if (request.if_match) {
    if (!has_tag(*request.if_match, tag, /*is_strong=*/true)) return 412;
  } else if (is_newer_than(request.if_unmodified_since, file).value_or(false)) {
    return 412;
  }
  if (request.if_none_match) return has_tag(*request.if_none_match, tag, /*is_strong=*/false) ? 304 : 0;
  return is_newer_than(request.if_modified_since, file).value_or(true) ? 0 : 304;
}

}  // namespace

Codings accepted_codings(const upstream::Fields& fields) {
  // "*" is what is not named; nothing said is nothing wanted, although RFC 9110 12.5.3 would allow any.
  std::optional<std::uint16_t> brotli, gzip;
  std::uint16_t others = 0;
  for (const Field& field : fields) {
    if (!runtime::equals_ignoring_case(field.name, "accept-encoding")) continue;
    upstream::ListMembers members(field.value);
    while (const auto member = members.next()) {
      const auto [name, weight] = coding_of(*member);
      if (runtime::equals_ignoring_case(name, "br")) brotli = weight;
      if (runtime::equals_ignoring_case(name, "gzip") || runtime::equals_ignoring_case(name, "x-gzip"))
        gzip = weight;
      if (name == "*") others = weight;
    }
  }
  return {brotli.value_or(others), gzip.value_or(others)};
}

std::string entity_tag(const FileFacts& file, std::int64_t now) {
  if (!has_meaningful_time(file)) return {};
  // As long as its time is not a second behind us it may be changed again without another time. RFC
  // 9110 8.8.1.
  const std::string_view weak = file.modified >= now - 1 ? "W/" : "";
  return fmt::format("{}\"{:x}.{:x}-{:x}{}\"", weak, file.modified, file.nanoseconds, file.size,
                     suffix_of(file.coding));
}

std::string last_modified(const FileFacts& file) {
  if (!has_meaningful_time(file)) return {};
  return runtime::http_date(runtime::WallTime(std::chrono::seconds(file.modified)));
}

FileRequest FileRequest::of(const upstream::RequestHead& head) {
  FileRequest request;
  request.is_head = head.method == upstream::Method::kHead;
  request.codings = accepted_codings(head.fields);
  request.if_match = joined(head.fields, "if-match");
  request.if_none_match = joined(head.fields, "if-none-match");
  request.if_modified_since = joined(head.fields, "if-modified-since");
  request.if_unmodified_since = joined(head.fields, "if-unmodified-since");
  request.if_range = joined(head.fields, "if-range");
  request.range = joined(head.fields, "range");
  return request;
}

FileVerdict judge(const FileRequest& request, const FileFacts& file, std::string_view tag,
                  std::string_view modified) {
  if (const std::uint16_t status = failed_precondition(request, file, tag); status != 0)
    return {status, 0, 0};
  const FileVerdict whole{200, 0, file.size};
  // RFC 9110 14.2: a range has a meaning for GET only.
  if (request.is_head || !request.range || !may_use_range(request, tag, modified)) return whole;
  const ByteRange range = parse_range(*request.range, file.size);
  switch (range.kind) {
    case ByteRange::Kind::kIgnored:
      return whole;
    case ByteRange::Kind::kUnsatisfiable:
      return {416, 0, 0};
    case ByteRange::Kind::kGood:
      return {206, range.first, range.size};
  }
  return whole;
}

ByteRange parse_range(std::string_view value, std::uint64_t file_size) {
  using Kind = ByteRange::Kind;
  constexpr std::string_view kUnit = "bytes=";
  if (value.size() < kUnit.size() || !runtime::equals_ignoring_case(value.substr(0, kUnit.size()), kUnit))
    return {};
  // RFC 9110 14.2 lets us ignore a range. Several are a way to have the same bytes sent many times.
  const std::string_view spec = runtime::trim(value.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == spec.npos) return {};
  const auto number = [](std::string_view digits) { return runtime::parse_number(digits); };
  if (dash == 0) {
    const auto suffix = number(spec.substr(1));
    if (!suffix) return {};
    if (*suffix == 0) return {Kind::kUnsatisfiable, 0, 0};
    if (file_size == 0) return {};  // satisfiable, says 14.1.2, but Content-Range has no words for no byte
    const std::uint64_t size = std::min(*suffix, file_size);
    return {Kind::kGood, file_size - size, size};
  }
  const auto first = number(spec.substr(0, dash));
  const bool is_open = dash + 1 == spec.size();
  const auto last = is_open ? std::optional<std::uint64_t>(UINT64_MAX) : number(spec.substr(dash + 1));
  if (!first || !last || *last < *first) return {};
  if (*first >= file_size) return {Kind::kUnsatisfiable, 0, 0};
  return {Kind::kGood, *first, std::min(*last, file_size - 1) - *first + 1};
}

}  // namespace proxy
