#include "transports/aria2/metalink.hpp"

#include <algorithm>

#include "core/sha256.hpp"

namespace syncline::transports::aria2 {

using core::Error;
using core::ErrorKind;

namespace {

constexpr std::uint64_t kPieceBytesMin = 1u << 20;

// Neither control characters nor bytes that are no UTF-8 can stand in XML 1.0.
bool fits_xml(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    const std::size_t more = byte < 0x80             ? 0
                             : (byte & 0xe0) == 0xc0 ? 1
                             : (byte & 0xf0) == 0xe0 ? 2
                             : (byte & 0xf8) == 0xf0 ? 3
                                                     : 4;
    if (more == 4 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

core::Result<std::string> metalink(const MetalinkOf& file) {
  if (!fits_xml(file.name)) {
    return Error{ErrorKind::kInvalid, "a metalink cannot hold a file of this name", file.name};
  }
  std::uint64_t piece_bytes = kPieceBytesMin;
  while (file.size_bytes / piece_bytes >= kMetalinkPiecesMax) piece_bytes *= 2;
  core::Sha256 whole;
  std::string pieces;
  std::string bytes;
  for (std::uint64_t at = 0; at < file.size_bytes;) {
    core::Sha256 piece;
    const std::uint64_t end = std::min(file.size_bytes, at + piece_bytes);
    while (at < end) {
      bytes.resize(std::min<std::uint64_t>(kPieceBytesMin, end - at));
      SYNCLINE_ASSIGN(const std::size_t got, file.read_at(at, std::span<char>(bytes)));
      if (got == 0) return Error{ErrorKind::kConflict, "the file became shorter", file.name};
      piece.update(std::string_view(bytes).substr(0, got));
      whole.update(std::string_view(bytes).substr(0, got));
      at += got;
    }
    pieces += "      <hash>" + core::to_hex(piece.finish()) + "</hash>\n";
  }
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n"
      "  <generator>Syncline</generator>\n"
      "  <file name=\"" +
      escaped(file.name) +
      "\">\n"
      "    <size>" +
      std::to_string(file.size_bytes) +
      "</size>\n"
      "    <hash type=\"sha-256\">" +
      core::to_hex(whole.finish()) + "</hash>\n";
  if (!pieces.empty()) {
    out += "    <pieces length=\"" + std::to_string(piece_bytes) + "\" type=\"sha-256\">\n" +
           pieces + "    </pieces>\n";
  }
  for (std::size_t i = 0; i < file.urls.size(); ++i) {
    out +=
        "    <url priority=\"" + std::to_string(i + 1) + "\">" + escaped(file.urls[i]) + "</url>\n";
  }
  return out + "  </file>\n</metalink>\n";
}

}  // namespace syncline::transports::aria2
