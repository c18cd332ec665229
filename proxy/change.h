// A change of what the front serves while it runs, or of nothing at its start: gathered order by order (upstream/orders.h:
// Configure, Certificates, Listen, Unlisten, Logs), and put in force as a whole by Begin, or not at all. Who obeys: front.h.
//
// What a running front cannot change, because it has given it away or had it before it became who it is: [front] threads,
// user and spool. max_head, max_fields, max_streams and the clocks of an HTTP/2 connection are those of its beginning.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "proxy/acceptor.h"
#include "proxy/snapshot.h"
#include "runtime/fd.h"
#include "runtime/result.h"
#include "upstream/orders.h"

namespace proxy {

/// An address that is listened at, without its sockets.
struct Address {
  std::string text;
  std::uint16_t port = 0;
  bool tls = false;
};

struct Change {
  struct Opening {
    upstream::Listen about;
    std::vector<runtime::Fd> sockets;
  };

  std::optional<conf::Settings> settings;  ///< empty: they stay
  std::vector<upstream::AppIndex> apps;    ///< of `settings`
  std::optional<std::vector<CertificateFiles>> certificates;  ///< empty: they stay, and so does tls.min_version
  std::vector<std::string> closings;       ///< addresses; done before the openings
  std::vector<Opening> openings;
  std::vector<runtime::Fd> logs;           ///< as in upstream::Logs; empty: they stay
  std::string objection;                   ///< the first order that could not be understood, in a sentence; empty: all were

  /// `fd`: the text of the settings. Errors: it cannot be read, does not say settings, or the indexes do not fit them.
  runtime::Result<void> configure(int fd, std::vector<upstream::AppIndex> indexes);
  /// The settings that it brings for this app; null: none.
  const conf::App* find(upstream::AppIndex index) const;
  bool closes(const std::string& address) const;
  /// What is listened at afterwards.
  std::vector<Address> addresses(std::vector<Address> now) const;
  /// The settings afterwards. `now`: those in force; null: none are, and `settings` are set. Takes the certificates. Errors:
  /// the objection; a certificate that is none.
  runtime::Result<SnapshotPointer> make(const Snapshot* now, const std::vector<Address>& addresses);
};

/// What one thread has to do of a change.
struct ThreadPart {
  struct Socket {
    runtime::Fd fd;
    std::string address;
    std::uint16_t port = 0;
    Speaks speaks;
  };
  SnapshotPointer snapshot;
  std::size_t max_clients = 0;        ///< connections at the same time
  std::vector<std::string> closings;  ///< addresses; done before `sockets`
  std::vector<Socket> sockets;        ///< to be listened at
};

/// The change divided among so many threads: each has all of it but the sockets, of which each has its own, or a copy of what
/// is shared. Takes the sockets.
std::vector<ThreadPart> divide(Change& change, const SnapshotPointer& snapshot, std::size_t threads, std::size_t max_clients);

}  // namespace proxy
