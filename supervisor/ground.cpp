#include "supervisor/ground.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/machine.h"
#include "supervisor/herd.h"
#include "supervisor/spool.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

Result<std::vector<Account>> accounts_of(const conf::Settings& settings) {
  std::vector<Account> accounts;
  for (const conf::App& app : settings.apps) {
    TRY(Account account, app_account(app));
    accounts.push_back(std::move(account));
    for (const conf::Service& service : app.services) TRY_VOID(app_account(conf::service_app(app, service)));
  }
  return accounts;
}

Result<Fd> python_for(const conf::Settings& settings, const Ground* before) {
  if (before != nullptr && before->python) return runtime::duplicate(before->python.get());
  const bool is_needed = std::ranges::any_of(
      settings.apps, [](const conf::App& app) { return app.is_python(); });
  return is_needed ? python_in_memory() : Fd();
}

Result<Listeners> listeners_for(const conf::Settings& settings, const Ground* before, std::vector<Fd> adopted) {
  const std::size_t threads = settings.front.threads.number;
  TRY(Listeners listeners,
      before != nullptr ? before->listeners.turned_into(settings.listen, settings.metrics, threads)
                        : Listeners::open(settings.listen, settings.metrics, threads, std::move(adopted)));
  if (std::ranges::all_of(listeners.all(), &Listener::metrics))
    return fail(Code::kConfig, "no address to listen on: give one in [listen]");
  return listeners;
}

}  // namespace

void fix_threads(conf::Front& front) {
  if (front.threads.is_auto()) front.threads.number = runtime::usable_cpus();
  front.threads.number = std::min(front.threads.number, upstream::kMaxThreads);
}

Result<Ground> prepare_ground(conf::Settings settings, std::vector<upstream::AppIndex> apps, const Ground* before,
                              std::vector<Fd> adopted) {
  if (settings.apps.size() > upstream::kMaxApps)
    return fail(Code::kConfig, fmt::format("{} apps; there can be {}", settings.apps.size(), upstream::kMaxApps));
  TRY(Account front, front_account(settings.front));
  TRY(std::vector<Account> accounts, accounts_of(settings));
  TRY(Fd python, python_for(settings, before));
  TRY(Listeners listeners, listeners_for(settings, before, std::move(adopted)));
  TRY(LogFiles logs, open_logs(settings.log));
  TRY(Fd spool, open_spool(settings.front.spool));
  Fence fence = fence_for(settings);
  return Ground{.settings = std::move(settings),
                .apps = std::move(apps),
                .accounts = std::move(accounts),
                .listeners = std::move(listeners),
                .logs = std::move(logs),
                .spool = std::move(spool),
                .fence = std::move(fence),
                .front_account = std::move(front),
                .python = std::move(python)};
}

}  // namespace supervisor
