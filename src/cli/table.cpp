#include "cli/table.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace syncline::cli {
namespace {

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::kDim:
      return "\033[2m";
    case Colour::kGood:
      return "\033[32m";
    case Colour::kWarn:
      return "\033[33m";
    case Colour::kBad:
      return "\033[31m";
    case Colour::kBold:
      return "\033[1m";
    case Colour::kPlain:
      break;
  }
  return "";
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Hangul, CJK, full-width forms and emoji: the ranges that terminals draw two columns wide.
bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

char32_t decode_at(const std::string& text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  char32_t c = more == 3 ? lead & 0x07 : more == 2 ? lead & 0x0F : more == 1 ? lead & 0x1F : lead;
  for (int i = 1; i <= more && at + i < text.size(); ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  return c;
}

std::string padded(const Cell& cell, std::size_t width, bool is_last, bool has_colour) {
  const std::size_t taken = columns_of(cell.text);
  const std::string space(width > taken ? width - taken : 0, ' ');
  const std::string text = painted(cell.text, cell.colour, has_colour);
  if (cell.is_number) return space + text;
  return is_last ? text : text + space;
}

}  // namespace

std::string painted(const std::string& text, Colour colour, bool has_colour) {
  if (!has_colour || colour == Colour::kPlain || text.empty()) return text;
  return code_of(colour) + text + "\033[0m";
}

std::size_t columns_of(const std::string& text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_continuation(text[i])) columns += is_wide(decode_at(text, i)) ? 2 : 1;
  }
  return columns;
}

std::string printable(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  // C1 controls, as two bytes of UTF-8.
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    if (out[i] == '\xC2' && static_cast<unsigned char>(out[i + 1]) < 0xA0) out.replace(i, 2, "?");
  }
  return out;
}

Cell number(std::string text, Colour colour) {
  Cell cell(std::move(text), colour);
  cell.is_number = true;
  return cell;
}

void Table::add(std::vector<Cell> row) {
  SYNCLINE_CHECK(row.size() == head_.size(), "cells", row.size(), "columns", head_.size());
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back({std::move(row), {}});
}

void Table::add_note(std::string text, Colour colour) {
  SYNCLINE_CHECK(!rows_.empty(), "a note needs a row");
  rows_.back().notes.emplace_back(printable(text), colour);
}

std::string Table::text(bool has_colour) const {
  std::vector<std::size_t> widths;
  std::vector<Cell> head = head_;
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::size_t width = columns_of(head[i].text);
    for (const Row& row : rows_) width = std::max(width, columns_of(row.cells[i].text));
    widths.push_back(width);
    head[i].colour = Colour::kDim;
    if (!rows_.empty()) head[i].is_number = rows_.front().cells[i].is_number;
  }
  std::string out;
  const auto add_line = [&](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool is_last = i + 1 == cells.size();
      out += (i == 0 ? "" : "  ") + padded(cells[i], widths[i], is_last, has_colour);
    }
    out += '\n';
  };
  add_line(head);
  for (const Row& row : rows_) {
    add_line(row.cells);
    for (const Cell& note : row.notes) {
      out += "  " + painted(note.text, note.colour, has_colour) + "\n";
    }
  }
  return out;
}

}  // namespace syncline::cli
