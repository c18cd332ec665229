#include "supervisor/stack_pipe.h"

#include <unistd.h>

#include "doctest_precompiled.h"
#include "upstream/orders.h"

using namespace supervisor;

namespace {

struct Reader {
  Reader() {
    auto ends = StackPipe::make();
    REQUIRE(ends.has_value());
    worker = std::move(ends->theirs);
    pipe = std::make_unique<StackPipe>(loop, std::move(ends->ours), runtime::bind<&Reader::take>(this));
  }
  void take(const std::string& text) {
    told.push_back(text);
    loop.stop();
  }
  // How many bytes the pipe takes.
  std::size_t print(std::string_view text) const {
    std::size_t taken = 0;
    for (ssize_t n; (n = ::write(worker.get(), text.data() + taken, text.size() - taken)) > 0;) {
      taken += static_cast<std::size_t>(n);
    }
    return taken;
  }

  runtime::Loop loop;
  runtime::Fd worker;  // its end
  std::unique_ptr<StackPipe> pipe;
  std::vector<std::string> told;
};

}  // namespace

TEST_CASE("a dump is what comes until nothing more does, and no rest of the one before") {
  Reader reader;
  reader.print("late");
  reader.pipe->begin();
  CHECK(reader.pipe->is_reading());
  reader.print("Thread 1:\n  in app\n");
  reader.loop.run();
  CHECK(reader.told == std::vector<std::string>{"Thread 1:\n  in app\n"});
  CHECK_FALSE(reader.pipe->is_reading());
  reader.pipe->begin();
  reader.print("Thread 2:\n");
  reader.loop.run();
  CHECK(reader.told.back() == "Thread 2:\n");
}

TEST_CASE("a worker that closes its end, or ends, makes nobody wait for more") {
  Reader reader;
  reader.pipe->begin();
  reader.print("all");
  SUBCASE("it has closed it") {
    reader.worker.reset();
    reader.loop.run();
  }
  SUBCASE("it has ended, and a child of it has the pipe") {
    reader.pipe->finish();
  }
  CHECK(reader.told == std::vector<std::string>{"all"});
  reader.pipe->finish();  // of what is over there is no second end
  CHECK(reader.told.size() == 1);
}

TEST_CASE("a worker that prints nothing is not waited for for ever") {
  Reader reader;
  reader.pipe->begin();
  reader.loop.run();
  CHECK(reader.told == std::vector<std::string>{""});
}

TEST_CASE("a dump is cut at its bound, and a full pipe blocks no worker") {
  Reader reader;
  reader.pipe->begin();
  const std::string much(1 << 20, 'x');
  CHECK(reader.print(much) < much.size());
  reader.loop.run();
  REQUIRE(reader.told.size() == 1);
  CHECK(reader.told[0] == std::string(upstream::kMostStack, 'x'));
}
