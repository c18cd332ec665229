// Reads settings out of a parsed file by walking the rows of conf/keys.h: each row takes its key, what no row
// took is an unknown key. Pure: nodes in, settings, origins and problems out. Parsing the text is in
// conf/load.cpp.
#pragma once
#include <string>

#include "conf/load.h"
#include "conf/node.h"
#include "conf/source.h"

namespace conf {

/// What is read from all files of one configuration.
class Collected {
 public:
  /// `key` is what cannot be read because of it: its value is not what the operator meant.
  void add(std::string key, Problem problem);
  void break_key(std::string key) { loaded_.broken.insert(std::move(key)); }
  void add_origin(std::string key, Origin origin) {
    loaded_.origins.insert_or_assign(std::move(key), std::move(origin));
  }

  /// Sets what one setting takes from others, sorts the apps, and gives all away.
  Loaded finish();

  Settings& settings() { return loaded_.settings; }
  Origins const& origins() const { return loaded_.origins; }
  std::vector<Problem>& problems() { return loaded_.problems; }

 private:
  Loaded loaded_;
  std::size_t left_out_ = 0;  // problems beyond kMostProblems
};

/// The whole of a main file, its [apps.NAME] included.
void read_main(Node const& root, Source const& source, Collected& into);

/// One app: a table [apps.NAME], or a whole file of apps.d. `at` is where the name stands.
void read_app(Node const& table, std::string const& name, Origin at, Source const& source, Collected& into);

}  // namespace conf
