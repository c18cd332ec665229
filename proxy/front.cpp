#include "proxy/front.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <ranges>

#include "proxy/access_log.h"
#include "proxy/change.h"
#include "proxy/exchange.h"
#include "proxy/fence.h"
#include "proxy/front_thread.h"
#include "proxy/metrics_listener.h"
#include "proxy/metrics_page.h"
#include "proxy/tls_context.h"
#include "runtime/channel.h"
#include "runtime/log.h"
#include "runtime/machine.h"
#include "runtime/memory_text.h"
#include "runtime/text.h"
#include "upstream/herd_board.h"
#include "upstream/orders.h"
#include "upstream/probe.h"

namespace proxy {
namespace {

using runtime::Fd;
using runtime::Level;
using runtime::Message;
using runtime::Result;

/// All descriptors but those that belong to workers, logs and ourselves may be clients: half, for each needs a worker's too.
std::size_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

// Of the memory that we may use, half is the front's, and half of that is for clients that do nothing. Each of them costs
// so much: less when it waits, with TLS; more with half a head of HTTP/2. Beyond either the idlest make room.
constexpr runtime::Bytes kIdleClient = 32 * 1024;

/// Of one of so many threads.
std::size_t max_clients(const conf::Front& front, runtime::Bytes most_memory, std::size_t threads) {
  const std::size_t limit = std::min<std::size_t>(descriptor_limit() / 2, most_memory / 2 / kIdleClient);
  return std::max<std::size_t>(1, (front.max_connections != 0 ? front.max_connections : limit) / threads);
}

// Of the fence: as many as there can be files in settings, and more.
constexpr runtime::Bytes kMostFolders = 4 * 1024 * 1024;

class Front {
 public:
  Front(Fd channel, upstream::Scoreboard board, upstream::ReadOnlyHerdBoard herd)
      : board_(std::move(board)),
        herd_(std::move(herd)),
        channel_(loop_, std::move(channel), runtime::bind<&Front::on_message>(this),
                 runtime::bind<&Front::on_supervisor_gone>(this)),
        drain_deadline_(loop_, runtime::bind<&Front::on_drain_deadline>(this)) {}
  ~Front() {
    for (auto& thread : threads_) thread->join();
    if (site_) site_->close_disks();
  }

  int run() {
    loop_.run();
    return exit_status_;
  }

 private:
  void on_message(Message& message) {
    auto order = upstream::decode(message.text);
    if (!order) return give_up(order.error().text());
    fds_ = std::move(message.fds);
    if (!site_ && !std::holds_alternative<upstream::Configure>(*order)) return give_up("an order came before the settings");
    std::visit([this](auto& o) { obey(o); }, *order);
    fds_.clear();
  }

  void obey(upstream::Configure& order) {
    const auto read = fds_.empty() ? Result<void>(runtime::fail(runtime::Code::kProtocol, "no settings came"))
                                   : change_.configure(fds_[0].get(), std::move(order.apps));
    if (!read) return site_ ? object(read.error().text()) : give_up(read.error().text());
    if (!site_) return begin_site();
    // Nobody is led there before Begin, but workers may come.
    open(change_.apps);
  }

  /// The start: workers are told of before Begin, so all but the addresses and certificates is there at once.
  void begin_site() {
    now_ = *change_.make(nullptr, {});
    runtime::log_at_least(static_cast<Level>(now_->settings.log.error.level));
    site_ = std::make_unique<Site>(*now_, *board_, [this](upstream::Dispatch& dispatch) { join_the_herd(dispatch); });
    const conf::Front& front = now_->settings.front;
    const std::size_t count = std::min(front.threads.is_auto() ? runtime::usable_cpus() : front.threads.number, upstream::kMaxThreads);
    for (std::size_t i = 0; i < count; ++i) {
      threads_.push_back(std::make_unique<FrontThread>(i, *site_, now_, access_log_, max_clients(front, most_memory_, count),
                                                       most_memory_));
    }
    board_->set_threads(count);
  }

