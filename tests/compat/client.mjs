// Makes calls with the official npm client: one JSON job on each line of standard input, one JSON
// record on each line of standard output, in order. client.py does the same in Python.
import { createInterface } from 'node:readline';
import OpenAI from 'openai';

function usageOf(usage) {
  if (!usage) return null;
  return {
    prompt_tokens: usage.prompt_tokens ?? usage.input_tokens,
    completion_tokens: usage.completion_tokens ?? usage.output_tokens,
    total_tokens: usage.total_tokens,
  };
}

function record(choices, usage) {
  const tools = (choices[0]?.tools ?? []).map(({ id, name, arguments: text }) =>
    ({ id, name, arguments: text }));
  return {
    ok: true,
    text: choices[0]?.text ?? '',
    finish: choices[0]?.finish ?? null,
    tools,
    usage: usageOf(usage),
    choices: choices.map(({ text, finish }, index) => ({ index, text, finish })),
  };
}

function ofWhole(answer) {
  if (answer.output) return ofResponse(answer);
  const choices = answer.choices.map((choice) => ({
    text: choice.message ? choice.message.content ?? '' : choice.text,
    finish: choice.finish_reason,
    tools: (choice.message?.tool_calls ?? []).map((call) =>
      ({ id: call.id, name: call.function.name, arguments: call.function.arguments })),
  }));
  return record(choices, answer.usage);
}

function ofResponse(answer) {
  if (answer.status === 'failed') throw new Error('response.failed');
  return record([{ text: answer.output_text, finish: finishOf(answer) }], answer.usage);
}

function finishOf(response) {
  const reason = response?.incomplete_details?.reason;
  if (reason) return reason === 'max_output_tokens' ? 'length' : reason;
  return response?.status === 'completed' ? 'stop' : null;
}

// The loop that the client's documentation shows, with its tool calls put together by index.
async function ofStream(stream) {
  const choices = [];
  let usage = null;
  for await (const chunk of stream) {
    if (chunk.usage) usage = chunk.usage;
    for (const choice of chunk.choices ?? []) {
      const slot = (choices[choice.index] ??= { text: '', finish: null, tools: [] });
      slot.text += choice.delta?.content ?? choice.text ?? '';
      for (const part of choice.delta?.tool_calls ?? []) {
        const tool = (slot.tools[part.index] ??= { id: '', name: '', arguments: '' });
        if (part.id) tool.id = part.id;
        if (part.function?.name) tool.name = part.function.name;
        tool.arguments += part.function?.arguments ?? '';
      }
      if (choice.finish_reason) slot.finish = choice.finish_reason;
    }
  }
  for (const slot of choices) slot.tools = Object.values(slot.tools);
  return record(choices, usage);
}

async function ofResponseStream(stream) {
  let text = '';
  let final = null;
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (/^response\.(completed|incomplete)$/.test(event.type)) final = event.response;
    if (event.type === 'response.failed' || event.type === 'error') throw new Error(event.type);
  }
  return record([{ text, finish: finishOf(final) }], final?.usage);
}

async function call(job) {
  const client = new OpenAI({
    apiKey: job.key, baseURL: job.url, maxRetries: 0,
    ...(job.first_byte_ms ? { timeout: job.first_byte_ms } : {}),
  });
  const { op, stream, body } = job;
  if (op === 'models') {
    const items = [];
    for await (const model of client.models.list()) items.push(model.id);
    return { ok: true, items };
  }
  if (op === 'embeddings') {
    const { data } = await client.embeddings.create(body);
    const vectors = [...data].sort((left, right) => left.index - right.index);
    return { ok: true, embeddings: vectors.map(({ embedding }) => [...embedding]) };
  }
  const resource = { chat: client.chat.completions, completions: client.completions,
    responses: client.responses }[op];
  if (!stream) return ofWhole(await resource.create({ ...body, stream: false }));
  if (job.way === 'helper') {
    const running = resource.stream(body);
    return ofWhole(await running.finalChatCompletion());
  }
  const chunks = await resource.create({ ...body, stream: true });
  return op === 'responses' ? ofResponseStream(chunks) : ofStream(chunks);
}

async function guarded(job) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ ok: null, why: 'no end' }), job.total_ms);
  });
  try {
    return await Promise.race([call(job), late]);
  } catch (error) {
    return { ok: false, why: `${error.constructor.name}: ${error.message}` };
  } finally {
    clearTimeout(timer);
  }
}

process.on('unhandledRejection', () => {});
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await guarded(JSON.parse(line))) + '\n');
}
process.exit(0);
