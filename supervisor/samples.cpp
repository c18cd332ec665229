#include "supervisor/samples.h"

#include "runtime/machine.h"

namespace supervisor {
namespace {

constexpr runtime::Milliseconds kEvery{1000};
constexpr std::uint64_t kMemoryEvery = 5;  // looks: each is a file of /proc for each worker

}  // namespace

Samples::Samples(runtime::Loop& loop, const std::vector<std::unique_ptr<Group>>& groups,
                 Boards& boards)
    : loop_(loop),
      groups_(groups),
      boards_(boards),
      next_(loop, runtime::bind<&Samples::look>(this)) {}

void Samples::look() {
  next_.arm(kEvery);
  look_at_rates();
  look_at_limits();
  if (looks_++ % kMemoryEvery == 0) look_at_memory();
}

Rates Samples::rates(upstream::AppIndex app) const {
  const auto found = rates_.find(app);
  return found == rates_.end() ? Rates() : found->second;
}

void Samples::look_at_rates() {
  std::map<upstream::AppIndex, Rates> next;
  for (const auto& group : groups_) {
    Rates& rates = next[group->index()] = this->rates(group->index());
    rates.add(loop_.now(), boards_.fronts.durations(group->index()));
  }
  rates_ = std::move(next);
}

// Its share of what it has in common with others counts, or a worker that was forked would be blamed for all that
// they have together.
void Samples::look_at_limits() {
  for (const auto& group : groups_) {
    for (Worker* const worker : group->all()) {
      if (worker->pid() == 0 || worker->release()->app.max_memory == 0) continue;
      if (const auto held = runtime::proportional_memory(worker->pid())) worker->on_memory(*held);
    }
  }
}

void Samples::look_at_memory() {
  for (const auto& group : groups_) {
    runtime::Bytes zygotes = 0;
    for (const auto& [generation, zygote] : group->zygotes()) {
      zygotes += runtime::proportional_memory(zygote->pid()).value_or(0);
    }
    boards_.herd->app[group->index()].zygote_memory = zygotes;
    for (const Worker* const worker : group->all()) {
      const auto memory = worker->memory();
      if (!memory) continue;
      upstream::WorkerMemory& row = boards_.herd->memory[worker->row()];
      row.app = group->index();
      row.slot = worker->slot();
      row.bytes = *memory;
    }
  }
}

}  // namespace supervisor