  /// What it has to say comes from any thread.
  void join_the_herd(upstream::Dispatch& dispatch) {
    dispatch.share(board_);
    dispatch.on_stuck([this](const upstream::Worker& worker, const std::string& exchange, bool is_stuck) {
      loop_.post([this, app = worker.app, id = worker.id, exchange, is_stuck] {
        if (is_stuck) {
          say(upstream::Stuck{app, id, exchange});
        } else {
          say(upstream::Unstuck{app, id, exchange});
        }
      });
    });
    dispatch.on_spent([this](const upstream::Worker& worker) {
      loop_.post([this, app = worker.app, id = worker.id] { say(upstream::Spent{app, id}); });
    });
    dispatch.on_wanted([this](upstream::AppIndex app) {
      loop_.post([this, app] { say(upstream::Wanted{app}); });
    });
  }

  void open(const std::vector<upstream::AppIndex>& apps) {
    site_->open(apps);
    for (auto& thread : threads_) thread->open_desks();
  }

  void obey(upstream::Listen& order) { change_.openings.push_back({std::move(order), std::move(fds_)}); }

  void obey(upstream::Unlisten& order) { change_.closings.push_back(std::move(order.text)); }

  void obey(upstream::Certificates& order) {
    if (fds_.size() != 2 * order.names.size()) return object("a certificate came without its files");
    auto& files = change_.certificates.emplace();
    for (std::size_t i = 0; i < order.names.size(); ++i) {
      files.push_back({std::move(order.names[i]), std::move(fds_[2 * i]), std::move(fds_[2 * i + 1])});
    }
  }

  void obey(upstream::Logs&) { change_.logs = std::move(fds_); }

  void obey(upstream::Spool&) {
    if (!fds_.empty()) site_->spool = std::move(fds_[0]);
  }

  void obey(upstream::Fence& order) {
    const auto folders = fds_.empty() ? Result<std::string>() : runtime::from_memory(fds_[0].get(), kMostFolders);
    if (!folders) return give_up(folders.error().text());
    fence_ = {.has_ports = order.has_ports, .has_sockets = order.has_sockets, .is_from_root = order.is_from_root};
    for (const std::string_view folder : runtime::split(*folders, '\0')) {
      if (!folder.empty()) fence_->readable.emplace_back(folder);
    }
  }

  void object(std::string sentence) {
    if (change_.objection.empty()) change_.objection = std::move(sentence);
  }

  void obey(upstream::Begin& order) {
    Change change = std::exchange(change_, {});
    std::vector<Address> addresses = change.addresses(addresses_);
    auto next = change.make(now_.get(), addresses);
    if (!next && has_begun_) return say(upstream::Changed{order.version, next.error().text()});
    if (!next) {
      // The supervisor knows whether half a front is better than none.
      say(upstream::Trouble{next.error().text()});
      change.certificates.reset();
      change.objection.clear();
      next = change.make(now_.get(), addresses);
    }
    now_ = std::move(*next);
    addresses_ = std::move(addresses);
    if (!has_begun_) enter_fence();
    put_in_force(change);
    has_begun_ ? go_over(change, order.version) : start(change);
  }

  /// All that is not the threads'.
  void put_in_force(Change& change) {
    if (change.logs.size() > 1) access_log_.reopen(std::move(change.logs[1]));
    if (!change.logs.empty()) runtime::log_to(std::move(change.logs[0]));
    runtime::log_at_least(static_cast<Level>(now_->settings.log.error.level));
    site_->configure(*now_);
    clocks_ = now_->settings.front.clocks;
    std::erase_if(metrics_, [&](const auto& one) { return change.closes(one.first); });
    if (is_draining_) return;  // another front answers there
    for (Change::Opening& opening : change.openings) {
      if (opening.about.metrics) listen_for_metrics(opening);
    }
  }

