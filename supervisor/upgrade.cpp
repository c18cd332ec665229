#include "supervisor/upgrade.h"

#include <utility>

#include "runtime/log.h"
#include "supervisor/handover.h"

namespace supervisor {

using runtime::Code;
using runtime::Level;
using runtime::Result;

Upgrade::Upgrade(Reaper& reaper, std::string path, std::string notify, Front& front, Save save)
    : reaper_(reaper),
      loop_(reaper.loop()),
      path_(std::move(path)),
      notify_(std::move(notify)),
      front_(front),
      save_(std::move(save)),
      next_turn_(loop_, runtime::bind<&Upgrade::on_next_turn>(this)),
      hand_over_(loop_, runtime::bind<&Upgrade::hand_over>(this)) {}

void Upgrade::begin(const Asker& asker) {
  if (std::exchange(is_on_its_way_, true)) return asker.refuse({Code::kSystem, "an upgrade is on its way already"});
  asker_ = asker;
  if (!front_.is_settled()) asker_.say(Front::kWaits);
  front_.when_settled([this] { on_front_settled(); });
}

void Upgrade::on_front_settled() {
  if (const auto asked = ask_judge(); !asked) end(asked.error());
}

Result<void> Upgrade::ask_judge() {
  TRY(const saved::Supervisor all, save_(asker_));
  TRY(const runtime::Fd memory, in_memory(saved::write(all)));
  TRY(judge_, Judge::begin(reaper_, path_, memory, [this](Result<std::string> version) {
        on_judged(std::move(version));
      }));
  return {};
}

// A signal that came before they were held may lie in the loop, where exec would lose it: it is obeyed in the next
// turn, and at the end of that nothing is left.
void Upgrade::on_judged(Result<std::string> version) {
  loop_.bury(std::move(judge_));
  if (!version) return end(version.error());
  runtime::log(Level::kInfo, "handing over to another program", {{"program", path_}, {"version", *version}});
  held_.emplace();
  next_turn_.arm(runtime::Milliseconds(0));
}

void Upgrade::on_next_turn() {
  hand_over_.schedule();
}

void Upgrade::hand_over() {
  auto all = save_(asker_);
  const runtime::Error why = all ? supervisor::hand_over(path_, *all, notify_) : all.error();
  held_.reset();
  end(why);
}

void Upgrade::end(const runtime::Error& why) {
  runtime::log(Level::kError, "no upgrade: everything is as it was", {{"error", why.text()}});
  is_on_its_way_ = false;
  std::exchange(asker_, Asker()).refuse(why);
}

}  // namespace supervisor
