// The fields of what is handed on (saved.h), each once: one list serves writing, reading and finding the descriptors.
// Whoever visits them is called with a name and a value. For saved.cpp alone.
#pragma once
#include "supervisor/saved.h"

namespace supervisor::saved {

template <class V>
void fields(V& v, Settings& settings) {
  v("text", settings.text);
  v("digests", settings.digests);
}

template <class V>
void fields(V& v, supervisor::Account& account) {
  v("name", account.name);
  v("home", account.home);
  v("uid", account.uid);
  v("gid", account.gid);
  v("groups", account.groups);
}

template <class V>
void fields(V& v, Child& child) {
  v("pid", child.pid);
  v("pidfd", child.pidfd);
  v("failure", child.failure);
  v("sent", child.sent);
  v("asked", child.asked);
}

template <class V>
void fields(V& v, Stream& stream) {
  v("fd", stream.fd);
  v("partial", stream.partial);
  v("is_discarding", stream.is_discarding);
}

template <class V>
void fields(V& v, Output& output) {
  v("out", output.out);
  v("err", output.err);
  v("last_lines", output.last_lines);
}

template <class V>
void fields(V& v, Socket& socket) {
  v("path", socket.path);
  v("folder", socket.folder);
  v("port", socket.port);
}

template <class V>
void fields(V& v, Notify& notify) {
  v("fd", notify.fd);
  v("path", notify.path);
}

template <class V>
void fields(V& v, StuckExchange& stuck) {
  v("id", stuck.id);
  v("since", stuck.since);
}

template <class V>
void fields(V& v, runtime::OomKills& kills) {
  v("in_cgroup", kills.in_cgroup);
  v("on_machine", kills.on_machine);
}

template <class V>
void fields(V& v, retire::Limits& limits) {
  v("requests", limits.requests);
  v("age", limits.age);
}

template <class V>
void fields(V& v, upstream::Worker& worker) {
  v("id", worker.id);
  v("app", worker.app);
  v("slot", worker.slot);
  v("pid", worker.pid);
  v("generation", worker.generation);
  v("row", worker.row);
  v("slots", worker.slots);
  v("speech", worker.speech);
  v("max_requests", worker.max_requests);
  v("socket", worker.socket);
}

template <class V>
void fields(V& v, Process& process) {
  v("about", process.about);
  v("has_row", process.has_row);
  v("socket", process.socket);
  v("notify", process.notify);
  v("output", process.output);
  v("child", process.child);
  v("stacks", process.stacks);
  v("stuck", process.stuck);
  v("started", process.started);
  v("begun", process.begun);
  v("ready_since", process.ready_since);
  v("kills_before", process.kills_before);
  v("limits", process.limits);
  v("looks_above", process.looks_above);
  v("first_held", process.first_held);
  v("is_spent", process.is_spent);
  v("was_ready", process.was_ready);
  v("is_probed", process.is_probed);
  v("probe_cause", process.probe_cause);
}

template <class V>
void fields(V& v, upstream::Lost& lost) {
  v("app", lost.app);
  v("worker", lost.worker);
  v("requests", lost.requests);
  v("ages", lost.ages);
}

template <class V>
void fields(V& v, DeathCertificate& death) {
  v("cause", death.cause);
  v("reason", death.reason);
  v("pid", death.pid);
  v("age", death.age);
  v("served", death.served);
  v("peak_memory", death.peak_memory);
  v("in_flight", death.in_flight);
  v("last_lines", death.last_lines);
}

template <class V>
void fields(V& v, Worker& worker) {
  v("generation", worker.generation);
  v("state", worker.state);
  v("process", worker.process);
  v("start_failure", worker.start_failure);
  v("has_timed_out", worker.has_timed_out);
  v("had_been_ready", worker.had_been_ready);
  v("failures", worker.failures);
  v("death", worker.death);
  v("asked_about", worker.asked_about);
  v("answers_due", worker.answers_due);
  v("no_word", worker.no_word);
  v("not_before", worker.not_before);
  v("deadline", worker.deadline);
}

template <class V>
void fields(V& v, Place& place) {
  v("slot", place.slot);
  v("holder", place.holder);
  v("extra", place.extra);
  v("has_successor", place.has_successor);
  v("is_leaving", place.is_leaving);
}

template <class V>
void fields(V& v, Variable& variable) {
  v("name", variable.name);
  v("value", variable.value);
}

template <class V>
void fields(V& v, Zygote& zygote) {
  v("child", zygote.child);
  v("control", zygote.control);
}

template <class V>
void fields(V& v, ServiceRelease& release) {
  v("name", release.name);
  v("generation", release.generation);
  v("account", release.account);
  v("file_environment", release.file_environment);
}

template <class V>
void fields(V& v, Release& release) {
  v("generation", release.generation);
  v("app", release.app);
  v("account", release.account);
  v("file_environment", release.file_environment);
  v("zygote", release.zygote);
  v("services", release.services);
}

template <class V>
void fields(V& v, LeavingProxy& leaving) {
  v("about", leaving.about);
  v("until", leaving.until);
}

template <class V>
void fields(V& v, Group& group) {
  v("index", group.index);
  v("releases", group.releases);
  v("target", group.target);
  v("before", group.before);
  v("last_generation", group.last_generation);
  v("wanted", group.wanted);
  v("is_pinned", group.is_pinned);
  v("has_chosen", group.has_chosen);
  v("is_asleep", group.is_asleep);
  v("explained_in_share", group.explained_in_share);
  v("gate", group.gate);
  v("notice", group.notice);
  v("paused_until", group.paused_until);
  v("late", group.late);
  v("unspared", group.unspared);
  v("spare_since", group.spare_since);
  v("settled_since", group.settled_since);
  v("places", group.places);
  v("proxies", group.proxies);
  v("leaving_proxies", group.leaving_proxies);
  v("spent_until", group.spent_until);
  v("failures", group.failures);
  v("has_been_ready", group.has_been_ready);
  v("last_exit", group.last_exit);
  v("name", group.name);
  v("services", group.services);
  v("sources", group.sources);
}

template <class V>
void fields(V& v, Line& line) {
  v("time", line.time);
  v("worker", line.worker);
  v("text", line.text);
}

template <class V>
void fields(V& v, Tail& tail) {
  v("app", tail.app);
  v("lines", tail.lines);
}

template <class V>
void fields(V& v, upstream::Unstuck& unstuck) {
  v("app", unstuck.app);
  v("worker", unstuck.worker);
  v("exchange", unstuck.exchange);
}

template <class V>
void fields(V& v, FrontProcess& process) {
  v("child", process.child);
  v("channel", process.channel);
  v("block", process.block);
  v("started_at", process.started_at);
  v("version", process.version);
  v("owed", process.owed);
  v("stuck", process.stuck);
  v("unanswered", process.unanswered);
  v("deadline", process.deadline);
  v("is_draining", process.is_draining);
  v("is_cut", process.is_cut);
  v("stands_in_folder", process.stands_in_folder);
}

template <class V>
void fields(V& v, Leaving& leaving) {
  v("worker", leaving.worker);
  v("app", leaving.app);
}

template <class V>
void fields(V& v, Front& front) {
  v("current", front.current);
  v("draining", front.draining);
  v("known", front.known);
  v("leaving", front.leaving);
  v("spent_until", front.spent_until);
}

template <class V>
void fields(V& v, Behind& behind) {
  v("app", behind.app);
  v("why", behind.why);
}

template <class V>
void fields(V& v, Reload& reload) {
  v("unused", reload.unused);
  v("behind", reload.behind);
}

template <class V>
void fields(V& v, Board& board) {
  v("memory", board.memory);
  v("size", board.size);
  v("layout", board.layout);
}

template <class V>
void fields(V& v, Listener& listener) {
  v("text", listener.text);
  v("asked", listener.asked);
  v("port", listener.port);
  v("tls", listener.tls);
  v("shared", listener.shared);
  v("proxy_protocol", listener.proxy_protocol);
  v("metrics", listener.metrics);
  v("is_adopted", listener.is_adopted);
  v("sockets", listener.sockets);
}

template <class V>
void fields(V& v, Listeners& listeners) {
  v("all", listeners.all);
  v("paths", listeners.paths);
}

template <class V>
void fields(V& v, Folder& folder) {
  v("path", folder.path);
  v("lock", folder.lock);
}

template <class V>
void fields(V& v, Control& control) {
  v("listener", control.listener);
  v("path", control.path);
  v("group", control.group);
  v("asker", control.asker);
}

template <class V>
void fields(V& v, Program& program) {
  v("self", program.self);
  v("path", program.path);
}

// "format" and "program" are what every version finds at the same place.
template <class V>
void fields(V& v, Supervisor& supervisor) {
  v("format", supervisor.format);
  v("program", supervisor.program);
  v("version", supervisor.version);
  v("settings", supervisor.settings);
  v("is_run", supervisor.is_run);
  v("listeners", supervisor.listeners);
  v("folder", supervisor.folder);
  v("control", supervisor.control);
  v("error_log", supervisor.error_log);
  v("access_log", supervisor.access_log);
  v("spool", supervisor.spool);
  v("python", supervisor.python);
  v("fronts_board", supervisor.fronts_board);
  v("herd_board", supervisor.herd_board);
  v("front", supervisor.front);
  v("front_account", supervisor.front_account);
  v("descriptors", supervisor.descriptors);
  v("last_id", supervisor.last_id);
  v("rows", supervisor.rows);
  v("explained_kills", supervisor.explained_kills);
  v("cgroups", supervisor.cgroups);
  v("groups", supervisor.groups);
  v("reload", supervisor.reload);
  v("tails", supervisor.tails);
}

}  // namespace supervisor::saved
