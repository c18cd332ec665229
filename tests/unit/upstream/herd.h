// An app without workers of its own: what a dispatch and those around it need to be tried.
#pragma once
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/socket.h"
#include "upstream/dispatch.h"
#include "upstream/place.h"

/// An app with workers that listen but never answer: enough for slots, the line and connections.
struct Herd {
  Herd(std::size_t concurrency, std::size_t queue_size = 1000) {
    char name[] = "/tmp/portherd-dispatch-XXXXXX";
    folder = ::mkdtemp(name);
    app.name = "shop";
    app.command = {"true"};
    app.concurrency = concurrency;
    app.queue_size = queue_size;
    board = std::make_unique<upstream::Board>();
    dispatch = std::make_unique<upstream::Dispatch>(0, *board);
    dispatch->configure(&app);
    desk = std::make_unique<upstream::Desk>(loop, *dispatch);
  }
  ~Herd() {
    loop.turn(false);
    desk.reset();
    loop.turn(false);
    dispatch.reset();
    std::filesystem::remove_all(folder);
  }
  void publish(upstream::WorkerId id, std::uint64_t max_requests = 0) {
    const std::string path = folder + "/" + std::to_string(id);
    listeners.push_back(std::move(*runtime::listen_unix(path, 0600)));
    dispatch->publish({.id = id,
                       .slot = static_cast<std::uint32_t>(id),
                       .pid = app.has_processes() ? 1 : 0,
                       .row = static_cast<std::uint32_t>(id),
                       .slots = static_cast<std::uint32_t>(app.concurrency),
                       .speech = upstream::speech_of(app),
                       .max_requests = max_requests,
                       .socket = path});
  }
  std::string folder;
  conf::App app;
  std::unique_ptr<upstream::Board> board;
  runtime::Loop loop;
  std::unique_ptr<upstream::Dispatch> dispatch;
  std::unique_ptr<upstream::Desk> desk;
  std::vector<runtime::Fd> listeners;
};

constexpr std::chrono::seconds kQueueTimeout{3};

/// A request as far as the dispatch can see it.
struct Asker {
  explicit Asker(Herd& h, std::uint64_t number = 0) : herd(h), address{AF_INET, number}, ticket(runtime::bind<&Asker::on_leased>(this)) {}
  upstream::Acquired ask(upstream::WorkerId tried = 0, bool is_suspect = false) {
    return herd.dispatch->acquire(*herd.desk, ticket, lease, {.address = address, .tried = tried, .is_suspect = is_suspect, .queue_timeout = kQueueTimeout});
  }
  void on_leased(upstream::Lease& given) {
    ++calls;
    lease = std::move(given);
  }
  Herd& herd;
  runtime::AddressKey address;
  upstream::Ticket ticket;
  upstream::Lease lease;
  int calls = 0;
};
