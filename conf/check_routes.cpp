// The rules for the routes of an app.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "conf/checker.h"
#include "conf/fault.h"
#include "conf/keys.h"
#include "conf/path_match.h"
#include "conf/words.h"

namespace conf {
namespace {

// The visitor that finds the first rule that a route has; empty: none.
struct FirstRule {
  std::string key = {};
  template <class T>
  void operator()(Row const& row, std::optional<T>& value) {
    if (value && key.empty()) key = row.key;
  }
};

std::string first_of(OwnRules own) {
  FirstRule first;
  visit(first, own);
  return first.key;
}

}  // namespace

void Checker::check_routes(App const& app) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < app.routes.size(); ++i) {
    Route const& route = app.routes[i];
    std::string const key = fmt::format("{}.routes[{}]", key_of(app), i);
    if (auto const [first, is_new] = seen.emplace(route.path, i); !is_new) {
      add(key, fmt::format("path {} has a route already{}", in_quotes(route.path),
                           at(fmt::format("{}.routes[{}]", key_of(app), first->second))));
    }
    check_route(key, app, route);
  }
}

void Checker::check_route(std::string const& key, App const& app, Route const& route) {
  check_what(key, app, route);
  if (std::string_view const why = why_unmatchable(route.path); !why.empty()) {
    add(key + ".path", fmt::format("`path` {}", why));
  }
  if (leads_to_itself(app.routes, route)) {
    add(key + ".redirect", fmt::format("`redirect` leads to {}, which is this route's again: no client would ever arrive",
                                       in_quotes(printable(route.redirect))), {key_of(app, "routes")});
  }
  if (route.path.find('?') != std::string::npos) {
    add(key + ".path", "`path` of a route has no query: it is compared with what stands before the `?`");
  }
  if (!route.files.empty()) check_files(key + ".files", route.files);
  constexpr std::array<std::size_t, 4> kRedirects{301, 302, 307, 308};
  if (std::ranges::find(kRedirects, route.status) == kRedirects.end()) {
    add(key + ".status", "`status` must be 301, 302, 307 or 308");
  }
  if (!route.redirect.empty() && route.keep_path && route.redirect.find('?') != std::string::npos) {
    add(key + ".redirect", "`redirect` with a query needs `keep_path = false`: nothing can be put behind a query");
  }
}

void Checker::check_what(std::string const& key, App const& app, Route const& route) {
  std::string const rule = first_of(route.own);
  bool const is_front = !route.files.empty() || !route.redirect.empty();
  if (int{!route.files.empty()} + int{!route.redirect.empty()} + int{!route.app.empty()} > 1) {
    add(key, "a route needs only one of `files`, `redirect` and `app`");
  } else if (is_front && !rule.empty()) {
    add(fmt::format("{}.{}", key, rule),
        fmt::format("`{}` is for what an app answers; here the front does", rule));
  } else if (!is_front && route.app.empty()) {
    if (rule.empty()) add(key, "a route needs one of `files`, `redirect` and `app`, or a rule for the app, such as `max_body`");
    if (app.kind() == AppKind::kNone) add(key, fmt::format("app `{}` has only routes: this one needs `files`, `redirect` or `app`", app.name));
  }
  if (!route.app.empty()) check_other_app(key + ".app", app, route.app);
}

void Checker::check_other_app(std::string const& key, App const& app, std::string const& name) {
  auto const other = std::ranges::find(settings_.apps, name, &App::name);
  if (other == settings_.apps.end()) {
    add(key, fmt::format("`app`: there is no app {}", in_quotes(printable(name))), {fmt::format("apps.{}", name)});
  } else if (&*other == &app) {
    add(key, "`app` is for another app: this one answers without it");
  } else if (other->kind() == AppKind::kNone) {
    add(key, fmt::format("`app`: {} has only routes, and nothing that answers", in_quotes(name)), {key_of(*other)});
  }
}

// The front reads its settings as TOML, which is UTF-8.
void Checker::check_files(std::string const& key, std::string const& folder) {
  if (printable(folder, folder.size()) != folder) {
    return add(key, fmt::format("`files`: {} is not UTF-8 text", in_quotes(printable(folder, kLongestLine))));
  }
  if (int const why = why_no_folder(folder, X_OK)) return add_reason(key, "files", folder, why);
  check_front_enters(key, "files", folder);
}

}  // namespace conf
