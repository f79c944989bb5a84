"""Makes calls with the official PyPI client: one JSON job on each line of standard input, one JSON
record on each line of standard output, in order. client.mjs does the same in JavaScript."""
import json
import sys
import threading

import openai


def usage_of(usage):
    if not usage:
        return None

    def count(*names):
        return next((getattr(usage, name) for name in names if hasattr(usage, name)), None)
    return {"prompt_tokens": count("prompt_tokens", "input_tokens"),
            "completion_tokens": count("completion_tokens", "output_tokens"),
            "total_tokens": count("total_tokens")}


def record(choices, usage):
    first = choices[0] if choices else {"text": "", "finish": None}
    return {"ok": True, "text": first["text"], "finish": first["finish"],
            "tools": first.get("tools", []), "usage": usage_of(usage),
            "choices": [{"index": index, "text": one["text"], "finish": one["finish"]}
                        for index, one in enumerate(choices)]}


def of_whole(answer):
    choices = []
    for choice in answer.choices:
        message = getattr(choice, "message", None)
        tools = [{"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
                 for call in (message and message.tool_calls) or []]
        text = (message.content or "") if message else choice.text
        choices.append({"text": text, "finish": choice.finish_reason, "tools": tools})
    return record(choices, answer.usage)


def of_response(answer):
    if answer.status == "failed":
        raise RuntimeError("response.failed")
    return record([{"text": answer.output_text, "finish": finish_of(answer)}], answer.usage)


def finish_of(response):
    if response and response.incomplete_details:
        reason = response.incomplete_details.reason
        return "length" if reason == "max_output_tokens" else reason
    return "stop" if response and response.status == "completed" else None


def fold_delta(slot, delta):
    slot["text"] += delta.content or ""
    for part in delta.tool_calls or []:
        tool = slot["parts"].setdefault(part.index, {"id": "", "name": "", "arguments": ""})
        tool["id"] = part.id or tool["id"]
        if part.function:
            tool["name"] = part.function.name or tool["name"]
            tool["arguments"] += part.function.arguments or ""


def of_stream(stream):
    """The loop that the client's documentation shows, with its tool calls put together by index."""
    slots, usage = {}, None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices or []:
            slot = slots.setdefault(choice.index, {"text": "", "finish": None, "parts": {}})
            if getattr(choice, "delta", None):
                fold_delta(slot, choice.delta)
            slot["text"] += getattr(choice, "text", "") or ""
            slot["finish"] = choice.finish_reason or slot["finish"]
    choices = [slots[index] for index in sorted(slots)]
    for slot in choices:
        slot["tools"] = list(slot["parts"].values())
    return record(choices, usage)


def of_response_stream(stream):
    text, final = "", None
    for event in stream:
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            final = event.response
        elif event.type in ("response.failed", "error"):
            raise RuntimeError(event.type)
    return record([{"text": text, "finish": finish_of(final)}], final and final.usage)


def call(job):
    silence = job["stall_ms"] or job["first_byte_ms"]
    options = {"timeout": openai.Timeout(600, read=silence / 1000)} if silence else {}
    client = openai.OpenAI(api_key=job["key"], base_url=job["url"],
                           max_retries=0, **options)
    operation, body = job["op"], job["body"]
    if operation == "models":
        return {"ok": True, "items": [model.id for model in client.models.list()]}
    if operation == "embeddings":
        data = sorted(client.embeddings.create(**body).data, key=lambda one: one.index)
        return {"ok": True, "embeddings": [one.embedding for one in data]}
    resource = {"chat": client.chat.completions, "completions": client.completions,
                "responses": client.responses}[operation]
    if not job["stream"]:
        answer = resource.create(**body, stream=False)
        return of_response(answer) if operation == "responses" else of_whole(answer)
    if job["way"] == "helper":
        with resource.stream(**body) as running:
            return of_whole(running.get_final_completion())
    chunks = resource.create(**body, stream=True)
    return of_response_stream(chunks) if operation == "responses" else of_stream(chunks)


def guarded(job):
    result = {"ok": None, "why": "no end"}

    def work():
        nonlocal result
        try:
            result = call(job)
        except Exception as error:  # pylint: disable=broad-exception-caught
            result = {"ok": False, "why": f"{type(error).__name__}: {error}"}
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(job["total_ms"] / 1000)
    return result


for line in sys.stdin:
    print(json.dumps(guarded(json.loads(line))), flush=True)
