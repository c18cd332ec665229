#include "runtime/disk.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>

#include "doctest_precompiled.h"

namespace {

using runtime::bind;
using runtime::Disk;
using runtime::DiskDesk;
using runtime::Errand;
using runtime::Loop;

/// Notes on which thread each half of its errand ran; its work waits for `may_go`.
struct Worker {
  Worker(DiskDesk& desk, std::latch& gate)
      : may_go(gate), errand(desk, bind<&Worker::work>(this), bind<&Worker::done>(this)) {}
  ~Worker() {
    if (ended != nullptr) ++*ended;
  }
  void work() {
    began.count_down();
    may_go.wait();
    worked_on = std::this_thread::get_id();
  }
  void done() {
    ++times_done;
    done_on = std::this_thread::get_id();
  }

  std::latch& may_go;
  std::latch began{1};
  std::thread::id worked_on, done_on;
  int times_done = 0;
  int* ended = nullptr;  // counts
  Errand errand;
};

// root has no such limit.
void have_no_room_for_threads() {
  if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return;
  const rlimit none{};
  ::setrlimit(RLIMIT_NPROC, &none);
}

}  // namespace

TEST_CASE("the work is done on another thread, and told on the loop's") {
  Loop loop;
  Disk disk(2);
  DiskDesk desk(loop, disk);
  std::latch open(0);
  Worker worker(desk, open);
  CHECK_FALSE(worker.errand.is_under_way());
  for (int i = 1; i <= 3; ++i) {
    worker.errand.send();
    CHECK(worker.errand.is_under_way());
    while (worker.times_done < i) loop.turn();
    CHECK_FALSE(worker.errand.is_under_way());
  }
  CHECK(worker.done_on == std::this_thread::get_id());
  CHECK(worker.worked_on != std::this_thread::get_id());
}

TEST_CASE("the first thread is there before the first errand, and does them all where there is no room for another one") {
  const pid_t child = ::fork();
  if (child == 0) {
    Loop loop;
    Disk disk(2);
    const bool has_started = disk.start();
    have_no_room_for_threads();
    DiskDesk desk(loop, disk);
    std::latch open(0);
    Worker worker(desk, open);
    worker.errand.send();
    while (worker.times_done < 1) loop.turn();
    ::_exit(has_started ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a disk without room for a thread says so") {
  const pid_t child = ::fork();
  if (child == 0) {
    have_no_room_for_threads();
    Disk disk(1);
    ::_exit(disk.start() ? 1 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("more errands than threads are all done") {
  Loop loop;
  Disk disk(2);
  DiskDesk desk(loop, disk);
  std::latch open(0);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 100; ++i) workers.push_back(std::make_unique<Worker>(desk, open));
  for (auto& worker : workers) worker->errand.send();
  for (auto& worker : workers) {
    while (worker->times_done == 0) loop.turn();
  }
}

TEST_CASE("an owner that has lost interest is destroyed when its errand is back, and not before") {
  Loop loop;
  Disk disk(1);
  DiskDesk desk(loop, disk);
  std::latch gate(1), open(0);
  int ended = 0;
  auto gone = std::make_unique<Worker>(desk, gate);
  gone->ended = &ended;
  gone->errand.send();
  gone->began.wait();
  Errand& errand = gone->errand;
  Errand::abandon(std::move(gone), errand);
  CHECK(ended == 0);

  Worker next(desk, open);
  next.errand.send();
  gate.count_down();
  while (next.times_done == 0) loop.turn();
  CHECK(ended == 1);

  auto idle = std::make_unique<Worker>(desk, open);
  idle->ended = &ended;
  Errand& at_rest = idle->errand;
  Errand::abandon(std::move(idle), at_rest);
  CHECK(ended == 2);
}

TEST_CASE("an errand that has not begun is withdrawn at once, wherever it stands in line") {
  Loop loop;
  Disk disk(1);
  DiskDesk desk(loop, disk);
  std::latch gate(1), open(0);
  Worker busy(desk, gate);
  busy.errand.send();
  busy.began.wait();
  int ended = 0;
  std::vector<std::unique_ptr<Worker>> line;
  for (int i = 0; i < 5; ++i) {
    line.push_back(std::make_unique<Worker>(desk, open));
    line.back()->ended = &ended;
    line.back()->errand.send();
  }
  for (const std::size_t gone : {2U, 0U, 4U}) {
    Errand& errand = line[gone]->errand;
    Errand::abandon(std::move(line[gone]), errand);
  }
  CHECK(ended == 3);
  gate.count_down();
  while (line[1]->times_done == 0 || line[3]->times_done == 0) loop.turn();
  Worker last(desk, open);
  last.errand.send();
  while (last.times_done == 0) loop.turn();
  CHECK(busy.times_done == 1);
}

TEST_CASE("who is retired has a last thing done for it, wherever it was, and is destroyed then") {
  Loop loop;
  Disk disk(1);
  DiskDesk desk(loop, disk);
  std::latch gate(1), open(0);
  struct Retired {
    Retired(DiskDesk& desk, std::latch& gate, std::string& n, int& count)
        : notes(n), ended(count), may_go(gate), errand(desk, bind<&Retired::work>(this), bind<&Retired::done>(this)) {}
    ~Retired() {
      notes += "ended";
      ++ended;
    }
    void work() {
      began.count_down();
      may_go.wait();
      notes += "work ";
    }
    void last() { notes += "last "; }
    void done() { notes += "done "; }
    std::string& notes;  // of both threads, in turn
    int& ended;          // of the loop's
    std::latch& may_go;
    std::latch began{1};
    Errand errand;
  };
  const auto retire = [](std::unique_ptr<Retired> owner) {
    Errand& errand = owner->errand;
    const runtime::Call<> last = bind<&Retired::last>(owner.get());
    Errand::retire(std::move(owner), errand, last);
  };
  int ended = 0;
  std::string busy_notes, waiting_notes, idle_notes, late_notes;
  auto busy = std::make_unique<Retired>(desk, gate, busy_notes, ended);
  auto waiting = std::make_unique<Retired>(desk, open, waiting_notes, ended);
  busy->errand.send();
  busy->began.wait();
  waiting->errand.send();
  retire(std::move(busy));
  retire(std::move(waiting));
  retire(std::make_unique<Retired>(desk, open, idle_notes, ended));
  gate.count_down();
  while (ended < 3) loop.turn();
  CHECK(busy_notes == "work last ended");
  CHECK(waiting_notes == "last ended");
  CHECK(idle_notes == "last ended");
  {
    DiskDesk gone(loop, disk);
    disk.close();
    retire(std::make_unique<Retired>(gone, open, late_notes, ended));  // too late for that
    CHECK(late_notes.empty());
  }
  CHECK(late_notes == "ended");
}

TEST_CASE("what was under way when the disk closed is destroyed by the desk, done or not") {
  int ended = 0;
  {
    Loop loop;
    auto disk = std::make_unique<Disk>(1);
    DiskDesk desk(loop, *disk);
    std::latch gate(1);
    std::vector<std::unique_ptr<Worker>> workers;
    for (int i = 0; i < 3; ++i) {
      workers.push_back(std::make_unique<Worker>(desk, gate));
      workers.back()->ended = &ended;
      workers.back()->errand.send();
    }
    workers.front()->began.wait();
    gate.count_down();
    disk->close();
    for (auto& worker : workers) {
      CHECK(worker->times_done == 0);
      CHECK(worker->errand.is_under_way());
      Errand& errand = worker->errand;
      Errand::abandon(std::move(worker), errand);
    }
    CHECK(ended == 0);
  }
  CHECK(ended == 3);
}
