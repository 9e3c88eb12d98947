#include "text/json_text.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

// Pieces that text is made of: plain runs about as long as a machine word, escapes, UTF-8 of every length,
// and what is none.
std::string random_text(test::Random& random) {
  constexpr std::array<std::string_view, 12> pieces{"a",
                                                    "\"",
                                                    "\\",
                                                    "\n",
                                                    std::string_view("\0", 1),
                                                    "\x1f",
                                                    "\x7f",
                                                    "\xc3\xa9",
                                                    "\xe2\x80\xa8",
                                                    "\xf0\x9f\x92\xa9",
                                                    "\xed\xa0\x80",
                                                    "\xff"};
  std::string text;
  const std::int64_t kinds = random.one_in(2) ? 10 : 12;
  for (std::int64_t count = random.between(0, 6); count > 0; --count) {
    if (random.one_in(2)) text += random.text(static_cast<std::size_t>(random.between(0, 20)));
    text += pieces[static_cast<std::size_t>(random.between(0, kinds - 1))];
  }
  return text;
}

TEST_CASE("a string is written as the JSON library writes it, or refused as the library refuses it") {
  test::Random random("json_text: strings");
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    CAPTURE(base64(text));
    std::string ours = "before";
    if (append_json_string(ours, text)) {
      CHECK(ours == "before" + Json(text).dump());
    } else {
      CHECK(ours == "before");
      CHECK_THROWS(Json(text).dump());
    }
  }
}

TEST_CASE("every byte alone and between others is written as the JSON library writes it") {
  for (int byte = 0; byte < 0x100; ++byte) {
    for (const std::size_t before : {0, 3, 7, 8, 9}) {
      const std::string text = std::string(before, 'x') + static_cast<char>(byte) + "yyyyyyyyyy";
      CAPTURE(byte);
      std::string ours;
      CHECK(append_json_string(ours, text) == (byte < 0x80));
      CHECK(ours == (byte < 0x80 ? Json(text).dump() : ""));
    }
  }
}

TEST_CASE("a field that is not UTF-8 has a name that says so, at any depth") {
  const Json value = {{"good", "\xc3\xa9"},
                      {"bad", "\xff"},
                      {"list", {"fine", "\xfe"}},
                      {"pairs", Json::array({Json::array({"a", nullptr}), Json::array({"\xff", "b"})})},
                      {"rows", {{{"path", "\xff"}, {"n", 1}}, {{"path", "p"}, {"n", 2}}}}};
  CHECK(json_text(value) ==
        "{\"good\":\"\xc3\xa9\",\"bad_b64\":\"/w==\",\"list_b64\":[\"ZmluZQ==\",\"/g==\"],"
        "\"pairs_b64\":[[\"YQ==\",null],[\"/w==\",\"Yg==\"]],"
        "\"rows\":[{\"path_b64\":\"/w==\",\"n\":1},{\"path\":\"p\",\"n\":2}]}");
}

TEST_CASE("whatever the names and texts are, the result is JSON") {
  test::Random random("json_text: values");
  for (int i = 0; i < 2'000; ++i) {
    Json fields = Json::object();
    for (std::int64_t count = random.between(0, 4); count > 0; --count) {
      Json list = Json::array();
      for (std::int64_t more = random.between(0, 3); more > 0; --more) list.push_back(random_text(random));
      fields[random_text(random)] = random.one_in(2) ? Json(random_text(random)) : list;
    }
    const std::string text = json_text(Json::array({fields, {{"inner", fields}}}), 2);
    CAPTURE(base64(text));
    CHECK(Json::accept(text));
    CHECK(is_utf8(text));
  }
}

TEST_CASE("what is text is written without change") {
  const Json value = {{"a", {1, 2.5, true, nullptr, "x"}}, {"b", {{"c", "d"}}}};
  CHECK(json_text(value) == value.dump());
  CHECK(json_text(value, 2) == value.dump(2));
}

}  // namespace
}  // namespace seriatim::cli
