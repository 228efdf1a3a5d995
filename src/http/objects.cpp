// GET and HEAD /objects/<root>: what aria2c and any HTTP client fetch with ranges.
#include <httplib.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "http/ranges.hpp"
#include "http/routes.hpp"

namespace syncline::http {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;  // read and sent at once: bounds the memory

// The library's provider contract: send `length` bytes from `offset`, or fewer and be called
// again; false breaks the connection off, so a reader never takes a part for the whole.
bool send_piece(const OpenedObject& object, std::size_t offset, std::size_t length,
                httplib::DataSink& sink) {
  std::vector<char> piece(std::min(length, kPieceBytes));
  const auto got = object.read_at(offset, piece);
  if (!got.ok() || *got == 0) return false;
  return sink.write(piece.data(), std::min(*got, piece.size()));
}

void refuse_ranges(httplib::Request& request, httplib::Response& response, std::uint64_t size,
                   const std::string& what) {
  request.ranges.clear();  // else the library would cut the error's text
  response.set_header("Content-Range", "bytes */" + std::to_string(size));
  answer_error(response, core::Error{core::ErrorKind::kInvalid, what, ""});
  response.status = 416;
}

void serve_object(Shared& shared, httplib::Request& request, httplib::Response& response) {
  core::Root root;
  if (!core::from_hex(request.matches[1].str(), root)) {
    request.ranges.clear();
    return answer_error(
        response, core::Error{core::ErrorKind::kInvalid, "an object's root is 64 hex digits", ""});
  }
  auto opened = shared.api.open_object(root);
  if (!opened.ok()) {
    request.ranges.clear();
    return answer_error(response, opened.error());
  }
  const auto object = std::make_shared<OpenedObject>(std::move(*opened));
  const std::string tag = "\"" + core::to_hex(root) + "\"";
  const std::string if_range = request.get_header_value("If-Range");
  if (!if_range.empty() && if_range != tag) request.ranges.clear();
  if (request.ranges.size() > shared.limits.ranges_max) {
    return refuse_ranges(request, response, object->size_bytes, "too many ranges in one request");
  }
  if (!clamp_ranges(request.ranges, object->size_bytes)) {
    return refuse_ranges(request, response, object->size_bytes, "the range is beyond the end");
  }
  response.set_header("ETag", tag);
  response.set_header("Accept-Ranges", "bytes");
  response.set_header("Cache-Control", "max-age=31536000, immutable");
  if (object->size_bytes == 0) return response.set_content("", "application/octet-stream");
  response.set_content_provider(
      object->size_bytes, "application/octet-stream",
      [object](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return send_piece(*object, offset, length, sink);
      });
}

}  // namespace

void add_object_routes(httplib::Server& server, Shared& shared) {
  server.Get("/objects/(.*)",
             [&shared](const httplib::Request& request, httplib::Response& response) {
               // Ranges must be corrected before the library acts on them; the object is its own,
               // non-const.
               serve_object(shared, const_cast<httplib::Request&>(request), response);
             });
}

}  // namespace syncline::http
