#include "supervisor/upgrade.h"

#include <cerrno>
#include <utility>

#include "runtime/log.h"
#include "supervisor/handover.h"

namespace supervisor {

using runtime::Code;
using runtime::Level;
using runtime::Result;

namespace {

// The same bytes: another file has another time of change, also if it has got the number of one that has gone.
bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino && one.st_size == other.st_size &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

}  // namespace

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
  if (!is_on_its_way_) return;  // given up meanwhile
  if (const auto asked = ask_judge(); !asked) end(asked.error());
}

// Once it has been judged, save() says the same.
void Upgrade::abandon() {
  if (!is_on_its_way_ || held_) return;
  if (judge_) loop_.bury(std::move(judge_));
  end({Code::kSystem, "everything is ending"});
}

Result<void> Upgrade::ask_judge() {
  TRY(const saved::Supervisor all, save_(asker_));
  TRY(const runtime::Fd memory, in_memory(saved::write(all)));
  if (::stat(path_.c_str(), &program_) != 0) return runtime::fail(Code::kSystem, "cannot find " + path_, errno);
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
  const runtime::Error why = execute();
  held_.reset();
  end(why);
}

// Returns only if that fails. Nobody has asked a program that has been put there meanwhile.
runtime::Error Upgrade::execute() const {
  struct stat now{};
  if (::stat(path_.c_str(), &now) != 0 || !is_same(now, program_))
    return {Code::kSystem, path_ + " was replaced while it was asked whether it can go on; try again"};
  const auto all = save_(asker_);
  if (!all) return all.error();
  // The judge was asked about what was a moment ago, and neither program could go on with what does not fit together.
  if (const auto checked = saved::check(*all); !checked) return checked.error();
  return supervisor::hand_over(path_, *all, notify_);
}

void Upgrade::end(const runtime::Error& why) {
  runtime::log(Level::kError, "no upgrade: everything is as it was", {{"error", why.text()}});
  is_on_its_way_ = false;
  std::exchange(asker_, Asker()).refuse(why);
}

}  // namespace supervisor
