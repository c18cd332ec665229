// `reload = true`: an app is released anew whenever a file changes that it is made of. What that is its Python workers tell
// (upstream/python/imported.py); of a command it is what lies in its folder. Read from top to bottom.
#include <algorithm>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

void Group::watch_sources() {
  if (is_service() || !app().reload) return sources_.reset();
  if (!sources_) {
    auto events = SourceWatch::open();
    if (!events) return runtime::log(runtime::Level::kError, "no release by itself", {{"app", app().name}, {"error", events.error().text()}});
    sources_ = std::make_unique<SourceWatch>(herd_.reaper.loop(), std::move(*events), runtime::bind<&Group::on_sources_changed>(this));
  }
  if (app().is_python()) return sources_->add(app().directory);
  sources_->add_tree(app().directory);
}

void Group::on_imported(const std::vector<std::string>& folders) {
  if (!sources_) return;
  for (const std::string& folder : folders) sources_->add(folder);
}

// Nobody has ordered it: what becomes of it is in the log, with what the app has to say. One that is still on its way is given up
// for it, and until it is in force the generation before serves.
void Group::on_sources_changed() {
  if (!is_wanted_ || gate_ == upstream::Gate::kStopped) return;
  runtime::log(runtime::Level::kInfo, "sources have changed", {{"app", app().name}, {"file", sources_->changed()}});
  restart({.on_progress = [](const std::string&) {}, .on_done = [](const runtime::Result<void>&) {}});
}

}  // namespace supervisor
