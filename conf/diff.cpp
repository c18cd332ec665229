#include "conf/diff.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "conf/keys.h"
#include "conf/origin.h"
#include "conf/values.h"

namespace conf {
namespace {

constexpr std::size_t kLongestValue = 120;  // of one that is shown

// What stands at one key, as text.
struct Leaf {
  enum class Kind {
    kValue,     // "old -> new"
    kItem,      // of a list: it is there, or not
    kSecret,    // that it is another one is said, not which
    kContents,  // the digest of a file
  };
  Kind kind;
  Cost cost;
  std::string text;
};

struct Part;

// Settings as texts.
struct Tree {
  std::map<std::pair<std::string, std::string>, Leaf> leaves;  // by full key, and the item of a list
  std::map<std::string, Part> parts;                           // by full key: apps, routes, services
};

// What comes and goes as one.
struct Part {
  Cost to_come;
  Cost to_go;
  Tree tree;
};

std::string const& name_of(Route const& route) {
  return route.path;
}
std::string const& name_of(Service const& service) {
  return service.name;
}

// The visitor that makes texts of one table and the tables in it. `cost` is that of rows that say none.
class Flattener {
 public:
  Flattener(std::string table, Cost cost, Tree& into) : table_(std::move(table)), cost_(cost), into_(into) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    std::string const key = table_.empty() ? std::string(row.key) : fmt::format("{}.{}", table_, row.key);
    Cost const cost = row.cost.value_or(cost_);
    if constexpr (Section<T>) {
      flatten_section(key, cost, value);
    } else if constexpr (SectionList<T>) {
      for (auto& one : value) flatten_part(fmt::format("{}[{}]", key, name_of(one)), cost, one);
    } else {
      flatten_value(key, cost, row, value);
    }
  }

  void add_contents(std::string const& file, std::uint64_t digest) {
    std::string const key = table_ + ".env_file";
    Cost const cost = into_.leaves.at({key, ""}).cost;
    into_.leaves.insert({{key, file}, {Leaf::Kind::kContents, cost, fmt::to_string(digest)}});
  }

 private:
  template <class T>
  void flatten_section(std::string const& key, Cost cost, T& section) {
    if constexpr (std::same_as<T, AccessLog>) add(key, "", Leaf::Kind::kValue, cost, section.is_on ? "on" : "off");
    Flattener inner(key, cost, into_);
    visit(inner, section);
  }

  template <class T>
  void flatten_part(std::string const& key, Cost cost, T& one) {
    Part part{cost, cost, {}};
    Flattener inner(key, cost, part.tree);
    visit(inner, one);
    if constexpr (std::same_as<T, Service>) inner.add_contents(one.env_file, one.env_file_digest);
    into_.parts.insert({key, std::move(part)});
  }

  template <class T>
  void flatten_value(std::string const& key, Cost cost, Row const& row, T& value) {
    if constexpr (std::same_as<T, std::map<std::string, std::string>>) {
      for (auto const& [name, text] : value) {
        add(fmt::format("{}.{}", key, printable(name)), "", Leaf::Kind::kSecret, cost, text);
      }
    } else if constexpr (std::same_as<T, std::vector<Address>> || std::same_as<T, std::vector<Network>>) {
      for (auto const& item : value) add(key, item.text, Leaf::Kind::kItem, cost, "");
    } else {
      if constexpr (std::same_as<T, std::vector<std::string>>) {
        if (row.form != Form::kProgram) return add_items(key, cost, value);
      }
      std::string const text = write(value, row);
      add(key, "", Leaf::Kind::kValue, cost, text.empty() ? "not set" : text);
    }
  }

  void add_items(std::string const& key, Cost cost, std::vector<std::string> const& items) {
    for (std::string const& item : items) add(key, item, Leaf::Kind::kItem, cost, "");
  }

  void add(std::string key, std::string item, Leaf::Kind kind, Cost cost, std::string text) {
    into_.leaves.insert({{std::move(key), std::move(item)}, {kind, cost, std::move(text)}});
  }

