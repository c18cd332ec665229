// The workers of an app that somebody else supervises (`proxy`): they are there without us, so they are published as they are,
// and unpublished when the settings name others. Read from top to bottom.
#include <algorithm>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Level;
using runtime::log;

// They need not be there: a failed connect is a 502 at once, so all are published as they are.
void Group::fill_proxies() {
  for (const conf::Address& address : app().proxy) {
    const auto row = herd_.rows.take();
    if (!row) return log(Level::kError, "too many workers: some are left out", {{"app", app().name}});
    const auto slot = static_cast<std::uint32_t>(proxies_.size() + 1);
    proxies_.push_back(
        {.id = ++herd_.last_id,
         .app = index_,
         .slot = slot,
         .row = *row,
         .slots = static_cast<std::uint32_t>(app().concurrency),
         .socket = address.path});
  }
}

void Group::publish_proxies() {
  for (const upstream::Worker& proxy : proxies_) herd_.front.tell(upstream::Publish{proxy});
}

void Group::renew_proxies() {
  dismiss_proxies();
  fill_proxies();
  publish_proxies();
}

void Group::dismiss_proxies() {
  for (const upstream::Worker& proxy : proxies_) {
    herd_.front.tell(upstream::Unpublish{index_, proxy.id});
    leaving_proxies_.push_back({proxy, herd_.reaper.loop().now() + app().graceful_timeout});
  }
  proxies_.clear();
  look();
}

// We can end nobody else's process, but as with ours graceful_timeout is the end of what it still had from us.
void Group::settle_proxies() {
  std::erase_if(leaving_proxies_, [this](const saved::LeavingProxy& leaving) {
    const bool is_over = leaving.until <= herd_.reaper.loop().now();
    is_over ? forget_proxy(leaving.about) : tend_at(leaving.until);
    return is_over;
  });
}

void Group::on_proxy_drained(upstream::WorkerId id) {
  std::erase_if(leaving_proxies_, [&](const saved::LeavingProxy& leaving) {
    if (leaving.about.id != id) return false;
    forget_proxy(leaving.about);
    return true;
  });
  look();
}

void Group::forget_proxy(const upstream::Worker& proxy) {
  herd_.front.tell(upstream::Ended{.app = index_, .worker = proxy.id});
  herd_.rows.give_back(proxy.row);
}

void Group::on_proxy_stuck(const upstream::Stuck& told) const {
  const auto proxy = std::ranges::find(proxies_, told.worker, &upstream::Worker::id);
  if (proxy == proxies_.end()) return;
  log(Level::kWarning, "a worker does not let go of a request that has run out of time",
      {{"app", app().name}, {"worker", proxy->slot}, {"socket", proxy->socket}, {"exchange", told.exchange}});
}

}  // namespace supervisor
