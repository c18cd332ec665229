#include "supervisor/known.h"

namespace supervisor {

void Known::note(const upstream::Order& order) {
  if (const auto* publish = std::get_if<upstream::Publish>(&order)) {
    const upstream::Worker& worker = publish->worker;
    probes_.erase(worker.id);
    published_[worker.id] = worker;
    upstream::AppState& state = apps_[worker.app];
    state.app = worker.app;
    state.can_wait = state.has_been_ready = true;
    state.is_asleep = false;
  } else if (const auto* unpublish = std::get_if<upstream::Unpublish>(&order)) {
    published_.erase(unpublish->worker);
    probes_.erase(unpublish->worker);
  } else if (const auto* ended = std::get_if<upstream::Ended>(&order)) {
    published_.erase(ended->worker);
    probes_.erase(ended->worker);
  } else if (const auto* probe = std::get_if<upstream::Probe>(&order)) {
    probes_[probe->worker.id] = *probe;
  } else if (const auto* state = std::get_if<upstream::AppState>(&order)) {
    apps_[state->app] = *state;
  }
}

void Known::note(const upstream::Probed& answer) {
  const auto probe = probes_.find(answer.worker);
  if (probe != probes_.end() && (answer.is_ready || probe->second.within != 0)) probes_.erase(probe);
}

std::vector<upstream::Order> Known::roster() const {
  std::vector<upstream::Order> orders;
  for (const auto& [index, state] : apps_) orders.emplace_back(state);
  for (const auto& [id, worker] : published_) orders.emplace_back(upstream::Publish{worker});
  return orders;
}

std::vector<upstream::Order> Known::probes() const {
  std::vector<upstream::Order> orders;
  for (const auto& [id, probe] : probes_) orders.emplace_back(probe);
  return orders;
}

}  // namespace supervisor
