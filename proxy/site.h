// What lasts while settings come and go: a Dispatch for each app, the budgets that the front's threads share, its disks. The
// settings themselves: snapshot.h.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "proxy/address_count.h"
#include "proxy/byte_budget.h"
#include "proxy/snapshot.h"
#include "proxy/unfinished_handshakes.h"
#include "runtime/disk.h"
#include "runtime/fd.h"
#include "runtime/machine.h"
#include "upstream/dispatch.h"
#include "upstream/scoreboard.h"

namespace proxy {

struct Site {
  /// `introduce`: is given each Dispatch before anybody uses it.
  using Introduce = std::function<void(upstream::Dispatch&)>;
  Site(const Snapshot& first, upstream::Block& b, Introduce introduce = {});

  upstream::Block& block;  ///< of the scoreboard: what this front counts
  /// By AppIndex; null: no settings have had such an app. One that was needed once stays for what still runs there, so there
  /// are kMaxApps at most. Made by the main loop, and read by a thread only where a snapshot that it was given says so.
  std::vector<std::unique_ptr<upstream::Dispatch>> dispatches;

  const std::unique_ptr<AddressCount> addresses;  ///< connections by client address
  const std::unique_ptr<UnfinishedHandshakes> unfinished_handshakes;
  const std::unique_ptr<ByteBudget> buffer_memory;  ///< bodies that wait for their worker, answers for their client
  const std::unique_ptr<ByteBudget> spool_disk;     ///< the same, in temporary files
  /// For files, and for temporary ones: a slow disk of the one does not hold up the other.
  const std::unique_ptr<runtime::Disk> disk, spooler;
  /// Files that one thread may have open at the same time: each client that takes its time holds one.
  const std::size_t max_files, max_spool_files;

  const runtime::OwnMemory memory;  ///< opened before a fence stands around us

  /// The root of the file system as it was when we began: a fence may change it (fence.h), and files are named from here. Empty
  /// behind a fence without files.
  runtime::Fd root;

  /// The folder for temporary files, for openat(2); from the supervisor, before the threads start.
  runtime::Fd spool;

  // From the front's main loop.
  /// Each of these apps has a Dispatch.
  void open(const std::vector<upstream::AppIndex>& apps);
  /// Dispatches and budgets are as these settings have it. open() was called with them.
  void configure(const Snapshot&);

  /// What is under way comes back to the threads' desks, while they are there; their loops have stopped.
  void close_disks() const {
    disk->close();
    spooler->close();
  }

 private:
  const Introduce introduce_;
};

}  // namespace proxy
