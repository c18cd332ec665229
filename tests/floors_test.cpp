// The drawing in docs/architecture.md as a test: reads every #include of the five floors and says, in one
// sentence each, which of them goes upwards, sideways, or past the one door of a C library. It looks at text
// only: what a floor may link is the compiler's business (CMakeLists.txt). To allow a new edge, change the
// tables here and the drawing there.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "doctest_precompiled.h"

namespace {

namespace fs = std::filesystem;
using Sentences = std::vector<std::string>;

struct Floor {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

const std::vector<Floor> kFloors = {
    {"runtime", {"runtime"}},
    {"conf", {"conf", "runtime"}},
    {"upstream", {"upstream", "conf", "runtime"}},
    {"proxy", {"proxy", "upstream", "conf", "runtime"}},
    {"supervisor", {"supervisor", "upstream", "conf", "runtime"}},
};

// The supervisor speaks HTTP to nobody: of upstream/ it sees the identities, the orders, the counters, and
// the package that it hands to a Python worker.
const std::vector<std::string_view> kSupervisorTakesFromUpstream = {
    "upstream/app.h", "upstream/app_state.h",        "upstream/roster.h",         "upstream/orders.h",
    "upstream/scoreboard.h", "upstream/herd_board.h",     "upstream/figures.h",
    "upstream/python_package.h",
};

struct Door {
  std::string_view library;             // how its headers begin
  std::vector<std::string_view> opens;  // how the files that may include them begin
};

const std::vector<Door> kDoors = {
    {"event2/", {"runtime/loop."}},
    {"event.h", {"runtime/loop."}},
    {"openssl/", {"proxy/tls_", "supervisor/local_certificate.cpp"}},
    {"nghttp2/", {"proxy/h2_"}},
    {"toml++/", {"conf/load.cpp"}},
    {"CLI/", {"supervisor/commands/"}},
    {"jemalloc/", {"runtime/"}},
    {"seccomp.h", {"proxy/system_calls."}},
};

const Floor* floor_of(std::string_view path) {
  const std::string_view folder = path.substr(0, path.find('/'));
  const auto found = std::ranges::find(kFloors, folder, &Floor::folder);
  return found == kFloors.end() ? nullptr : &*found;
}

bool has(const std::vector<std::string_view>& list, std::string_view wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

std::string may_not(std::string_view file, std::string_view what) {
  return std::string(file) + " may not include " + std::string(what);
}

struct Include {
  std::string_view name;
  bool quoted;
};

/// The include that a line makes, if it makes one.
std::optional<Include> include_of(std::string_view line) {
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  const auto take = [&line](std::string_view word) {
    const bool is_there = line.starts_with(word);
    if (is_there) line.remove_prefix(word.size());
    return is_there;
  };
  skip_blanks();
  if (!take("#")) return std::nullopt;
  skip_blanks();
  if (!take("include")) return std::nullopt;
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const std::string_view rest = line.substr(1);
  return Include{rest.substr(0, rest.find(quoted ? '"' : '>')), quoted};
}

bool takes_too_much_of_upstream(const Floor& from, std::string_view name) {
  return from.folder == "supervisor" && name.starts_with("upstream/") &&
         !has(kSupervisorTakesFromUpstream, name);
}

bool is_past_a_door(std::string_view file, std::string_view name) {
  const auto door = std::ranges::find_if(kDoors, [&](const Door& d) { return name.starts_with(d.library); });
  return door != kDoors.end() &&
         std::ranges::none_of(door->opens, [&](std::string_view begin) { return file.starts_with(begin); });
}

std::optional<std::string> fault_of(std::string_view file, const Floor& from, const Include& include) {
  const Floor* to = floor_of(include.name);
  if (to != nullptr) {
    const bool allowed = has(from.may_include, to->folder) && !takes_too_much_of_upstream(from, include.name);
    return allowed ? std::nullopt : std::optional(may_not(file, include.name));
  }
  if (is_past_a_door(file, include.name)) {
    return may_not(file, "<" + std::string(include.name) + ">: that library is met at one door");
  }
  // What the build generates has no folder (upstream/python_sources.inc is one); all else is named by its
  // folder.
  if (include.quoted && !include.name.ends_with(".inc")) {
    return may_not(file, "\"" + std::string(include.name) + "\": it is not named by its folder");
  }
  return std::nullopt;
}

/// Everything that is wrong with one file of a floor, as sentences. `file` is its path from the top of the
/// tree.
Sentences faults_of(std::string_view file, std::string_view text) {
  Sentences faults;
  const Floor* from = floor_of(file);
  if (from == nullptr) return {std::string(file) + " is on no floor"};
  bool once = false;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    once = once || line == "#pragma once";
    const std::optional<Include> include = include_of(line);
    if (!include) continue;
    if (auto fault = fault_of(file, *from, *include)) faults.push_back(*fault);
  }
  if (file.ends_with(".h") && !once) faults.push_back(std::string(file) + " has no #pragma once");
  return faults;
}

std::string contents(const fs::path& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.is_open(), "cannot read " << path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> sources_of(const Floor& floor) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / floor.folder)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp") found.push_back(entry.path());
  }
  return found;
}

}  // namespace

