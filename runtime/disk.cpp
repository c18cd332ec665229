#include "runtime/disk.h"

#include <cassert>
#include <system_error>
#include <utility>

namespace runtime {

bool Disk::start() {
  const std::scoped_lock lock(lock_);
  return !threads_.empty() || add_thread_locked();
}

/// std::thread has no other way to say that the system gives none (pthread_create(3), EAGAIN).
bool Disk::add_thread_locked() {
  try {
    threads_.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Disk::close() {
  {
    const std::scoped_lock lock(lock_);
    is_closing_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  while (first_ != nullptr) {
    Errand& undone = *unlink_locked(*first_);
    undone.desk_.bring_back(undone);
  }
}

void Disk::take(Errand& errand) {
  std::unique_lock lock(lock_);
  if (!is_closing_) {
    errand.before_ = std::exchange(last_, &errand);
    (errand.before_ != nullptr ? errand.before_->behind_ : first_) = &errand;
    errand.is_waiting_ = true;
    if (threads_.size() < most_) add_thread_locked();
    lock.unlock();
    return more_.notify_one();
  }
  lock.unlock();
  errand.desk_.bring_back(errand);
}

/// True: it will not be done. False: it is too late.
bool Disk::withdraw(Errand& errand) {
  const std::scoped_lock lock(lock_);
  if (!errand.is_waiting_) return false;
  unlink_locked(errand);
  return true;
}

Errand* Disk::unlink_locked(Errand& errand) {
  (errand.before_ != nullptr ? errand.before_->behind_ : first_) = errand.behind_;
  (errand.behind_ != nullptr ? errand.behind_->before_ : last_) = errand.before_;
  errand.before_ = errand.behind_ = nullptr;
  errand.is_waiting_ = false;
  return &errand;
}

void Disk::work() {
  std::unique_lock lock(lock_);
  for (;;) {
    more_.wait(lock, [this] { return is_closing_ || first_ != nullptr; });
    if (is_closing_) return;
    Errand& errand = *unlink_locked(*first_);
    lock.unlock();
    errand.work_();
    errand.desk_.bring_back(errand);
    lock.lock();
  }
}

DiskDesk::~DiskDesk() {
  while (!back_.empty()) collect();  // who comes back may be sent a last time, and be back at once
}

void DiskDesk::bring_back(Errand& errand) {
  {
    const std::scoped_lock lock(lock_);
    back_.push_back(&errand);
    if (back_.size() > 1) return;  // the first one has woken the loop
  }
  loop_.post([this] { collect(); });
}

void DiskDesk::collect() {
  {
    const std::scoped_lock lock(lock_);
    collected_.swap(back_);
  }
  for (Errand* errand : collected_) errand->come_back();
  collected_.clear();
}

void Errand::send() {
  assert(!is_under_way_);
  is_under_way_ = true;
  desk_.disk_.take(*this);
}

bool Errand::withdraw() {
  if (!desk_.disk_.withdraw(*this)) return false;
  is_under_way_ = false;
  return true;
}

void Errand::finish(Call<> last) {
  if (is_under_way_ && !withdraw()) {
    last_ = last;
    return;
  }
  work_ = last;
  send();
}

void Errand::come_back() {
  is_under_way_ = false;
  if (last_) return finish(std::exchange(last_, {}));
  if (owner_ != nullptr) return destroy_(owner_);
  done_();
}

}  // namespace runtime
