// What supervisor and front say to each other: rare, small, readable JSON with passed descriptors, over
// runtime/channel.h (docs/decisions/0003). Every order is a value; encode() and decode() are the only places that know
// the wire form. decode() trusts nothing: the front has read hostile bytes, the supervisor believes only what is well-formed.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "conf/limits.h"
#include "runtime/channel.h"
#include "runtime/result.h"
#include "upstream/app_state.h"
#include "upstream/roster.h"

namespace upstream {

// ---- supervisor to front ----
//
// Configure, Listen, Unlisten, Certificates and Logs, in any order, are a change; Begin puts it in force as a whole. The first one
// is the start. Orders about workers are obeyed at once, also those about apps that a Configure before Begin has brought.

/// The settings; at the start the very first order. As the text that `portherd check --print` prints (docs/decisions/0002). fds: [memfd].
/// An app that is in force and not among them has gone: its workers are to be unpublished when that is in force, and its index
/// is free for another app when the last one of them has ended.
struct Configure {
  std::vector<AppIndex> apps;  ///< of each app of the settings, in their order; none twice
};

/// Listening sockets of one address. fds: the sockets; front thread i of N serves those with index j, j mod N = i
/// (all threads serve all of them if `shared`). `text` is the address for logs.
struct Listen {
  std::string text;
  std::uint16_t port = 0;  ///< 0 for a Unix socket
  bool tls = false;
  bool shared = false;     ///< adopted from LISTEN_FDS: one socket for all threads
  bool proxy_protocol = false;  ///< every connection begins with its header
  bool metrics = false;         ///< [metrics]: not for clients, but for who looks after us; the front's main loop serves it
};

/// This address is closed: nobody is accepted there any more, and who was stays. Comes into force before every Listen of the
/// same change.
struct Unlisten {
  std::string text;  ///< as in Listen
};

/// The whole new set of certificates, swapped at once; with it comes tls.min_version. None: there is no TLS. fds: certificate and key of each name, in turn.
struct Certificates {
  std::vector<std::string> names;
};

static_assert(conf::kMostThreads <= runtime::Channel::kMaxFds);
static_assert(conf::kMostCertificates * 2 <= runtime::Channel::kMaxFds);

/// Where logs go. fds: [error log] or [error log, access log].
struct Logs {};

/// Where temporary files without names are made ([front] spool). fds: [folder]: O_PATH, to be opened below. Before Begin, once.
struct Spool {};

/// What a front may reach beside what it is given, and the sockets in the folder that it stands in: with the first Begin it shuts
/// itself in for good. Before that Begin, once. fds: [memfd]: the folders of its files, absolute and without a link, each ended by a NUL.
struct Fence {
  bool has_ports = false;    ///< workers are reached by TCP, at loopback
  bool has_sockets = false;  ///< workers are reached by Unix sockets that stand anywhere (`proxy`)
  bool is_from_root = false; ///< root has started the front, which so can have a root of its own
};

/// Everything of the change has been said: this is in force now. The first one begins to accept and is answered by Started, every
/// other one by Changed.
struct Begin {
  std::uint64_t version = 0;  ///< which change; the supervisor counts them
};

/// Ask this worker, not yet in the roster, whether it is ready; repeat until it is, or Ended or Drain comes.
/// Answered by Probed. `path` empty: any well-formed HTTP answer to `OPTIONS *` will do.
/// `within` not 0: one that is ready is asked once, and Probed says what came of it.
struct Probe {
  Worker worker;
  std::string path;
  std::uint64_t within = 0;  ///< milliseconds; no answer by then is a failure
};

/// The worker is ready: from now on requests may reach it.
struct Publish {
  Worker worker;
};

/// No new request to this worker; Drained is the answer when its last lease has ended.
struct Unpublish {
  AppIndex app = 0;
  WorkerId worker = 0;
};

/// The worker, unpublished before, is about to be told to end: WebSockets to it are closed (1012). Drained is the answer still.
struct CloseWebsockets {
  AppIndex app = 0;
  WorkerId worker = 0;
};

/// The process has ended: every lease and probe of it fails now. Sent for every worker, published or not.
/// `unexpected`: the supervisor had not asked for it by any signal; what the worker had in flight may have killed it, and the
/// front answers with Lost.
struct Ended {
  AppIndex app = 0;
  WorkerId worker = 0;
  bool unexpected = false;
};

/// What a stuck worker has printed when it was asked where it is; the answer to Stuck, if there is one.
/// `text`: lines; at most kMostStack bytes, what is longer is cut by both sides, and control characters but newline and tab
/// are spaces.
struct Stack {
  AppIndex app = 0;
  WorkerId worker = 0;
  std::string exchange;  ///< as Stuck named it
  std::string text;
};
inline constexpr runtime::Bytes kMostStack = 16 * 1024;
// In JSON a byte of it takes three at most: a broken one becomes U+FFFD, a newline or a quote two characters.
static_assert(kMostStack * 3 + 4096 <= runtime::Channel::kMaxText);

// And AppState: app_state.h.

/// Accept no more, finish what is in flight within front.drain_timeout, then end with exit status 0.
/// `at_once`: cut everything now.
struct Drain {
  bool at_once = false;
};

// ---- front to supervisor ----

/// The front accepts, behind its fence. `unfenced`: what of that could not be had, for the operator; empty: nothing, or no fence was
/// ordered. At most kMostUnfenced bytes.
struct Started {
  std::uint32_t threads = 0;
  std::uint32_t landlock = 0;  ///< the version of Landlock that holds it; 0: none
  std::string unfenced;
};
inline constexpr runtime::Bytes kMostUnfenced = 1024;

/// The answer to Begin. `refused` empty: every thread goes by the new settings. Else a sentence for the operator, and nothing has
/// changed.
struct Changed {
  std::uint64_t version = 0;
  std::string refused;  ///< at most kMostRefused bytes
};
inline constexpr runtime::Bytes kMostRefused = 1024;

struct Probed {
  AppIndex app = 0;
  WorkerId worker = 0;
  bool is_ready = false;  ///< false: not yet; `cause` is the latest one, told when it changes
  std::string cause;
};

struct Drained {
  AppIndex app = 0;
  WorkerId worker = 0;
};

/// An exchange has run out of request_timeout (or total_timeout) and has been answered, but the worker has not let go of it: the
/// slot is still taken. Once for an exchange. `exchange`: its id in the access log, at most kMostExchangeId bytes.
struct Stuck {
  AppIndex app = 0;
  WorkerId worker = 0;
  std::string exchange;
};
inline constexpr runtime::Bytes kMostExchangeId = 256;

/// The worker has let go of what Stuck named: the slot has come back. Not sent when the worker has ended.
struct Unstuck {
  AppIndex app = 0;
  WorkerId worker = 0;
  std::string exchange;
};

/// The worker has had as many requests as it was published for (Worker::max_requests). Said once; it takes work until it is
/// unpublished.
struct Spent {
  AppIndex app = 0;
  WorkerId worker = 0;
};

/// What the worker had in flight when it ended unexpectedly; those included that have been given to another one since.
struct Lost {
  AppIndex app = 0;
  WorkerId worker = 0;
  std::uint32_t requests = 0;
  std::vector<std::uint64_t> ages;  ///< of the oldest, in milliseconds since they were dispatched, the oldest first; at most kMostAges
  bool operator==(const Lost&) const = default;
};
inline constexpr std::size_t kMostAges = 8;

/// A request waits for an app that is asleep (AppState), the first since it is. Once for each such state.
struct Wanted {
  AppIndex app = 0;
};

/// The front could not do what it was told at its start (a certificate that does not parse, say): the sentence for the log.
struct Trouble {
  std::string sentence;
};

using Order = std::variant<Configure, Listen, Unlisten, Certificates, Logs, Spool, Fence, Begin, Probe, Publish, Unpublish,
                           CloseWebsockets, Ended, Stack, AppState, Drain, Started, Changed, Probed, Drained, Stuck, Unstuck, Spent, Lost, Wanted,
                           Trouble>;

/// The text of an order; the descriptors are added by the caller.
std::string encode(const Order&);
runtime::Result<Order> decode(const std::string& text);

}  // namespace upstream
