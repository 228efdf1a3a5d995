# cmake -DFOLDER=… -DOUT=page_data.cpp -P embed.cmake
# Puts page.css and page.js into page.html and writes the whole as an array of bytes.
file(READ ${FOLDER}/page.html html)
file(READ ${FOLDER}/page.css css)
set(js "")
foreach(part text.js data.js views.js main.js)
  file(READ ${FOLDER}/${part} script)
  string(APPEND js "${script}")
endforeach()
string(REPLACE "@STYLE@" "${css}" html "${html}")
string(REPLACE "@SCRIPT@" "${js}" html "${html}")
set(whole ${OUT}.html)
file(WRITE ${whole} "${html}")
file(READ ${whole} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include <cstddef>
namespace syncline::http {
extern const unsigned char kPageBytes[];
extern const std::size_t kPageSize;
const unsigned char kPageBytes[] = {${bytes}};
const std::size_t kPageSize = sizeof(kPageBytes);
}  // namespace syncline::http
")
