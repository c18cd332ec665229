#include "runtime/disk.h"

#include <pthread.h>

#include <cassert>
#include <csignal>

namespace runtime {

Disk::~Disk() {
  {
    const std::scoped_lock lock(lock_);
    is_closing_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (Errand* errand : waiting_) errand->desk_.bring_back(*errand);
}

void Disk::take(Errand& errand) {
  {
    const std::scoped_lock lock(lock_);
    waiting_.push_back(&errand);
    if (threads_.size() < most_) threads_.emplace_back([this] { work(); });
  }
  more_.notify_one();
}

void Disk::work() {
  std::unique_lock lock(lock_);
  for (;;) {
    more_.wait(lock, [this] { return is_closing_ || !waiting_.empty(); });
    if (is_closing_) return;
    Errand& errand = *waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    errand.work_();
    errand.desk_.bring_back(errand);
    lock.lock();
  }
}

DiskDesk::~DiskDesk() {
  for (Errand* errand : back_) errand->come_back();
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

void Errand::come_back() {
  is_under_way_ = false;
  if (owner_ != nullptr) return destroy_(owner_);
  done_();
}

}  // namespace runtime
