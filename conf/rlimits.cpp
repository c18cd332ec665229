#include "conf/rlimits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <vector>

#include "conf/origin.h"
#include "conf/units.h"
#include "runtime/text.h"

namespace conf {
namespace {

using Unit = Resource::Unit;

constexpr std::string_view kInfinity = "infinity";
constexpr int kLeastNice = -20, kMostNice = 19;  // setpriority(2)

// Not here: `rss` and `locks`, which Linux ignores; `nice`, a setting of its own; `rtprio` and `rttime`: no app of a web
// site has a claim on them.
constexpr std::array<Resource, 11> kResources = {{{"as", RLIMIT_AS, Unit::kBytes, 16_MiB},
                                                  {"core", RLIMIT_CORE, Unit::kBytes, 0},
                                                  {"cpu", RLIMIT_CPU, Unit::kSeconds, 1},
                                                  {"data", RLIMIT_DATA, Unit::kBytes, 1_MiB},
                                                  {"fsize", RLIMIT_FSIZE, Unit::kBytes, 0},
                                                  {"memlock", RLIMIT_MEMLOCK, Unit::kBytes, 0},
                                                  {"msgqueue", RLIMIT_MSGQUEUE, Unit::kBytes, 0},
                                                  {"nofile", RLIMIT_NOFILE, Unit::kNumber, 16},
                                                  {"nproc", RLIMIT_NPROC, Unit::kNumber, 1},
                                                  {"sigpending", RLIMIT_SIGPENDING, Unit::kNumber, 0},
                                                  {"stack", RLIMIT_STACK, Unit::kBytes, 64_KiB}}};

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (Resource const& resource : kResources) all.push_back(resource.name);
  return all;
}

std::string wanted(Resource const& resource) {
  switch (resource.unit) {
    case Unit::kNumber:
      return fmt::format("a number of at least {}, or \"infinity\"", resource.least);
    case Unit::kBytes:
      return fmt::format("a size of at least {}, such as \"64MiB\", or \"infinity\"", in_quotes(print_size(resource.least)));
    case Unit::kSeconds:
      return "whole seconds, such as \"30s\", or \"infinity\"";
  }
  return {};
}

std::optional<std::uint64_t> parse_seconds(std::string_view text) {
  std::optional<milliseconds> const duration = parse_duration(text);
  if (!duration || duration->count() % 1000 != 0) return std::nullopt;
  return static_cast<std::uint64_t>(duration->count() / 1000);
}

// A 0 is the same in every unit, and needs none.
std::optional<std::uint64_t> parse_limit(Node const& node, Resource const& resource) {
  bool const is_number = node.kind == Node::Kind::kInteger && node.number >= 0;
  if (is_number && (resource.unit == Unit::kNumber || node.number == 0)) return static_cast<std::uint64_t>(node.number);
  if (node.kind != Node::Kind::kString) return std::nullopt;
  if (node.text == kInfinity) return kNoLimit;
  if (resource.unit == Unit::kNumber) return std::nullopt;
  return resource.unit == Unit::kBytes ? parse_size(node.text) : parse_seconds(node.text);
}

std::optional<Fault> read_limit(Node const& node, Resource const& resource, std::string_view name, std::uint64_t& value) {
  std::optional<std::uint64_t> const limit = parse_limit(node, resource);
  bool const is_good = limit && *limit >= resource.least && (*limit == kNoLimit || resource.unit != Unit::kNumber || *limit <= kAnyNumber);
  if (is_good) value = *limit;
  if (is_good) return std::nullopt;
  return Fault{node.line, node.column, fmt::format("must have {} for `{}`, not {}", wanted(resource), name, describe(node))};
}

// { soft = 1024, hard = 4096 }
std::optional<Fault> read_both(Node const& node, Resource const& resource, Rlimit& value) {
  bool has_soft = false, has_hard = false;
  for (Entry const& entry : node.entries) {
    bool const is_soft = entry.key == "soft";
    if (!is_soft && entry.key != "hard") {
      return Fault{entry.line, entry.column,
                   fmt::format("has `soft` and `hard` for `{}`, and no `{}`", resource.name, printable(entry.key))};
    }
    (is_soft ? has_soft : has_hard) = true;
    if (auto bad = read_limit(entry.value, resource, entry.key, is_soft ? value.soft : value.hard)) return bad;
  }
  if (!has_soft || !has_hard) {
    return Fault{node.line, node.column, fmt::format("needs both `soft` and `hard` for `{}`, or one value that is both", resource.name)};
  }
  if (value.soft <= value.hard) return std::nullopt;
  return Fault{node.line, node.column,
               fmt::format("has a `soft` limit for `{}` of {}, more than its `hard` one of {}", resource.name,
                           write_limit(resource, value.soft), write_limit(resource, value.hard))};
}

std::optional<Fault> unknown_name(Entry const& entry) {
  std::optional<std::string_view> const near = runtime::nearest(entry.key, names());
  std::string const hint = near ? fmt::format("; did you mean `{}`?", *near) : fmt::format("; there are {}", fmt::join(names(), ", "));
  return Fault{entry.line, entry.column, fmt::format("has no limit `{}`{}", printable(entry.key), hint)};
}

}  // namespace

