// Work that may wait for a disk, done by a few threads, so that no event loop ever does. What the work is,
// its maker knows: this only carries errands there and back.
//
// Disk: the threads, shared by all loops. DiskDesk: one loop's way to them. Errand: one piece of work at a
// time, a member of who has it done.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/call.h"
#include "runtime/loop.h"

namespace runtime {

class Errand;
class DiskDesk;

class Disk {
 public:
  explicit Disk(std::size_t threads) : most_(threads) {}
  ~Disk() { close(); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// The first thread, so that every errand gets done though there may be no room for another one later. False: there is none now.
  /// The others start with the errands that come.
  bool start();

  /// Waits for what is being done; what has not begun comes back undone, and so does what is sent later. No loop
  /// may turn any more.
  void close();

 private:
  friend class Errand;
  void take(Errand& errand);
  bool withdraw(Errand& errand);
  bool add_thread_locked();
  Errand* unlink_locked(Errand& errand);
  void work();

  const std::size_t most_;
  std::mutex lock_;               // guards all below, and the errands' links
  std::condition_variable more_;  // the line or is_closing_ changed
  Errand* first_ = nullptr;  // the line of those that have not begun: as long as there are who wait for it
  Errand* last_ = nullptr;
  std::vector<std::thread> threads_;
  bool is_closing_ = false;
};

class DiskDesk {
 public:
  DiskDesk(Loop& loop, Disk& disk) : loop_(loop), disk_(disk) {}
  /// The Disk is closed: whatever was under way is here.
  ~DiskDesk();
  DiskDesk(const DiskDesk&) = delete;
  DiskDesk& operator=(const DiskDesk&) = delete;

 private:
  friend class Disk;
  friend class Errand;
  void bring_back(Errand& errand);  // from any thread
  void collect();

  Loop& loop_;
  Disk& disk_;
  std::mutex lock_;                 // guards back_
  std::vector<Errand*> back_;       // done, and not yet told
  std::vector<Errand*> collected_;  // of collect(); kept for its capacity
};

class Errand {
 public:
  /// `work` is called on a thread of the Disk, `done` then on the loop's. Between send() and `done` what
  /// `work` touches is the Disk's: nobody else looks at it.
  Errand(DiskDesk& desk, Call<> work, Call<> done) : desk_(desk), work_(work), done_(done) {}
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  /// Not while it is under way.
  void send();
  bool is_under_way() const { return is_under_way_; }

  /// Destroys `owner`, of which `errand` is a member: now if its work has not begun, else when the errand has
  /// come back. `done` is not called.
  template <class T>
  static void abandon(std::unique_ptr<T> owner, Errand& errand) {
    if (!errand.is_under_way_ || errand.withdraw()) return;
    errand.owner_ = owner.release();
    errand.destroy_ = [](void* body) { delete static_cast<T*>(body); };
  }

  /// Does `last` for `owner` on a thread of the Disk, then destroys it: for what may wait for the disk even at its
  /// end. What has not begun is left out, what is being done comes first. `done` is not called.
  template <class T>
  static void retire(std::unique_ptr<T> owner, Errand& errand, Call<> last) {
    errand.owner_ = owner.release();
    errand.destroy_ = [](void* body) { delete static_cast<T*>(body); };
    errand.finish(last);
  }

 private:
  friend class Disk;
  friend class DiskDesk;
  bool withdraw();
  void finish(Call<> last);
  void come_back();

  DiskDesk& desk_;
  Call<> work_, done_;
  Call<> last_;                // set by retire() while it is under way: what is done next, and last
  bool is_under_way_ = false;  // the loop's thread looks at this and at what follows
  void* owner_ = nullptr;      // set by abandon(): to be destroyed instead of called
  void (*destroy_)(void*) = nullptr;
  Errand* before_ = nullptr;  // in the Disk's line, while is_waiting_; guarded by its lock
  Errand* behind_ = nullptr;
  bool is_waiting_ = false;
};

}  // namespace runtime
