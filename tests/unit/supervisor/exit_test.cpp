#include "supervisor/exit.h"

#include <csignal>

#include "doctest_precompiled.h"

using supervisor::describe;
using supervisor::Exit;

TEST_CASE("an exit status is told as such") {
  CHECK(describe({.is_signal = false, .number = 0}, {}) == "exit status 0");
  CHECK(describe({.is_signal = false, .number = 3}, {.sent_by_us = SIGTERM}) == "exit status 3");
}

TEST_CASE("who sent a signal is told by elimination") {
  const Exit killed{.is_signal = true, .number = SIGKILL};
  CHECK(describe(killed, {.sent_by_us = SIGKILL, .cgroup_oom_rose = true}) == "killed by us (SIGKILL)");
  CHECK(describe(killed, {.cgroup_oom_rose = true, .machine_oom_rose = true}) == "out of memory (SIGKILL)");
  CHECK(describe(killed, {.machine_oom_rose = true}) == "probably out of memory (SIGKILL)");
  CHECK(describe(killed, {}) == "killed from outside (SIGKILL)");
}

TEST_CASE("a signal that a program brings upon itself is a crash, whatever the OOM killer did") {
  CHECK(describe({.is_signal = true, .number = SIGSEGV}, {.machine_oom_rose = true}) == "crashed (SIGSEGV)");
  CHECK(describe({.is_signal = true, .number = SIGABRT}, {}) == "crashed (SIGABRT)");
}

TEST_CASE("another signal than the one we sent is not ours") {
  CHECK(describe({.is_signal = true, .number = SIGINT}, {.sent_by_us = SIGTERM}) ==
        "killed from outside (SIGINT)");
}

TEST_CASE("one that dies of the signal that asked it to leave, when the last one has been sent already, has left by order") {
  const supervisor::ExitFacts both{.sent_by_us = SIGKILL, .asked_by_us = SIGTERM};
  CHECK(describe({.is_signal = true, .number = SIGTERM}, both) == "killed by us (SIGTERM)");
  CHECK(supervisor::reason_of({.is_signal = true, .number = SIGTERM}, both) == upstream::ExitReason::kOrdered);
  CHECK(describe({.is_signal = true, .number = SIGKILL}, both) == "killed by us (SIGKILL)");
  CHECK(supervisor::reason_of({.is_signal = true, .number = SIGKILL}, both) == upstream::ExitReason::kTimeout);
  CHECK(supervisor::reason_of({.is_signal = true, .number = SIGABRT}, {.sent_by_us = SIGKILL, .asked_by_us = SIGABRT}) == upstream::ExitReason::kOrdered);
  CHECK(supervisor::reason_of({.is_signal = true, .number = SIGKILL}, {.sent_by_us = SIGKILL, .asked_by_us = SIGKILL}) == upstream::ExitReason::kTimeout);
}

TEST_CASE("a boot that took too long is told as the reason of our kill") {
  CHECK(describe({.is_signal = true, .number = SIGKILL}, {.sent_by_us = SIGKILL, .was_timeout = true}) ==
        "not ready within boot_timeout, killed by us (SIGKILL)");
}

TEST_CASE("each kill of the OOM killer explains one death") {
  using runtime::OomKills;
  using supervisor::unexplained, supervisor::with_one_more;
  const OomKills at_start{.in_cgroup = 3, .on_machine = 7}, now{.in_cgroup = 5, .on_machine = 9};  // two that were there have died
  OomKills explained;
  CHECK(unexplained(now, at_start, explained).in_cgroup == 2);
  explained = with_one_more(explained, at_start, now);
  CHECK(unexplained(now, at_start, explained).in_cgroup == 1);
  CHECK(unexplained(now, at_start, explained).on_machine == 1);
  explained = with_one_more(explained, at_start, now);
  // Of a third, who has lived as long, somebody else's kill is the end.
  CHECK(unexplained(now, at_start, explained).in_cgroup == 0);
  CHECK(unexplained(now, at_start, explained).on_machine == 0);
  CHECK(with_one_more(explained, at_start, now).on_machine == 9);
  CHECK(unexplained({.in_cgroup = 6, .on_machine = 10}, at_start, explained).in_cgroup == 1);
}

TEST_CASE("every end has a reason of one word, for the label of a counter") {
  using enum upstream::ExitReason;
  const auto signal = [](int number) { return Exit{.is_signal = true, .number = number}; };
  const Exit status{.is_signal = false, .number = 0};
  CHECK(reason_of(status, {}) == kExited);
  CHECK(reason_of(status, {.sent_by_us = SIGTERM}) == kOrdered);
  CHECK(reason_of(signal(SIGTERM), {.sent_by_us = SIGTERM}) == kOrdered);
  CHECK(reason_of(signal(SIGTERM), {}) == kKilled);
  CHECK(reason_of(signal(SIGKILL), {}) == kKilled);
  CHECK(reason_of(signal(SIGKILL), {.cgroup_oom_rose = true}) == kOutOfMemory);
  CHECK(reason_of(signal(SIGKILL), {.machine_oom_rose = true}) == kOutOfMemory);
  CHECK(reason_of(signal(SIGKILL), {.sent_by_us = SIGKILL, .cgroup_oom_rose = true}) == kTimeout);
  CHECK(reason_of(signal(SIGKILL), {.sent_by_us = SIGKILL, .was_timeout = true}) == kTimeout);
  CHECK(reason_of(signal(SIGSEGV), {}) == kCrashed);
  CHECK(reason_of(signal(SIGSEGV), {.sent_by_us = SIGTERM}) == kCrashed);
  CHECK(reason_of(signal(SIGABRT), {.sent_by_us = SIGABRT}) == kOrdered);
}
