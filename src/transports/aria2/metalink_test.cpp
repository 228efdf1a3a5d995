#include "transports/aria2/metalink.hpp"

#include <gtest/gtest.h>

#include "core/sha256.hpp"

namespace syncline::transports::aria2 {
namespace {

MetalinkOf of(const std::string& name, const std::string& content) {
  MetalinkOf file;
  file.name = name;
  file.size_bytes = content.size();
  file.urls = {"https://a:1/objects/ff", "https://b:2/objects/ff?x=1&y=2"};
  file.read_at = [content](std::uint64_t at, std::span<char> into) -> core::Result<std::size_t> {
    return content.copy(into.data(), into.size(), at);
  };
  return file;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Metalink, tells_size_hashes_and_where) {
  const std::string content((2u << 20) + 7, 'x');
  const auto text = metalink(of("runs/m.pth", content));
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("<file name=\"runs/m.pth\">"), std::string::npos);
  EXPECT_NE(text->find("<size>2097159</size>"), std::string::npos);
  EXPECT_NE(text->find("<hash type=\"sha-256\">" + core::to_hex(core::sha256(content))),
            std::string::npos);
  EXPECT_EQ(count(*text, "<hash>"), 3u);
  EXPECT_NE(text->find("<hash>" + core::to_hex(core::sha256("xxxxxxx"))), std::string::npos);
  EXPECT_NE(text->find("<url priority=\"2\">https://b:2/objects/ff?x=1&amp;y=2</url>"),
            std::string::npos);
}

TEST(Metalink, names_are_escaped_and_what_xml_cannot_hold_is_refused) {
  EXPECT_NE(metalink(of("a<b>&\"c\".pth", "x"))->find("a&lt;b&gt;&amp;&quot;c&quot;.pth"),
            std::string::npos);
  EXPECT_TRUE(metalink(of("größe 模型.pth", "x")).ok());
  for (const char* name : {"two\nlines", "bell\a", "\xff", "cut\xc3", "\xe6\xa8"}) {
    EXPECT_EQ(metalink(of(name, "x")).error().kind, core::ErrorKind::kInvalid) << name;
  }
}

TEST(Metalink, an_empty_file_has_no_pieces) {
  const auto text = metalink(of("empty", ""));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(count(*text, "<pieces"), 0u);
}

}  // namespace
}  // namespace syncline::transports::aria2
