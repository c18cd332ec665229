// Workers that are lost while they have the exchange, and may have died of it: on whom it is tried again, and when no more.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "runtime/log.h"

namespace proxy {

using upstream::Death;

/// A worker cannot have died of what it has not had. Of one that somebody else supervises nobody would tell us.
void Exchange::note_loss() {
  if (upload_.accepted() == 0 || reader_.was_not_taken() || !app().has_processes()) return;
  record_.lose();
  desk_->doubt(record_.worker);
}

/// Until the word comes each of them may have died of it.
bool Exchange::is_suspect() const {
  const auto is_open = [this](const Loss& loss) { return desk_->dispatch().death_of(loss.worker) != Death::kAskedFor; };
  return std::ranges::any_of(record_.all_lost(), is_open);
}

unsigned Exchange::deaths() const {
  const auto is_unexplained = [this](const Loss& loss) { return desk_->dispatch().death_of(loss.worker) == Death::kUnexplained; };
  return static_cast<unsigned>(std::ranges::count_if(record_.all_lost(), is_unexplained));
}

/// The worker of which has to be heard before it can be said whether this is an incident; nothing: there is no such worker.
std::optional<upstream::WorkerId> Exchange::awaited_word() const {
  if (record_.losses < upstream::kMostDeaths) return std::nullopt;
  std::optional<upstream::WorkerId> awaited;
  for (const Loss& loss : record_.all_lost()) {
    const Death death = desk_->dispatch().death_of(loss.worker);
    if (death == Death::kAskedFor) return std::nullopt;
    if (death == Death::kUnknown) awaited = loss.worker;
  }
  return awaited;
}

/// The slot is free meanwhile.
void Exchange::hold_inquest(upstream::WorkerId worker) {
  phase_ = Phase::kInquest;
  lease_.give_back(false);
  inquest_.open(*desk_, worker);
  const runtime::Time end = thread_.loop().now() + upstream::kWordWithin;
  deadline_.arm_at(total_until_ == runtime::Time{} ? end : std::min(end, total_until_));
}

void Exchange::on_word() {
  if (const auto worker = awaited_word()) return inquest_.open(*desk_, *worker);
  decide(/*connect_failed=*/false);
}

void Exchange::answer_incident() {
  runtime::log(runtime::Level::kError, "two workers died with the same request in flight; no other one gets it",
               {{"incident", ours_.request_id()},
                {"app", app().name},
                {"method", request_.method_text},
                {"path", request_.path},
                {"first_pid", record_.lost.front().pid},
                {"second_pid", record_.lost.back().pid}});
  OwnAnswer answer(503, request_.method);
  answer.incident(ours_.request_id());
  say(answer);
  end(kIncident);
}

}  // namespace proxy