  std::string table_;
  Cost cost_;
  Tree& into_;
};

Part flatten_app(std::string const& key, App& app) {
  bool const has_any = app.has_processes() || !app.services.empty();
  Part part{has_any ? Cost::kStart : Cost::kNone, has_any ? Cost::kStop : Cost::kNone, {}};
  Flattener flattener(key, Cost::kNone, part.tree);
  visit(flattener, app);
  flattener.add_contents(app.env_file, app.env_file_digest);
  return part;
}

// A copy: the rows of conf/keys.h are visited for writing too.
Tree flatten(Settings settings) {
  Tree tree;
  Flattener flattener("", Cost::kNone, tree);
  visit(flattener, settings);
  for (App& app : settings.apps) {
    std::string key = fmt::format("apps.{}", app.name);
    Part part = flatten_app(key, app);
    tree.parts.insert({std::move(key), std::move(part)});
  }
  return tree;
}

// What is to be said of one leaf, of which at least one is there; empty: nothing.
std::string difference(std::string const& item, Leaf const* old, Leaf const* fresh) {
  if (old != nullptr && fresh != nullptr && old->text == fresh->text) return {};
  bool const is_both = old != nullptr && fresh != nullptr;
  std::string_view const came = fresh != nullptr ? "added" : "removed";
  switch ((fresh != nullptr ? fresh : old)->kind) {
    case Leaf::Kind::kValue:
      if (!is_both) return {};  // only where the part is new, or gone
      return fmt::format("{} -> {}", printable(old->text, kLongestValue), printable(fresh->text, kLongestValue));
    case Leaf::Kind::kItem:
      return fmt::format("{} {}", printable(item, kLongestValue), came);
    case Leaf::Kind::kSecret:
      return std::string(is_both ? "changed" : came);
    case Leaf::Kind::kContents:
      return is_both ? "what stands in it has changed" : "";  // else it is another file, which has been said
  }
  return {};
}

template <class Map>
typename Map::mapped_type const* find(Map const& map, typename Map::key_type const& key) {
  auto const found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <class Map>
std::set<typename Map::key_type> keys_of(Map const& a, Map const& b) {
  std::set<typename Map::key_type> keys;
  for (Map const* map : {&a, &b}) {
    for (auto const& [key, value] : *map) keys.insert(key);
  }
  return keys;
}

// "apps.shop.workers" is about "shop".
std::optional<std::string> app_of(std::string_view key) {
  constexpr std::string_view kApps = "apps.";
  if (!key.starts_with(kApps)) return std::nullopt;
  key.remove_prefix(kApps.size());
  return std::string(key.substr(0, key.find('.')));
}

class Comparison {
 public:
  void compare(Tree const& old, Tree const& fresh) {
    for (auto const& at : keys_of(old.leaves, fresh.leaves)) {
      compare_leaves(at.first, at.second, find(old.leaves, at), find(fresh.leaves, at));
    }
    for (std::string const& key : keys_of(old.parts, fresh.parts)) {
      compare_parts(key, find(old.parts, key), find(fresh.parts, key));
    }
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  void compare_leaves(std::string const& key, std::string const& item, Leaf const* old, Leaf const* fresh) {
    std::string what = difference(item, old, fresh);
    if (!what.empty()) add(key, std::move(what), (fresh != nullptr ? fresh : old)->cost);
  }

  void compare_parts(std::string const& key, Part const* old, Part const* fresh) {
    if (old == nullptr) return add(key, "added", fresh->to_come);
    if (fresh == nullptr) return add(key, "removed", old->to_go);
    compare(old->tree, fresh->tree);
  }

  void add(std::string const& key, std::string what, Cost cost) {
    changes_.push_back({key, std::move(what), cost, app_of(key)});
  }

  std::vector<Change> changes_;
};

}  // namespace

std::string_view words(Cost cost) {
  switch (cost) {
    case Cost::kNone:
      return "nothing is interrupted";
    case Cost::kReopen:
      return "opened or closed while the rest goes on";
    case Cost::kScale:
      return "workers are added or stopped";
    case Cost::kService:
      return "the service is started, stopped or replaced";
    case Cost::kRolling:
      return "workers are replaced one after the other";
    case Cost::kStart:
      return "the app is started";
    case Cost::kStop:
      return "the app is stopped";
    case Cost::kFront:
      return "another front takes over, connections drain";
    case Cost::kRestart:
      return "only a restart of portherd can do it";
  }
  return "";
}

std::vector<Change> diff(Settings const& old, Settings const& fresh) {
  Comparison comparison;
  comparison.compare(flatten(old), flatten(fresh));
  return comparison.take();
}

std::string text(Change const& change) {
  return fmt::format("{}: {} ({})", change.key, change.what, words(change.cost));
}

}  // namespace conf
