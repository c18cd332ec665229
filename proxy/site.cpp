#include "proxy/site.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace proxy {
namespace {

// Each can wait for a disk; more would only make its queue longer.
constexpr std::size_t kDiskThreads = 4;

// Of all descriptors, all threads together: half are for clients, and workers need some.
constexpr std::size_t kForFiles = 4, kForSpoolFiles = 8;  // a quarter, an eighth

std::size_t descriptors_of_a_thread(std::size_t threads, std::size_t part) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur) / part / std::max<std::size_t>(threads, 1);
}

}  // namespace

Site::Site(const Snapshot& first, upstream::Block& b, Introduce introduce)
    : block(b),
      dispatches(upstream::kMaxApps),
      addresses(std::make_unique<AddressCount>(first.settings.front.max_connections_per_address)),
      unfinished_handshakes(std::make_unique<UnfinishedHandshakes>()),
      buffer_memory(std::make_unique<ByteBudget>(first.settings.front.buffer_memory)),
      spool_disk(std::make_unique<ByteBudget>(first.settings.front.spool_disk)),
      disk(std::make_unique<runtime::Disk>(kDiskThreads)),
      spooler(std::make_unique<runtime::Disk>(kDiskThreads)),
      max_files(descriptors_of_a_thread(first.settings.front.threads.number, kForFiles)),
      max_spool_files(descriptors_of_a_thread(first.settings.front.threads.number, kForSpoolFiles)),
      root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      introduce_(std::move(introduce)) {
  open(first.apps);
  configure(first);
}

void Site::open(const std::vector<upstream::AppIndex>& apps) {
  for (const upstream::AppIndex app : apps) {
    if (dispatches[app]) continue;
    dispatches[app] = std::make_unique<upstream::Dispatch>(app, block.board);
    if (introduce_) introduce_(*dispatches[app]);
  }
}

void Site::configure(const Snapshot& snapshot) {
  for (std::size_t i = 0; i < dispatches.size(); ++i) {
    if (dispatches[i]) dispatches[i]->configure(snapshot.find(static_cast<upstream::AppIndex>(i)));
  }
  addresses->resize(snapshot.settings.front.max_connections_per_address);
  buffer_memory->resize(snapshot.settings.front.buffer_memory);
  spool_disk->resize(snapshot.settings.front.spool_disk);
}

}  // namespace proxy