  void listen_for_metrics(Change::Opening& opening) {
    for (Fd& socket : opening.sockets) {
      metrics_.emplace_back(opening.about.text,
                            std::make_unique<MetricsListener>(loop_, std::move(socket), clocks_,
                                                              [this](std::string_view path) { return tell(path); }));
    }
  }

  std::vector<ThreadPart> parts_of(Change& change) const {
    return divide(change, now_, threads_.size(), max_clients(now_->settings.front, most_memory_, threads_.size()));
  }

  /// There is no thread but ours yet: it holds for those that begin from now on. Half a fence is better than none, as for an old
  /// kernel.
  void enter_fence() {
    if (!fence_) return;
    fence_->spool = site_->spool.get();
    if (fence_->readable.empty()) site_->root.reset();
    entered_ = enter(*fence_);
  }

  void start(Change& change) {
    if (!site_->disk->start()) return give_up("no thread can be made: this user has too many of them, or there is too little memory");
    std::vector<ThreadPart> parts = parts_of(change);
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i]->go_over(std::move(parts[i]));
      threads_[i]->start();
    }
    has_begun_ = true;
    say(upstream::Started{.threads = static_cast<std::uint32_t>(threads_.size()),
                          .landlock = static_cast<std::uint32_t>(entered_.landlock),
                          .unfenced = fmt::format("{}", fmt::join(entered_.missing, "; "))});
  }

