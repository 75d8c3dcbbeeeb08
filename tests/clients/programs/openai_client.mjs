// The openai package for Node: `openai_client.mjs URL MODEL TEXTS` reports a line of JSON; TEXTS is a JSON list.
import OpenAI from "openai";

const [url, model, texts] = process.argv.slice(2);
const input = JSON.parse(texts);
const client = new OpenAI({ baseURL: `${url}/v1/`, apiKey: "any", maxRetries: 0 });
const documents = await client.embeddings.create({ model, input });
const query = await client.embeddings.create({ model: `${model}:query`, input: input[0] });
const plain = await client.embeddings.create({ model: "text-embedding-3-small", input, encoding_format: "float" });
const short = await client.embeddings.create({ model, input, dimensions: 256 });
const refused = [];
for (const wrong of [{ model: "nope", input }, { model, input: [5, 6] }]) {
  try {
    await client.embeddings.create(wrong);
  } catch (error) {
    refused.push([error.constructor.name, error.status, error.code, error.param]);
  }
}
const models = [];
for await (const each of client.models.list()) models.push(each.id);
const vectors = (answer) => answer.data.map((each) => each.embedding);
console.log(JSON.stringify({
  documents: vectors(documents),
  query: query.data[0].embedding,
  alias: vectors(plain),
  short: vectors(short).map((vector) => vector.length),
  tokens: documents.usage.total_tokens,
  refused,
  models,
}));
