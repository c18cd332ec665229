// What a reload would change: old settings and fresh ones in, changes with their cost out. Pure. The settings, and the cost of
// each, are the rows of conf/keys.h. What is done about a change is the supervisor's.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "conf/cost.h"
#include "conf/settings.h"

namespace conf {

struct Change {
  std::string key;   ///< "listen.http", "apps.shop.env.DEBUG", "apps.shop.routes[/static/].max_body", "apps.shop"
  std::string what;  ///< "\"30s\" -> \"1m\"", "127.0.0.1:80 added", "changed" (of `env`, whose values may be secrets); bounded
  Cost cost = Cost::kNone;
  std::optional<std::string> app;  ///< the name of the app that it is about
  bool operator==(Change const&) const = default;
};

/// By key. Both are settled. Told by what they mean: apps and services by their names, routes by their paths, and the order of a
/// list is no change, but of a `command`'s words. What stands in an env_file counts (App::env_file_digest); what is in the files
/// of certificates does not.
std::vector<Change> diff(Settings const& old, Settings const& fresh);

/// A line for people: "apps.shop.threads: 4 -> 8 (workers are replaced one after the other)". No newline at the end.
std::string text(Change const& change);

}  // namespace conf
