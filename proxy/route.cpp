#include "proxy/route.h"

#include <array>

#include "runtime/text.h"

namespace proxy {

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

Route::Route(const std::vector<conf::App>& apps) {
  for (std::size_t i = 0; i < apps.size(); ++i) {
    if (!apps[i].takes_requests()) continue;
    const auto index = static_cast<upstream::AppIndex>(i);
    if (apps[i].hosts.empty()) every_host_ = index;
    for (const std::string& host : apps[i].hosts) {
      if (host == "*") {
        every_host_ = index;
      } else {
        by_host_.emplace(host, index);
      }
    }
  }
}

std::optional<upstream::AppIndex> Route::find(std::string_view authority) const {
  const std::string_view host = host_of(authority);
  std::array<char, 255> folded;
  if (by_host_.empty() || host.size() > folded.size()) return every_host_;
  std::transform(host.begin(), host.end(), folded.begin(), runtime::lower);
  const std::string_view name(folded.data(), host.size());
  if (const auto exact = by_host_.find(name); exact != by_host_.end()) return exact->second;
  if (const auto dot = name.find('.'); dot != std::string_view::npos && dot > 0) {
    folded[dot - 1] = '*';
    if (const auto wild = by_host_.find(name.substr(dot - 1)); wild != by_host_.end()) return wild->second;
  }
  return every_host_;
}

}  // namespace proxy
