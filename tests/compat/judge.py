"""Whether what came of a call is what the transcript expects, as far as the caller can see it."""

# The fields of the call record that both official clients have a place for.
COMPARED = ("ok", "text", "finish", "tools", "usage", "choices", "embeddings", "items")
FINISHES = ("stop", "length", "tool_calls", "function_call", "content_filter")
USAGE = ("prompt_tokens", "completion_tokens", "total_tokens")


def merged(records):
    whole = {}
    for record in records:
        whole.update(record)
    return whole


def differs(wanted, found, at=""):
    """The first difference in a few words, or nothing. Members that are not wanted may be there."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if name not in found:
                return f"{at}{name} is missing"
            if why := differs(value, found[name], f"{at}{name} "):
                return why
        return ""
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return f"{at}has {len(found)} entries, not {len(wanted)}"
        return next(filter(None, (differs(one, other, at)
                                  for one, other in zip(wanted, found))), "")
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool)
                  for one in (wanted, found))
    if abs(wanted - found) < 1e-6 if numbers else wanted == found:
        return ""
    return f"{at}is {short(found)}, not {short(wanted)}"


def short(value):
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def at_pointer(record, pointer):
    for name in pointer.strip("/").split("/"):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def judge_record(run, record):
    """Byway: everything that the transcript says of the record, notes and classes too."""
    for wanted in run["records"]:
        if why := differs(wanted, record):
            return why
    if record["notes"] != run["notes"]:
        return f"notes are {record['notes']}"
    for pointer, least, most in run["ranges"]:
        if not least <= (at_pointer(record, pointer) or -1) <= most:
            return f"{pointer} is out of range"
    for pointer, most in run["lengths"]:
        if len(at_pointer(record, pointer) or "x" * (most + 1)) > most:
            return f"{pointer} is absent or too long"
    return next((f"has {text}" for text in run["lacks"] if text in str(record)), "")


def judge_client(run, record):
    """A client: whether it failed where it must, else the fields that its API has. None where it
    would still wait: for a limit of its own that is longer than anybody tests."""
    wanted = merged(run["records"])
    if not wanted.get("ok", True):
        if record["ok"] is None:
            return None
        if record["ok"]:
            return f"success, with text {short(record.get('text', ''))}"
        return ""
    if record["ok"] is not True:
        return record["why"].splitlines()[0]
    wanted = {name: value for name, value in wanted.items() if name in COMPARED}
    if record.get("finish") and record["finish"] not in FINISHES:
        # The server's own word, passed on as it is.
        wanted.pop("finish", None)
    if wanted.get("usage"):
        wanted["usage"] = {name: wanted["usage"][name] for name in USAGE if name in wanted["usage"]}
    return differs(wanted, record)
