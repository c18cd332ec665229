// One thread of the front: its loop, its clients, its desks at the apps' dispatches, its pool of exchanges.
// Everything that happens to a request happens on the thread that accepted its connection.
#pragma once
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/acceptor.h"
#include "proxy/change.h"
#include "proxy/client_list.h"
#include "proxy/exchange_pool.h"
#include "proxy/site.h"
#include "proxy/spool_file.h"
#include "proxy/turned_away.h"
#include "runtime/disk.h"
#include "runtime/loop.h"

namespace proxy {

class AccessLog;

class FrontThread {
 public:
  /// `first`: the settings to begin with. `most_memory`: of the whole process; past it the idlest clients go.
  FrontThread(std::size_t index, const Site& site, const SnapshotPointer& first, AccessLog& access_log, std::size_t max_clients,
              runtime::Bytes most_memory = std::numeric_limits<runtime::Bytes>::max());
  ~FrontThread();

  runtime::Loop& loop() { return loop_; }
  const Site& site() const { return site_; }
  /// The settings in force, until this thread comes back to its loop.
  const Snapshot& snapshot() const { return *snapshot_; }
  /// To be kept, on this thread.
  const SnapshotPointer& snapshot_to_keep() const { return snapshot_; }
  ExchangePool& exchanges() { return exchanges_; }
  ClientList& clients() { return clients_; }
  AccessLog& access_log() { return access_log_; }
  upstream::Desk& desk(upstream::AppIndex app) { return *desks_[app]; }
  runtime::DiskDesk& disk() { return disk_; }
  /// Files that are being sent.
  std::size_t& open_files() { return open_files_; }
  SpoolDesk& spool() { return spool_; }
  upstream::ThreadFigures& figures() { return figures_; }
  /// Where this thread counts the requests of an app, or of upstream::kNoApp.
  upstream::AppRow& row(std::size_t app) { return site_.block.row_of(index_, app); }
  TurnedAway& turned_away() { return turned_away_; }
  /// The Date of this second, RFC 9110 6.6.1.
  std::string_view date();
  /// No more connections fit.
  bool is_full() const { return clients_.size() >= max_clients_; }
  /// Counts one more step of a TLS handshake, unless this turn of the loop has had kHandshakesPerTurn: false. Each may
  /// cost a signature with the private key, most of a millisecond with RSA; whoever has a connection does not wait for
  /// more of them than that.
  bool may_shake_hands();
  static constexpr int kHandshakesPerTurn = 8;
  /// Once a second. Closes a few of the idlest clients if the process has too much memory: only a few, for what they held
  /// comes back to the system with a delay.
  void relieve_memory();
  /// From ClientList and the desks: a client has gone, or what was left behind.
  void one_fewer();

  /// From the front's main loop, before a snapshot that has new apps comes: a desk at each Dispatch of the site.
  void open_desks();

  // Called by the Front, before start() or through loop().post().
  /// Its settings are in force from now on, for all that begins. Who was accepted at an address that is closed stays.
  void go_over(ThreadPart part);
  void start();
  /// drain_timeout is over: closes WebSockets, cuts whatever else runs.
  void end_drain() { clients_.end_drain(); }
  /// Closes WebSockets to a worker that is to end.
  void close_websockets(upstream::WorkerId worker) { clients_.close_websockets(worker); }
  /// No new connections; `on_empty` is posted to `loop` when the last client has gone. `is_replaced`: another front has the same
  /// sockets, and takes who waits in a backlog; and the same workers, so what they are still busy with after a client has gone
  /// keeps us, too: nobody else would count its slot. If all is ending, neither: who is connected already is let in now.
  void drain(runtime::Loop& loop, bool is_replaced, std::function<void()> on_empty);
  /// Cuts whoever is left.
  void cut_all() { clients_.close_all(); }
  /// Ends the thread; from another one.
  void join();

 private:
  void use(const SnapshotPointer& snapshot, std::size_t max_clients);
  bool has_left_behind() const;
  void beat();
  runtime::Loop loop_;
  const Site& site_;
  AccessLog& access_log_;
  const std::size_t index_;                              // among the threads of the front
  upstream::ThreadFigures& figures_;
  std::size_t max_clients_;
  const runtime::Bytes most_memory_;
  std::vector<std::unique_ptr<upstream::Desk>> desks_;   // by AppIndex; as Site::dispatches
  SnapshotPointer snapshot_;                             // in force; its count is this thread's own
  runtime::DiskDesk disk_;                               // outlives the exchanges, whose errands come back to it
  std::size_t open_files_ = 0;
  SpoolDesk spool_;                                      // like disk_
  ExchangePool exchanges_;
  TurnedAway turned_away_;
  ClientList clients_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  runtime::Timer beat_;                                  // once a second: "this thread turns"
  std::string date_;                                     // text of date_second_
  runtime::Time date_until_{};
  runtime::Loop* empty_loop_ = nullptr;                  // set by drain()
  std::function<void()> on_empty_;
  std::uint64_t handshake_turn_ = 0;                     // that handshakes_ counts in
  int handshakes_ = 0;
  bool is_draining_ = false;
  bool is_replaced_ = false;                             // while is_draining_
  std::thread thread_;
};

}  // namespace proxy
