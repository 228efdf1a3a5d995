// The web page at /: one self-contained document, put together at build from page/.
#pragma once

#include <string>
#include <string_view>

namespace syncline::http {

// HTML with its style and script inside; it asks for nothing from anywhere but this server's API.
std::string_view page_html();

// Content-Security-Policy that allows exactly that: this style and this script by their hashes.
std::string page_security_policy();

}  // namespace syncline::http
