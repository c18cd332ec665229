// One of the places of an app: who holds it, and while that one is replaced, one more. What is done with the
// two: group_replace.cpp.
#pragma once
#include <memory>

#include "supervisor/worker.h"

namespace supervisor {

struct Place {
  explicit Place(std::unique_ptr<Worker> first) : holder(std::move(first)) {}

  std::unique_ptr<Worker> holder;  ///< never null; perhaps without a process
  std::unique_ptr<Worker> extra;   ///< who is to come, and then who has to go; or null
  bool has_successor = false;      ///< `extra` is to have the place when it is ready
  bool is_leaving = false;         ///< one place fewer is wanted: gone when its workers are

  std::uint32_t slot() const { return holder->slot(); }
  bool is_empty() const { return !extra && holder->state() == State::kIdle; }
  bool is_ready() const { return holder->state() == State::kReady; }
  bool is_successor(const Worker& worker) const { return has_successor && &worker == extra.get(); }
};

}  // namespace supervisor
