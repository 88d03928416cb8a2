import { GoogleGenAI } from '@google/genai';
import { apiKey, DESCRIPTION, model, prompt, readFile, SCHEMA, url } from './read-file.mjs';

const { models } = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
const config = {
  tools: [
    { functionDeclarations: [{ name: 'read_file', description: DESCRIPTION, parametersJsonSchema: SCHEMA }] },
  ],
};

/** The loop of the documentation: reply, results, reply. */
async function answer(ask) {
  const contents = [{ role: 'user', parts: [{ text: prompt }] }];
  for (;;) {
    const parts = await ask({ model, contents, config });
    const calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
    if (calls.length === 0) return parts.map(({ text }) => text).join('');
    const results = calls.map(({ id, name, args }) => ({
      functionResponse: { id, name, response: { output: readFile(args) } },
    }));
    contents.push({ role: 'model', parts }, { role: 'user', parts: results });
  }
}

const partsOf = ({ candidates }) => candidates[0].content?.parts ?? [];
console.log(await answer(async (asked) => partsOf(await models.generateContent(asked))));
console.log(
  await answer(async (asked) => {
    const parts = [];
    for await (const chunk of await models.generateContentStream(asked)) parts.push(...partsOf(chunk));
    return parts.filter(({ text }) => text !== '');
  }),
);
