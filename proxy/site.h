// What the front serves: the settings and one Dispatch for each app, and what its threads share. Made once from the
// supervisor's orders; the threads read it, and count in the budgets.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "conf/settings.h"
#include "proxy/address_count.h"
#include "proxy/byte_budget.h"
#include "proxy/client_facts.h"
#include "proxy/route.h"
#include "proxy/unfinished_handshakes.h"
#include "runtime/disk.h"
#include "runtime/fd.h"
#include "runtime/socket.h"
#include "upstream/dispatch.h"
#include "upstream/scoreboard.h"

namespace proxy {

struct Site {
  Site(conf::Settings s, upstream::Block& b);

  const conf::Settings settings;
  upstream::Block& block;  ///< of the scoreboard: what this front counts
  const Route route;
  std::vector<std::unique_ptr<upstream::Dispatch>> dispatches;  ///< by AppIndex

  const std::unique_ptr<AddressCount> addresses;  ///< connections by client address
  const std::unique_ptr<UnfinishedHandshakes> unfinished_handshakes;
  const std::unique_ptr<ByteBudget> buffer_memory;  ///< bodies that wait for their worker, answers for their client
  const std::unique_ptr<ByteBudget> spool_disk;     ///< the same, in temporary files
  /// For files, and for temporary ones: a slow disk of the one does not hold up the other.
  const std::unique_ptr<runtime::Disk> disk, spooler;
  /// Files that one thread may have open at the same time: each client that takes its time holds one.
  const std::size_t max_files, max_spool_files;

  /// The folder for temporary files, for openat(2); from the supervisor, before the threads start.
  runtime::Fd spool;

  /// What is under way comes back to the threads' desks, while they are there; their loops have stopped.
  void close_disks() const {
    disk->close();
    spooler->close();
  }

  /// The port of the first https listener, for redirects; 0: none.
  std::uint16_t https_port = 0;

  /// Whether what this client says of others is believed ([front] trusted_proxies).
  bool trusts(const ClientFacts&) const;
};

}  // namespace proxy