std::span<Resource const> resources() { return kResources; }

Resource const* resource_named(std::string_view name) {
  auto const found = std::ranges::find(kResources, name, &Resource::name);
  return found != kResources.end() ? &*found : nullptr;
}

std::string write_limit(Resource const& resource, std::uint64_t limit) {
  if (limit == kNoLimit) return in_quotes(kInfinity);
  if (resource.unit == Unit::kNumber) return fmt::to_string(limit);
  return in_quotes(resource.unit == Unit::kBytes ? print_size(limit) : print_duration(milliseconds(limit * 1000)));
}

std::optional<Fault> read(Node const& node, Row const& row, Rlimits& value) {
  if (node.kind != Node::Kind::kTable) return unexpected(node, expected(value, row));
  value.clear();
  for (Entry const& entry : node.entries) {
    Resource const* const resource = resource_named(entry.key);
    if (resource == nullptr) return unknown_name(entry);
    Rlimit& limit = value[entry.key];
    std::optional<Fault> bad;
    if (entry.value.kind == Node::Kind::kTable) {
      bad = read_both(entry.value, *resource, limit);
    } else {
      bad = read_limit(entry.value, *resource, resource->name, limit.soft);
      limit.hard = limit.soft;
    }
    if (bad) return bad;
  }
  return std::nullopt;
}

std::string write(Rlimits const& value, Row const&) {
  if (value.empty()) return {};
  std::vector<std::string> items;
  for (auto const& [name, limit] : value) {
    Resource const& resource = *resource_named(name);
    std::string const soft = write_limit(resource, limit.soft);
    items.push_back(limit.soft == limit.hard
                        ? fmt::format("{} = {}", name, soft)
                        : fmt::format("{} = {{ soft = {}, hard = {} }}", name, soft, write_limit(resource, limit.hard)));
  }
  return fmt::format("{{ {} }}", fmt::join(items, ", "));
}

std::string expected(Rlimits const&, Row const&) { return "a table of limits, such as { nofile = 4096, as = \"1GiB\" }"; }

std::optional<Fault> read(Node const& node, Row const& row, Nice& value) {
  bool const is_one = node.kind == Node::Kind::kInteger && node.number >= kLeastNice && node.number <= kMostNice;
  if (!is_one) return unexpected(node, expected(value, row));
  value.number = static_cast<int>(node.number);
  return std::nullopt;
}

std::string write(Nice value, Row const&) { return fmt::to_string(value.number); }

std::string expected(Nice, Row const&) { return fmt::format("a number from {} to {}", kLeastNice, kMostNice); }

std::optional<Fault> read(Node const& node, Row const& row, CpuShare& value) {
  bool const is_text = node.kind == Node::Kind::kString && node.text.ends_with('%');
  std::optional<std::uint64_t> const percent =
      is_text ? runtime::parse_number(std::string_view(node.text).substr(0, node.text.size() - 1)) : std::nullopt;
  if (!percent || *percent < row.least || *percent > row.most) return unexpected(node, expected(value, row));
  value.percent = *percent;
  return std::nullopt;
}

std::string write(CpuShare value, Row const&) { return in_quotes(fmt::format("{}%", value.percent)); }

std::string expected(CpuShare, Row const& row) {
  return fmt::format("a share of one CPU from \"{}%\" to \"{}%\", such as \"50%\" or \"200%\"", row.least, row.most);
}

}  // namespace conf
