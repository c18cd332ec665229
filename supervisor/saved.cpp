// The text of what is handed on: its fields out, and in again. What they are: saved_fields.h; whether they fit together:
// saved_check.cpp.
#include "supervisor/saved.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <concepts>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "supervisor/saved_fields.h"
#include "upstream/herd_board.h"

namespace supervisor::saved {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Code;
using runtime::fail;
using runtime::Result;

// ---- what a field may be ----

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <class T>
struct IsList<std::deque<T>> : std::true_type {};
template <class T>
concept List = IsList<T>::value;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
concept Optional = IsOptional<T>::value;

template <class T>
concept Duration = requires { typename T::rep; typename T::period; };
template <class T>
concept Moment = requires { typename T::clock; };
template <class T>
concept Enumeration = std::is_enum_v<T>;

constexpr std::size_t count_of(State) {
  return kStates;
}
constexpr std::size_t count_of(upstream::ExitReason) {
  return upstream::kExitReasons.size();
}
constexpr std::size_t count_of(upstream::Gate) {
  return upstream::kGates.size();
}
constexpr std::size_t count_of(upstream::Speech) {
  return upstream::kSpeeches;
}

// Paths and what apps print need not be UTF-8, which JSON must be: each byte is the character of its number.
std::string to_characters(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto number = static_cast<unsigned char>(byte);
    if (number < 0x80) {
      text += byte;
    } else {
      text += static_cast<char>(0xc0 | number >> 6);
      text += static_cast<char>(0x80 | (number & 0x3f));
    }
  }
  return text;
}

