// Hands stored batches to the kernel to send: the bytes never enter this program. A socket would do as well
// as a pipe.
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "example.hpp"

namespace {

void send_to_a_pipe(const std::filesystem::path& directory) {
  const seriatim::Engine engine = seriatim::Engine::open(directory).value();
  engine.admin().create_topic({.name = "frames"}).value();
  seriatim::Producer producer = engine.producer({.acks = seriatim::Acks::leader}).value();
  for (int i = 0; i < 10; ++i)
    producer.send_sync({.topic = "frames", .value = std::string(1000, static_cast<char>('a' + i))}).value();

  int ends[2];
  check(::pipe(ends) == 0, "a pipe");
  const seriatim::LogReader reader = engine.reader({"frames", 0}).value();
  seriatim::Offset next = 0;
  std::vector<char> received;
  while (next < reader.high_watermark()) {
    // Whole batches, at most so many bytes of them (at least one): small enough for the pipe's buffer.
    const seriatim::FileSlice slice = reader.fetch(next, 4096).value();
    std::size_t sent = 0;
    while (sent < slice.size()) sent += reader.send_to(ends[1], slice, sent).value();

    std::vector<char> bytes(slice.size());
    std::size_t got = 0;
    while (got < bytes.size()) {
      const ssize_t count = ::read(ends[0], bytes.data() + got, bytes.size() - got);
      check(count > 0, "bytes in the pipe");
      got += static_cast<std::size_t>(count);
    }
    check(std::memcmp(bytes.data(), slice.bytes().data(), bytes.size()) == 0, "the bytes of the log");
    received.insert(received.end(), bytes.begin(), bytes.end());
    next = slice.next_offset();
  }
  ::close(ends[0]);
  ::close(ends[1]);
  std::printf("%zu bytes of Kafka record batches went through the pipe\n", received.size());
  check(received.size() > 10'000, "ten records");
  check(engine.metrics().sent_bytes == received.size(), "every byte to be counted");
}

}  // namespace

int main(int argc, char** argv) { return run_example(argc, argv, send_to_a_pipe); }
