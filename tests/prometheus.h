// Reads a page in Prometheus' text format 0.0.4, as strictly as the format is written down ("Text format
// details" of its documentation), and knows what must be true of it as a whole.
#pragma once
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {

using Labels = std::map<std::string, std::string>;

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

struct Page {
  std::map<std::string, std::string> types;  ///< by family
  std::vector<Sample> samples;
  std::vector<std::string> faults;  ///< what is wrong with it, in sentences

  /// The sum of the samples of that name that have these labels.
  double sum(std::string_view name, const Labels& labels = {}) const {
    double sum = 0;
    for (const Sample& sample : samples) {
      if (sample.name == name && has(sample, labels)) sum += sample.value;
    }
    return sum;
  }

  static bool has(const Sample& sample, const Labels& labels) {
    for (const auto& [label, value] : labels) {
      const auto found = sample.labels.find(label);
      if (found == sample.labels.end() || found->second != value) return false;
    }
    return true;
  }
};

namespace detail {

inline bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") ==
         text.npos;
}

/// name="value", with its escapes; takes them off `rest` up to the closing brace.
inline bool take_labels(std::string_view& rest, Labels& labels) {
  while (!rest.starts_with('}')) {
    const std::size_t equals = rest.find("=\"");
    if (equals == rest.npos || !is_name(rest.substr(0, equals))) return false;
    std::string& value = labels[std::string(rest.substr(0, equals))];
    rest.remove_prefix(equals + 2);
    for (; !rest.empty() && rest[0] != '"'; rest.remove_prefix(1)) {
      if (rest[0] == '\\') {
        rest.remove_prefix(1);
        if (rest.empty() || std::string_view("\\\"n").find(rest[0]) == std::string_view::npos) return false;
        value += rest[0] == 'n' ? '\n' : rest[0];
      } else {
        value += rest[0];
      }
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  rest.remove_prefix(1);
  return true;
}

inline bool take_sample(std::string_view line, Sample& sample) {
  const std::size_t end = line.find_first_of("{ ");
  if (end == line.npos || !is_name(line.substr(0, end))) return false;
  sample.name = line.substr(0, end);
  line.remove_prefix(end);
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    if (!take_labels(line, sample.labels)) return false;
  }
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), sample.value);
  return error == std::errc() && stop == line.data() + line.size();
}

/// The family that a sample belongs to: a histogram's samples have endings.
inline std::string family_of(const Page& page, const std::string& name) {
  for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(ending)) continue;
    const std::string family = name.substr(0, name.size() - ending.size());
    const auto type = page.types.find(family);
    if (type != page.types.end() && type->second == "histogram") return family;
  }
  return name;
}

inline void read_line(std::string_view line, Page& page, std::string& family) {
  if (line.starts_with("# HELP ")) return;
  if (line.starts_with("# TYPE ")) {
    const std::string_view rest = line.substr(7);
    const std::size_t space = rest.find(' ');
    family = rest.substr(0, space);
    const std::string type(space == rest.npos ? "" : rest.substr(space + 1));
    if (!std::set<std::string>{"counter", "gauge", "histogram"}.contains(type))
      page.faults.push_back("no type: " + std::string(line));
    if (!page.types.emplace(family, type).second) page.faults.push_back("twice: " + std::string(line));
    return;
  }
  Sample sample;
  if (!take_sample(line, sample)) return page.faults.push_back("not a sample: " + std::string(line));
  if (family_of(page, sample.name) != family)
    page.faults.push_back("not below its TYPE: " + std::string(line));
  page.samples.push_back(std::move(sample));
}

/// Buckets rise, the last is +Inf and equals _count, and there is a _sum.
inline void check_histograms(Page& page) {
  std::map<std::pair<std::string, Labels>, std::vector<std::pair<std::string, double>>> all;
  for (const Sample& sample : page.samples) {
    if (!sample.name.ends_with("_bucket")) continue;
    Labels labels = sample.labels;
    const std::string le = labels["le"];
    labels.erase("le");
    all[{family_of(page, sample.name), labels}].emplace_back(le, sample.value);
  }
  for (const auto& [key, buckets] : all) {
    const std::string& name = key.first;
    double before = 0, bound = -1;
    for (const auto& [le, value] : buckets) {
      double next = 0;
      const bool is_number = std::from_chars(le.data(), le.data() + le.size(), next).ec == std::errc();
      if (le != "+Inf" && (!is_number || next <= bound))
        page.faults.push_back(name + ": le does not rise at " + le);
      if (value < before) page.faults.push_back(name + ": is not cumulative at " + le);
      before = value;
      bound = next;
    }
    if (buckets.back().first != "+Inf") page.faults.push_back(name + ": the last bucket is not +Inf");
    std::size_t counts = 0, sums = 0;
    for (const Sample& sample : page.samples) {
      if (sample.labels != key.second) continue;
      counts += sample.name == name + "_count" && sample.value == buckets.back().second ? 1 : 0;
      sums += sample.name == name + "_sum" ? 1 : 0;
    }
    if (counts != 1 || sums != 1) page.faults.push_back(name + ": _count is not +Inf, or _sum is missing");
  }
}

}  // namespace detail

inline Page parse(std::string_view text) {
  Page page;
  std::string family;
  if (!text.ends_with('\n')) page.faults.emplace_back("the last line does not end");
  for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    if (end > 0) detail::read_line(text.substr(0, end), page, family);
  }
  std::set<std::pair<std::string, Labels>> seen;
  for (const Sample& sample : page.samples) {
    if (!seen.emplace(sample.name, sample.labels).second)
      page.faults.push_back("stands twice: " + sample.name);
  }
  detail::check_histograms(page);
  return page;
}

}  // namespace prometheus
