// Any stream folds to the same reply however it is cut, in valid UTF-8, and what was told on the
// way is what the reply holds.
#include <string>

#include "../wire/stream_player.hpp"
#include "fuzz_target.hpp"
#include "wire/json_write.hpp"

namespace {

using namespace byway;
using namespace byway::wire;
using byway::fuzz::require;

void check_reply(const Played& played) {
  std::string text;
  for (const Choice& choice : played.reply.choices) {
    require(is_utf8(choice.text));
    require(is_utf8(choice.reasoning));
    require(is_utf8(choice.finish_raw));
    for (const ToolCall& tool : choice.tools) {
      require(is_utf8(tool.arguments));
      require(is_utf8(tool.name));
      require(!tool.id.empty());
    }
  }
  require(is_utf8(played.told_text));
  require(played.reply.deltas == played.deltas);
  if (!played.failure) return;
  require(played.failure->upstream_class != UpstreamClass::none);
  require(played.failure->detail.size() <= 512);
  require(is_utf8(played.failure->detail));
}

}  // namespace

BYWAY_FUZZ(fold) {
  byway::fuzz::Choices choices(input);
  Play play;
  constexpr Operation operations[] = {Operation::chat, Operation::completions,
                                      Operation::responses};
  play.operation = operations[choices.next() % 3];
  play.end = choices.flag() ? BytesEnd::unclean : BytesEnd::clean;
  play.dialect.stream.needs_done = choices.flag();
  play.dialect.stream.needs_finish = choices.flag();
  const unsigned seed = choices.next() + 1;
  play.bytes = choices.rest();
  const Played whole = play_pieces(play, {play.bytes});
  check_reply(whole);
  require(play_pieces(play, random_pieces(play.bytes, seed)) == whole);
}