  /// Each thread between two turns of its loop; Changed is said when the last one has.
  void go_over(Change& change, std::uint64_t version) {
    // Ours and the threads': how many are still to do it; only touched on our loop.
    const auto left = std::make_shared<std::size_t>(threads_.size());
    std::vector<ThreadPart> parts = parts_of(change);
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      // Shared, because a task can be copied; it is the thread's alone.
      const auto part = std::make_shared<ThreadPart>(std::move(parts[i]));
      threads_[i]->loop().post([this, &thread = *threads_[i], part, left, version] {
        thread.go_over(std::move(*part));
        loop_.post([this, left, version] {
          if (--*left == 0) say(upstream::Changed{version, {}});
        });
      });
    }
  }

  MetricsAnswer tell(std::string_view path) const {
    const std::vector<conf::App>& apps = now_->settings.apps;
    std::span<const CertificateExpiry> expiries;
    if (now_->tls) expiries = now_->tls->expiries();
    if (path == "/metrics") return {200, metrics_page({apps, now_->apps, board_, *herd_, expiries}), kMetricsType};
    if (path == "/-/healthy") return {200, "healthy\n"};  // the loop turns: nothing else is asked
    if (path != "/-/ready") return {404, "there is /metrics, /-/healthy and /-/ready\n"};
    const std::string why = why_not_ready(stage(), apps, now_->apps, *herd_);
    return why.empty() ? MetricsAnswer{200, "ready\n"} : MetricsAnswer{503, "not ready: " + why + "\n"};
  }

  Stage stage() const {
    return is_draining_ ? Stage::kDraining : has_begun_ ? Stage::kAccepting : Stage::kStarting;
  }

  void obey(upstream::Probe& order) {
    const upstream::WorkerId id = order.worker.id;
    const upstream::AppIndex app = order.worker.app;
    probes_[id] = std::make_unique<upstream::WorkerProbe>(
        loop_, order.worker, host_of(order.worker.app), order.path, runtime::Milliseconds(order.within),
        [this, id, app, is_single = order.within != 0](bool is_ready, const std::string& cause) {
          if (is_ready || is_single) loop_.bury(std::move(probes_.extract(id).mapped()));
          say(upstream::Probed{app, id, is_ready, cause});
        });
  }

  /// Of the settings that are to come, if they have the app, for it is their worker that starts.
  std::string host_of(upstream::AppIndex index) const {
    const conf::App* app = change_.find(index);
    if (app == nullptr) app = now_->find(index);
    return app != nullptr ? upstream::probed_host(*app) : upstream::kAnyHost;
  }

  /// It may be ready by another word than an answer to the probe, and nobody waits for that any more.
  void obey(upstream::Publish& order) {
    probes_.erase(order.worker.id);
    if (auto* dispatch = dispatch_of(order.worker.app)) dispatch->publish(order.worker);
  }

  void obey(upstream::Unpublish& order) {
    const auto drained = [this, order] { say(upstream::Drained{order.app, order.worker}); };
    auto* const dispatch = dispatch_of(order.app);
    // An app that only other fronts know, for this one is about to end, or has begun without it.
    dispatch != nullptr ? dispatch->unpublish(order.worker, loop_, drained) : drained();
  }

  void obey(upstream::CloseWebsockets& order) {
    on_each_thread([worker = order.worker](FrontThread& thread) { thread.close_websockets(worker); });
  }

  void obey(upstream::Ended& order) {
    probes_.erase(order.worker);
    std::vector<runtime::Time> in_flight;
    if (auto* dispatch = dispatch_of(order.app)) in_flight = dispatch->ended(order.worker, order.unexpected);
    if (order.unexpected) say(lost(order, in_flight));
  }

  upstream::Lost lost(const upstream::Ended& order, const std::vector<runtime::Time>& in_flight) {
    upstream::Lost lost{.app = order.app, .worker = order.worker, .requests = static_cast<std::uint32_t>(in_flight.size())};
    for (const runtime::Time dispatched : in_flight | std::views::take(upstream::kMostAges)) {
      const auto age = std::chrono::duration_cast<runtime::Milliseconds>(loop_.now() - dispatched);
      lost.ages.push_back(static_cast<std::uint64_t>(std::max<runtime::Milliseconds::rep>(0, age.count())));
    }
    return lost;
  }

  void obey(upstream::Stack& order) {
    const conf::AccessLog& how = now_->settings.log.access;
    if (how.is_on && how.slow.count() > 0) access_log_.slow().on_stack(order.exchange, order.text);
  }

  void obey(upstream::AppState& order) {
    if (auto* dispatch = dispatch_of(order.app)) dispatch->set_state(order);
  }

  void obey(upstream::Drain& order) {
    if (!std::exchange(is_draining_, true)) begin_drain();
    if (order.at_once) end_drain();
  }

  void begin_drain() {
    if (!has_begun_) return loop_.stop();  // nobody was ever let in
    for (const auto& dispatch : site_->dispatches) {
      if (dispatch) dispatch->make_way();
    }
    const bool is_replaced = !herd_->is_stopping && !is_supervisor_gone_;
    if (is_replaced) leave_to_the_next();
    draining_left_ = threads_.size();
    on_each_thread([this, is_replaced](FrontThread& thread) {
      thread.drain(loop_, is_replaced, [this] {
        if (--draining_left_ == 0) loop_.stop();
      });
    });
    drain_deadline_.arm(now_->settings.front.drain_timeout);
  }

  /// Whoever asks whether we are ready is to ask the one that serves; if all is ending we say so to the last. And the workers are
  /// asked by that one; if all is ending, requests may wait for one that starts.
  void leave_to_the_next() {
    metrics_.clear();
    for (auto& [id, probe] : probes_) loop_.bury(std::move(probe));  // perhaps we are in a call from it
    probes_.clear();
  }

  // What only the front says.
  void obey(upstream::Changed&) { give_up("an order that only a front gives"); }
  void obey(upstream::Started&) { give_up("an order that only a front gives"); }
  void obey(upstream::Probed&) { give_up("an order that only a front gives"); }
  void obey(upstream::Drained&) { give_up("an order that only a front gives"); }
  void obey(upstream::Stuck&) { give_up("an order that only a front gives"); }
  void obey(upstream::Unstuck&) { give_up("an order that only a front gives"); }
  void obey(upstream::Spent&) { give_up("an order that only a front gives"); }
  void obey(upstream::Lost&) { give_up("an order that only a front gives"); }
  void obey(upstream::Wanted&) { give_up("an order that only a front gives"); }
  void obey(upstream::Trouble&) { give_up("an order that only a front gives"); }

  void on_drain_deadline() { is_drain_over_ ? cut_all() : end_drain(); }

  /// drain_timeout is over. Only WebSockets have a moment longer, to be closed in words; if there are none this is the end.
  void end_drain() {
    if (std::exchange(is_drain_over_, true)) return;
    on_each_thread([](FrontThread& thread) { thread.end_drain(); });
    drain_deadline_.arm(Exchange::kFarewell);
  }

  void cut_all() {
    on_each_thread([](FrontThread& thread) { thread.cut_all(); });
    loop_.stop();
  }

  /// Each between two turns of its loop.
  template <class Task>
  void on_each_thread(Task task) {
    for (auto& thread : threads_) thread->loop().post([task, &t = *thread] { task(t); });
  }

  /// Without a supervisor nobody starts workers or hands out sockets: finish what runs, then end.
  void on_supervisor_gone() {
    if (!site_) return loop_.stop();
    runtime::log(Level::kError, "the supervisor has gone; draining");
    is_supervisor_gone_ = true;
    upstream::Drain drain;
    obey(drain);
  }

  void give_up(const std::string& sentence) {
    runtime::log(Level::kError, sentence);
    exit_status_ = 1;
    loop_.stop();
  }

  void say(const upstream::Order& order) { channel_.send({upstream::encode(order), {}}); }

  upstream::Dispatch* dispatch_of(upstream::AppIndex app) {
    return app < site_->dispatches.size() ? site_->dispatches[app].get() : nullptr;
  }

  runtime::Loop loop_;  // orders and probes; requests have the threads' loops
  upstream::Scoreboard board_;
  upstream::ReadOnlyHerdBoard herd_;
  runtime::Channel channel_;
  std::vector<Fd> fds_;  // of the order being obeyed
  const runtime::Bytes most_memory_ = runtime::usable_memory() / 2;  // files tell of it that are out of reach later
  std::optional<Fence> fence_;  // from the supervisor, entered with the first Begin; empty: only in tests
  Entered entered_;             // what came of that
  Change change_;                     // gathered since the last Begin
  SnapshotPointer now_;               // in force; set with site_
  std::vector<Address> addresses_;    // that threads_ listen at
  std::unique_ptr<Site> site_;        // set by the first Configure
  AccessLog access_log_;
  std::vector<std::unique_ptr<FrontThread>> threads_;
  std::unordered_map<upstream::WorkerId, std::unique_ptr<upstream::WorkerProbe>> probes_;
  conf::Clocks clocks_;               // of metrics_, which look at them when a visitor comes
  std::vector<std::pair<std::string, std::unique_ptr<MetricsListener>>> metrics_;  // by address
  runtime::Timer drain_deadline_;
  std::size_t draining_left_ = 0;  // threads that still have clients; while is_draining_
  bool is_draining_ = false;
  bool is_drain_over_ = false;     // drain_timeout is; who is left says goodbye
  bool is_supervisor_gone_ = false;
  bool has_begun_ = false;
  int exit_status_ = 0;
};

}  // namespace

int run_front(const FrontDescriptors& fds) {
  runtime::log_as("front", Level::kInfo);
  // The terminal's ^C reaches the whole group; the supervisor decides what it means.
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE}) ::signal(signal, SIG_IGN);
  Fd channel(fds.channel);
  auto board = upstream::Scoreboard::adopt(Fd(fds.scoreboard));
  auto herd = upstream::ReadOnlyHerdBoard::adopt(Fd(fds.herd_board));
  if (!board || !herd) {
    runtime::log(Level::kError, (board ? herd.error() : board.error()).text());
    return 1;
  }
  return Front(std::move(channel), std::move(*board), std::move(*herd)).run();
}

}  // namespace proxy