TEST_CASE("every floor includes only itself and the floors below, and each library is met at its door") {
  for (const Floor& floor : kFloors) {
    const std::vector<fs::path> sources = sources_of(floor);
    CHECK_MESSAGE(!sources.empty(), "no sources found on the floor " << floor.folder);
    for (const fs::path& path : sources) {
      const std::string file = fs::relative(path, SOURCE_DIR).generic_string();
      for (const std::string& fault : faults_of(file, contents(path))) FAIL_CHECK(fault);
    }
  }
}

TEST_CASE("an include of the other upper floor is named in a sentence") {
  CHECK(faults_of("proxy/x.h", "#pragma once\n#include \"supervisor/y.h\"\n") ==
        Sentences{"proxy/x.h may not include supervisor/y.h"});
  CHECK(faults_of("supervisor/y.cpp", "  #  include <proxy/x.h>\n") ==
        Sentences{"supervisor/y.cpp may not include proxy/x.h"});
}

TEST_CASE("an include of a floor above is named in a sentence") {
  CHECK(faults_of("runtime/loop.cpp", "#include \"conf/settings.h\"\n") ==
        Sentences{"runtime/loop.cpp may not include conf/settings.h"});
  CHECK(faults_of("conf/check.cpp", "#include \"upstream/app.h\"\n") ==
        Sentences{"conf/check.cpp may not include upstream/app.h"});
  CHECK(faults_of("upstream/probe.cpp", "#include \"proxy/relay.h\"\n#include \"supervisor/spawn.h\"\n") ==
        Sentences{"upstream/probe.cpp may not include proxy/relay.h",
                  "upstream/probe.cpp may not include supervisor/spawn.h"});
}

TEST_CASE("the supervisor takes from upstream the identities and the orders, and nothing that speaks HTTP") {
  CHECK(faults_of("supervisor/group.cpp",
                  "#include \"upstream/app.h\"\n#include \"upstream/roster.h\"\n"
                  "#include \"upstream/orders.h\"\n#include \"upstream/scoreboard.h\"\n"
                  "#include \"upstream/python_package.h\"\n")
            .empty());
  CHECK(faults_of("supervisor/group.cpp", "#include \"upstream/dispatch.h\"\n") ==
        Sentences{"supervisor/group.cpp may not include upstream/dispatch.h"});
}

TEST_CASE("a library is included at its door and nowhere else") {
  CHECK(faults_of("proxy/tls_stream.cpp", "#include <openssl/ssl.h>\n").empty());
  CHECK(faults_of("supervisor/local_certificate.cpp", "#include <openssl/x509.h>\n").empty());
  CHECK(faults_of("runtime/loop.cpp", "#include <event2/event.h>\n").empty());
  CHECK(faults_of("supervisor/commands/run.cpp", "#include <CLI/CLI.hpp>\n").empty());
  const auto refused = [](std::string_view file, std::string_view library) {
    const Sentences faults = faults_of(file, "#include <" + std::string(library) + ">\n");
    return faults == Sentences{std::string(file) + " may not include <" + std::string(library) +
                               ">: that library is met at one door"};
  };
  CHECK(refused("proxy/acceptor.cpp", "openssl/ssl.h"));
  CHECK(refused("runtime/loop_of_other_kind.cpp", "event2/event.h"));
  CHECK(refused("runtime/socket.cpp", "event.h"));
  CHECK(refused("upstream/grammar.cpp", "nghttp2/nghttp2.h"));
  CHECK(refused("conf/check.cpp", "toml++/toml.h"));
  CHECK(refused("supervisor/supervisor.cpp", "CLI/CLI.hpp"));
  CHECK(refused("proxy/front.cpp", "jemalloc/jemalloc.h"));
}

TEST_CASE("a header of ours is named by its folder, and has a guard") {
  CHECK(faults_of("conf/units.cpp", "#include \"units.h\"\n") ==
        Sentences{"conf/units.cpp may not include \"units.h\": it is not named by its folder"});
  CHECK(faults_of("proxy/a.cpp", "#include \"../supervisor/b.h\"\n").size() == 1);
  CHECK(faults_of("conf/units.h", "// Units.\n") == Sentences{"conf/units.h has no #pragma once"});
}

TEST_CASE("includes that keep to the drawing are passed over in silence") {
  CHECK(faults_of("proxy/exchange.cpp",
                  "#include \"proxy/exchange.h\"\n\n#include \"upstream/dispatch.h\"\n"
                  "#include \"conf/settings.h\"\n#include \"runtime/loop.h\"\n"
                  "#include <vector>\n#include <sys/socket.h>\n#include <fmt/format.h>\n"
                  "// #include \"supervisor/y.h\"\n")
            .empty());
  CHECK(faults_of("upstream/python_package.cpp", "#include \"python_sources.inc\"\n").empty());
}
