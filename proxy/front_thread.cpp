#include "proxy/front_thread.h"

#include <algorithm>

#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "runtime/machine.h"
#include "runtime/memory.h"

namespace proxy {

using namespace std::chrono_literals;

FrontThread::FrontThread(std::size_t index, const Site& site, const SnapshotPointer& first, AccessLog& access_log,
                         std::size_t max_clients, runtime::Bytes most_memory)
    : site_(site),
      access_log_(access_log),
      index_(index),
      figures_(site.block.thread[index]),
      max_clients_(max_clients),
      most_memory_(most_memory),
      desks_(site.dispatches.size()),
      disk_(loop_, *site.disk),
      spool_(loop_, *site.spooler, site.spool, *site.spool_disk, site.max_spool_files),
      exchanges_(*this),
      turned_away_(loop_),
      clients_(*this),
      beat_(loop_, runtime::bind<&FrontThread::beat>(this)) {
  open_desks();
  use(first, max_clients);
}

FrontThread::~FrontThread() = default;

void FrontThread::open_desks() {
  for (std::size_t i = 0; i < desks_.size(); ++i) {
    if (!site_.dispatches[i] || desks_[i]) continue;
    desks_[i] = std::make_unique<upstream::Desk>(loop_, *site_.dispatches[i], runtime::bind<&FrontThread::one_fewer>(this));
  }
}

/// Behind a count of our own: the exchanges of all threads would write to one cache line.
void FrontThread::use(const SnapshotPointer& snapshot, std::size_t max_clients) {
  snapshot_ = SnapshotPointer(std::make_shared<SnapshotPointer>(snapshot), snapshot.get());
  max_clients_ = max_clients;
}

void FrontThread::go_over(ThreadPart part) {
  use(part.snapshot, part.max_clients);
  if (is_draining_) return;
  std::erase_if(acceptors_, [&](const auto& acceptor) {
    const bool ends = std::ranges::find(part.closings, acceptor->address()) != part.closings.end();
    if (ends) acceptor->take_the_rest();
    return ends;
  });
  for (auto& [fd, address, port, speaks] : part.sockets) {
    acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(fd), std::move(address), port, speaks));
  }
}

void FrontThread::start() {
  thread_ = std::thread([this] {
    beat();
    loop_.run();
  });
}

void FrontThread::drain(runtime::Loop& loop, bool is_replaced, std::function<void()> on_empty) {
  if (!is_replaced) {
    for (const auto& acceptor : acceptors_) acceptor->take_the_rest();
  }
  acceptors_.clear();
  is_draining_ = true;
  is_replaced_ = is_replaced;
  empty_loop_ = &loop;
  on_empty_ = std::move(on_empty);
  clients_.drain();
  one_fewer();
}

void FrontThread::one_fewer() {
  if (!is_draining_ || !on_empty_ || clients_.size() > 0 || (is_replaced_ && has_left_behind())) return;
  empty_loop_->post(std::move(on_empty_));
  on_empty_ = nullptr;
}

bool FrontThread::has_left_behind() const {
  return std::ranges::any_of(desks_, [](const auto& desk) { return desk && desk->has_left_behind(); });
}

bool FrontThread::may_shake_hands() {
  if (handshake_turn_ != loop_.turns()) {
    handshake_turn_ = loop_.turns();
    handshakes_ = 0;
  }
  return handshakes_++ < kHandshakesPerTurn;
}

void FrontThread::join() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void FrontThread::beat() {
  const auto now = std::chrono::duration_cast<runtime::Milliseconds>(loop_.now().time_since_epoch());
  figures_.heartbeat.store(static_cast<std::uint64_t>(now.count()), std::memory_order_relaxed);
  runtime::give_back_memory();
  relieve_memory();
  beat_.arm(1s);
}

void FrontThread::relieve_memory() {
  constexpr std::size_t kAShare = 16;
  if (site_.memory.resident().value_or(0) <= most_memory_) return;
  for (std::size_t n = clients_.size() / kAShare + 1; n > 0; --n) clients_.close_idlest();
}

std::string_view FrontThread::date() {
  if (const runtime::Time now = loop_.now(); now >= date_until_) {
    const runtime::WallTime wall = loop_.wall_now();
    date_ = runtime::http_date(wall);
    date_until_ = now + (1s - wall.time_since_epoch() % 1s);
  }
  return date_;
}

}  // namespace proxy
