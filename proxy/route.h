// Which app a request is for. Pure: a host in, the app's place in the settings out.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/settings.h"

namespace proxy {

class Route {
 public:
  explicit Route(const std::vector<conf::App>& apps);

  /// By the host of `authority` ("Shop.Example.com:443"), its case and port aside; a name before "*.example.com", that
  /// before the app that takes every host. Nothing: no app has it.
  std::optional<std::size_t> find(std::string_view authority) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_host_;
  std::optional<std::size_t> every_host_;
};

/// "shop.example.com:443" and "[::1]:443" without the port.
std::string_view host_of(std::string_view authority);

}  // namespace proxy
