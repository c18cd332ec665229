// A spool file seen from one loop that is turned by hand, on real folders.
#include "proxy/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "doctest_precompiled.h"
#include "unit/conf/folder.h"

namespace {

using proxy::ByteBudget;
using proxy::SpoolDesk;
using proxy::SpoolFile;
using runtime::Bytes;
using Fault = SpoolFile::Fault;

runtime::Fd open_folder(const std::string& path) { return runtime::Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }

runtime::Slice slice(std::string_view text) {
  runtime::Chunk chunk = runtime::Chunk::make(text.size());
  std::memcpy(chunk.data(), text.data(), text.size());
  return {chunk, chunk.data(), text.size()};
}

/// A thread of the front with its spool, as small as can be.
struct Play {
  explicit Play(runtime::Fd in, Bytes most = 1 << 20, std::size_t files = 10)
      : folder(std::move(in)), bytes(most), desk(loop, disk, folder, bytes, files) {}
  ~Play() { disk.close(); }

  SpoolFile::Handle make() { return SpoolFile::make(desk, runtime::bind<&Play::on_done>(this)); }
  void on_done() { ++done; }
  template <class Condition>
  void turn_until(Condition it_is_so) {
    while (!it_is_so()) loop.turn();
  }
  std::string take(SpoolFile& file, Bytes most = 64 << 10) {
    file.read_on(most);
    runtime::Slice piece;
    turn_until([&] { return (piece = file.take_piece()).size > 0 || file.fault() == Fault::kUnread; });
    return std::string(piece.view());
  }

  runtime::Loop loop;
  runtime::Disk disk{2};
  runtime::Fd folder;
  ByteBudget bytes;
  SpoolDesk desk;
  int done = 0;
};

}  // namespace

TEST_CASE("what goes in comes out, in order, and again from the beginning") {
  const Folder folder;
  Play play(open_folder(folder.path()));
  auto file = play.make();
  std::string all;
  for (int i = 0; i < 200; ++i) {  // more pieces than one trip takes
    const std::string piece(3000, static_cast<char>('a' + i % 26));
    all += piece;
    file->append(slice(piece));
  }
  play.turn_until([&] { return !file->is_under_way(); });
  CHECK(file->unwritten() == 0);
  CHECK(file->size() == all.size());
  CHECK(play.bytes.used() == all.size());
  CHECK(std::filesystem::is_empty(folder.path()));  // it has no name
  for (int times = 0; times < 2; ++times) {
    std::string came;
    while (file->unread() > 0) came += play.take(*file, 10'000);
    CHECK(came == all);
    file->rewind();
  }
}

TEST_CASE("a piece that is asked for at once comes when it has been written") {
  const Folder folder;
  Play play(open_folder(folder.path()));
  auto file = play.make();
  file->append(slice(std::string(5000, 'x')));
  CHECK(play.take(*file) == std::string(5000, 'x'));
  CHECK(file->unread() == 0);
}

TEST_CASE("what was being read when it was rewound is not taken for the beginning") {
  const Folder folder;
  Play play(open_folder(folder.path()));
  auto file = play.make();
  file->append(slice(std::string(2000, 'a')));
  file->append(slice(std::string(2000, 'b')));
  CHECK(play.take(*file, 2000) == std::string(2000, 'a'));
  file->read_on(2000);
  file->rewind();
  CHECK(play.take(*file, 2000) == std::string(2000, 'a'));
}

TEST_CASE("bytes and descriptors are given back when the file is closed, wherever it was") {
  const Folder folder;
  Play play(open_folder(folder.path()));
  for (int turns = 0; turns < 4; ++turns) {
    auto file = play.make();
    file->append(slice(std::string(50'000, 'x')));
    for (int i = 0; i < turns; ++i) play.loop.turn(/*wait=*/false);
    file.reset();
    play.turn_until([&] { return play.desk.files() == 0; });
    CHECK(play.bytes.used() == 0);
  }
}

TEST_CASE("a front that ends with files in use leaves nothing") {
  const Folder folder;
  Play play(open_folder(folder.path()));
  auto idle = play.make(), busy = play.make(), left = play.make();
  idle->append(slice(std::string(5000, 'x')));
  play.turn_until([&] { return !idle->is_under_way(); });
  busy->append(slice(std::string(5000, 'x')));
  left->append(slice(std::string(5000, 'x')));
  left.reset();
  play.disk.close();  // what is let go of later comes back at once
}

TEST_CASE("there are no more files than there may be") {
  const Folder folder;
  Play play(open_folder(folder.path()), 1 << 20, /*files=*/2);
  auto one = play.make(), two = play.make();
  CHECK_FALSE(play.make());
  two.reset();
  play.turn_until([&] { return play.desk.files() == 1; });
  CHECK(play.make());
}

TEST_CASE("past spool_disk nothing is written, and what was appended is still there") {
  const Folder folder;
  Play play(open_folder(folder.path()), 10'000);
  auto file = play.make();
  file->append(slice(std::string(8000, 'a')));
  play.turn_until([&] { return !file->is_under_way(); });
  file->append(slice(std::string(8000, 'b')));
  CHECK(file->fault() == Fault::kNoRoom);
  CHECK(play.bytes.used() == 8000);
  CHECK(play.take(*file) == std::string(8000, 'a'));
  CHECK(file->take_piece().view() == std::string(8000, 'b'));
  CHECK(file->unread() == 0);
}

TEST_CASE("a folder that takes no file is a fault, and what was appended is still there") {
  const Folder folder;
  runtime::Fd gone = open_folder(folder.path());
  SUBCASE("it was removed") {
    std::filesystem::create_directory(folder.path() + "/below");
    gone = open_folder(folder.path() + "/below");
    std::filesystem::remove(folder.path() + "/below");
  }
  SUBCASE("it is none") { gone.reset(); }
  SUBCASE("it is read-only, whoever we are") { gone = open_folder("/proc"); }
  Play play(std::move(gone));
  auto file = play.make();
  file->append(slice(std::string(5000, 'x')));
  play.turn_until([&] { return file->fault() != Fault::kNone; });
  CHECK(file->fault() == Fault::kUnwritten);
  CHECK(file->error() != 0);
  file->append(slice(std::string(5000, 'y')));
  CHECK_FALSE(file->is_under_way());
  CHECK(file->take_piece().view() == std::string(5000, 'x'));
  CHECK(file->take_piece().view() == std::string(5000, 'y'));
}