// Nothing: a character that is no byte.
std::optional<std::string> to_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if (first <= 0xc3 && i + 1 < text.size()) {
      bytes += static_cast<char>((first & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

// ---- out ----

class Writer {
 public:
  template <class T>
  void operator()(const char* key, T& value) {
    json_[key] = written(value);
  }
  Json take() { return std::move(json_); }

 private:
  template <class T>
  static Json written(T& value) {
    if constexpr (std::same_as<T, std::string>) {
      return to_characters(value);
    } else if constexpr (std::same_as<T, Descriptor>) {
      return value.number;
    } else if constexpr (Enumeration<T>) {
      return static_cast<std::uint64_t>(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else if constexpr (Moment<T>) {
      return value.time_since_epoch().count();
    } else if constexpr (Duration<T>) {
      return value.count();
    } else if constexpr (Optional<T>) {
      return value ? written(*value) : Json();
    } else if constexpr (List<T>) {
      Json list = Json::array();
      for (auto& item : value) list.push_back(written(item));
      return list;
    } else {
      Writer inner;
      fields(inner, value);
      return inner.take();
    }
  }

  Json json_ = Json::object();
};

// ---- in ----

// Services of services could be named without end.
constexpr std::size_t kDeepest = 16;

// Notes the first thing that is not as it has to be, and where.
class Reader {
 public:
  Reader(const Json& json, std::string where, bool is_older, std::string& fault, std::size_t depth = 0)
      : json_(json), where_(std::move(where)), is_older_(is_older), fault_(fault), depth_(depth) {
    if (!json.is_object()) refuse(where_, "no object");
    if (depth > kDeepest) refuse(where_, "too deep");
  }

  template <class T>
  void operator()(const char* key, T& value) {
    if (!fault_.empty()) return;
    const std::string place = where_.empty() ? key : fmt::format("{}.{}", where_, key);
    const auto found = json_.find(key);
    if (found != json_.end()) return read(*found, place, value);
    if (!is_older_) refuse(place, "missing");
  }

 private:
  void refuse(const std::string& place, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{} is {}", place, what);
  }

  template <class T>
  void read(const Json& json, const std::string& place, T& value) {
    if constexpr (std::same_as<T, std::string>) {
      read_text(json, place, value);
    } else if constexpr (std::same_as<T, Descriptor>) {
      read_number(json, place, value.number);
    } else if constexpr (std::same_as<T, bool>) {
      json.is_boolean() ? void(value = json.template get<bool>()) : refuse(place, "neither true nor false");
    } else if constexpr (Enumeration<T>) {
      std::uint8_t number = 0;
      read_number(json, place, number);
      number < count_of(T{}) ? void(value = static_cast<T>(number)) : refuse(place, "out of bounds");
    } else if constexpr (std::integral<T>) {
      read_number(json, place, value);
    } else if constexpr (Moment<T>) {
      typename T::duration since{};
      read(json, place, since);
      value = T(since);
    } else if constexpr (Duration<T>) {
      typename T::rep number = 0;
      read_number(json, place, number);
      value = T(number);
    } else if constexpr (Optional<T>) {
      if (!json.is_null()) read(json, place, value.emplace());
    } else if constexpr (List<T>) {
      read_list(json, place, value);
    } else {
      Reader inner(json, place, is_older_, fault_, depth_ + 1);
      if (fault_.empty()) fields(inner, value);
    }
  }

  void read_text(const Json& json, const std::string& place, std::string& value) {
    if (!json.is_string()) return refuse(place, "no text");
    auto bytes = to_bytes(json.get_ref<const std::string&>());
    bytes ? void(value = std::move(*bytes)) : refuse(place, "not of bytes");
  }

  template <class T>
  void read_number(const Json& json, const std::string& place, T& value) {
    if (json.is_number_unsigned() && std::in_range<T>(json.get<std::uint64_t>())) {
      value = static_cast<T>(json.get<std::uint64_t>());
    } else if (json.is_number_integer() && !json.is_number_unsigned() && std::in_range<T>(json.get<std::int64_t>())) {
      value = static_cast<T>(json.get<std::int64_t>());
    } else {
      refuse(place, "no number that fits");
    }
  }

  template <class T>
  void read_list(const Json& json, const std::string& place, T& value) {
    if (!json.is_array()) return refuse(place, "no list");
    for (const Json& item : json) {
      if (!fault_.empty()) return;
      const std::string where = fmt::format("{}[{}]", place, value.size());
      read(item, where, value.emplace_back());
    }
  }

  const Json& json_;
  const std::string where_;
  const bool is_older_;
  std::string& fault_;
  const std::size_t depth_;
};

// ---- all descriptors ----

class Lister {
 public:
  template <class T>
  void operator()(const char*, T& value) {
    list(value);
  }
  std::vector<int> take() { return std::move(numbers_); }

 private:
  template <class T>
  void list(T& value) {
    if constexpr (std::same_as<T, Descriptor>) {
      if (value.number >= 0) numbers_.push_back(value.number);
    } else if constexpr (Optional<T>) {
      if (value) list(*value);
    } else if constexpr (List<T>) {
      for (auto& item : value) list(item);
    } else if constexpr (std::is_class_v<T> && !std::same_as<T, std::string> && !Moment<T> && !Duration<T>) {
      fields(*this, value);
    }
  }

  std::vector<int> numbers_;
};

template <class T>
Result<T> read_from(const Json& json, std::string where, bool is_older) {
  T value;
  std::string fault;
  Reader reader(json, std::move(where), is_older, fault);
  if (fault.empty()) fields(reader, value);
  if (!fault.empty()) return fail(Code::kProtocol, "what was handed on cannot be read: " + fault);
  return value;
}

Result<Json> parse(const std::string& text) {
  if (text.size() > kMost) return fail(Code::kProtocol, "what was handed on is too large");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail(Code::kProtocol, "what was handed on is no JSON");
  return json;
}

}  // namespace

runtime::Fd take(Descriptor descriptor) {
  if (descriptor.number >= 0) ::fcntl(descriptor.number, F_SETFD, FD_CLOEXEC);
  return runtime::Fd(descriptor.number);
}

std::string write(const Supervisor& supervisor) {
  Supervisor copy = supervisor;  // the fields are visited for reading, too
  Writer writer;
  fields(writer, copy);
  return writer.take().dump();
}

Result<Supervisor> read(const std::string& text) {
  TRY(const Json json, parse(text));
  const auto format = json.find("format");
  if (format == json.end() || !format->is_number_unsigned())
    return fail(Code::kProtocol, "what was handed on does not say of which format it is");
  if (format->get<std::uint64_t>() > kFormat) {
    return fail(Code::kProtocol, fmt::format("what was handed on is of format {}, and this version knows {} at most",
                                             format->get<std::uint64_t>(), kFormat));
  }
  return read_from<Supervisor>(json, "", format->get<std::uint64_t>() < kFormat);
}

Result<Program> read_program(const std::string& text) {
  TRY(const Json json, parse(text));
  return read_from<Program>(json.value("program", Json()), "program", /*is_older=*/false);
}

std::vector<int> descriptors_of(const Supervisor& supervisor) {
  Supervisor copy = supervisor;
  Lister lister;
  fields(lister, copy);
  return lister.take();
}

}  // namespace supervisor::saved
