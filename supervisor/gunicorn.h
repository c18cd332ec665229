// What gunicorn's settings mean here: a table of each name, our key or the sentence that says why there is
// none. The same table serves `portherd import gunicorn.conf.py` and those flags of `run` that gunicorn's and
// uvicorn's users know. PURE. Source: gunicorn's docs, "Settings" (20.1 to 23).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conf/print.h"
#include "conf/settings.h"
#include "runtime/result.h"

namespace supervisor::gunicorn {

/// Numbers and booleans are text: "30", "True". No text: None.
struct Setting {
  std::string name;
  std::vector<std::string> texts;
};

enum class Kind { kUnknown, kWsgi, kAsgi };

/// What the settings are put into, and what is to be said about it.
struct Draft {
  conf::Settings& settings;
  conf::App& app;
  conf::Notes notes;                  ///< by our key
  std::vector<std::string> left_out;  ///< sentences, "NAME: ..."
  Kind kind = Kind::kUnknown;         ///< what `worker_class` says of the app, or what it was found to be
  bool is_sync = false;               ///< one request at a time: gunicorn's default
  bool has_threads = false;
  std::string target;            ///< `wsgi_app`
  std::string certificate, key;  ///< `certfile`, `keyfile`
  std::string proxy_protocol;
};

/// Names that gunicorn does not know mean nothing to it, and nothing here. Errors: a value that cannot be
/// understood.
runtime::Result<void> apply(const Setting& setting, Draft& draft);
/// A hook: a function in the file.
void apply_hook(std::string_view name, Draft& draft);
/// What more than one setting decides: threads, TLS. Errors: two that do not go together.
runtime::Result<void> finish(Draft& draft);

/// Of a whole file, before finish(): whom gunicorn believes where nobody is named, and in any case on a Unix socket.
void trust_as_by_default(Draft& draft);

/// What is to be said about a setting that was taken; empty: it means the same.
std::string_view sentence_of(std::string_view name);

/// "0.0.0.0:8000" for ":8000", "127.0.0.1:80" for "localhost:80".
std::string address_of(std::string_view bind);

/// Which of our two Python workers serves `target`: that for WSGI, unless it is known to be ASGI.
void serve_python(conf::App& app, Kind kind, const std::string& target);

}  // namespace supervisor::gunicorn
