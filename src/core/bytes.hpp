// Writing and reading little pieces of bytes: varints (LEB128), lengths, fixed numbers.
// The reader never runs past its end: after a failure everything reads as zero and ok() is false.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace syncline::core {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void f64(double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    for (int i = 0; i < 8; ++i) u8(static_cast<std::uint8_t>(bits >> (8 * i)));
  }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  void digest(const Digest256& d) {
    out_.append(reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size());
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return is_ok_; }
  bool at_end() const { return is_ok_ && left_.empty(); }
  std::size_t left() const { return left_.size(); }

  std::uint8_t u8() {
    if (left_.empty()) return fail();
    const auto value = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  // The shortest form only, so that equal values are equal bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      if (!is_ok_) return 0;
      const std::uint64_t part = byte & 0x7f;
      if (shift == 63 && part > 1) return fail();
      value |= part << shift;
      if ((byte & 0x80) == 0) {
        if (byte == 0 && shift > 0) return fail();
        return value;
      }
    }
    return fail();
  }
  std::int64_t zigzag() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  double f64() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(u8()) << (8 * i);
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  std::string_view raw(std::size_t size) {
    if (size > left_.size()) {
      fail();
      return {};
    }
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }
  std::string_view text(std::size_t size_max) {
    const std::uint64_t size = varint();
    if (size > size_max) {
      fail();
      return {};
    }
    return raw(static_cast<std::size_t>(size));
  }
  Digest256 digest() {
    Digest256 d;
    const std::string_view bytes = raw(d.bytes.size());
    if (is_ok_) std::memcpy(d.bytes.data(), bytes.data(), bytes.size());
    return d;
  }
  std::uint8_t fail() {
    is_ok_ = false;
    left_ = {};
    return 0;
  }

 private:
  std::string_view left_;
  bool is_ok_ = true;
};

}  // namespace syncline::core
