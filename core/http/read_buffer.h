#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

/// Bytes that came from a socket and are not yet parsed. Private to the room.
namespace devstack::http {

class ReadBuffer {
 public:
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] std::string_view data() const { return {storage_.data() + begin_, size()}; }

  /// Room for at least `least` more bytes; all the room there is.
  boost::asio::mutable_buffer prepare(std::size_t least) {
    if (begin_ > 0) {
      std::memmove(storage_.data(), storage_.data() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    if (storage_.size() - end_ < least) storage_.resize(end_ + least);
    return {storage_.data() + end_, storage_.size() - end_};
  }
  void commit(std::size_t count) { end_ += count; }
  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Gives memory back after a large message.
  void shrink(std::size_t most) {
    if (empty() && storage_.size() > most) std::vector<char>().swap(storage_);
  }

 private:
  std::vector<char> storage_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace devstack::http
