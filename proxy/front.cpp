#include "proxy/front.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "conf/load.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "proxy/metrics_listener.h"
#include "proxy/metrics_page.h"
#include "proxy/tls_context.h"
#include "runtime/channel.h"
#include "runtime/log.h"
#include "runtime/machine.h"
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
runtime::Bytes most_memory() { return runtime::usable_memory() / 2; }
std::size_t memory_limit() { return most_memory() / 2 / kIdleClient; }

Result<std::string> read_all(int fd) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) return runtime::fail(runtime::Code::kSystem, "cannot look at the settings", errno);
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::pread(fd, text.data(), text.size(), 0) != about.st_size) {
    return runtime::fail(runtime::Code::kSystem, "cannot read the settings", errno);
  }
  return text;
}

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

  void obey(upstream::Configure&) {
    auto text = fds_.empty() ? Result<std::string>(runtime::fail(runtime::Code::kProtocol, "no settings came"))
                             : read_all(fds_[0].get());
    if (!text) return give_up(text.error().text());
    conf::Loaded loaded = conf::load_text(*text, "settings");
    if (!loaded.problems.empty()) return give_up(conf::text(loaded.problems.front()));
    runtime::log_as("front", static_cast<Level>(loaded.settings.log.error.level));
    site_ = std::make_unique<Site>(std::move(loaded.settings), *board_);
    access_log_ = std::make_unique<AccessLog>(site_->settings.log.access);
    join_the_herd();
    make_threads();
  }

  void join_the_herd() {
    for (const auto& dispatch : site_->dispatches) {
      dispatch->share(board_);
      dispatch->on_stuck([this](const upstream::Worker& worker, const std::string& exchange, bool is_stuck) {
        loop_.post([this, app = worker.app, id = worker.id, exchange, is_stuck] {
          if (is_stuck) {
            say(upstream::Stuck{app, id, exchange});
          } else {
            say(upstream::Unstuck{app, id, exchange});
          }
        });
      });
    }
  }

  void make_threads() {
    const conf::Front& front = site_->settings.front;
    const std::size_t count = std::min(front.threads.is_auto() ? runtime::usable_cpus() : front.threads.number, upstream::kMaxThreads);
    const std::size_t most = front.max_connections != 0 ? front.max_connections : std::min(descriptor_limit() / 2, memory_limit());
    for (std::size_t i = 0; i < count; ++i) {
      threads_.push_back(std::make_unique<FrontThread>(i, *site_, *access_log_, std::max<std::size_t>(1, most / count), most_memory()));
    }
    board_->set_threads(count);
  }

  void obey(upstream::Listen& order) {
    if (order.metrics) return listen_for_metrics();
    if (order.tls && site_->https_port == 0) site_->https_port = order.port;
    for (std::size_t i = 0; i < (order.shared ? threads_.size() : fds_.size()); ++i) {
      Fd socket = order.shared ? runtime::duplicate(fds_[0].get()) : std::move(fds_[i]);
      threads_[i % threads_.size()]->listen(std::move(socket), order.port, {order.tls, order.proxy_protocol});
    }
  }

  void listen_for_metrics() {
    for (Fd& socket : fds_) {
      metrics_.push_back(std::make_unique<MetricsListener>(loop_, std::move(socket), site_->settings.front.clocks,
                                                           [this](std::string_view path) { return tell(path); }));
    }
  }

  MetricsAnswer tell(std::string_view path) const {
    const std::vector<conf::App>& apps = site_->settings.apps;
    if (path == "/metrics") return {200, metrics_page({apps, board_, *herd_, expiries_}), kMetricsType};
    if (path == "/-/healthy") return {200, "healthy\n"};  // the loop turns: nothing else is asked
    if (path != "/-/ready") return {404, "there is /metrics, /-/healthy and /-/ready\n"};
    const std::string why = why_not_ready(stage(), apps, *herd_);
    return why.empty() ? MetricsAnswer{200, "ready\n"} : MetricsAnswer{503, "not ready: " + why + "\n"};
  }

  Stage stage() const {
    return is_draining_ ? Stage::kDraining : has_begun_ ? Stage::kAccepting : Stage::kStarting;
  }

  void obey(upstream::Certificates& order) {
    std::vector<CertificateFiles> files;
    for (std::size_t i = 0; i < order.names.size() && 2 * i + 1 < fds_.size(); ++i) {
      files.push_back({order.names[i], std::move(fds_[2 * i]), std::move(fds_[2 * i + 1])});
    }
    auto made = TlsContext::make(site_->settings.tls, std::move(files));
    if (!made) return say(upstream::Trouble{made.error().text()});
    const std::shared_ptr<TlsContext> context = std::move(*made);
    expiries_ = context->expiries();
    for (auto& thread : threads_) {
      if (has_begun_) {
        thread->loop().post([&t = *thread, context] { t.use(context); });
      } else {
        thread->use(context);
      }
    }
  }

  void obey(upstream::Logs&) {
    if (!fds_.empty()) runtime::log_to(std::move(fds_[0]));
    if (fds_.size() > 1) access_log_->reopen(std::move(fds_[1]));
  }

  void obey(upstream::Spool&) {
    if (!fds_.empty()) site_->spool = std::move(fds_[0]);
  }

  void obey(upstream::Begin&) {
    for (auto& thread : threads_) thread->start();
    has_begun_ = true;
    say(upstream::Started{static_cast<std::uint32_t>(threads_.size())});
  }

  void obey(upstream::Probe& order) {
    upstream::Dispatch* const dispatch = dispatch_of(order.worker.app);
    if (dispatch == nullptr) return;
    const upstream::WorkerId id = order.worker.id;
    const upstream::AppIndex app = order.worker.app;
    probes_[id] = std::make_unique<upstream::WorkerProbe>(
        loop_, order.worker, upstream::speech_of(dispatch->app()), upstream::probed_host(dispatch->app()), order.path,
        [this, id, app](bool is_ready, const std::string& cause) {
          say(upstream::Probed{app, id, is_ready, cause});
          if (is_ready) loop_.post([this, id] { probes_.erase(id); });
        });
  }

  void obey(upstream::Publish& order) {
    if (auto* dispatch = dispatch_of(order.worker.app)) dispatch->publish(order.worker);
  }

  void obey(upstream::Unpublish& order) {
    if (auto* dispatch = dispatch_of(order.app)) {
      dispatch->unpublish(order.worker, loop_, [this, order] { say(upstream::Drained{order.app, order.worker}); });
    }
  }

  void obey(upstream::Ended& order) {
    probes_.erase(order.worker);
    if (auto* dispatch = dispatch_of(order.app)) dispatch->ended(order.worker, order.unexpected);
  }

  void obey(upstream::Stack& order) { access_log_->slow().on_stack(order.exchange, order.text); }

  void obey(upstream::AppState& order) {
    if (auto* dispatch = dispatch_of(order.app)) dispatch->set_state(order.can_wait, order.has_been_ready);
  }

  void obey(upstream::Drain& order) {
    if (order.at_once) return on_drain_deadline();
    if (std::exchange(is_draining_, true)) return;
    if (!has_begun_) return loop_.stop();  // nobody was ever let in
    for (const auto& dispatch : site_->dispatches) dispatch->make_way();
    // Replaced: whoever asks whether we are ready is to ask the one that serves. If all is ending we say so to the last.
    if (!herd_->is_stopping) metrics_.clear();
    draining_left_ = threads_.size();
    for (auto& thread : threads_) {
      thread->loop().post([this, &t = *thread] {
        t.drain(loop_, [this] {
          if (--draining_left_ == 0) loop_.stop();
        });
      });
    }
    drain_deadline_.arm(site_->settings.front.drain_timeout);
  }

  // What only the front says.
  void obey(upstream::Started&) { give_up("an order that only a front gives"); }
  void obey(upstream::Probed&) { give_up("an order that only a front gives"); }
  void obey(upstream::Drained&) { give_up("an order that only a front gives"); }
  void obey(upstream::Stuck&) { give_up("an order that only a front gives"); }
  void obey(upstream::Unstuck&) { give_up("an order that only a front gives"); }
  void obey(upstream::Trouble&) { give_up("an order that only a front gives"); }

  /// drain_timeout is over: cut who is left, then end.
  void on_drain_deadline() {
    for (auto& thread : threads_) {
      thread->loop().post([&t = *thread] { t.cut_all(); });
    }
    loop_.stop();
  }

  /// Without a supervisor nobody starts workers or hands out sockets: finish what runs, then end.
  void on_supervisor_gone() {
    if (!site_) return loop_.stop();
    runtime::log(Level::kError, "the supervisor has gone; draining");
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
  std::unique_ptr<Site> site_;
  std::unique_ptr<AccessLog> access_log_;
  std::vector<std::unique_ptr<FrontThread>> threads_;
  std::unordered_map<upstream::WorkerId, std::unique_ptr<upstream::WorkerProbe>> probes_;
  std::vector<std::unique_ptr<MetricsListener>> metrics_;
  std::vector<CertificateExpiry> expiries_;  // of the certificates in use
  runtime::Timer drain_deadline_;
  std::size_t draining_left_ = 0;  // threads that still have clients; while is_draining_
  bool is_draining_ = false;
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
