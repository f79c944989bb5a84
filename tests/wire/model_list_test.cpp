#include "wire/model_list.hpp"

#include <string>

#include "catch.hpp"

namespace byway::wire {
namespace {

std::string kept(std::string_view body) {
  return keep_models(body, [](std::string_view id) { return id.starts_with("a"); });
}

TEST_CASE("what is refused leaves the list, and the rest stays byte for byte", "[model_list]") {
  CHECK(kept(R"({ "object" : "list", "data": [ {"id":"a1", "x":1e2} ,{"id":"b"}], "z":0 })") ==
        R"({ "object" : "list", "data": [{"id":"a1", "x":1e2}], "z":0 })");
  CHECK(kept(R"([{"id":"b"},{"id":"a"}])") == R"([{"id":"a"}])");
  CHECK(kept(R"({"models":[{"name":"b"},{"model":"a"}],"data":[{"id":"b"},"a"]})") ==
        R"({"models":[{"model":"a"}],"data":["a"]})");
  CHECK(kept(R"({"data":[]})") == R"({"data":[]})");
}

TEST_CASE("a model is judged by its id as readers see it", "[model_list]") {
  CHECK(kept(R"({"data":[{"id":"\u0061b"},{"name":"a","id":"b"},{"id":"b","name":"a"}]})") ==
        R"({"data":[{"id":"\u0061b"}]})");
}

TEST_CASE("what cannot be judged is not told", "[model_list]") {
  CHECK(kept(R"({"data":[{"x":1},7,null,{"id":9},[{"id":"a"}]]})") == R"({"data":[]})");
  for (const char* body :
       {"", "no json", R"({"data":[{"id":"a"}])", R"({"data":[{"id":"a"}]} x)", R"("a")", "7"}) {
    CHECK(kept(body) == R"({"object":"list","data":[]})");
  }
}

}  // namespace
}  // namespace byway::wire
