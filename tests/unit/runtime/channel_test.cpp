#include "runtime/channel.h"

#include <unistd.h>

#include "doctest_precompiled.h"

namespace {

struct Receiver {
  void on_message(runtime::Message& message) {
    messages.push_back(std::move(message));
    loop.stop();
  }
  void on_closed() {
    is_closed = true;
    loop.stop();
  }
  runtime::Loop& loop;
  std::vector<runtime::Message> messages;
  bool is_closed = false;
};

}  // namespace

TEST_CASE("one message carries as many descriptors as the channel says") {
  runtime::Loop loop;
  Receiver sender{loop, {}}, receiver{loop, {}};
  auto ends = runtime::Channel::pair();
  REQUIRE(ends.has_value());
  runtime::Channel from(loop, std::move(ends->first), runtime::bind<&Receiver::on_message>(&sender),
                        runtime::bind<&Receiver::on_closed>(&sender));
  runtime::Channel to(loop, std::move(ends->second), runtime::bind<&Receiver::on_message>(&receiver),
                      runtime::bind<&Receiver::on_closed>(&receiver));
  runtime::Message message{.text = "all of them", .fds = {}};
  for (std::size_t i = 0; i < runtime::Channel::kMaxFds; ++i) message.fds.emplace_back(::dup(from.fd()));
  from.send(std::move(message));
  loop.run();
  REQUIRE(receiver.messages.size() == 1);
  CHECK(receiver.messages[0].text == "all of them");
  CHECK(receiver.messages[0].fds.size() == runtime::Channel::kMaxFds);
  CHECK_FALSE(receiver.is_closed);
  CHECK_FALSE(sender.is_closed);
}
