// What both lines of the TypeScript SDK find.

export async function report(client, text) {
  const { tools } = await client.listTools();
  const call = (name, args) => client.callTool({ name, arguments: args });
  const remembered = await call('remember', { text, context: 'clients/sdk', tags: ['client'] });
  const recalled = await call('recall', { query: text });
  const prompt = await client.getPrompt({ name: 'recall_first', arguments: { question: text } });
  const read = await client.readResource({ uri: `memory://memories/${remembered.structuredContent.memory_id}` });
  const complete = async (ref, name, value) => (await client.complete({ ref, argument: { name, value } })).completion.values;
  const refused = await call('recall', { query: text, limit: 0 });
  const missing = await client.readResource({ uri: 'memory://memories/mem_none' }).then(
    () => null,
    (error) => error.code,
  );
  return {
    tools: tools.map((tool) => tool.name),
    titles: tools.map((tool) => tool.title),
    described: tools.every((tool) => tool.outputSchema && tool.icons.length),
    remembered: remembered.content[0].text,
    recalled: recalled.content[0].text,
    structured: recalled.structuredContent,
    prompts: (await client.listPrompts()).prompts.map((one) => one.name),
    prompt: prompt.messages[0].content.text,
    resources: (await client.listResources()).resources.map((one) => one.uri),
    templates: (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate),
    read: read.contents[0].text,
    completed: [
      await complete({ type: 'ref/prompt', name: 'weekly_review' }, 'context', 'clients/'),
      await complete({ type: 'ref/resource', uri: 'memory://tags/{tag}' }, 'tag', 'cli'),
    ],
    refused: refused.isError ? refused.structuredContent.error.code : null,
    missing,
  };
}

// Gives up one call that goes on, and waits for another: the store is locked until `waiting` is printed.
export async function longCalls(client, text) {
  const giveUp = new AbortController();
  const cancelled = await client
    .callTool(
      { name: 'remember', arguments: { text: `${text}, given up` } },
      { signal: giveUp.signal, onprogress: () => giveUp.abort('no longer wanted') },
    )
    .then(() => false, () => giveUp.signal.aborted);
  const progress = [];
  const result = await client.callTool(
    { name: 'remember', arguments: { text } },
    {
      resetTimeoutOnProgress: true,
      onprogress: (one) => {
        if (!progress.length) console.log('waiting');
        progress.push(one.progress);
      },
    },
  );
  return { cancelled, progress, remembered: result.content[0].text };
}
